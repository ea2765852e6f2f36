"""Who answers is what STS says: a signature made for something else, too old, altered or of another account proves nobody."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import attrs
import boto3
import botocore.auth
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from contracts import names
from contracts.errors import InvalidInput
from contracts.run import Plan, RunRequest
from contracts.settings import ApprovalSettings, PipelineSettings
from contracts.validation import plain
from pipeline import approvals, prepare_run, proof, verify_approval
from pipeline.proof import NotProven, Principal

Sign = Callable[..., dict[str, str]]
ROLE = "arn:aws:sts::111122223333:assumed-role/rft-prod-approver/ana@example.com"


@pytest.fixture
def sign(house: Any) -> Sign:
    """Signs as the account's root user, or as a role, as the command would."""

    def signed(
        what: str, *, account: str = "210987654321", role: str = "", endpoint: str = "", region: str = "us-east-1"
    ) -> dict[str, str]:
        session = house.endpoint.session(account)
        if role:
            given = house.client("sts").assume_role(RoleArn=role, RoleSessionName="ana")["Credentials"]
            session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        where = endpoint or house.endpoint.url
        return proof.sign(what, credentials=session.get_credentials().get_frozen_credentials(), region=region, endpoint=where)

    return signed


@pytest.fixture
def approver(house: Any) -> str:
    trust = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::210987654321:root"}, "Action": "sts:AssumeRole"}
    iam = house.client("iam")
    try:
        made = iam.create_role(
            RoleName="approver", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}), Path="/people/"
        )
    except iam.exceptions.EntityAlreadyExistsException:
        made = iam.get_role(RoleName="approver")
    return str(made["Role"]["Arn"])


def claim(**more: str) -> str:
    return proof.claim(**{"environment": "dev", "run_id": "r", "kind": "release", "decision": "approve", "reason": "good", **more})


def test_sts_names_a_person_and_the_role_they_came_through(sign: Sign, approver: str) -> None:
    root = proof.prove(sign(claim()), claim())
    assert (root.arn, root.account) == ("arn:aws:iam::210987654321:root", "210987654321")
    person = proof.prove(sign(claim(), role=approver), claim())
    assert person.arn == "arn:aws:sts::210987654321:assumed-role/approver/ana"
    assert person.fits(["arn:aws:iam::*:role/approver"])
    assert person.user_id


@pytest.mark.parametrize(
    "other", [{"environment": "prod"}, {"run_id": "s"}, {"kind": "spend"}, {"decision": "reject"}, {"reason": "another"}]
)
def test_a_proof_is_good_for_one_run_question_answer_and_reason(sign: Sign, other: dict[str, str]) -> None:
    with pytest.raises(NotProven, match="another run, question or answer"):
        proof.prove(sign(claim(**other)), claim())


def test_a_claim_swapped_after_it_was_signed_is_refused_by_sts(sign: Sign) -> None:
    signed = {**sign(claim(run_id="other")), proof.HEADER: claim()}
    with pytest.raises(NotProven, match="STS does not know who signed it: SignatureDoesNotMatch"):
        proof.prove(signed, claim())


def test_a_claim_that_was_not_signed_is_refused(house: Any) -> None:
    session = house.endpoint.session("210987654321")
    request = AWSRequest(method="POST", url=f"{house.endpoint.url}/", data=proof.BODY, headers={"Content-Type": proof.CONTENT_TYPE})
    SigV4Auth(session.get_credentials().get_frozen_credentials(), "sts", "us-east-1").add_auth(request)
    signed = {name.lower(): value for name, value in request.headers.items()}
    with pytest.raises(NotProven, match=f"leaves out host, {proof.HEADER}|leaves out {proof.HEADER}"):
        proof.prove({**signed, "host": urlsplit(house.endpoint.url).netloc, proof.HEADER: claim()}, claim())


def test_made_up_keys_prove_nobody(house: Any) -> None:
    made_up = ReadOnlyCredentials("AKIAMADEUP0000000000", "s", None)
    signed = proof.sign(claim(), credentials=made_up, region="us-east-1", endpoint=house.endpoint.url)
    with pytest.raises(NotProven, match="STS does not know who signed it"):
        proof.prove(signed, claim())


@pytest.mark.parametrize("minutes", [-6, 6, 600])
def test_an_old_or_future_signature_is_refused(sign: Sign, monkeypatch: pytest.MonkeyPatch, minutes: int) -> None:
    moment = datetime.now(UTC) - timedelta(minutes=minutes)
    with monkeypatch.context() as then:
        then.setattr(botocore.auth, "get_current_datetime", lambda **_: moment)
        signed = sign(claim())
    with pytest.raises(NotProven, match="allowed is within 5 minutes"):
        proof.prove(signed, claim())


def test_another_account_is_refused(sign: Sign) -> None:
    with pytest.raises(NotProven, match="is of account 999988887777; allowed is 210987654321"):
        proof.prove(sign(claim(), account="999988887777"), claim())


@pytest.mark.parametrize(
    "endpoint", ["https://sts.amazonaws.com", "https://sts.us-east-1.amazonaws.com.evil.example", "http://127.0.0.1:1"]
)
def test_a_proof_for_another_host_is_refused_and_never_sent(sign: Sign, monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    monkeypatch.setattr(proof, "_ask", lambda *_: pytest.fail("it was sent"))
    with pytest.raises(NotProven, match="its proof is for"):
        proof.prove(sign(claim(), endpoint=endpoint), claim())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "carries no signed proof"),
        ("text", "carries no signed proof"),
        ({"authorization": "Bearer x"}, "no Signature Version 4"),
        ({"x-forwarded-host": "evil.example"}, "other headers than"),
        ({"host": "a\r\nx-evil: 1"}, "other headers than"),
        ({"x-amz-security-token": "t" * 9000}, "other headers than"),
        ({"authorization": "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/s3/aws4_request"}, "no Signature Version 4"),
    ],
)
def test_what_is_no_proof_is_refused(house: Any, change: Any, said: str) -> None:
    with pytest.raises(NotProven, match=said):
        proof.prove(change, claim())


def test_patterns_name_roles_and_users_of_any_account() -> None:
    person = Principal(arn=ROLE, account="111122223333", user_id="AROA:ana")
    assert person.fits([])
    assert person.fits(["arn:aws:iam::*:role/rft-*-approver"])
    assert person.fits(["arn:aws:sts::111122223333:assumed-role/rft-prod-approver/ana@*"])
    assert not person.fits(["arn:aws:iam::*:role/rft-prod-developer", "arn:aws:iam::*:user/ana"])


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (ROLE, True),
        ("arn:aws:sts::111122223333:assumed-role/rft-prod-developer/ana@example.com", True),
        ("arn:aws:sts::111122223333:assumed-role/rft-prod-developer/Ana@Example.com", True),
        ("arn:aws:sts::111122223333:federated-user/ana@example.com", True),
        ("arn:aws:iam::111122223333:user/people/ana@example.com", True),
        ("arn:aws:sts::111122223333:assumed-role/rft-prod-approver/bo@example.com", False),
        ("arn:aws:sts::111122223333:assumed-role/ana@example.com/bo@example.com", False),
        ("arn:aws:iam::111122223333:user/ana@example.com/bo", False),
        ("arn:aws:iam::111122223333:root", False),
        ("", False),
    ],
)
def test_one_name_is_one_person_whatever_the_role_and_the_case(other: str, same: bool) -> None:
    assert proof.same_person(Principal(arn=ROLE, account="1", user_id="u"), other) is same
    assert not other or proof.same_person(Principal(arn=other, account="1", user_id="u"), ROLE) is same


def test_the_root_user_is_one_person() -> None:
    root = "arn:aws:iam::111122223333:root"
    assert proof.same_person(Principal(arn=root, account="1", user_id="1"), root)


# --- the state VerifyApproval ------------------------------------------------------------------------------------------


def settle(monkeypatch: pytest.MonkeyPatch, **approval: Any) -> None:
    settings = attrs.evolve(PipelineSettings(), approval=ApprovalSettings(**approval))
    monkeypatch.setenv(names.ENV_SETTINGS, json.dumps(plain(settings)))


def answered(plan: Plan, sign: Sign, *, approved: bool = True, signed: bool = True, **how: Any) -> dict[str, Any]:
    what = verify_approval.claim_of(plan, "release", approved=approved, reason="looks good")
    answer = {"approved": approved, "by": "arn:made:up", "reason": "looks good", "proof": sign(what, **how) if signed else None}
    return verify_approval.handler({"plan": plain(plan), "kind": "release", "answer": answer}, None)


def test_a_proven_yes_counts_under_the_name_sts_gives(a_plan: Plan, sign: Sign, approver: str) -> None:
    found = answered(a_plan, sign, role=approver)
    assert (found["approved"], found["by"]) == (True, "arn:aws:sts::210987654321:assumed-role/approver/ana")
    assert found["principal"]["account"] == "210987654321"
    assert "proof" not in found
    assert approvals.approval_problem({"release": found}, "release") is None


def test_a_yes_that_proves_nobody_is_a_no_with_the_reason(a_plan: Plan, sign: Sign) -> None:
    found = answered(a_plan, sign, signed=False)
    assert (found["approved"], found["principal"]) == (False, None)
    assert "carries no signed proof" in found["reason"]
    assert approvals.approval_problem({"release": {"approved": True, "by": "bo"}}, "release") is not None


def test_a_no_counts_from_anybody_and_says_when_the_name_is_only_claimed(a_plan: Plan, sign: Sign) -> None:
    assert answered(a_plan, sign, approved=False)["by"] == "arn:aws:iam::210987654321:root"
    assert answered(a_plan, sign, approved=False, signed=False)["by"] == "arn:made:up (not proven)"


def test_only_the_approvers_of_the_settings_count(a_plan: Plan, sign: Sign, approver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(monkeypatch, approvers=["arn:aws:iam::*:role/approver"])
    assert answered(a_plan, sign, role=approver)["approved"] is True
    refused = answered(a_plan, sign)
    assert refused["approved"] is False
    assert "may not approve; approval.approvers allows" in refused["reason"]


@pytest.fixture
def four_eyes(sign: Sign, monkeypatch: pytest.MonkeyPatch) -> Sign:
    settle(monkeypatch, four_eyes=True)
    return sign


@pytest.mark.parametrize(
    ("requester", "said"),
    [
        ("", "nobody knows who asked"),
        ("arn:aws:sts::210987654321:assumed-role/developer/ana", "wants another person"),
        ("arn:aws:sts::210987654321:assumed-role/developer/Ana", "wants another person"),
    ],
)
def test_four_eyes_are_two_people(a_plan: Plan, four_eyes: Sign, approver: str, requester: str, said: str) -> None:
    sign = four_eyes
    refused = answered(attrs.evolve(a_plan, requester=requester), sign, role=approver)
    assert refused["approved"] is False
    assert said in refused["reason"]
    other = attrs.evolve(a_plan, requester="arn:aws:sts::210987654321:assumed-role/developer/bo")
    assert answered(other, sign, role=approver)["approved"] is True


# --- who asked for the run ---------------------------------------------------------------------------------------------


def test_a_request_proves_who_asks_or_is_refused_where_that_matters(house: Any, sign: Sign) -> None:
    request = RunRequest(dataset="plums")
    what = prepare_run.request_claim("dev", "plums-1", request)
    proven = attrs.evolve(request, proof=sign(what))
    assert prepare_run.requester_of("plums-1", proven, four_eyes=True) == "arn:aws:iam::210987654321:root"
    assert prepare_run.requester_of("plums-1", request, four_eyes=False) == ""
    with pytest.raises(InvalidInput, match="four_eyes asks who requests"):
        prepare_run.requester_of("plums-1", request, four_eyes=True)
    with pytest.raises(InvalidInput, match="who asks is not proven"):
        prepare_run.requester_of("plums-2", proven, four_eyes=False)
