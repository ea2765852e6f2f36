"""Who and what has which policy: identity, boundary and trust of each role, the policies of resources and endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import attrs

from audit.concrete import Environment

Document = dict[str, Any]


@attrs.frozen(kw_only=True)
class Principal:
    """A role with all that decides what it may do.

    Attributes:
        place: in the construct tree, without the last `/Role`, such as `Training/StartTraining`.
        identity: its policies' documents.
        boundary: documents of its permissions boundary; None when it has none, which limits nothing.
        trust: who may assume it.
    """

    place: str
    arn: str
    account: str
    identity: list[Document]
    boundary: list[Document] | None
    trust: Document


class Policies:
    """The policies of one environment, with every name written out."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment

    @cached_property
    def _managed(self) -> Mapping[str, tuple[Document, list[str]]]:
        """ARN -> a managed policy's document and the names of the roles it attaches itself to."""
        return {
            self.environment.arn(stack, logical_id): (resource["Properties"]["PolicyDocument"], resource["Properties"].get("Roles", []))
            for stack, logical_id, resource in self.environment.resources("AWS::IAM::ManagedPolicy")
        }

    @cached_property
    def principals(self) -> Mapping[str, Principal]:
        """By place. A policy of others, which the templates do not hold, is refused: nothing could be said about it.

        Raises:
            KeyError: when a role carries a managed policy that the templates do not hold.
        """
        found = {}
        for stack, logical_id, resource in self.environment.resources("AWS::IAM::Role"):
            properties = resource["Properties"]
            place = self.environment.place(stack, logical_id).removesuffix("/Role")
            boundary = properties.get("PermissionsBoundary")
            arn = self.environment.arn(stack, logical_id)
            attached = [*properties.get("ManagedPolicyArns", [])]
            attached += [policy for policy, (_, roles) in self._managed.items() if arn.rsplit("/", 1)[-1] in roles]
            found[place] = Principal(
                place=place,
                arn=arn,
                account=self.environment.account,
                identity=[self._managed[policy][0] for policy in dict.fromkeys(attached)]
                + [inline["PolicyDocument"] for inline in properties.get("Policies", [])],
                boundary=[self._managed[boundary][0]] if boundary else None,
                trust=properties["AssumeRolePolicyDocument"],
            )
        return found

    @cached_property
    def _of_resources(self) -> Mapping[str, Document]:
        """ARN -> the resource's own policy; a role's is its trust."""
        found: dict[str, Document] = {}
        for _, _, resource in self.environment.resources("AWS::S3::BucketPolicy"):
            found[f"arn:aws:s3:::{resource['Properties']['Bucket']}"] = resource["Properties"]["PolicyDocument"]
        for stack, logical_id, resource in self.environment.resources("AWS::KMS::Key"):
            found[self.environment.arn(stack, logical_id)] = resource["Properties"]["KeyPolicy"]
        found |= {principal.arn: principal.trust for principal in self.principals.values()}
        for _, _, resource in self.environment.resources("AWS::Lambda::Permission"):
            permission = resource["Properties"]
            document = found.setdefault(permission["FunctionName"], {"Statement": []})
            document["Statement"].append(_invocation(permission))
        for _, _, resource in self.environment.resources("AWS::SNS::TopicPolicy"):
            found |= dict.fromkeys(resource["Properties"]["Topics"], resource["Properties"]["PolicyDocument"])
        for _, _, resource in self.environment.resources("AWS::SQS::QueuePolicy"):
            for queue in resource["Properties"]["Queues"]:
                arn = f"arn:aws:sqs:{self.environment.region}:{self.environment.account}:{queue}"
                found[arn] = resource["Properties"]["PolicyDocument"]
        return found

    def of_resource(self, arn: str) -> Document | None:
        """The policy of the resource, or of the bucket an object is in; None for a resource without one."""
        return self._of_resources.get(arn.split("/", maxsplit=1)[0] if arn.startswith("arn:aws:s3:::") else arn)

    @cached_property
    def endpoints(self) -> Mapping[str, Document]:
        """Policies of the VPC endpoints, by the last part of the place, such as `S3` or `Bedrock`."""
        return {
            self.environment.place(stack, logical_id).rsplit("/", 1)[-1]: resource["Properties"]["PolicyDocument"]
            for stack, logical_id, resource in self.environment.resources("AWS::EC2::VPCEndpoint")
        }


def _invocation(permission: Document) -> Document:
    """The statement that Lambda writes for an AWS::Lambda::Permission."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": permission["Principal"]},
        "Action": permission["Action"],
        "Resource": permission["FunctionName"],
    }
    if "SourceArn" in permission:
        statement["Condition"] = {"ArnLike": {"aws:SourceArn": permission["SourceArn"]}}
    return statement
