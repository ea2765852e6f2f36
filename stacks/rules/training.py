"""Rules on what trains: the job's role, the function that starts jobs, the model's key, the reward it is given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from contracts import names

from stacks.rules.policies import Grant, grants, roles, trusted_services
from stacks.rules.rule import Fault, Rule
from stacks.rules.templates import Resource, Templates, listed, statements

CREATE_JOB = "bedrock:CreateModelCustomizationJob"

_JOB_READS = (names.STAGED, names.OUTPUT)
_JOB_WRITES = (names.OUTPUT,)
_JOB_OBJECT_ACTIONS = {"s3:GetObject": _JOB_READS, "s3:PutObject": _JOB_WRITES, "s3:ListBucket": ()}

# Signing happens in the key's own name: no service stands between caller and KMS, and no data is decrypted.
_DIRECT_KEY_USES = {"kms:Sign", "kms:Verify", "kms:GetPublicKey"}


def variables(function: Resource) -> dict[str, Any]:
    return dict(function.properties.get("Environment", {}).get("Variables", {}))


def functions(templates: Templates) -> list[Resource]:
    return templates.of("AWS::Lambda::Function")


def reward_functions(templates: Templates) -> list[Resource]:
    """The functions behind the reward's alias."""
    found = [templates.find("AWS::Lambda::Function", referenced_by=_aliased(templates, alias)) for alias in _aliases(templates)]
    return [function for function in found if function]


def _aliases(templates: Templates) -> list[Resource]:
    return [alias for alias in templates.of("AWS::Lambda::Alias") if alias.properties.get("Name") == names.REWARD_ALIAS]


def _aliased(templates: Templates, alias: Resource) -> str:
    return templates.text(alias.properties["FunctionName"], alias)


def job_roles(templates: Templates) -> list[Resource]:
    """The roles Bedrock assumes for customization jobs."""
    return [role for role in roles(templates) if "bedrock.amazonaws.com" in trusted_services(role)]


def _job_role(templates: Templates) -> Iterator[Fault]:
    jobs = {role.reference for role in job_roles(templates)}
    rewards = [function.attribute("Arn") for function in reward_functions(templates)]
    for grant in grants(templates):
        if grant.role is not None and grant.role.reference in jobs:
            for what in _beyond_the_job(templates, grant, rewards):
                yield Fault(resource=grant.policy, what=what)


def _beyond_the_job(templates: Templates, grant: Grant, rewards: list[str]) -> Iterator[str]:
    for action in grant.actions:
        service = action.split(":", 1)[0]
        for resource in grant.resources:
            if service == "s3" and not _in_the_jobs_bucket(templates, action, resource):
                yield f"a job may {action} on {resource}"
            if service == "lambda" and (action != "lambda:InvokeFunction" or not any(resource in {arn, f"{arn}:*"} for arn in rewards)):
                yield f"a job may {action} on {resource}"
        if service not in {"s3", "lambda", "kms", "ec2"}:
            yield f"a job may {action}"


def _in_the_jobs_bucket(templates: Templates, action: str, resource: str) -> bool:
    bucket, _, key = resource.partition("/") if not resource.startswith("${") else _split(resource)
    runs = {templates.text(variables(f)[names.ENV_RUNS_BUCKET], f) for f in functions(templates) if names.ENV_RUNS_BUCKET in variables(f)}
    owner = templates.find("AWS::S3::Bucket", referenced_by=bucket)
    if owner is None or owner.reference not in runs or action not in _JOB_OBJECT_ACTIONS:
        return False
    prefixes = _JOB_OBJECT_ACTIONS[action]
    return key in {f"{prefix}*" for prefix in prefixes} if prefixes else not key


def _split(resource: str) -> tuple[str, str, str]:
    end = resource.index("}") + 1
    return resource[:end], "/", resource[end:].removeprefix("/")


def _starters(templates: Templates) -> list[Resource]:
    """The functions whose role may create customization jobs."""
    able = {grant.role.reference for grant in grants(templates) if grant.role and CREATE_JOB in grant.actions}
    return [
        function
        for function in functions(templates)
        if (role := templates.find("AWS::IAM::Role", referenced_by=templates.text(function.properties.get("Role"), function)))
        and role.reference in able
    ]


def _model_key(templates: Templates) -> Iterator[Fault]:
    for function in _starters(templates):
        text = templates.text(variables(function).get(names.ENV_MODEL_KEY), function)
        key = templates.find("AWS::KMS::Key", referenced_by=text)
        place = f"Properties/Environment/Variables/{names.ENV_MODEL_KEY}"
        if key is None:
            yield Fault(resource=function, what="the function that starts jobs is given no model key of these stacks", property_path=place)
        elif key.properties.get("EnableKeyRotation") is not True:
            yield Fault(resource=key, what="the model key does not rotate", property_path="Properties/EnableKeyRotation")


def _key_via_service(templates: Templates) -> Iterator[Fault]:
    for grant in grants(templates):
        uses = [action for action in grant.actions if action.startswith("kms:") and action not in _DIRECT_KEY_USES]
        services = listed(grant.statement.get("Condition", {}).get("StringEquals", {}).get("kms:ViaService"))
        if uses and (not services or any("*" in str(service) for service in services)):
            yield Fault(resource=grant.policy, what=f"{', '.join(uses)} without kms:ViaService")
        if uses and "*" in grant.resources:
            yield Fault(resource=grant.policy, what=f"{', '.join(uses)} on every key")


def _job_network(templates: Templates) -> Iterator[Fault]:
    kinds = {names.ENV_SUBNETS: "AWS::EC2::Subnet", names.ENV_SECURITY_GROUPS: "AWS::EC2::SecurityGroup"}
    for function in _starters(templates):
        for variable, kind in kinds.items():
            text = templates.text(variables(function).get(variable), function)
            if not text or not all(templates.find(kind, referenced_by=part) for part in text.split(",")):
                yield Fault(
                    resource=function,
                    what=f"the function that starts jobs is given no {kind} of these stacks in {variable}",
                    property_path=f"Properties/Environment/Variables/{variable}",
                )


def _one_starter(templates: Templates) -> Iterator[Fault]:
    if not functions(templates):
        return  # stacks without any function, a test's own
    for grant in grants(templates):
        if CREATE_JOB in grant.actions and (grant.role is None or trusted_services(grant.role) != {"lambda.amazonaws.com"}):
            yield Fault(resource=grant.policy, what=f"{CREATE_JOB} for somebody who is no function of the pipeline")


def _reward_pinned(templates: Templates) -> Iterator[Fault]:
    for alias in _aliases(templates):
        text = templates.text(alias.properties.get("FunctionVersion"), alias)
        version = templates.find("AWS::Lambda::Version", referenced_by=text)
        place = "Properties/FunctionVersion"
        if version is None and not text.isdigit():
            yield Fault(resource=alias, what=f"the reward's alias points at {text or 'nothing'}", property_path=place)
        if alias.properties.get("RoutingConfig"):
            yield Fault(resource=alias, what="the reward's alias sends part of its calls to another version", property_path=place)
        if version is not None and version.body.get("DeletionPolicy") != "Retain":
            yield Fault(resource=version, what="the next deployment deletes this version of the reward", property_path="DeletionPolicy")
    if _starters(templates) and not _aliases(templates):
        yield Fault(resource=_starters(templates)[0], what=f"no reward function has the alias {names.REWARD_ALIAS}")
    for resource in templates.of("AWS::Lambda::Function", "AWS::StepFunctions::StateMachine", "AWS::SSM::Parameter"):
        if "$LATEST" in str(resource.properties.get("Environment")) + str(resource.properties.get("DefinitionString")) + str(
            resource.properties.get("Value")
        ):
            yield Fault(resource=resource, what="$LATEST is handed to the pipeline")


def _job_trust(templates: Templates) -> Iterator[Fault]:
    for role in job_roles(templates):
        for statement in statements(role.properties["AssumeRolePolicyDocument"]):
            sources = [
                templates.text(source, role)
                for operator in ("ArnLike", "ArnEquals", "StringEquals", "StringLike")
                for source in listed(statement.get("Condition", {}).get(operator, {}).get("aws:SourceArn"))
            ]
            if any(not source.endswith(":model-customization-job/*") for source in sources):
                yield Fault(resource=role, what="Bedrock may take the job's role for more than customization jobs")


RULES = (
    Rule(
        name="JobRole",
        checks="A job's role reads staged/ and output/ of the runs bucket, writes output/, invokes the reward function, and does nothing "
        "else but use its keys and make its network interfaces.",
        why="The job runs in Bedrock's account with this role: what it may read beyond its data, held-out prompts among it, can be "
        "learnt (Bedrock user guide, custom-model-job-access-security).",
        remedy="Take the statement out of the JobRole of stacks/training.py.",
        check=_job_role,
    ),
    Rule(
        name="JobTrust",
        checks="Bedrock assumes the job's role for customization jobs only.",
        why="Another feature of Bedrock would come with another caller and the same rights (Bedrock user guide, the confused deputy).",
        remedy="Name model-customization-job/* of this account and Region as aws:SourceArn.",
        check=_job_trust,
    ),
    Rule(
        name="JobStarter",
        checks="bedrock:CreateModelCustomizationJob belongs to functions of the pipeline and to nobody else.",
        why="IAM has no condition key for a job's role, key, network or grader (service authorization reference, Amazon Bedrock), so "
        "whoever may create a job may create one without them.",
        remedy="Start runs through the state machine instead of granting the action.",
        check=_one_starter,
    ),
    Rule(
        name="ModelKey",
        checks="The function that starts jobs is given a customer managed key of these stacks that rotates.",
        why="Without customModelKmsKeyId Bedrock encrypts the custom model with a key AWS owns, which cannot be withdrawn or audited "
        "(Bedrock user guide, encryption-custom-job).",
        remedy=f"Set {names.ENV_MODEL_KEY} to the model key's ARN and EnableKeyRotation to true.",
        check=_model_key,
    ),
    Rule(
        name="KeyViaService",
        checks="An identity policy uses a key only through a named service (kms:ViaService), signing excepted, and never every key.",
        why="Otherwise whoever holds the role can decrypt by calling KMS itself (KMS developer guide, conditions-kms).",
        remedy="Use `use_key`, `read_key` or `write_key` of stacks/constructs/statements.py.",
        check=_key_via_service,
    ),
    Rule(
        name="JobNetwork",
        checks="The function that starts jobs is given subnets and security groups of these stacks.",
        why="A job without vpcConfig reads its data from Bedrock's network, past endpoint policies and flow logs "
        "(Bedrock user guide, vpc-model-customization).",
        remedy=f"Set {names.ENV_SUBNETS} and {names.ENV_SECURITY_GROUPS}.",
        check=_job_network,
    ),
    Rule(
        name="RewardPinned",
        checks="The reward's alias points at one published version, which is kept, and $LATEST is handed to nobody.",
        why="What graded a model must still be there to be read; $LATEST changes while a job runs (Lambda developer guide, "
        "configuration-versions).",
        remedy="Point the alias at the function's current version, with RemovalPolicy.RETAIN and no weighted routing.",
        check=_reward_pinned,
    ),
)
