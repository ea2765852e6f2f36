"""`rft reward grade`: an event on stdin, on stdout exactly what Bedrock would get."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

import pytest
from reward.handler import handler

from rft.cli import invoke
from rft.exits import Exit


def sample(ident: str, reply: str, reference: str = "72") -> dict[str, Any]:
    return {
        "id": ident,
        "messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": reply}],
        "metadata": {"reference_answer": reference},
    }


def given_stdin(monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(body)))


def grade(monkeypatch: pytest.MonkeyPatch, event: object, *arguments: str) -> int:
    given_stdin(monkeypatch, json.dumps(event).encode())
    return invoke(["reward", "grade", *arguments])


def test_stdout_is_the_handlers_answer_and_nothing_else(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    event = [sample("a", "so it is\n#### 72"), sample("b", "#### 71"), sample("c", "72")]
    assert grade(monkeypatch, event) == Exit.OK
    captured = capsys.readouterr()
    answer = json.loads(captured.out)
    assert [item["aggregate_reward_score"] for item in answer] == [1.0, 0.0, 0.0]
    assert captured.err == ""
    assert answer == handler(event)


def test_given_metrics_then_they_are_on_stderr(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert grade(monkeypatch, [sample("a", "#### 72")], "--metrics") == Exit.OK
    captured = capsys.readouterr()
    assert len(json.loads(captured.out)) == 1
    assert "_aws" in captured.err


def test_options_reach_the_grader(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    reply = [sample("a", r"the answer is \boxed{72}"), sample("b", "#### 5")]
    assert grade(monkeypatch, reply, "--grader", "math", "--option", "mode=lenient", "--option", "partial=0.2") == Exit.OK
    assert [item["aggregate_reward_score"] for item in json.loads(capsys.readouterr().out)] == [1.0, 0.2]


@pytest.mark.parametrize("arguments", [("--grader", "absent"), ("--option", "mode=kind"), ("--option", "colour=red"), ("--option", "mode")])
def test_given_a_wrong_grader_or_option_then_exit_code_2(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert grade(monkeypatch, [sample("a", "#### 72")], *arguments) == Exit.USAGE
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "allowed" in captured.err or "its options" in captured.err


@pytest.mark.parametrize("body", [b"", b"[{", b"\xff\xfe", b"[]", b"7", b'{"neither": 1}', b"[" * 100_000, b"[" + b"1" * 5_000 + b"]"])
def test_given_an_unusable_event_then_exit_code_2_and_empty_stdout(
    body: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given_stdin(monkeypatch, body)
    assert invoke(["reward", "grade"]) == Exit.USAGE
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
