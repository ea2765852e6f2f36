"""Proof of who gives an answer: a signed `sts:GetCallerIdentity` request that only its signer could have made, and only STS can tell whose.

Whoever answers signs the request with their own credentials and does not send it; the pipeline sends it, and STS names the principal.
A signed header binds it to one environment, run, question, answer and reason, so that it proves nothing else. The request holds
no secret key and can do nothing but name its signer.

Sources: IAM user guide, "Signature Version 4 signing process"; STS API reference, GetCallerIdentity, which needs no permission.
"""

from __future__ import annotations

import fnmatch
import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import attrs
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session
from botocore.parsers import create_parser
from contracts import names
from contracts.errors import TransientFault

from pipeline import aws, config

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials

HEADER = "x-rft-answer"
BODY = "Action=GetCallerIdentity&Version=2011-06-15"
CONTENT_TYPE = "application/x-www-form-urlencoded; charset=utf-8"

FRESH = timedelta(minutes=5)
"""How old a signature may be: what AWS allows a request to take (IAM user guide, signing). An hour would give a thief an hour."""

SPEND, RELEASE, STOP, REQUEST = "spend", "release", "stop", "request"
"""What an answer is about."""

_SENT = frozenset({"authorization", "content-type", "host", "x-amz-date", "x-amz-security-token", HEADER})
_SIGNED = frozenset({"host", "x-amz-date", HEADER})
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=\w{8,128}/(?P<day>\d{8})/(?P<region>[a-z0-9-]{1,32})/sts/aws4_request, "
    r"SignedHeaders=(?P<signed>[a-z0-9;-]{1,200}), Signature=[0-9a-f]{64}"
)
_NAME = re.compile(r"arn:[\w-]+:(?:sts::\d{12}:assumed-role/[^/]+|sts::\d{12}:federated-user|iam::\d{12}:user(?:/[^/]+)*)/(?P<name>[^/]+)")
"""A principal's own name in its ARN: that of a role's session, a federated user, or an IAM user without its path."""

_MAX_HEADER = 8192
_TIMEOUT = 5


class NotProven(ValueError):
    """The answer proves nobody; the message says why, for the record and for whoever gave it."""


@attrs.frozen(kw_only=True)
class Principal:
    """Who STS says signed the request.

    Attributes:
        arn: of the user, the role's session, or the root user.
        account: 12 digits.
        user_id: unique identifier, which a principal made again under the same name does not have.
    """

    arn: str
    account: str
    user_id: str

    @property
    def names(self) -> tuple[str, ...]:
        """The forms a pattern may name it by: its ARN, and for a session the role's, without the path STS does not tell."""
        role = re.fullmatch(r"(arn:[\w-]+):sts::(\d{12}):assumed-role/([^/]+)/.+", self.arn)
        return (self.arn, f"{role[1]}:iam::{role[2]}:role/{role[3]}") if role else (self.arn,)

    def fits(self, patterns: Sequence[str]) -> bool:
        """Whether one of the patterns names it; no pattern lets anybody of the account."""
        return not patterns or any(fnmatch.fnmatchcase(name, pattern) for name in self.names for pattern in patterns)


def claim(*, environment: str, run_id: str, kind: str, decision: str, reason: str) -> str:
    """What the signature is bound to; as short as a header must be, so the reason is hashed."""
    return f"v1:{environment}:{run_id}:{kind}:{decision}:{hashlib.sha256(reason.encode()).hexdigest()}"


def sign(what: str, *, credentials: ReadOnlyCredentials, region: str, endpoint: str) -> dict[str, str]:
    """The headers of a GetCallerIdentity request that carries the claim `what`.

    Args:
        credentials: of whoever answers.
        endpoint: STS in the environment's Region.
    """
    headers = {"Content-Type": CONTENT_TYPE, "Host": urlsplit(endpoint).netloc, HEADER: what}
    request = AWSRequest(method="POST", url=f"{endpoint.rstrip('/')}/", data=BODY, headers=headers)
    SigV4Auth(credentials, "sts", region).add_auth(request)
    return {name.lower(): str(value) for name, value in request.headers.items()}


def prove(headers: object, what: str) -> Principal:
    """Who signed, as STS says; nothing of the request is chosen by whoever made it but signature, date and session token.

    Raises:
        NotProven: it is not for this claim, too old, not for our STS, forged, or of another account.
        TransientFault: STS does not answer.
    """
    endpoint = aws.sts().meta.endpoint_url
    checked = _checked(headers, what, host=urlsplit(endpoint).netloc, region=config.region(), now=datetime.now(UTC))
    principal = _ask(endpoint, checked)
    own = config.variable(names.ENV_STATE_MACHINE).split(":")[4]
    if principal.account != own:
        raise NotProven(f"{principal.arn} is of account {principal.account}; allowed is {own}")
    return principal


def _checked(headers: object, what: str, *, host: str, region: str, now: datetime) -> dict[str, str]:
    if not isinstance(headers, Mapping) or not headers:
        raise NotProven("it carries no signed proof of who gave it; allowed is an answer given with: rft run approve")
    given = {str(name).lower(): value for name, value in headers.items()}
    if len(given) != len(headers) or not set(given) <= _SENT or not all(_plain(value) for value in given.values()):
        raise NotProven(f"its proof has other headers than {', '.join(sorted(_SENT))}")
    scope = _AUTHORIZATION.fullmatch(given.get("authorization", ""))
    if scope is None:
        raise NotProven("its proof is no Signature Version 4 for sts")
    unsigned = sorted(_SIGNED - set(scope["signed"].split(";")))
    if unsigned:
        raise NotProven(f"its signature leaves out {', '.join(unsigned)}")
    if given.get("host") != host or scope["region"] != region:
        raise NotProven(f"its proof is for {given.get('host')} in {scope['region']}; allowed is {host} in {region}")
    if given.get(HEADER) != what:
        raise NotProven("its proof is for another run, question or answer")
    _fresh(given.get("x-amz-date", ""), now)
    return {**given, "content-type": CONTENT_TYPE}


def _plain(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _MAX_HEADER and value.isascii() and value.isprintable()


def _fresh(stamp: str, now: datetime) -> None:
    try:
        signed_at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise NotProven("its proof has no date") from None
    if abs(now - signed_at) > FRESH:
        raise NotProven(f"it was signed at {signed_at.isoformat()}; allowed is within {FRESH.seconds // 60} minutes")


def _ask(endpoint: str, headers: Mapping[str, str]) -> Principal:
    # Method, address and body are ours. botocore's session follows no redirect and retries nothing.
    request = AWSRequest(method="POST", url=f"{endpoint.rstrip('/')}/", data=BODY, headers=dict(headers)).prepare()
    response = URLLib3Session(timeout=_TIMEOUT).send(request)
    if response.status_code >= 500 or response.status_code == 429:
        raise TransientFault(f"STS answered {response.status_code}")
    operation = aws.sts().meta.service_model.operation_model("GetCallerIdentity")
    shape = operation.output_shape
    if shape is None:
        raise TransientFault("this SDK does not know what STS answers")
    answer = {"status_code": response.status_code, "headers": response.headers, "body": response.content}
    parsed: dict[str, Any] = create_parser(operation.service_model.metadata["protocol"]).parse(answer, shape)
    if response.status_code != 200 or not {"Arn", "Account", "UserId"} <= set(parsed):
        raise NotProven(f"STS does not know who signed it: {parsed.get('Error', {}).get('Code') or response.status_code}")
    return Principal(arn=parsed["Arn"], account=parsed["Account"], user_id=parsed["UserId"])


def same_person(one: Principal, other: str) -> bool:
    """Whether an ARN names the same principal, or one with the same name: a session under another role, a federated or an IAM user.

    A session's name is the person's where the identity provider sets it. Upper and lower case are one name, as they are to most
    providers: two people who share a name must wait for a third, and one person is never two for a capital letter. Whoever may choose
    the session's name freely can still be two people.
    """
    mine, theirs = _NAME.fullmatch(one.arn), _NAME.fullmatch(other)
    return one.arn == other or bool(mine and theirs and mine["name"].casefold() == theirs["name"].casefold())
