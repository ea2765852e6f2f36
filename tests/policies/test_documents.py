"""Given the example policies, when Organizations would read them, then it takes them: size, grammar, actions and condition keys."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from tests.policies.organization import FILES, PLACEHOLDERS, POLICIES, statements

CHARACTERS = 5120
"""Of an SCP and of an RCP (Organizations user guide, orgs_reference_limits). White space counts unless the console saves it."""

RCP_SERVICES = {"s3", "sts", "sqs", "kms", "secretsmanager"}
"""A part of the services that resource control policies cover (Organizations user guide, orgs_manage_policies_rcps)."""

CONDITION_KEYS = {
    *("aws:PrincipalArn", "aws:PrincipalOrgID", "aws:PrincipalIsAWSService", "aws:SourceOrgID", "aws:SourceAccount"),
    *("aws:RequestedRegion", "aws:ResourceTag/Project"),
    *("aws:RequestTag/rft:run", "aws:RequestTag/rft:environment", "aws:RequestTag/rft:dataset", "aws:RequestTag/rft:reward"),
    *("iam:PermissionsBoundary", "iam:ServiceSpecificCredentialServiceName"),
    *("bedrock:BearerTokenType", "bedrock-mantle:BearerTokenType", "bedrock:DataRetentionMode", "bedrock-mantle:DataRetentionMode"),
}
"""Global keys: IAM user guide, reference_policies_condition-keys; the others: service authorization reference of their service."""


def actions(statement: dict[str, Any]) -> list[str]:
    found = statement["Action"]
    return found if isinstance(found, list) else [found]


@pytest.fixture(scope="module")
def known() -> dict[str, Any]:
    """Every action of every service, as cfn-lint ships them."""
    text = (files("cfnlint") / "data/AdditionalSpecs/Policies.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
class TestEachPolicy:
    def test_it_fits(self, path: Path) -> None:
        # Room for what is filled in: a placeholder is longer than most values.
        assert len(path.read_text(encoding="utf-8")) <= CHARACTERS

    def test_it_only_denies_and_says_what_each_denial_is(self, path: Path) -> None:
        document = json.loads(path.read_text(encoding="utf-8"))
        assert set(document) == {"Version", "Statement"} and document["Version"] == "2012-10-17"
        assert {statement["Effect"] for statement in statements(document)} == {"Deny"}
        sids = [statement["Sid"] for statement in statements(document)]
        assert len(sids) == len(set(sids)) and all(re.fullmatch("[A-Za-z0-9]+", sid) for sid in sids)

    def test_principals_stand_in_resource_control_policies_only(self, path: Path) -> None:
        resource_policy = path.stem.startswith("rcp-")
        for statement in statements(json.loads(path.read_text(encoding="utf-8"))):
            assert statement.get("Principal") == ("*" if resource_policy else None), statement["Sid"]
            if resource_policy:
                assert {action.split(":")[0] for action in actions(statement)} <= RCP_SERVICES

    def test_every_action_exists(self, path: Path, known: dict[str, Any]) -> None:
        for statement in statements(json.loads(path.read_text(encoding="utf-8"))):
            for action in actions(statement):
                service, _, name = action.partition(":")
                assert name == "*" or name.lower() in known[service]["Actions"], action

    def test_every_condition_key_is_known(self, path: Path) -> None:
        for statement in statements(json.loads(path.read_text(encoding="utf-8"))):
            for keys in statement.get("Condition", {}).values():
                assert set(keys) <= CONDITION_KEYS, statement["Sid"]

    def test_its_placeholders_and_itself_stand_in_the_page(self, path: Path) -> None:
        page = (POLICIES / "README.md").read_text(encoding="utf-8")
        assert f"({path.name})" in page
        found = set(re.findall("<[^>]+>", path.read_text(encoding="utf-8")))
        assert found <= set(PLACEHOLDERS) and all(placeholder in page for placeholder in found)
