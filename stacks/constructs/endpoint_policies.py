"""Policies of the interface endpoints: an endpoint lets through what some role behind it may do, and nothing else.

Derived from the roles themselves, so that a function's new permission needs no second list, and one that is taken away closes the
endpoint too. A role's own policy decides what is done with this account's things; an endpoint's, that credentials of another account
are of no use inside the VPC, and that nothing in another account is in reach of ours.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from aws_cdk import Aws, CfnElement, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import IConstruct

from stacks.constructs.network import ENDPOINTS, RUNTIME_ENDPOINT

Statement = Mapping[str, Any]

JOBS = "bedrock.amazonaws.com"
"""Its roles act from within the VPC, and so do those of functions with an interface in it. Others meet no endpoint."""

RUNTIME_ACTIONS = frozenset({"bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream", "bedrock:CountTokens"})
"""Actions of Bedrock that are called on `bedrock-runtime`; all others are on `bedrock`."""

ALWAYS = {"Sts": ["sts:GetCallerIdentity"]}
"""Lets whoever debugs a function see who it is. The call gives nothing away and no policy can deny it."""

_ANYTHING = "*"
_MODEL = "foundation-model/"


def narrow(endpoints: Mapping[str, ec2.InterfaceVpcEndpoint], scope: IConstruct) -> None:
    """Gives each endpoint its policy, from the roles under `scope`. Call it once all of them have all their statements.

    Raises:
        ValueError: no role uses the service of an endpoint, so the endpoint should go.
    """
    used: dict[str | None, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for statement in _allowed(scope):
        for action in _listed(statement["Action"]):
            met = _endpoint_of(action)
            for resource in _listed(statement["Resource"]) if met else []:
                used[met][_reach(resource)].add(action)
    for name, actions in ALWAYS.items():
        used[name][_ANYTHING].update(actions)
    for name, endpoint in endpoints.items():
        if not used[name]:
            raise ValueError(f"no role in the VPC may do anything with the service of the endpoint {name}: remove it from ENDPOINTS")
        for reach, allowed in sorted(used[name].items()):
            endpoint.add_to_policy(_statement(ENDPOINTS[name][1], reach, sorted(allowed)))


def _statement(service: str, reach: str, actions: list[str]) -> iam.PolicyStatement:
    resources = {
        # Actions that know no resource, such as those that list.
        _ANYTHING: _ANYTHING,
        # AWS's own models belong to no account. Inference profiles route to other Regions.
        _MODEL: f"arn:{Aws.PARTITION}:{service}:*::{_MODEL}*",
        "": f"arn:{Aws.PARTITION}:{service}:{Aws.REGION}:{Aws.ACCOUNT_ID}:*",
    }
    return iam.PolicyStatement(
        principals=[iam.StarPrincipal()],
        actions=actions,
        resources=[resources[reach]],
        conditions={"StringEquals": {"aws:PrincipalAccount": Aws.ACCOUNT_ID}},
    )


def _reach(resource: Any) -> str:
    """Which of the three kinds of resources an entry of a role's statement is."""
    if resource == _ANYTHING:
        return _ANYTHING
    return _MODEL if f"::{_MODEL}" in str(resource) else ""


def _endpoint_of(action: str) -> str | None:
    if action in RUNTIME_ACTIONS:
        return RUNTIME_ENDPOINT
    prefix = action.partition(":")[0]
    return next((name for name, (_, known) in ENDPOINTS.items() if known == prefix and name != RUNTIME_ENDPOINT), None)


def _allowed(scope: IConstruct) -> Iterator[Statement]:
    """Every statement that allows something to a role that acts from within the VPC."""
    nodes = scope.node.find_all()
    policies = {_reference(node): node for node in nodes if isinstance(node, iam.CfnManagedPolicy)}
    functions = {_role_of(node) for node in nodes if isinstance(node, lambda_.CfnFunction) and node.vpc_config}
    for role in nodes:
        if isinstance(role, iam.CfnRole) and (_reference(role) in functions or _runs_jobs(role)):
            # Every role names its policies (`stacks.constructs.role`), and has no others.
            for named in Stack.of(role).resolve(role.managed_policy_arns) or []:
                policy = policies[Stack.of(role).node.addr, named["Ref"]]
                yield from _statements(Stack.of(policy).resolve(policy.policy_document))


def _role_of(function: lambda_.CfnFunction) -> tuple[str, str]:
    """The role's reference; a function's role stands in its own stack."""
    stack = Stack.of(function)
    return stack.node.addr, str(stack.resolve(function.role)["Fn::GetAtt"][0])


def _runs_jobs(role: iam.CfnRole) -> bool:
    trust = Stack.of(role).resolve(role.assume_role_policy_document)
    return JOBS in [service for statement in trust["Statement"] for service in _listed(statement["Principal"].get("Service", []))]


def _statements(document: Mapping[str, Any]) -> Iterator[Statement]:
    for statement in _listed(document["Statement"]):
        if statement["Effect"] == "Allow":
            yield statement


def _reference(element: CfnElement) -> tuple[str, str]:
    stack = Stack.of(element)
    return stack.node.addr, str(stack.resolve(element.logical_id))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
