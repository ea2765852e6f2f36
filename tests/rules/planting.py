"""One bad resource, or one bad line, of each kind our own rules look for, planted in dev's templates."""

from __future__ import annotations

from typing import Any

from contracts import names

from stacks.rules.policies import grants, policies_of
from stacks.rules.templates import Resource, Templates, statements
from stacks.rules.training import CREATE_JOB, functions, job_roles, variables

Body = dict[str, Any]

ALLOW = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::elsewhere/key"}
MACHINES = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "states.amazonaws.com"}}],
}


class Garden:
    """Dev's templates, open to changes."""

    def __init__(self, templates: Templates) -> None:
        self.templates = templates
        self.stack = next(part for part in templates.parts if part.stack == "pipeline")

    def add(self, kind: str, properties: Body, **more: Any) -> Body:
        body = {"Type": kind, "Properties": properties, **more}
        self.stack.body["Resources"][f"Planted{len(self.stack.body['Resources'])}"] = body
        for cached in ("resources", "_by_id"):
            vars(self.templates).pop(cached, None)
        return body

    def one(self, kind: str, beginning: str = "") -> Body:
        found = [resource for resource in self.templates.of(kind) if resource.logical_id.startswith(beginning)]
        assert found, f"no {kind} begins with {beginning}"
        return found[0].body

    def properties(self, kind: str, beginning: str = "") -> Body:
        properties: Body = self.one(kind, beginning)["Properties"]
        return properties

    def allow(self, role: Resource, **statement: Any) -> None:
        """Adds a statement to the first policy of the role."""
        document = policies_of(self.templates, role)[0].body["Properties"]["PolicyDocument"]
        document["Statement"].append({**ALLOW, **statement})

    def role(self, beginning: str) -> Resource:
        return next(role for role in self.templates.of("AWS::IAM::Role") if role.logical_id.startswith(beginning))

    def job(self, **statement: Any) -> None:
        self.allow(job_roles(self.templates)[0], **statement)

    def starter(self) -> Body:
        role = next(grant.role for grant in grants(self.templates) if CREATE_JOB in grant.actions)
        assert role is not None
        found = next(
            f for f in functions(self.templates) if role.reference in self.templates.text(f.properties["Role"], f).replace(".Arn", "")
        )
        return found.body

    def variable(self, name: str, value: str | None) -> None:
        held = self.starter()["Properties"]["Environment"]["Variables"]
        assert name in held
        if value is None:
            del held[name]
        else:
            held[name] = value

    def trust(self, role: Resource) -> Body:
        return next(iter(statements(role.body["Properties"]["AssumeRolePolicyDocument"])))

    def endpoint(self, kind: str) -> Body:
        found = [e for e in self.templates.of("AWS::EC2::VPCEndpoint") if e.properties.get("VpcEndpointType", "Gateway") == kind]
        properties: Body = found[0].body["Properties"]
        return properties

    def holder_of(self, variable: str) -> Resource:
        return next(function for function in functions(self.templates) if variable in variables(function))

    def runs_bucket(self) -> Any:
        """The runs bucket's name, as the functions are told it."""
        return variables(self.holder_of(names.ENV_RUNS_BUCKET))[names.ENV_RUNS_BUCKET]
