"""Templates with their intrinsics written out as they would be in a named account, so that policies can be evaluated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs

from audit.assembly import Assembly, Resource

ACCOUNTS = {"dev": "111111111111", "stage": "222222222222", "prod": "333333333333"}
"""Stand for the accounts of environments whose settings name none. An environment of another name gets `OTHER_ACCOUNT`."""

OTHER_ACCOUNT = "444444444444"

_NAMES = {
    "AWS::S3::Bucket": "BucketName",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Events::EventBus": "Name",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
    "AWS::SSM::Parameter": "Name",
}

_ARNS = {
    "AWS::S3::Bucket": "arn:aws:s3:::{name}",
    "AWS::IAM::Role": "arn:aws:iam::{account}:role/{name}",
    "AWS::IAM::ManagedPolicy": "arn:aws:iam::{account}:policy/{name}",
    "AWS::Lambda::Function": "arn:aws:lambda:{region}:{account}:function:{name}",
    "AWS::KMS::Key": "arn:aws:kms:{region}:{account}:key/{name}",
    "AWS::SQS::Queue": "arn:aws:sqs:{region}:{account}:{name}",
    "AWS::SNS::Topic": "arn:aws:sns:{region}:{account}:{name}",
    "AWS::Logs::LogGroup": "arn:aws:logs:{region}:{account}:log-group:{name}:*",
    "AWS::Events::EventBus": "arn:aws:events:{region}:{account}:event-bus/{name}",
    "AWS::Events::Rule": "arn:aws:events:{region}:{account}:rule/{name}",
    "AWS::StepFunctions::StateMachine": "arn:aws:states:{region}:{account}:stateMachine:{name}",
    "AWS::CloudTrail::Trail": "arn:aws:cloudtrail:{region}:{account}:trail/{name}",
}

_REFERRED_BY_ARN = {"AWS::IAM::ManagedPolicy", "AWS::SNS::Topic", "AWS::StepFunctions::StateMachine"}
"""Types whose `Ref` is their ARN."""


@attrs.frozen(kw_only=True)
class Environment:
    """One environment as deployed into `account`.

    A name that only a deployment makes up is `<stack name>-<logical id>` in lower case, where CloudFormation would add a suffix.
    """

    assembly: Assembly
    account: str

    @property
    def name(self) -> str:
        return self.assembly.environment

    @property
    def region(self) -> str:
        return self.assembly.settings.region

    def value(self, stack: str, value: Any) -> Any:
        """A value of a template of `stack` with every intrinsic written out."""
        if isinstance(value, list):
            return [self.value(stack, item) for item in value]
        if not isinstance(value, Mapping):
            return value
        if set(value) == {"Ref"} or (len(value) == 1 and next(iter(value)).startswith("Fn::")):
            return self._intrinsic(stack, value)
        return {key: self.value(stack, item) for key, item in value.items()}

    def _intrinsic(self, stack: str, value: Mapping[str, Any]) -> Any:
        match value:
            case {"Ref": name}:
                written: Any = self._reference(stack, name)
            case {"Fn::GetAtt": [logical_id, attribute]}:
                written = self._attribute(stack, logical_id, attribute)
            case {"Fn::Join": [separator, parts]}:
                written = str(separator).join(str(self.value(stack, part)) for part in parts)
            case {"Fn::ImportValue": name}:
                written = self._imported(str(self.value(stack, name)))
            case {"Fn::Select": [index, items]}:
                chosen = self.value(stack, items)
                written = chosen[int(index)] if isinstance(chosen, list) else f"{chosen}[{index}]"
            case _:
                written = json.dumps(value, sort_keys=True)
        return written

    def resources(self, *kinds: str) -> list[tuple[str, str, Resource]]:
        """Stack, logical id and resource with its properties written out."""
        return [
            (stack, logical_id, {**resource, "Properties": self.value(stack, resource.get("Properties", {}))})
            for stack, logical_id, resource in self.assembly.resources(*kinds)
        ]

    def place(self, stack: str, logical_id: str) -> str:
        """Where the construct stands in the stack's tree."""
        return self.assembly.paths.get((stack, logical_id), logical_id)

    def arn(self, stack: str, logical_id: str) -> str:
        """The resource's ARN; its name for a type that has none here."""
        kind = self._resource(stack, logical_id)["Type"]
        name = self._name(stack, logical_id)
        return _ARNS.get(kind, "{name}").format(name=name, account=self.account, region=self.region)

    def _resource(self, stack: str, logical_id: str) -> Resource:
        found: Resource = self.assembly.templates[stack]["Resources"][logical_id]
        return found

    def _name(self, stack: str, logical_id: str) -> str:
        resource = self._resource(stack, logical_id)
        given = resource.get("Properties", {}).get(_NAMES.get(resource["Type"], ""))
        return str(self.value(stack, given)) if given else f"rft-{self.name}-{stack}-{logical_id}".lower()

    def _reference(self, stack: str, name: str) -> str:
        pseudo = {
            "AWS::AccountId": self.account,
            "AWS::Region": self.region,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": f"rft-{self.name}-{stack}",
        }
        if name in pseudo:
            return pseudo[name]
        if name not in self.assembly.templates[stack]["Resources"]:
            return name
        by_arn = self._resource(stack, name)["Type"] in _REFERRED_BY_ARN
        return self.arn(stack, name) if by_arn else self._name(stack, name)

    def _attribute(self, stack: str, logical_id: str, attribute: str) -> str:
        if attribute in ("Arn", "TopicArn"):
            return self.arn(stack, logical_id)
        name = self._name(stack, logical_id)
        return name if attribute in ("GroupId", "QueueName", "TopicName", "Name", "VpcId", "SubnetId") else f"{name}.{attribute}"

    def _imported(self, name: str) -> str:
        for stack, template in self.assembly.templates.items():
            for output in template.get("Outputs", {}).values():
                if self.value(stack, output.get("Export", {}).get("Name")) == name:
                    return str(self.value(stack, output["Value"]))
        raise KeyError(f"{self.name}: no stack exports {name!r}")


def load(assembly: Assembly) -> Environment:
    """The environment in the account its settings name, or in the one that stands for it."""
    return Environment(assembly=assembly, account=assembly.settings.account or ACCOUNTS.get(assembly.environment, OTHER_ACCOUNT))
