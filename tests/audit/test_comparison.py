"""Differences between packs, in a reviewer's terms."""

from __future__ import annotations

import copy
from typing import Any

from audit.comparison import compare, count, in_text

Evidence = dict[str, Any]


def between(before: Evidence, after: Evidence) -> dict[str, dict[str, tuple[list[str], list[str]]]]:
    compared = compare(before, after, before_name="then", after_name="now")
    return {
        area["title"]: {change["what"]: (change["before"], change["after"]) for change in area["changes"]} for area in compared["areas"]
    }


def test_a_pack_does_not_differ_from_itself(prod: Evidence) -> None:
    assert between(prod, copy.deepcopy(prod)) == {}
    assert in_text(compare(prod, prod, before_name="then", after_name="now")) == "no difference"


def test_what_a_role_gained_is_shown_alone(prod: Evidence) -> None:
    after = copy.deepcopy(prod)
    role = next(role for role in after["roles"] if role["place"] == "Evaluation/Gate")
    role["statements"].append(
        {
            "effect": "Allow",
            "principals": [],
            "actions": ["s3:DeleteObject"],
            "resources": ["{Buckets/Runs}/*"],
            "conditions": ["a is b"],
            "sid": "",
        }
    )
    found = between(prod, after)
    assert found == {"Roles": {"pipeline/Evaluation/Gate": ([], ["Allow s3:DeleteObject on {Buckets/Runs}/* if a is b"])}}
    assert "    + Allow s3:DeleteObject" in in_text(compare(prod, after, before_name="then", after_name="now"))


def test_what_came_and_what_went(prod: Evidence) -> None:
    after = copy.deepcopy(prod)
    gone = after["keys"].pop()
    after["settings"]["retention.log_days"] = 1
    after["findings"]["acknowledgements"].append(
        {
            "reason": "because",
            "owner": "security review",
            "review": "2027-01-01",
            "answers": [{"finding": "AwsSolutions-X", "place": "pipeline/Y"}],
        }
    )
    found = between(prod, after)
    assert found["Keys"][f"{gone['stack']}/{gone['place']}"][1] == []
    assert found["Settings"]["retention.log_days"] == ([str(prod["settings"]["retention.log_days"])], ["1"])
    assert found["Acknowledgements"]["AwsSolutions-X on pipeline/Y"] == ([], ["because", "security review, 2027-01-01"])
    assert count(compare(prod, after, before_name="then", after_name="now")) == 3


def test_environments_differ_in_settings_and_not_in_their_name(packs: dict[str, Evidence]) -> None:
    differences = packs["prod"]["differences"]
    assert (differences["before"], differences["after"]) == ("stage", "prod")
    found = {area["title"]: area["changes"] for area in differences["areas"]}
    assert "Settings" in found
    # Prod has one more zone, and so a subnet more that a job may have an interface in; it locks its final records; and it has a backup.
    for change in found.get("Roles", []):
        before, after = ({line.replace(", s3:PutObjectRetention", "") for line in change[side]} for side in ("before", "after"))
        other = [line for line in before ^ after if "isolatedSubnet" not in line and not line.startswith("Allow s3:PutObjectRetention on")]
        assert "/Backup/" in change["what"] or other == []
    assert packs["dev"]["differences"] is None
