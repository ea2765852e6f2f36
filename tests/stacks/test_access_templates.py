"""Who may do what: every role of every environment, statement by statement."""

from __future__ import annotations

import pytest
from contracts import names

from stacks.run_definition import FUNCTIONS
from tests.stacks.template_reader import Statement, Synthesised, actions, flat, listed, resources

CONFUSED_DEPUTY_KEYS = {"aws:SourceAccount", "aws:SourceArn"}


def allowed(environment: Synthesised) -> list[tuple[str, Statement]]:
    return [(name, statement) for name, statement in environment.identity_statements() if statement["Effect"] == "Allow"]


def holder(policy: str) -> str:
    """The capability and function whose role the policy belongs to."""
    return "JobRole" if policy.startswith("JobRole") else policy.split("RolePolicy", maxsplit=1)[0]


def test_no_statement_allows_a_pattern_of_actions(environment: Synthesised) -> None:
    statements = allowed(environment)
    assert len(statements) > 50
    for name, statement in statements:
        assert not [action for action in actions(statement) if "*" in action], name
        assert "NotAction" not in statement and "NotResource" not in statement, name


def test_a_resource_of_star_has_a_condition(environment: Synthesised) -> None:
    starred = [(name, statement) for name, statement in allowed(environment) if "*" in resources(statement)]
    assert starred
    for name, statement in starred:
        assert statement.get("Condition"), f"{name}: {actions(statement)}"


def test_no_policy_is_inline(environment: Synthesised) -> None:
    assert not environment.of_type("AWS::IAM::Policy") and not environment.of_type("AWS::IAM::RolePolicy")
    for name, role in environment.of_type("AWS::IAM::Role").items():
        assert "Policies" not in role["Properties"], name


def test_patterns_of_resources_stay_within_one_service_and_kind(environment: Synthesised) -> None:
    for name, statement in allowed(environment):
        for resource in resources(statement):
            if resource != "*":
                head = resource.split("*", 1)[0]
                assert head.startswith("${") or head.count(":") >= 3, f"{name}: {resource}"


def test_every_service_that_can_be_tricked_is_held_to_this_account(environment: Synthesised) -> None:
    for name, role in environment.of_type("AWS::IAM::Role").items():
        for statement in role["Properties"]["AssumeRolePolicyDocument"]["Statement"]:
            service = statement["Principal"]["Service"]
            if service == "lambda.amazonaws.com":
                continue  # Lambda assumes execution roles without a source; iam:PassRole is its guard.
            used = {key for keys in statement["Condition"].values() for key in keys}
            assert used == CONFUSED_DEPUTY_KEYS, f"{name} trusts {service}"
            assert flat(statement["Condition"]["StringEquals"]["aws:SourceAccount"]) == "${AWS::AccountId}"


def test_no_role_trusts_an_account_or_everyone(environment: Synthesised) -> None:
    for name, role in environment.of_type("AWS::IAM::Role").items():
        for statement in role["Properties"]["AssumeRolePolicyDocument"]["Statement"]:
            assert set(statement["Principal"]) == {"Service"}, name
        attached = {flat(arn) for arn in role["Properties"].get("ManagedPolicyArns", [])}
        policies = environment.of_type("AWS::IAM::ManagedPolicy")
        ours = {f"${{{policy}}}" for policy in policies}
        # One whose policy names what is itself given the role is named by the policy instead.
        naming = [p for p in policies.values() if {"Ref": name} in p["Properties"].get("Roles", [])]
        assert (attached or naming) and attached <= ours, f"{name} carries a policy that others write"


def test_every_role_is_bounded(environment: Synthesised) -> None:
    boundary, _ = environment.one("AWS::IAM::ManagedPolicy", "BoundaryPolicy")
    for name, role in environment.of_type("AWS::IAM::Role").items():
        # What bounds AWS Budgets' own role instead: test_budget_templates.py.
        if not name.startswith("BudgetRole"):
            assert boundary in flat(role["Properties"].get("PermissionsBoundary", "")), f"{name} has no boundary"


def test_each_function_has_a_role_of_its_own(environment: Synthesised) -> None:
    roles = [flat(function["Properties"]["Role"]) for function in environment.of_type("AWS::Lambda::Function").values()]
    assert len(roles) == len(set(roles)) > len(FUNCTIONS)


def test_code_of_a_function_cannot_use_the_rights_lambda_needs_for_its_network(environment: Synthesised) -> None:
    with_network = {name for name, s in allowed(environment) if "ec2:CreateNetworkInterface" in actions(s) and "Grader" not in name}
    denied = {
        name
        for name, s in environment.identity_statements()
        if s["Effect"] == "Deny"
        and "ec2:CreateNetworkInterface" in actions(s)
        and "lambda:SourceFunctionArn" in s["Condition"].get("ArnLike", {})
    }
    jobs = {name for name in with_network if name.startswith("JobRole")}
    assert jobs and with_network - jobs <= denied


def test_bedrock_assumes_its_role_for_customization_jobs_only(environment: Synthesised) -> None:
    _, role = environment.one("AWS::IAM::Role", "JobRole")
    (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "bedrock.amazonaws.com"}
    (source,) = [flat(arn) for arn in listed(statement["Condition"]["ArnLike"]["aws:SourceArn"])]
    assert source == f"arn:${{AWS::Partition}}:bedrock:{environment.settings.region}:${{AWS::AccountId}}:model-customization-job/*"


def test_a_job_reads_staged_data_writes_output_and_calls_the_grader(environment: Synthesised) -> None:
    statements = environment.statements_of("JobRole")
    granted = {action for statement in statements for action in actions(statement)}
    assert granted == {
        "s3:GetObject",
        "s3:ListBucket",
        "s3:PutObject",
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "kms:DescribeKey",
        "kms:CreateGrant",
        "lambda:InvokeFunction",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeVpcs",
        "ec2:DescribeDhcpOptions",
        "ec2:DescribeSubnets",
        "ec2:DescribeSecurityGroups",
        "ec2:CreateNetworkInterface",
        "ec2:CreateNetworkInterfacePermission",
        "ec2:DeleteNetworkInterface",
        "ec2:DeleteNetworkInterfacePermission",
        "ec2:CreateTags",
    }
    reads, writes = ([r for s in statements if action in actions(s) for r in resources(s)] for action in ("s3:GetObject", "s3:PutObject"))
    assert {resource.rsplit("}", 1)[1] for resource in reads} == {f"/{names.STAGED}*", f"/{names.OUTPUT}*"}
    assert {resource.rsplit("}", 1)[1] for resource in writes} == {f"/{names.OUTPUT}*"}
    grader, _ = environment.one("AWS::Lambda::Function", "RewardGrader")
    (invoked,) = [resources(s) for s in statements if "lambda:InvokeFunction" in actions(s)]
    assert invoked == [f"${{{grader}.Arn}}:*"]


def test_every_use_of_a_key_is_through_a_service(environment: Synthesised) -> None:
    for name, statement in allowed(environment):
        if actions(statement) == ["kms:Sign"]:
            assert statement["Condition"] == {"StringEquals": {"kms:SigningAlgorithm": "ECDSA_SHA_384", "kms:MessageType": "DIGEST"}}, name
        elif any(action.startswith("kms:") for action in actions(statement)):
            assert statement["Condition"]["StringEquals"]["kms:ViaService"].endswith(f".{environment.settings.region}.amazonaws.com"), name


def test_the_job_role_is_passed_by_one_function_to_bedrock_only(environment: Synthesised) -> None:
    passing = [(name, s) for name, s in allowed(environment) if "iam:PassRole" in actions(s)]
    ((name, statement),) = passing
    assert name.startswith("TrainingStartTraining")
    role, _ = environment.one("AWS::IAM::Role", "JobRole")
    assert resources(statement) == [f"${{{role}.Arn}}"]
    assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "bedrock.amazonaws.com"}}


@pytest.mark.parametrize(
    ("action", "holders"),
    [
        ("bedrock:CreateModelCustomizationJob", {"TrainingStartTraining"}),
        ("bedrock:CreateCustomModelDeployment", {"EvaluationDeployCandidate"}),
        ("bedrock:DeleteCustomModelDeployment", {"ReleaseCleanUp", "Release", "SpendSweep"}),
        ("bedrock:StopModelCustomizationJob", {"ReleaseCleanUp", "TrainingTrackTraining", "SpendSweep"}),
        ("bedrock:InvokeModel", {"EvaluationEvaluate"}),
        ("ssm:PutParameter", {"Release"}),
        ("kms:Sign", {"ReleaseRecordLineage"}),
        ("states:StartExecution", {"RunRequestRun", "ReleasedSchedule"}),
        ("states:SendTaskSuccess", {"TrainingAwaitJob", "TrainingOnJobEvent"}),
    ],
)
def test_what_costs_money_or_moves_a_model_is_in_the_hands_it_belongs_to(dev: Synthesised, action: str, holders: set[str]) -> None:
    assert {holder(name) for name, statement in allowed(dev) if action in actions(statement)} == holders


def test_nothing_may_delete_a_model_a_version_or_a_key(environment: Synthesised) -> None:
    forbidden = {
        "bedrock:DeleteCustomModel",
        "s3:DeleteObjectVersion",
        "s3:DeleteBucket",
        "kms:ScheduleKeyDeletion",
        "lambda:DeleteFunction",
    }
    for name, statement in allowed(environment):
        assert not forbidden & set(actions(statement)), name


def test_base_models_are_reached_through_the_inference_profile_only(environment: Synthesised) -> None:
    invoking = [s for s in environment.statements_of("EvaluationEvaluate") if "bedrock:InvokeModel" in actions(s)]
    foundation = [s for s in invoking if any("foundation-model" in r for r in resources(s))]
    assert foundation
    for statement in foundation:
        assert "inference-profile/us.amazon.nova-2-lite" in flat(statement["Condition"]["StringEquals"]["bedrock:InferenceProfileArn"])


def test_the_state_machine_invokes_its_own_functions_and_no_others(environment: Synthesised) -> None:
    statements = environment.statements_of("RunRolePolicy")
    (invoking,) = [s for s in statements if "lambda:InvokeFunction" in actions(s)]
    handlers = {f"${{{n}.Arn}}": f["Properties"]["Handler"] for n, f in environment.of_type("AWS::Lambda::Function").items()}
    assert {handlers[resource] for resource in resources(invoking)} == {f"pipeline.{module}.handler" for module in FUNCTIONS}


def test_events_are_put_under_our_own_source_only(environment: Synthesised) -> None:
    putting = [(name, s) for name, s in allowed(environment) if "events:PutEvents" in actions(s)]
    assert putting
    for name, statement in putting:
        assert statement["Condition"]["ForAllValues:StringEquals"]["events:source"] == names.EVENT_SOURCE, name


def test_each_role_writes_its_own_prefixes_and_nobody_writes_uploads(dev: Synthesised) -> None:
    written: dict[str, set[str]] = {}
    for name, statement in allowed(dev):
        if "s3:PutObject" in actions(statement):
            written.setdefault(holder(name), set()).update(resource.rsplit("}", 1)[1] for resource in resources(statement))
    assert written == {
        "JobRole": {f"/{names.OUTPUT}*"},
        "DatasetRegisterDataset": {f"/{names.DATASETS}*", f"/{names.REJECTED}*"},
        "TrainingPrepareRun": {f"/{names.STAGED}*", f"/{names.RECORDS}*"},
        "TrainingRehearseReward": {f"/{names.RECORDS}*"},
        "TrainingClaimTurn": {f"/{names.TURNS}*"},
        "TrainingAwaitJob": {f"/{names.TOKENS}*"},
        "TrainingTrackTraining": {f"/{names.RECORDS}*"},
        "EvaluationEvaluate": {f"/{names.RECORDS}*"},
        "EvaluationGate": {f"/{names.RECORDS}*"},
        "PerimeterInspectJobs": {f"/{names.FOREIGN}*"},
        "ReleaseRequestApproval": {f"/{names.TOKENS}*"},
        "ReleaseCleanUp": {f"/{names.TURNS}*"},
        "ReleaseRecordLineage": {f"/{names.RECORDS}*"},
    }
