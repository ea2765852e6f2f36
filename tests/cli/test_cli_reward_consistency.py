"""`rft reward consistency`, on the local cloud's stand-in judge and on judges with known habits."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from reward.judging import judge as judging

from local.cloud import Endpoint
from rft import options, target
from rft.cli import invoke
from rft.exits import Exit
from rft.target import Target
from tests.reward.judge_fakes import FakeConverse, error, levels, used

PRICED = ("--option", "input_usd_per_million=1", "--option", "output_usd_per_million=4")
SECRET = "violet-heron"


def test_the_stand_in_judge_agrees_with_itself(
    bare_cloud: Endpoint, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(target, "running_cloud", lambda: bare_cloud)
    code = invoke(["reward", "consistency", "--local", "--json", "--count", "3", "--option", "model=us.amazon.nova-pro-v1:0", *PRICED])
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert code == Exit.OK
    assert (found["repetition"]["samples"], found["order"]["pairs"]) == (3, 3)
    assert found["repetition"]["same"]["share"] == found["order"]["consistent"]["share"] == 1.0
    assert 0 < found["repetition"]["same"]["low"] < 1
    assert found["took"]["requests"] == found["expected"]["requests"] == 12
    assert found["took"]["usd"] > 0
    assert "about $" in captured.err


Habit = Callable[[Callable[[dict[str, Any]], Any]], FakeConverse]


@pytest.fixture
def habit(monkeypatch: pytest.MonkeyPatch) -> Habit:
    """Puts a judge with a habit in AWS's place."""
    session = boto3.Session(region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    monkeypatch.setattr(options.Invocation, "target", lambda call: Target(environment=call.environment, session=session))

    def install(reply: Callable[[dict[str, Any]], Any]) -> FakeConverse:
        fake = FakeConverse(reply)
        make = judging.Judge.__init__
        monkeypatch.setattr(judging.Judge, "__init__", lambda self, given: make(self, given, client=lambda _: fake))
        return fake

    return install


def pairs(path: Path) -> str:
    lines = [{"prompt": f"{SECRET} {n}?", "chosen": f"answer {n}", "rejected": "no answer"} for n in range(4)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(path)


def first_always(request: dict[str, Any]) -> dict[str, Any]:
    name = request["toolConfig"]["toolChoice"]["tool"]["name"]
    return used({"choice": "first"}, name=name) if name == "record_choice" else used(levels(4))


def test_a_judge_that_favours_the_first_is_found_out(habit: Habit, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fake = habit(first_always)
    arguments = ["reward", "consistency", "--pairs", pairs(tmp_path / "pairs.jsonl"), "--yes", *PRICED]
    assert invoke([*arguments, "--json"]) == Exit.OK
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert found["order"]["consistent"]["share"] == 0.0
    assert found["order"]["first_favoured"]["share"] == 1.0
    assert found["repetition"]["same"]["share"] == 1.0
    assert len(fake.asked) == found["took"]["requests"] == 16
    assert found["took"]["usd"] == pytest.approx((1600 * 1 + 160 * 4) / 1e6)
    assert invoke(arguments) == Exit.OK
    text = capsys.readouterr()
    assert "the first won both times" in text.out
    assert SECRET not in captured.out + captured.err + text.out + text.err


@pytest.mark.parametrize(
    ("arguments", "typed", "code"), [(["--json"], "y\n", Exit.USAGE), ([], "n\n", Exit.USAGE), ([], "", Exit.INTERRUPTED)]
)
def test_nothing_is_spent_without_consent(
    *, habit: Habit, arguments: list[str], typed: str, code: Exit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = habit(first_always)
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert invoke(["reward", "consistency", *PRICED, *arguments]) == code
    assert not fake.asked
    assert "about $" in capsys.readouterr().err


def test_without_prices_the_cost_is_called_unknown(habit: Habit, capsys: pytest.CaptureFixture[str]) -> None:
    habit(first_always)
    assert invoke(["reward", "consistency", "--yes", "--count", "2", "--option", "template=reasoning", "--json"]) == Exit.FAILED
    captured = capsys.readouterr()
    assert "unknown" in captured.err
    assert json.loads(captured.out)["took"]["usd"] is None


def test_a_judge_that_may_not_be_called_is_a_failure_and_no_figure(habit: Habit, capsys: pytest.CaptureFixture[str]) -> None:
    habit(lambda _: error("AccessDeniedException", 403))
    assert invoke(["reward", "consistency", "--yes", *PRICED]) == Exit.CONNECTION
    captured = capsys.readouterr()
    assert "AccessDeniedException" in captured.err
    assert not captured.out


def test_settings_without_a_judge_are_told_what_to_give(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["reward", "consistency", "--env", "dev"]) == Exit.USAGE
    assert "--option" in capsys.readouterr().err


def test_a_file_of_ratings_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "ratings.jsonl"
    file.write_text(json.dumps({"prompt": "a?", "response": "b", "rating": 0.5}) + "\n")
    assert invoke(["reward", "consistency", "--pairs", str(file), *PRICED]) == Exit.USAGE
    assert "chosen" in capsys.readouterr().err
