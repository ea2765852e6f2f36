"""The cloud as the Bedrock stand-in sees it: an implementation of `local.bedrock.ports.Cloud` on this server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import eventbridge

from local.emulator import clients, identity

_SERVICE = "bedrock.amazonaws.com"


class EmulatedCloud:
    """Account, Region and callers are those of the request being served; clients reach this very server.

    Attributes:
        state_dir: where the stand-in keeps what must survive a restart.
    """

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir

    def account(self) -> str:
        """Account of the current request."""
        return str(get_account_id())

    def region(self) -> str:
        """Region of the current request."""
        return str(get_region())

    def assume(self, role_arn: str, *, account: str, region: str) -> dict[str, str]:
        """Credentials of a role as Bedrock gets them for a customization job.

        The trust policy must let in bedrock.amazonaws.com with `aws:SourceAccount` = `account` and an `aws:SourceArn` of the
        account's model-customization jobs.

        Returns:
            `AccessKeyId`, `SecretAccessKey` and `SessionToken`, as sts:AssumeRole names them.

        Raises:
            PermissionError: no such role, or its trust policy refuses Bedrock.
        """
        source = f"arn:aws:bedrock:{region}:{account}:model-customization-job/job"
        taken = identity.assume(role_arn, service=_SERVICE, region=region, source_arn=source)
        return {"AccessKeyId": taken.access_key, "SecretAccessKey": taken.secret_key, "SessionToken": taken.token}

    def client(self, service: str, *, account: str, region: str, credentials: dict[str, str] | None = None) -> Any:
        """A botocore client of `service` against this server: as `credentials` (the form `assume` returns), else as the cloud."""
        signer = clients.root(account)
        if credentials is not None:
            signer = clients.Credentials(
                access_key=credentials["AccessKeyId"],
                secret_key=credentials["SecretAccessKey"],
                token=credentials.get("SessionToken", ""),
            )
        return clients.client(service, region=region, credentials=signer)

    def put_event(self, *, account: str, region: str, source: str, detail_type: str, detail: dict[str, Any], resources: list[str]) -> None:
        """Put an AWS service's event on the account's default bus; only services may use an `aws.` source."""
        put_service_event(account=account, region=region, source=source, detail_type=detail_type, detail=detail, resources=resources)

    def caller_may(self, action: str, resource: str, context: dict[str, str]) -> bool:
        """Whether the current request's caller may do `action` on `resource`, by its own policies and the given context keys."""
        return identity.may(
            principal_arn=iam_evaluator.caller_arn(), action=action, resource=resource, region=str(get_region()), context=context
        )


def put_service_event(*, account: str, region: str, source: str, detail_type: str, detail: dict[str, Any], resources: list[str]) -> None:
    """Put an event on the default bus the way AWS's own services do."""
    entry = {"Source": source, "DetailType": detail_type, "Detail": json.dumps(detail), "Resources": resources}
    with request_scope(account, region):
        eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
