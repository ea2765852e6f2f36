"""Roles made for people: each only when somebody may take it, and then with the answers the matrix expects and no open finding."""

from __future__ import annotations

import json

import pytest

from audit.access_matrix import ABSENT, evaluate
from audit.assembly import Assembly
from audit.concrete import load
from audit.flows import flows
from audit.policies import Policies, Principal
from audit.policy_engine import Request, allowed
from audit.register import read_register
from tests.pipeline.chat_form import content
from tests.stacks.variants import ACCOUNT, peopled_settings
from tests.synthesis import synthesised_once

PEOPLE = ("Access/Operator", "Access/Approver", "Access/Auditor", "Access/BreakGlass")
BREAK_GLASS = f"arn:aws:iam::{ACCOUNT}:user/break-glass-1"


@pytest.fixture(scope="module")
def peopled(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    directory, assemblies = synthesised_once(tmp_path_factory, [peopled_settings()], packs=True)
    assert not read_register(directory).open(), "a finding is left unanswered"
    return assemblies["prod"]


def test_with_somebody_for_each_role_every_answer_is_the_expected_one(peopled: Assembly) -> None:
    answers = evaluate(load(peopled))
    wrong = [f"{a.row.question} {a.computed}: {a.allowances}" for a in answers if not a.holds or a.computed == ABSENT]
    assert not wrong, "\n".join(wrong)


def test_a_role_nobody_may_take_is_not_made(assembly: Assembly) -> None:
    assert not set(PEOPLE) & set(Policies(load(assembly)).principals)


def _takes(peopled: Assembly, place: str, arn: str, mfa: str = "") -> bool:
    environment = load(peopled)
    target = Policies(environment).principals[place]
    may = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]}
    caller = Principal(place="caller", arn=arn, account=arn.split(":")[4], identity=[may], boundary=None, trust={"Statement": []})
    request = Request(
        principal=caller,
        action="sts:AssumeRole",
        resource=target.arn,
        region=environment.region,
        owner=environment.account,
        context={"aws:MultiFactorAuthPresent": mfa} if mfa else {},
    )
    return allowed(request, resource_policy=target.trust)


def test_each_role_is_taken_by_its_own_people_only(peopled: Assembly) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/"
    assert _takes(peopled, "Access/Operator", f"{role}ml")
    assert _takes(peopled, "Access/Operator", f"{role}aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ml_0123456789abcdef")
    assert _takes(peopled, "Access/Approver", f"{role}product")
    assert _takes(peopled, "Access/Auditor", "arn:aws:iam::444455556666:role/audit")
    assert not _takes(peopled, "Access/Approver", f"{role}ml")
    assert not _takes(peopled, "Access/Operator", f"{role}product")
    assert not _takes(peopled, "Access/Auditor", "arn:aws:iam::444455556666:role/other")


def test_break_glass_takes_a_second_factor(peopled: Assembly) -> None:
    assert _takes(peopled, "Access/BreakGlass", BREAK_GLASS, mfa="true")
    assert not _takes(peopled, "Access/BreakGlass", BREAK_GLASS, mfa="false")
    assert not _takes(peopled, "Access/BreakGlass", BREAK_GLASS)


def test_taking_break_glass_is_told_to_people(peopled: Assembly) -> None:
    environment = load(peopled)
    (rule,) = [r["Properties"] for s, name, r in environment.resources("AWS::Events::Rule") if "BreakGlass" in name]
    glass = Policies(environment).principals["Access/BreakGlass"].arn
    topics = [(stack, name) for stack, name, _ in environment.resources("AWS::SNS::Topic") if stack == "pipeline"]
    (topic,) = [environment.arn(stack, name) for stack, name in topics if name.startswith("Notifications")]
    assert rule["EventPattern"]["detail"] == {"eventName": ["AssumeRole"], "requestParameters": {"roleArn": [glass]}}
    assert [target["Arn"] for target in rule["Targets"]] == [topic]
    # The form of chat, which has channels here.
    sent = rule["Targets"][0]["InputTransformer"]
    text = sent["InputTemplate"]
    for name in sent["InputPathsMap"]:
        assert f"<{name}>" in text
        text = text.replace(f"<{name}>", "arn:aws:sts::111122223333:assumed-role/admin/jane")
    assert "jane took rft-prod-break-glass." in content(json.loads(text))["description"]


def test_what_leaves_for_a_chat_is_a_line_of_the_data_flow(peopled: Assembly) -> None:
    leaving = {(flow.source, flow.target) for flow in flows(peopled) if " channel " in flow.target}
    assert leaving == {
        ("Notifications/Topic", "slack channel C0ALARMS0ML"),
        *((topic, "slack channel G0ALARMS0ML") for topic in ("Notifications/Topic", "OnCall/Topic", "Tampering/Topic")),
        ("Tampering/Topic", "slack channel C0ALARMS0ML"),
        *((topic, "teams channel 19%3a0123abcd%40thread.tacv2") for topic in ("OnCall/Topic", "Tampering/Topic")),
    }
