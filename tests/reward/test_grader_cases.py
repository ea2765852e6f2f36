"""Every labelled case of the catalogue, and that a known limit is still one."""

from __future__ import annotations

from collections import Counter

import pytest
from reward.graders import known
from reward.score import FAULTS, Outcome

from benchmarks import labelled
from benchmarks.labelled import Case, blind

GRADERS = (*labelled.GRADERS, *labelled.LAYERED)
CASES = [(grader, case) for grader in GRADERS for case in labelled.cases(grader)]


@pytest.mark.parametrize(("grader", "case"), CASES, ids=[f"{grader}: {case.name}" for grader, case in CASES])
def test_a_labelled_response_gets_what_its_label_says(grader: str, case: Case) -> None:
    score = case.score(grader)
    assert case.right(score) is not case.miss, f"{score.value} {score.outcome}"
    if case.outcome is not None:
        assert score.outcome is case.outcome
    if score.outcome is Outcome.CORRECT:
        assert score.value >= 0.999
    if score.outcome in FAULTS or score.outcome is Outcome.OVERSIZE:
        assert score.value == 0.0


BLIND = [(grader, case) for grader, cases in blind.CASES.items() for case in cases]


@pytest.mark.parametrize(("grader", "case"), BLIND, ids=[f"{grader}: {case.name}" for grader, case in BLIND])
def test_a_response_labelled_without_sight_of_the_grader_gets_what_its_label_says(grader: str, case: Case) -> None:
    score = case.score(grader)
    assert case.right(score) is not case.miss, f"{score.value} {score.outcome}"


@pytest.mark.parametrize("grader", GRADERS)
def test_each_grader_has_cases_of_both_kinds_and_names_its_limits(grader: str) -> None:
    found = labelled.cases(grader)
    kinds = Counter(case.paid for case in found)
    assert kinds[True] >= 10 and kinds[False] >= 15
    assert any(case.miss for case in found)
    assert len({case.name for case in found}) == len(found)


@pytest.mark.parametrize("grader", GRADERS)
def test_a_grader_names_the_same_components_for_every_sample(grader: str) -> None:
    names: dict[str, set[tuple[str, ...]]] = {}
    for case in labelled.cases(grader):
        names.setdefault(repr(case.options), set()).add(tuple(each["name"] for each in case.score(grader).components))
    assert all(len(found) == 1 for found in names.values())


def test_no_grader_that_asks_no_model_is_without_cases() -> None:
    without_labels_here = {"math", "judge"}
    built_in = {name for name in known() if name != "starting_point"}
    assert built_in - without_labels_here == set(GRADERS)
    assert built_in - {"judge"} == blind.CASES.keys()
