"""The shipped problems are what the generator makes, their arithmetic holds, and the maths grader pays every reference answer."""

from __future__ import annotations

import json
import re
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest
from reward.contract import Sample
from reward.graders import build

from datasets.generate import lines, main, problems
from datasets.problems import Draw, Solution, Unsuitable, dollars, shown
from datasets.themes import TEMPLATES

SHIPPED = Path(__file__).resolve().parents[2] / "datasets" / "word-problems.jsonl"
MARK = re.compile(r"<<([^<>=]+)=([^<>]+)>>([-0-9.]*)")
TOKEN = re.compile(r"[0-9]+(?:\.[0-9]+)?|[-+*/]")


@pytest.fixture(scope="module")
def shipped() -> list[dict[str, str]]:
    return [json.loads(line) for line in SHIPPED.read_text(encoding="utf-8").splitlines()]


def computed(expression: str) -> Fraction:
    """The value of a sum of products, by a parser of its own: no code is shared with the generator."""
    tokens = TOKEN.findall(expression)
    assert "".join(tokens) == expression
    terms, sign = [Fraction(0)], Fraction(1)
    for operator, operand in zip(["+", *tokens[1::2]], tokens[::2], strict=True):
        if operator in "+-":
            sign = Fraction(1 if operator == "+" else -1)
            terms.append(sign * Fraction(operand))
        else:
            terms[-1] *= Fraction(operand) if operator == "*" else 1 / Fraction(operand)
    return sum(terms, Fraction(0))


def test_the_generator_makes_the_shipped_file_byte_for_byte(tmp_path: Path) -> None:
    made = tmp_path / "made.jsonl"
    assert main(["--seed", "7", "--count", "640", "--out", str(made)]) == 0
    assert made.read_bytes() == SHIPPED.read_bytes()


def test_another_seed_makes_other_problems() -> None:
    assert set(lines(seed=8, count=40)).isdisjoint(lines(seed=7, count=40))


def test_there_are_640_problems_and_none_occurs_twice(shipped: list[dict[str, str]]) -> None:
    assert len(shipped) == 640
    assert all(problem.keys() == {"question", "answer"} for problem in shipped)
    assert len({" ".join(problem["question"].lower().split()) for problem in shipped}) == 640


def test_every_step_of_every_answer_is_right(shipped: list[dict[str, str]]) -> None:
    for problem in shipped:
        marks = MARK.findall(problem["answer"])
        assert 2 <= len(marks) <= 6
        for expression, result, repeated in marks:
            assert computed(expression) == Fraction(result)
            assert repeated.rstrip(".") == result


def test_the_last_line_is_the_last_result(shipped: list[dict[str, str]]) -> None:
    for problem in shipped:
        final = re.fullmatch(r"#### (-?\d{1,3}(?:,\d{3})*)", problem["answer"].split("\n")[-1])
        assert final is not None
        stated, last = int(final[1].replace(",", "")), Fraction(MARK.findall(problem["answer"])[-1][1])
        assert stated == (-last if "below zero" in problem["answer"].split("\n")[-2] else last)


def test_numbers_in_a_question_are_all_used(shipped: list[dict[str, str]]) -> None:
    unused = Counter(len(set(re.findall(r"\d+", problem["question"])) - set(re.findall(r"\d+", problem["answer"]))) for problem in shipped)
    # A few state a number in another form (percent, cents), or one that does not matter, as such problems do.
    assert unused[0] > 400
    assert max(unused) <= 2


def test_every_reference_answer_is_paid_in_full_by_the_maths_grader(shipped: list[dict[str, str]]) -> None:
    for mode in ("strict", "lenient"):
        grade = build("math", {"mode": mode})
        for problem in shipped:
            final = problem["answer"].rsplit("#### ", 1)[1]
            assert grade(Sample("s", problem["answer"], problem["answer"], [], {})).value == 1.0
            assert grade(Sample("s", f"#### {final}", final.replace(",", ""), [], {})).value == 1.0


def test_negative_and_grouped_answers_occur_as_the_data_sheet_says(shipped: list[dict[str, str]]) -> None:
    finals = [problem["answer"].rsplit("#### ", 1)[1] for problem in shipped]
    assert 10 <= sum(final.startswith("-") for final in finals) <= 60
    assert 60 <= sum("," in final for final in finals) <= 200


def test_every_kind_of_problem_makes_many_different_ones() -> None:
    assert len(TEMPLATES) == len(set(TEMPLATES)) >= 25
    for template in TEMPLATES:
        draw, found = Draw(3), set()
        for _ in range(600):
            try:
                found.add(template(draw).question)
            except Unsuitable:
                continue
        assert len(found) >= 20, template.__name__


def test_asking_for_more_problems_than_there_are_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("datasets.generate.MAX_TRIES", 1)
    with pytest.raises(ValueError, match="ask for fewer"):
        list(problems(seed=1, count=5000))
    with pytest.raises(SystemExit):
        main(["--count", "5000"])
    assert "ask for fewer" in capsys.readouterr().err


def test_the_generator_prints_without_a_file_to_write(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--seed", "7", "--count", "3"])
    assert capsys.readouterr().out == "".join(SHIPPED.read_text(encoding="utf-8").splitlines(keepends=True)[:3])


def test_a_step_that_does_not_come_out_even_is_no_step() -> None:
    work = Solution()
    for parts in ((5, "/", 2), (3, "-", 4), (1, "/", 0), (1, "%", 1)):
        with pytest.raises(Unsuitable):
            work.step("{}", *parts)
    with pytest.raises(Unsuitable):
        work.step("{}", 1, "/", 3, money=True)
    assert work.step("{}", 5, "/", 2, money=True) == Fraction(5, 2)
    with pytest.raises(Unsuitable):
        work.problem("?", Fraction(5, 2))
    with pytest.raises(Unsuitable):
        work.problem("?", Fraction(-3))
    assert work.problem("?", Fraction(-1234), below_zero=True).answer.endswith("#### -1,234")


def test_amounts_are_written_as_people_write_them() -> None:
    assert [dollars(7), dollars(Fraction(15, 2)), shown(Fraction(-5, 4)), shown(Fraction(1, 10))] == ["$7", "$7.50", "-1.25", "0.1"]
