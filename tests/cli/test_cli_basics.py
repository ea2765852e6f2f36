"""Parsing, exit codes and errors of the command as a script meets them."""

from __future__ import annotations

import json
import subprocess
import sys

import click
import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from contracts.errors import InvalidInput

from rft import exits
from rft.cli import COMMANDS, invoke, rft
from rft.exits import Exit, Failure, translate
from rft.options import json_option
from rft.output import Output, duration, facts, table


def test_help_names_every_verb_and_every_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["--help"]) == Exit.OK
    shown = capsys.readouterr().out
    assert all(verb in shown for verb in COMMANDS)
    assert all(str(int(code)) in shown and exits.MEANING[code][:30] in shown for code in Exit)


@pytest.mark.parametrize("verb", sorted(COMMANDS))
def test_every_verb_loads_and_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke([verb, "--help"]) == Exit.OK
    assert "Usage:" in capsys.readouterr().out


def test_help_loads_neither_the_sdk_nor_the_drawing_library() -> None:
    code = "import sys; from rft.cli import invoke; invoke(['--help']); sys.exit(bool(set(sys.modules) & {'boto3', 'matplotlib', 'rich'}))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_every_cloud_command_takes_json_and_names_its_environments() -> None:
    context = click.Context(rft)
    for group in ("dataset", "run"):
        command = rft.get_command(context, group)
        assert isinstance(command, click.Group)
        for leaf in command.commands.values():
            options = {name for parameter in leaf.params for name in parameter.opts}
            assert {"--json", "--env", "--local"} <= options, leaf.name


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["run", "start"], ["run", "reject", "a-run"], ["dataset", "add", "absent.jsonl"], ["run", "list", "--env", "x"]],
)
def test_given_wrong_usage_then_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(arguments) == Exit.USAGE
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Error:" in captured.err


def test_given_json_then_wrong_usage_is_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["run", "start", "--json"]) == Exit.USAGE
    assert "--dataset" in json.loads(capsys.readouterr().out)["error"]["what"]


def test_given_a_request_with_faults_then_each_is_named_before_any_cloud_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    code = invoke(["run", "start", "--dataset", "Not A Name", "--set", "epoch_count=99", "--set", "colour=1"])
    shown = capsys.readouterr().err
    assert code == Exit.USAGE
    assert "dataset = 'Not A Name'" in shown
    assert "epoch_count = 99: allowed is a whole number from 1 to 50" in shown
    assert "colour is not a known key" in shown


def test_given_a_change_that_is_no_pair_then_it_says_what_is_allowed(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["run", "start", "--dataset", "d", "--set", "epoch_count"]) == Exit.USAGE
    assert "KEY=VALUE" in capsys.readouterr().err


def test_given_an_unknown_target_then_exit_code_2(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("RFT_TARGET", "mars")
    assert invoke(["run", "list"]) == Exit.USAGE
    assert "allowed are aws and local" in capsys.readouterr().err


def test_given_no_region_then_the_error_is_json_on_stdout(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "RFT_TARGET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    assert invoke(["run", "list", "--json"]) == Exit.CONNECTION
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["exit_code"] == 4
    assert "Region" in error["what"]
    assert error["next"]


def _with_command(body: object, monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command("boom")
    @json_option
    def boom(_output: Output) -> None:
        assert isinstance(body, BaseException)
        raise body

    monkeypatch.setattr(type(rft), "get_command", lambda _self, _ctx, _name: boom)


def test_given_ctrl_c_then_exit_code_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _with_command(KeyboardInterrupt(), monkeypatch)
    assert invoke(["boom"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_given_a_defect_then_one_line_and_no_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("RFT_DEBUG", raising=False)
    _with_command(ZeroDivisionError("by zero"), monkeypatch)
    assert invoke(["boom"]) == Exit.FAILED
    shown = capsys.readouterr().err
    assert "ZeroDivisionError: by zero" in shown
    assert "RFT_DEBUG=1" in shown
    assert "Traceback" not in shown


def test_given_debugging_then_the_traceback_comes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RFT_DEBUG", "1")
    _with_command(ZeroDivisionError("by zero"), monkeypatch)
    with pytest.raises(ZeroDivisionError):
        invoke(["boom"])


def _client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "GetThing")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (_client_error("AccessDeniedException"), Exit.CONNECTION),
        (_client_error("ExpiredTokenException"), Exit.CONNECTION),
        (_client_error("ThrottlingException"), Exit.CONNECTION),
        (_client_error("ExecutionDoesNotExist"), Exit.NOT_FOUND),
        (_client_error("ConflictException"), Exit.FAILED),
        (NoCredentialsError(), Exit.CONNECTION),
        (InvalidInput("here", ["x = 1: allowed is 2"]), Exit.USAGE),
        (Failure("gone", code=Exit.NOT_FOUND), Exit.NOT_FOUND),
    ],
)
def test_known_errors_have_the_documented_code(error: Exception, code: Exit) -> None:
    failure = translate(error)
    assert failure is not None
    assert failure.code == code


def test_an_unknown_error_is_not_passed_off_as_a_known_one() -> None:
    assert translate(KeyError("x")) is None


def test_tables_and_facts_align() -> None:
    assert table(("A", "LONG"), [("value", 1)], empty="none") == "A      LONG\nvalue  1"
    assert table(("A",), [], empty="none") == "none"
    assert facts({"a": 1, "long": "x", "left out": None}) == "a     1\nlong  x"


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (99, "99 s"), (187, "3 min 07 s"), (7500, "2 h 05 min")])
def test_durations_read_well(seconds: float, text: str) -> None:
    assert duration(seconds) == text
