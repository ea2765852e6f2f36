"""Roles as AWS services use them: trust policies asked for the service principal, and sessions that sign real requests."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id
from ministack.services import iam, sts

from local.emulator import settings
from local.emulator.clients import Credentials


class NotTrusted(PermissionError):
    """A role that does not exist or whose trust policy does not let the service in."""


def install() -> None:
    """Check root users' signatures too, and stop them from passing for any service principal in a trust policy.

    ministack takes a request that names an account as its root user's without looking at the signature, so that any
    program, or any web page open on the machine, could do anything in this cloud, running code included.
    """
    iam_evaluator._is_root_key = lambda _key: False
    upstream = iam_evaluator._principal_matches

    def principal_matches(principal: Any, caller_arn: str) -> bool:
        if isinstance(principal, dict):
            principal = {kind: value for kind, value in principal.items() if kind != "Service"}
        return bool(upstream(principal, caller_arn))

    iam_evaluator._principal_matches = principal_matches
    resolve = iam_evaluator._resolve_condition_key

    def resolve_condition_key(key: str, request: Any) -> Any:
        # Of a role's session AWS gives the role's ARN, not the session's (IAM user guide, reference_policies_condition-keys).
        value = resolve(key, request)
        return role_arn_of(value) if key.lower() == "aws:principalarn" and isinstance(value, str) else value

    iam_evaluator._resolve_condition_key = resolve_condition_key


def role_arn_of(principal_arn: str) -> str:
    """The ARN of the role behind a session's; any other ARN as it is."""
    if ":assumed-role/" not in principal_arn:
        return principal_arn
    account, role = account_of(principal_arn), principal_arn.split("/")[1]
    record = iam._roles.get_scoped(account, None, role)
    return str(record["Arn"]) if record else f"arn:aws:iam::{account}:role/{role}"


def account_of(arn: str) -> str:
    """The account field of an ARN."""
    return arn.split(":")[4]


def role_of(role_arn: str) -> dict[str, Any]:
    """The role's record.

    Raises:
        NotTrusted: there is no such role in the account the ARN names.
    """
    parts = role_arn.split(":")
    if len(parts) < 6 or parts[2] != "iam" or not parts[5].startswith("role/"):
        raise NotTrusted(f"{role_arn!r} is not the ARN of an IAM role")
    record = iam._roles.get_scoped(parts[4], None, parts[5].rsplit("/", 1)[-1])
    if record is None or record.get("Arn", role_arn) != role_arn:
        raise NotTrusted(f"role {role_arn} does not exist")
    return dict(record)


def trusts(role_arn: str, *, service: str, region: str, context: dict[str, str]) -> bool:
    """Whether the role's trust policy lets the service principal assume it under `context` (aws:SourceArn, ...).

    ministack's own evaluator matches service principals against account roots only, so this reads the document itself.
    """
    document = role_of(role_arn).get("AssumeRolePolicyDocument", "{}")
    policy = json.loads(document) if isinstance(document, str) else document
    request = iam_evaluator.EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account=account_of(role_arn),
        action="sts:AssumeRole",
        resource_arn=role_arn,
        region=region,
        service_context={key.lower(): value for key, value in context.items()},
    )
    statements = policy.get("Statement", [])
    allowed = False
    for statement in statements if isinstance(statements, list) else [statements]:
        if not _applies(statement, service, request):
            continue
        if statement.get("Effect") == "Deny":
            return False
        allowed = allowed or statement.get("Effect") == "Allow"
    return allowed


def _applies(statement: dict[str, Any], service: str, request: Any) -> bool:
    def listed(name: str) -> list[str]:
        value = statement.get(name, [])
        return [value] if isinstance(value, str) else list(value)

    principal = statement.get("Principal", {})
    return bool(
        (principal == "*" or iam_evaluator._service_principal_matches(principal, service))
        and iam_evaluator._action_matches(request.action, listed("Action"), listed("NotAction"))
        and iam_evaluator._conditions_met(statement.get("Condition", {}), request)
    )


def assume(role_arn: str, *, service: str, region: str, source_arn: str = "", session: str = "") -> Credentials:
    """Credentials of the role as the service `service` gets them, after asking the trust policy each time.

    Raises:
        NotTrusted: no such role, or its trust policy refuses the service with these source conditions.
    """
    context = {"aws:SourceAccount": account_of(source_arn) if source_arn else get_account_id()}
    if source_arn:
        context["aws:SourceArn"] = source_arn
    if not trusts(role_arn, service=service, region=region, context=context):
        raise NotTrusted(f"{service} is not allowed to assume {role_arn}: its trust policy does not let it in with {context}")
    return _session(role_arn, name=session or service.split(".", maxsplit=1)[0])


def _session(role_arn: str, *, name: str) -> Credentials:
    """A session that signs requests as the role. The same role and name give the same keys, so that clients are reused."""
    account, role = account_of(role_arn), role_arn.rsplit("/", 1)[-1]
    seed = hashlib.sha256(f"{role_arn}|{name}".encode()).hexdigest()
    credentials = Credentials(
        access_key=f"ASIA{seed[:16].upper()}",
        secret_key=hashlib.sha256(f"secret|{_process_salt()}|{seed}".encode()).hexdigest(),
        token=hashlib.sha256(f"token|{_process_salt()}|{seed}".encode()).hexdigest(),
    )
    sts.register_session(
        credentials.access_key,
        {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{role}/{name[:64]}",
            "UserId": f"{role}:{name[:64]}",
            "SecretAccessKey": credentials.secret_key,
            "SessionToken": credentials.token,
        },
    )
    return credentials


def _process_salt() -> str:
    return settings.current().secret


def may(*, principal_arn: str, action: str, resource: str, region: str, context: dict[str, str]) -> bool:
    """Whether a principal's own policies allow `action` on `resource`; the root user may everything."""
    account = account_of(principal_arn)
    if principal_arn.endswith(":root"):
        return True
    policies = _policies_of(principal_arn, account)
    request = iam_evaluator.EvalContext(
        principal_arn=principal_arn,
        principal_type="AssumedRole" if ":assumed-role/" in principal_arn else "User",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=region,
        service_context={key.lower(): value for key, value in context.items()},
    )
    return bool(iam_evaluator.evaluate(request, policies).decision == "Allow")


def _policies_of(principal_arn: str, account: str) -> Any:
    if ":assumed-role/" in principal_arn:
        return iam_evaluator._gather_role_policies(iam_evaluator._role_name_from_assumed_arn(principal_arn), account)
    return iam_evaluator._gather_user_policies(principal_arn.rsplit("/", 1)[-1], account)
