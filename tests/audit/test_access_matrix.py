"""Given the templates, when the matrix is asked, then each answer is the expected one, and a loosened policy shows in it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from audit.access_matrix import ABSENT, ALLOWED, DENIED, PARTLY, Answer, evaluate, rows
from audit.assembly import Assembly, synthesise
from audit.concrete import load
from audit.policies import Policies
from audit.policy_engine import Request, allowed
from stacks.budget_settings import BudgetSettings
from stacks.constructs.role import POLICY_CHARACTERS
from tests.stacks.variants import outside_settings

Templates = dict[str, Any]


def answers(assembly: Assembly) -> dict[str, Answer]:
    return {answer.row.question: answer for answer in evaluate(load(assembly))}


def test_every_answer_is_the_expected_one(assembly: Assembly) -> None:
    wrong = [f"{a.row.question} {a.computed}: {a.allowances}" for a in evaluate(load(assembly)) if not a.holds]
    assert not wrong, "\n".join(wrong)


def test_what_settings_leave_out_is_not_asked_about(tmp_path: Path) -> None:
    settings = attrs.evolve(outside_settings(), budget=BudgetSettings())
    found = answers(synthesise([settings], tmp_path)["dev"])
    assert all(answer.holds for answer in found.values())
    assert found["Can AWS Budgets take its role for this environment's budget?"].computed == ABSENT
    assert {answer.computed for answer in found.values() if answer.row.through in ("Bedrock", "BedrockRuntime")} == {ABSENT}
    other = found["Can any role attach or take off another policy, AWS Budgets' own included, even with every right attached?"]
    assert other.computed == DENIED and other.asked > 0


def test_the_matrix_asks_enough_and_each_question_once() -> None:
    questions = [row.question for row in rows()]
    assert len(questions) == len(set(questions)) >= 60
    assert {row.expect for row in rows()} == {ALLOWED, DENIED}


def test_every_role_may_do_something_and_all_of_it_lies_within_its_boundary(assembly: Assembly) -> None:
    """A new role's action outside the boundary would be refused at run time: list it in stacks/constructs/boundary.py."""
    environment = load(assembly)
    for principal in Policies(environment).principals.values():
        within = attrs.evolve(principal, identity=principal.boundary or [])
        statements = [s for document in principal.identity for s in document["Statement"] if s["Effect"] == "Allow"]
        assert statements and principal.boundary, principal.place
        for statement in statements:
            for action in _listed(statement["Action"]):
                for resource in _listed(statement["Resource"]):
                    request = Request(
                        principal=within,
                        action=action,
                        resource=resource.replace("*", "x"),
                        region=environment.region,
                        owner=environment.account,
                        context=_met(statement.get("Condition", {})),
                    )
                    # Key policies delegate to the account; only the boundary is asked here.
                    assert allowed(request, resource_policy=_DELEGATES), f"{principal.place}: {action} on {resource}"


def test_every_policy_is_one_that_iam_takes(assembly: Assembly) -> None:
    for _, logical_id, policy in load(assembly).resources("AWS::IAM::ManagedPolicy"):
        size = len(json.dumps(policy["Properties"]["PolicyDocument"], separators=(",", ":")))
        assert size <= POLICY_CHARACTERS, f"{logical_id} has {size} characters"


_DELEGATES = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _met(conditions: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {key: _listed(value)[0] for keys in conditions.values() for key, value in keys.items()}


def _statements(templates: Templates, beginning: str) -> list[dict[str, Any]]:
    """Statements of the first policy whose logical id begins so: a role with many has several policies."""
    found: list[list[dict[str, Any]]] = [
        resource["Properties"]["PolicyDocument"]["Statement"]
        for template in templates.values()
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == "AWS::IAM::ManagedPolicy" and logical_id.startswith(beginning)
    ]
    assert found, f"no policy begins with {beginning}"
    return found[0]


def _resource(templates: Templates, kind: str, beginning: str) -> dict[str, Any]:
    (found,) = [
        resource
        for template in templates.values()
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == kind and logical_id.startswith(beginning)
    ]
    properties: dict[str, Any] = found["Properties"]
    return properties


def _grant(beginning: str, action: str, resource: Any = "*") -> Callable[[Templates], None]:
    return lambda templates: _statements(templates, beginning).append({"Effect": "Allow", "Action": action, "Resource": resource})


def _unbound_jobs(templates: Templates) -> None:
    _resource(templates, "AWS::IAM::Role", "JobRole").pop("PermissionsBoundary")


def _trust_anyone(templates: Templates) -> None:
    for statement in _resource(templates, "AWS::IAM::Role", "JobRole")["AssumeRolePolicyDocument"]["Statement"]:
        statement.pop("Condition")


def _pass_to_any_service(templates: Templates) -> None:
    for statement in _statements(templates, "TrainingStartTraining"):
        if statement["Action"] == "iam:PassRole":
            statement.pop("Condition")


def _open_endpoint(templates: Templates) -> None:
    (statement,) = _resource(templates, "AWS::EC2::VPCEndpoint", "NetworkVpcS3")["PolicyDocument"]["Statement"]
    statement.pop("Condition")
    statement["Resource"] = "*"


def _undo_denials(templates: Templates) -> None:
    statements = _statements(templates, "BoundaryPolicy")
    statements[:] = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]


def _open_bucket(templates: Templates) -> None:
    for statement in _resource(templates, "AWS::S3::BucketPolicy", "BucketsDatasets")["PolicyDocument"]["Statement"]:
        statement.update(Effect="Allow", Action="s3:*", Principal="*", Condition={})


LOOSENED: list[tuple[Callable[[Templates], None], str]] = [
    (_grant("RewardGraderRolePolicy", "s3:GetObject"), "Can the reward function read the dataset?"),
    (_grant("JobRole", "s3:GetObject"), "Can a training job read the held-out prompts, or any registered dataset?"),
    (_grant("JobRole", "s3:PutObject"), "Can a training job write anywhere but its output?"),
    (_grant("JobRole", "lambda:InvokeFunction"), "Can a training job call the reward unqualified, that is code not yet published?"),
    (_pass_to_any_service, "Can the training step pass the job role to any other service?"),
    (_trust_anyone, "Can Bedrock be made to assume the job role for another account's job?"),
    (_open_endpoint, "Can a stranger's credentials carry data out through our S3 endpoint?"),
    (_undo_denials, "Can any role disable or delete a key, even with every right attached?"),
    (_undo_denials, "Can any role stop or change the audit trail, even with every right attached?"),
    (_unbound_jobs, "Can any role change IAM, even with every right attached?"),
    (_open_bucket, "Can a stranger read a bucket of ours?"),
    (
        _grant("EvaluationGateRolePolicy", "bedrock:CreateModelCustomizationJob"),
        "Can any role but the training step start a job outside the pipeline?",
    ),
    (_grant("TrainingPrepareRunRolePolicy", "ssm:PutParameter"), "Can any other role move the released-model pointer?"),
]


@pytest.mark.parametrize(("loosen", "question"), LOOSENED)
def test_a_loosened_policy_turns_its_answer(assemblies: dict[str, Assembly], loosen: Callable[[Templates], None], question: str) -> None:
    assembly = assemblies["prod"]
    assert answers(assembly)[question].holds
    templates = copy.deepcopy(assembly.templates)
    loosen(templates)
    after = answers(attrs.evolve(assembly, templates=templates))[question]
    assert after.computed in (ALLOWED, PARTLY) and after.allowances


def test_a_right_taken_away_turns_its_answer(assemblies: dict[str, Assembly]) -> None:
    assembly = assemblies["prod"]
    templates = copy.deepcopy(assembly.templates)
    _statements(templates, "JobRole").append({"Effect": "Deny", "Action": "s3:*", "Resource": "*"})
    changed = answers(attrs.evolve(assembly, templates=templates))
    assert changed["Can a training job read the data staged for it?"].computed == DENIED
