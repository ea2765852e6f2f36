"""`rft reward` on this machine: list, new, test, try, bench, and rehearse with a grader in this process."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from reward import custom, gold, graders

from rft import reward_new
from rft.cli import invoke
from rft.exits import Exit
from rft.reward import VERBS
from rft.reward_data import DEFAULT_DATA, gold_items, printable, read_records

SECRET = "violet-heron"

Run = Callable[..., tuple[int, Any]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `rft reward … --json`; the exit code and what stdout held."""

    def call(*arguments: str) -> tuple[int, Any]:
        capsys.readouterr()
        code = invoke(["reward", *arguments, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return call


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of one's own graders, beside the shipped ones, and a root for `rft reward new`."""
    folder = tmp_path / "lambda" / "reward" / "custom"
    folder.mkdir(parents=True)
    monkeypatch.setattr(reward_new, "ROOT", tmp_path)
    monkeypatch.setattr(custom, "__path__", [*custom.__path__, str(folder)])
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        if name.startswith(f"{custom.__name__}."):
            del sys.modules[name]
            vars(custom).pop(name.rpartition(".")[2], None)
    importlib.invalidate_caches()


def write(folder: Path, name: str, body: str) -> None:
    (folder / f"{name}.py").write_text(
        f'"""Made for a test."""\nfrom reward.contract import Sample\nfrom reward.score import Component, Outcome, Score\n\n{body}\n'
    )
    importlib.invalidate_caches()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three records in the messages form, with ids of the user's own."""
    path = tmp_path / "three.jsonl"
    records = [
        {"id": f"mine-{number}", "messages": [{"role": "user", "content": f"{SECRET} {number}?"}], "reference_answer": str(number)}
        for number in (7, 8, 1234)
    ]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["reward", verb, "--help"]) == Exit.OK
    assert f"rft reward {verb}" in capsys.readouterr().out


def test_the_groups_help_loads_neither_the_sdk_nor_a_grader() -> None:
    code = (
        "import sys; from rft.cli import invoke; invoke(['reward', '--help']); "
        "sys.exit(bool({'boto3', 'rich', 'attrs', 'pipeline', 'reward.handler'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


# --- list ---------------------------------------------------------------------------------------------------------------


def test_list_shows_built_in_and_own_graders_with_their_options(run: Run, own: Path) -> None:
    write(own, "mine", "def grade(sample: Sample) -> Score: return Score(1.0, Outcome.CORRECT)")
    (own / "torn.py").write_text("def grade(:\n")
    code, found = run("list")
    by_name = {entry["name"]: entry for entry in found}
    assert code == Exit.OK
    assert list(by_name) == sorted(set(graders.known()))
    assert by_name["math"]["options"] == {"mode": "strict", "partial": 0.0}
    assert (by_name["mine"]["kind"], by_name["mine"]["does"]) == ("own", "Made for a test.")
    assert "line 1" in by_name["torn"]["fault"]
    assert all(entry["does"] for entry in found if entry["kind"] == "built-in")


def test_list_fits_a_narrow_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert invoke(["reward", "list"]) == Exit.OK
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


# --- new ----------------------------------------------------------------------------------------------------------------


def test_new_writes_a_grader_that_passes_its_own_test_the_check_and_the_rehearsal(run: Run, own: Path, tmp_path: Path) -> None:
    code, made = run("new", "sums")
    assert code == Exit.OK
    assert Path(made["grader"]) == own / "sums.py"
    importlib.invalidate_caches()
    spec = importlib.util.spec_from_file_location("test_sums_made", made["test"])
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.test_sums_pays_the_reference_in_full_and_no_reply_breaks_it()
    cases = module.test_sums_pays_what_a_reply_is_worth.pytestmark[0].args[1]
    for response, score in cases:
        module.test_sums_pays_what_a_reply_is_worth(response, score)
    assert len(cases) >= 5
    assert run("test", "sums")[0] == Exit.OK
    code, verdict = run("rehearse", "--grader", "sums", "--data", str(DEFAULT_DATA))
    assert (code, verdict["reasons"]) == (Exit.OK, [])


def test_what_new_writes_is_typed_and_clean(own: Path, tmp_path: Path) -> None:
    made = reward_new.create("sums", tmp_path)
    root = Path(reward_new.__file__).parent.parent
    settings = ["--config", "pyproject.toml"]
    # Outside the tree no rule knows that an assert belongs into a test.
    for tool in (["ruff", "check", "--ignore", "S101", *settings], ["ruff", "format", "--check", *settings], ["mypy"]):
        done = subprocess.run([sys.executable, "-m", *tool, *map(str, made)], cwd=root, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_new_never_writes_over_a_file(run: Run, own: Path) -> None:
    (own / "sums.py").write_text("mine")
    code, found = run("new", "sums")
    assert code == Exit.USAGE
    assert (own / "sums.py").read_text() == "mine"
    (own / "sums.py").unlink()
    importlib.invalidate_caches()
    test = own.parents[2] / "tests" / "reward" / "custom" / "test_sums.py"
    test.parent.mkdir(parents=True)
    test.write_text("mine too")
    code, found = run("new", "sums")
    assert (code, test.read_text()) == (Exit.USAGE, "mine too")
    assert "test_sums.py" in found["error"]["where"]
    assert not (own / "sums.py").exists()


@pytest.mark.parametrize("name", ["Sums", "2sums", "su-ms", "../sums", "a.b", "class", "match", "math", "starting_point", "", "x" * 65])
def test_new_refuses_a_name_that_cannot_be_or_is_taken(name: str, run: Run, own: Path) -> None:
    code, found = run("new", name)
    assert code == Exit.USAGE
    assert found["error"]["next"]
    assert list(own.iterdir()) == []


# --- test ---------------------------------------------------------------------------------------------------------------


def test_the_check_of_all_own_graders_is_the_default(run: Run) -> None:
    code, found = run("test", "--count", "50")
    assert code == Exit.OK
    assert "starting_point" in [entry["grader"] for entry in found]
    assert all(entry["records"] == 50 and entry["passed"] for entry in found)


def test_a_grader_that_denies_the_reference_fails_the_check_without_a_word_of_the_data(
    own: Path, data: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    write(own, "mean", "def grade(sample: Sample) -> Score: return Score(float('7' in sample.response), Outcome.WRONG)")
    code, found = run("test", "mean", "--data", str(data))
    assert code == Exit.FAILED
    assert {problem["check"] for problem in found[0]["problems"]} == {gold.GOLD}
    assert len(found[0]["problems"]) == 2
    assert invoke(["reward", "test", "mean", "--data", str(data)]) == Exit.FAILED
    shown = capsys.readouterr()
    assert "2 failed" in shown.out
    assert SECRET not in shown.out + shown.err


def test_options_reach_the_built_in_grader_under_test(run: Run, data: Path) -> None:
    assert run("test", "similarity", "--option", "floor=0.2", "--data", str(data))[0] == Exit.OK
    code, found = run("test", "math", "--option", "mode=odd", "--data", str(data))
    assert code == Exit.USAGE
    assert "mode" in found["error"]["what"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("test", "absent"),
        ("test", "--option", "mode=strict"),
        ("test", "judge"),
        ("bench", "judge"),
        ("try", "absent"),
        ("bench", "absent"),
    ],
)
def test_what_cannot_be_checked_is_refused_with_the_next_step(arguments: tuple[str, ...], run: Run) -> None:
    code, found = run(*arguments)
    assert code == Exit.USAGE
    assert found["error"]["what"]


def test_a_dataset_with_bad_lines_is_refused_by_line_and_without_its_text(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(f'{{"question": "{SECRET}"}}\nnot json {SECRET}\n')
    code, found = run("try", "math", "--data", str(path))
    assert code == Exit.USAGE
    assert "line 1" in found["error"]["what"] and "line 2" in found["error"]["what"]
    assert SECRET not in json.dumps(found)


# --- try ----------------------------------------------------------------------------------------------------------------


def test_try_shows_score_outcome_and_components(run: Run, data: Path) -> None:
    code, found = run("try", "math", "--data", str(data), "--count", "3")
    assert code == Exit.OK
    by_reply = {sample["reply"]: sample for sample in found["samples"]}
    assert (by_reply["right"]["score"], by_reply["right"]["outcome"]) == (1.0, "correct")
    assert (by_reply["wrong"]["score"], by_reply["wrong"]["outcome"]) == (0.0, "wrong")
    assert by_reply["empty"]["outcome"] == "no_marker"
    assert by_reply["right"]["components"] == {"correct": 1.0, "answered": 1.0}
    assert len({sample["id"] for sample in found["samples"]}) == 3


def test_try_shows_text_only_when_asked(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    replies = tmp_path / "replies.jsonl"
    replies.write_text(json.dumps({"id": "mine-7", "response": f"{SECRET}\x1b[31m\n#### 7"}) + "\n")
    given = ["reward", "try", "math", "--data", str(data), "--responses", str(replies)]
    for arguments, shown in ((given, False), ([*given, "--json"], False), ([*given, "--show-text"], True)):
        assert invoke(arguments) == Exit.OK
        captured = capsys.readouterr()
        assert (SECRET in captured.out) is shown
        assert SECRET not in captured.err
        assert "\x1b" not in captured.out


def test_try_grades_given_responses_by_the_records_id_or_the_files_own(run: Run, data: Path, tmp_path: Path) -> None:
    ids = [str(record["id"]) for record in read_records(data)]
    replies = tmp_path / "replies.jsonl"
    replies.write_text(
        "".join(json.dumps(reply) + "\n" for reply in ({"id": "mine-8", "response": "#### 8"}, {"id": ids[0], "response": "9"}))
    )
    code, found = run("try", "math", "--data", str(data), "--responses", str(replies))
    assert code == Exit.OK
    assert [(sample["id"], sample["score"]) for sample in found["samples"]] == [(ids[1], 1.0), (ids[0], 0.0)]


def test_try_refuses_responses_it_cannot_match(run: Run, data: Path, tmp_path: Path) -> None:
    replies = tmp_path / "replies.jsonl"
    replies.write_text(f'{{"id": "nobody", "response": "{SECRET}"}}\n[]\n{SECRET}\n{{"id": 3, "response": ""}}\n')
    code, found = run("try", "math", "--data", str(data), "--responses", str(replies))
    assert code == Exit.USAGE
    assert all(f"line {number}" in found["error"]["what"] for number in (1, 2, 3, 4))
    assert SECRET not in json.dumps(found)


def test_try_keeps_what_a_grader_prints_out_of_the_result(run: Run, own: Path, data: Path) -> None:
    write(own, "loud", "def grade(sample):\n    print('looking at it')\n    return Score(1.0, Outcome.CORRECT)")
    code, found = run("try", "loud", "--data", str(data), "--count", "1", "--gold")
    assert (code, found["samples"][0]["score"]) == (0, 1.0)


def test_an_option_given_twice_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["reward", "grade", "--option", "mode=strict", "--option", "mode=lenient"]) == Exit.USAGE
    assert "--option mode is given twice; allowed is once" in capsys.readouterr().err


def test_try_with_a_grader_that_fails_says_where_and_ends_with_1(run: Run, own: Path, data: Path) -> None:
    write(own, "falls", "def grade(sample: Sample) -> Score: raise KeyError(sample.response)")
    code, found = run("try", "falls", "--data", str(data), "--gold")
    assert code == Exit.FAILED
    assert set(found["faults"]) == {"KeyError at falls.py:5"}
    assert {sample["outcome"] for sample in found["samples"]} == {"internal_error"}


# --- bench --------------------------------------------------------------------------------------------------------------


def test_bench_measures_one_core_through_the_handler(run: Run, data: Path) -> None:
    code, found = run("bench", "math", "--data", str(data), "--seconds", "0.1", "--option", "mode=lenient")
    assert code == Exit.OK
    taken = found["batch_ms"]
    assert 0 < taken["p50"] <= taken["p95"] <= taken["p99"] <= taken["max"]
    assert found["samples"] >= 20 * 64 and found["batches_at_once"] == 1 and found["options"] == {"mode": "lenient"}
    # One process on one core cannot use more than a second of processor time in a second; clocks differ a little.
    assert found["cpu_seconds_per_second"] <= 1.1
    assert found["import_ms"] > 0


# --- rehearse, in this process --------------------------------------------------------------------------------------------


def test_rehearse_trusts_the_maths_grader(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["reward", "rehearse", "--grader", "math", "--data", str(DEFAULT_DATA)]) == Exit.OK
    shown = capsys.readouterr().out
    assert "The reward is trusted." in shown
    assert "prompt injection" in shown


def test_rehearse_refuses_a_reward_that_pays_an_exploit_and_says_which(run: Run, own: Path) -> None:
    body = (
        "def grade(sample: Sample) -> Score:\n"
        "    right = str(sample.reference).rpartition('####')[2].strip() in sample.response\n"
        "    return Score(float(right), Outcome.CORRECT if right else Outcome.WRONG)"
    )
    write(own, "mention", body)
    code, found = run("rehearse", "--grader", "mention", "--data", str(DEFAULT_DATA))
    assert code == Exit.FAILED
    assert not found["trusted"]
    assert any("list of candidates" in reason for reason in found["reasons"])


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--dataset", "plums", "--data", str(DEFAULT_DATA)),
        ("--data", str(DEFAULT_DATA)),
        ("--dataset", "plums", "--option", "mode=strict"),
        ("--grader", "math", "--reward-version", "3", "--data", str(DEFAULT_DATA)),
        ("--grader", "math", "--version", "0123456789ab", "--data", str(DEFAULT_DATA)),
        ("--grader", "absent", "--data", str(DEFAULT_DATA)),
    ],
)
def test_rehearse_refuses_what_does_not_go_together(arguments: tuple[str, ...], run: Run) -> None:
    code, found = run("rehearse", *arguments)
    assert code == Exit.USAGE
    assert "allowed" in found["error"]["what"] or "need" in found["error"]["what"]


# --- what they share ----------------------------------------------------------------------------------------------------


def test_gold_items_hold_the_reference_as_the_reply(data: Path) -> None:
    found = gold_items(read_records(data))
    assert [item["messages"][-1]["content"] for item in found] == ["#### 7", "#### 8", "#### 1234"]
    assert all(item["messages"][-1]["role"] == "assistant" for item in found)


def test_text_shown_cannot_steer_the_terminal() -> None:
    assert printable("a\x1b[2Jb\u202ec\x07\nd\te\ud800") == "a\ufffd[2Jb\ufffdc\ufffd\nd\te\ufffd"
