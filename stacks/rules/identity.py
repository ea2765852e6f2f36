"""Rules on roles: who may become them, what they may do, what bounds them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stacks.rules.policies import grants, policies_of, resource_statements, roles
from stacks.rules.rule import Fault, Rule
from stacks.rules.templates import Resource, Statement, Templates, asked_keys, listed, required_keys, statements

NO_SOURCE_KEYS = {"lambda.amazonaws.com"}
"""Services that assume a role without `aws:SourceAccount` or `aws:SourceArn`: a condition on them would lock the service out.

Lambda's execution roles are guarded by iam:PassRole (Lambda developer guide, lambda-intro-execution-role).
"""

UNDOCUMENTED_SOURCE_KEYS = {"chatbot.amazonaws.com"}
"""Services of which no page of AWS says whether they send the keys: `…IfExists` holds them to the account where they do."""

_SOURCE_KEYS = {"aws:SourceArn", "aws:SourceAccount", "aws:SourceOrgID", "kms:EncryptionContext:aws:logs:arn"}


def _services(statement: Statement) -> list[str]:
    principal = statement.get("Principal", {})
    return [str(service) for service in listed(principal.get("Service"))] if isinstance(principal, dict) else []


def _service_trust(templates: Templates) -> Iterator[Fault]:
    for role in roles(templates):
        for statement in statements(role.properties["AssumeRolePolicyDocument"]):
            for service in _services(statement):
                named = asked_keys(statement) if service in UNDOCUMENTED_SOURCE_KEYS else required_keys(statement)
                missing = {"aws:SourceAccount", "aws:SourceArn"} - named
                if statement["Effect"] == "Allow" and service not in NO_SOURCE_KEYS and missing:
                    what = f"the role trusts {service} without {' and '.join(sorted(missing))}"
                    yield Fault(resource=role, what=what, property_path="Properties/AssumeRolePolicyDocument")


def _service_access(templates: Templates) -> Iterator[Fault]:
    for resource, statement in resource_statements(templates):
        for service in _services(statement):
            if statement["Effect"] == "Allow" and not required_keys(statement) & _SOURCE_KEYS:
                yield Fault(resource=resource, what=f"{service} is let in whoever it acts for")
    for permission in templates.of("AWS::Lambda::Permission"):
        if not {"SourceArn", "SourceAccount", "PrincipalOrgID"} & set(permission.properties):
            yield Fault(resource=permission, what=f"{permission.properties.get('Principal')} may invoke whoever it acts for")


def _pass_role(templates: Templates) -> Iterator[Fault]:
    for grant in grants(templates):
        if "iam:PassRole" not in grant.actions:
            continue
        targets = [templates.find("AWS::IAM::Role", referenced_by=resource) for resource in grant.resources]
        equals = grant.statement.get("Condition", {}).get("StringEquals", {})
        if len(targets) != 1 or None in targets or "*" in grant.resources[0]:
            yield Fault(resource=grant.policy, what=f"iam:PassRole on {', '.join(grant.resources)}")
        if len(listed(equals.get("iam:PassedToService"))) != 1:
            yield Fault(resource=grant.policy, what="iam:PassRole without exactly one service in iam:PassedToService")


def _action_wildcard(templates: Templates) -> Iterator[Fault]:
    for grant in grants(templates):
        for action in grant.actions:
            if "*" in action:
                yield Fault(resource=grant.policy, what=f"{action} is allowed")
        for key in ("NotAction", "NotResource"):
            if key in grant.statement:
                yield Fault(resource=grant.policy, what=f"a statement allows everything but what {key} names")


def _boundary(templates: Templates) -> Iterator[Fault]:
    return (Fault(resource=role, what="the role has no permissions boundary") for role in roles(templates) if not _bound(role))


def _bound(role: Resource) -> bool:
    return bool(role.properties.get("PermissionsBoundary"))


def _inline(templates: Templates) -> Iterable[Fault]:
    for policy in templates.of("AWS::IAM::Policy"):
        yield Fault(resource=policy, what="an inline policy")
    for role in templates.of("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group"):
        if role.properties.get("Policies"):
            yield Fault(resource=role, what="an inline policy", property_path="Properties/Policies")


def _empty_role(templates: Templates) -> Iterator[Fault]:
    for user in templates.of("AWS::IAM::User", "AWS::IAM::AccessKey", "AWS::IAM::Group"):
        yield Fault(resource=user, what=f"{user.kind} is a standing identity")
    for role in roles(templates):
        for statement in statements(role.properties["AssumeRolePolicyDocument"]):
            principal = statement.get("Principal")
            anyone = principal == "*" or (isinstance(principal, dict) and "*" in listed(principal.get("AWS")))
            if anyone and statement["Effect"] == "Allow" and not statement.get("Condition"):
                yield Fault(resource=role, what="anyone may assume the role", property_path="Properties/AssumeRolePolicyDocument")
        if not policies_of(templates, role) and not role.properties.get("ManagedPolicyArns"):
            yield Fault(resource=role, what="the role has no policy")


def _chat_guardrail(templates: Templates) -> Iterator[Fault]:
    for channel in templates.of("AWS::Chatbot::SlackChannelConfiguration", "AWS::Chatbot::MicrosoftTeamsChannelConfiguration"):
        given = [templates.text(policy, channel) for policy in listed(channel.properties.get("GuardrailPolicies"))]
        if not given or not all(templates.find("AWS::IAM::ManagedPolicy", referenced_by=policy) for policy in given):
            yield Fault(resource=channel, what=f"the channel's guardrail is {', '.join(given) or 'AdministratorAccess'}")
        if channel.properties.get("UserRoleRequired") is not True:
            yield Fault(resource=channel, what="whoever is in the channel acts with its role")


RULES = (
    Rule(
        name="ServiceTrust",
        checks="A statement that lets a service assume a role carries aws:SourceAccount and aws:SourceArn, where the service sends them; "
        "under ...IfExists where AWS does not say whether it does.",
        why="Without them the service can be made to use the role for somebody else's resource "
        "(IAM user guide, the confused deputy problem).",
        remedy="Use `for_service` of stacks/constructs/statements.py with the ARNs of the resources the service acts for.",
        check=_service_trust,
    ),
    Rule(
        name="ServiceAccess",
        checks="Every statement of a resource's policy that lets a service in names the account or resource it acts for.",
        why="A queue, topic, bucket or key that a service may use for anyone is a confused deputy's too (IAM user guide).",
        remedy="Add aws:SourceArn or aws:SourceAccount; for the key of log groups kms:EncryptionContext:aws:logs:arn.",
        check=_service_access,
    ),
    Rule(
        name="PassRole",
        checks="iam:PassRole names one role of these stacks and one service in iam:PassedToService.",
        why="Whoever passes a role to a service acts with that role's rights (IAM user guide, id_roles_use_passrole).",
        remedy="Name the role's ARN as the only resource, and the service under StringEquals.",
        check=_pass_role,
    ),
    Rule(
        name="ActionWildcard",
        checks="No identity policy allows a pattern of actions, such as bedrock:*, or everything but a list.",
        why="A pattern grants actions that do not exist yet; for Bedrock it would let its holder train, deploy and delete models.",
        remedy="Write the actions out, each of them.",
        check=_action_wildcard,
    ),
    Rule(
        name="RoleBoundary",
        checks="Every role has a permissions boundary.",
        why="A policy attached to the role later cannot reach past it (IAM user guide, access_policies_boundaries).",
        remedy="Make the role with the role construct of stacks/constructs, which sets the boundary.",
        check=_boundary,
    ),
    Rule(
        name="InlinePolicy",
        checks="Roles carry managed policies, never inline ones.",
        why="Managed policies have versions, can be compared and listed, and are what NIST 800-53, HIPAA and PCI DSS packs ask for.",
        remedy="Make the role with the role construct of stacks/constructs, which writes its statements into a managed policy.",
        check=_inline,
    ),
    Rule(
        name="StandingIdentity",
        checks="There is no IAM user, group or access key, no role anyone may assume, and no role without a policy.",
        why="Each is a way in that nothing here needs; a role without a policy waits for somebody to give it one.",
        remedy="Let people come through roles of the organisation's identity provider, and delete what has no use.",
        check=_empty_role,
    ),
    Rule(
        name="ChatGuardrail",
        checks="Every chat channel has guardrails of these stacks, and asks each of its members for a role of their own.",
        why="Without a guardrail AWS applies AdministratorAccess, and without UserRoleRequired anyone in the channel has its role "
        "(chat applications administrator guide, understanding-permissions).",
        remedy="Make it with `Chat` of stacks/chat.py.",
        check=_chat_guardrail,
    ),
)
