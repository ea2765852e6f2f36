"""`rft reward review`: choices from lines of stdin become pairs that `rft reward calibrate` reads."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from pipeline.calibration_feedback import read_feedback

from rft.cli import invoke
from rft.exits import Exit
from rft.reward_questions import read

COUNT = 6


class Reviewed:
    """A file to review, and what came of it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.file, self.pairs = folder / "answers.jsonl", folder / "answers-pairs.jsonl"
        self.undecided = folder / "answers-pairs-undecided.jsonl"
        self._monkeypatch, self._capsys = monkeypatch, capsys
        self.shown = ""

    def write(self, *records: object) -> None:
        self.file.write_text("".join(json.dumps(record) + "\n" for record in records))

    def choose(self, *choices: str, more: tuple[str, ...] = ("--rater", "ada")) -> tuple[int, Any]:
        self._monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{choice}\n" for choice in choices)))
        code = invoke(["reward", "review", str(self.file), *more, "--json"])
        captured = self._capsys.readouterr()
        self.shown = captured.err
        return code, json.loads(captured.out)

    @staticmethod
    def lines(path: Path) -> list[dict[str, Any]]:
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def reviewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Reviewed:
    monkeypatch.setenv("COLUMNS", "100")
    made = Reviewed(tmp_path, monkeypatch, capsys)
    made.write(
        *(
            {"id": f"q{number}", "prompt": f"question {number}", "answers": [f"left {number}", f"right {number}"], "reference_answer": "5"}
            for number in range(COUNT)
        )
    )
    return made


def test_choices_become_pairs_that_calibration_reads(reviewed: Reviewed) -> None:
    code, found = reviewed.choose("1", "2", "t", "s", "1", "2")
    assert code == Exit.OK
    assert (found["pairs"], found["ties"], found["skipped"], found["left"]) == (4, 1, 1, 0)
    feedback = read_feedback(reviewed.pairs.read_bytes(), "pairs")
    assert [pair.id for pair in feedback.pairs] == ["q0", "q1", "q4", "q5"]
    for pair, choice in zip(feedback.pairs, "1212", strict=True):
        question = next(question for question in read(reviewed.file) if question.id == pair.id)
        assert pair.chosen == question.shown[int(choice) - 1]
        assert {pair.chosen, pair.rejected} == set(question.answers)
        assert (pair.rater, pair.metadata["reference_answer"]) == ("ada", "5")
        assert pair.messages == ({"role": "user", "content": f"question {pair.id[1:]}"},)
    assert [(line["id"], line["choice"]) for line in reviewed.lines(reviewed.undecided)] == [("q2", "tie"), ("q3", "skip")]


def test_what_the_reward_sees_of_a_review_does_not_tell_what_was_chosen(reviewed: Reviewed) -> None:
    reviewed.choose("1", "1", "1", "1", "1", "1")
    metadata = [pair.metadata for pair in read_feedback(reviewed.pairs.read_bytes(), "pairs").pairs]
    assert all(set(seen) == {"reference_answer", "review"} for seen in metadata)
    assert all(set(seen["review"]) == {"at", "seed", "swapped"} for seen in metadata)


def test_it_goes_on_where_it_stopped(reviewed: Reviewed) -> None:
    assert reviewed.choose("1", "s", "q")[1]["left"] == 4
    code, found = reviewed.choose("2", "2")
    assert (code, found["pairs"], found["left"]) == (Exit.OK, 2, 2)
    assert "question 2" in reviewed.shown and "question 0" not in reviewed.shown
    reviewed.choose("t", "1")
    done = [line["id"] for path in (reviewed.pairs, reviewed.undecided) for line in reviewed.lines(path)]
    assert sorted(done) == [f"q{number}" for number in range(COUNT)]
    assert reviewed.choose("1")[1]["pairs"] == 0


def test_a_criterion_too_long_to_be_read_back_is_refused_before_the_file_is(reviewed: Reviewed, capsys: pytest.CaptureFixture[str]) -> None:
    reviewed.file.write_text("nonsense")
    assert invoke(["reward", "review", str(reviewed.file), "--criterion", "c" * 65]) == Exit.USAGE
    assert "--criterion" in capsys.readouterr().err


def test_another_rater_and_another_criterion_begin_anew(reviewed: Reviewed) -> None:
    reviewed.choose(*"111111")
    assert reviewed.choose(*"222222", more=("--rater", "ben"))[1]["pairs"] == COUNT
    assert reviewed.choose(*"222222", more=("--rater", "ada", "--criterion", "tone"))[1]["pairs"] == COUNT
    assert {pair.criterion for pair in read_feedback(reviewed.pairs.read_bytes(), "pairs").pairs} == {"overall", "tone"}


def test_the_order_is_drawn_by_the_seed_and_recorded(reviewed: Reviewed) -> None:
    reviewed.write(*({"id": f"q{number}", "prompt": "?", "answers": ["a", "b"]} for number in range(200)))
    swapped = [question.swapped for question in read(reviewed.file, seed=1)]
    assert 60 < sum(swapped) < 140
    assert swapped == [question.swapped for question in read(reviewed.file, seed=1)]
    assert swapped != [question.swapped for question in read(reviewed.file, seed=2)]
    reviewed.choose(*"1" * 200, more=("--rater", "ada", "--seed", "1"))
    lines = reviewed.lines(reviewed.pairs)
    assert [line["review"]["swapped"] for line in lines] == swapped
    assert [line["chosen"] for line in lines] == ["b" if turned else "a" for turned in swapped]


def test_a_question_without_an_id_is_known_again_when_its_line_moves(reviewed: Reviewed) -> None:
    first, second = ({"prompt": f"question {number}", "answers": ["a", "b"]} for number in (1, 2))
    reviewed.write(first, second)
    reviewed.choose("1", "q")
    reviewed.write(second, first)
    assert reviewed.choose("1")[1]["left"] == 0
    assert "question 2" in reviewed.shown and "question 1" not in reviewed.shown


def test_both_answers_and_the_prompt_are_shown_and_cannot_steer_the_terminal(reviewed: Reviewed) -> None:
    reviewed.write({"prompt": "the question", "answers": ["[bold]one[/bold]\x1b[2J", "two\x07"], "criterion": "tone"})
    reviewed.choose("s")
    assert all(text in reviewed.shown for text in ("the question", "[bold]one[/bold]", "two", "tone", "1 of 1"))
    assert "\x1b[2J" not in reviewed.shown and "\x07" not in reviewed.shown


def test_the_end_of_input_is_a_pause(reviewed: Reviewed) -> None:
    code, found = reviewed.choose("1")
    assert (code, found["pairs"], found["left"]) == (Exit.OK, 1, COUNT - 1)


def test_a_line_that_is_no_choice_ends_it_before_more_is_recorded(reviewed: Reviewed) -> None:
    code, found = reviewed.choose("1", "left", "2")
    assert code == Exit.USAGE
    assert "allowed is one of 1, 2" in found["error"]["what"]
    assert len(reviewed.lines(reviewed.pairs)) == 1


@pytest.mark.parametrize(
    ("record", "says"),
    [
        ([], "allowed is one object on a line"),
        ({"prompt": "?", "answers": ["violet-heron"]}, "answers: allowed are two texts"),
        ({"prompt": "?", "answers": ["violet-heron", 2]}, "answers: allowed are two texts"),
        ({"prompt": "?", "answers": ["violet-heron", "violet-heron"]}, "the two are the same"),
        ({"answers": ["violet-heron", "b"]}, "one of messages and prompt"),
        ({"prompt": 5, "answers": ["violet-heron", "b"]}, "messages: allowed"),
        ({"messages": [{"role": "assistant", "content": "violet-heron"}], "answers": ["a", "b"]}, "the last turn is the assistant's"),
        ({"prompt": "?", "answers": ["a", "b"], "id": 5}, "id: allowed"),
        ({"prompt": "?", "answers": ["a", "b"], "criterion": "c" * 65}, "criterion: allowed"),
        ({"prompt": "?", "answers": ["a", "b"], "id": "q0"}, "has the id of another line"),
    ],
)
def test_a_bad_line_is_named_without_its_text_and_nothing_is_asked(record: object, says: str, reviewed: Reviewed) -> None:
    reviewed.write({"id": "q0", "prompt": "?", "answers": ["a", "b"]}, record)
    code, found = reviewed.choose("1", "1")
    assert code == Exit.USAGE
    assert f"line 2: {says}" in found["error"]["what"] or says in found["error"]["what"]
    assert "violet-heron" not in json.dumps(found)
    assert not reviewed.pairs.exists()


@pytest.mark.parametrize("more", [("--rater", ""), ("--rater", "r" * 65), ("--rater", "a\x1b")])
def test_a_rater_needs_a_name(more: tuple[str, ...], reviewed: Reviewed) -> None:
    assert reviewed.choose("1", more=more)[0] == Exit.USAGE


def test_the_output_is_never_the_file_reviewed_nor_one_of_another_kind(reviewed: Reviewed, tmp_path: Path) -> None:
    before = reviewed.file.read_bytes()
    assert reviewed.choose("1", more=("--rater", "ada", "--out", str(reviewed.file)))[0] == Exit.USAGE
    other = tmp_path / "other.jsonl"
    other.write_text("something else\n")
    assert reviewed.choose("1", more=("--rater", "ada", "--out", str(other)))[0] == Exit.USAGE
    assert (reviewed.file.read_bytes(), other.read_text()) == (before, "something else\n")


def test_an_interruption_keeps_what_was_chosen(reviewed: Reviewed, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = iter(("1\n", "2\n"))

    class Interrupted:
        """A stdin whose reader is interrupted after two lines."""

        def isatty(self) -> bool:
            return False

        def readline(self) -> str:
            line = next(lines, None)
            if line is None:
                raise KeyboardInterrupt
            return line

    monkeypatch.setattr(sys, "stdin", Interrupted())
    assert invoke(["reward", "review", str(reviewed.file), "--rater", "ada"]) == Exit.INTERRUPTED
    assert len(reviewed.lines(reviewed.pairs)) == 2


def test_on_a_narrow_terminal_the_answers_stand_below_each_other(reviewed: Reviewed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    reviewed.choose("s", "q")
    assert not any("left 0" in line and "right 0" in line for line in reviewed.shown.splitlines())
    monkeypatch.setenv("COLUMNS", "100")
    reviewed.choose("q")
    assert any("left 1" in line and "right 1" in line for line in reviewed.shown.splitlines())
