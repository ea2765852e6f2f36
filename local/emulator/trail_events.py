"""Bedrock's control plane in CloudTrail, as EventBridge hears of it: `AWS API Call via CloudTrail` for each call that changes something.

Only while a trail of the account is logging, as on AWS. Calls of other services, calls the gateway refuses by the caller's own policy,
and the trail's log files are not made.
"""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudtrail

from local.emulator import bedrock_iam, identity
from local.emulator.ports import put_service_event

_READING = ("Get", "List")


def record(method: str, path: str, headers: dict[str, str], body: bytes, answer: tuple[int, dict[str, str], bytes]) -> None:
    """Tell the default bus of a call that was just answered."""
    found = bedrock_iam.operation("bedrock", method, path)
    if found is None or found[0].startswith(_READING) or not _logging():
        return
    status, answered, content = answer
    refused = status >= 400
    detail = {
        "eventVersion": "1.11",
        "userIdentity": _identity(iam_evaluator.caller_arn()),
        "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "eventSource": "bedrock.amazonaws.com",
        "eventName": found[0],
        "awsRegion": get_region(),
        "sourceIPAddress": "127.0.0.1",
        "userAgent": headers.get("user-agent", ""),
        "requestParameters": _json(body) or None,
        "responseElements": None if refused else _json(content) or None,
        "requestID": str(uuid.uuid4()),
        "eventID": str(uuid.uuid4()),
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": get_account_id(),
        "eventCategory": "Management",
    }
    if refused:
        named = {name.lower(): value for name, value in answered.items()}
        detail["errorCode"] = named.get("x-amzn-errortype", str(status)).partition(":")[0]
        detail["errorMessage"] = str((_json(content) or {}).get("message", ""))
    put_service_event(
        account=get_account_id(),
        region=get_region(),
        source="aws.bedrock",
        detail_type="AWS API Call via CloudTrail",
        detail=detail,
        resources=[],
    )


def _logging() -> bool:
    """Whether a trail of this Region, or one of all Regions, is logging."""
    return any(
        trail.get("IsLogging") and (home == get_region() or trail.get("IsMultiRegionTrail"))
        for home, _name, trail in cloudtrail._account_trail_items()
    )


def _identity(arn: str) -> dict[str, Any]:
    """CloudTrail's `userIdentity` of a caller (CloudTrail user guide, cloudtrail-event-reference-user-identity)."""
    account, resource = identity.account_of(arn), arn.split(":", 5)[5]
    found: dict[str, Any] = {"arn": arn, "accountId": account, "principalId": resource}
    if resource == "root":
        return {"type": "Root", **found}
    if not resource.startswith("assumed-role/"):
        return {"type": "IAMUser", **found, "userName": resource.rsplit("/", 1)[-1]}
    role = resource.split("/")[1]
    issuer = {"type": "Role", "principalId": role, "arn": f"arn:aws:iam::{account}:role/{role}", "accountId": account, "userName": role}
    return {"type": "AssumedRole", **found, "sessionContext": {"sessionIssuer": issuer, "attributes": {"mfaAuthenticated": "false"}}}


def _json(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
