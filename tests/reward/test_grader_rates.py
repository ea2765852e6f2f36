"""The published table of wrong verdicts is the one the cases give today."""

from __future__ import annotations

from benchmarks import grader_rates, labelled


def test_the_table_in_the_docs_is_what_the_cases_give() -> None:
    assert grader_rates.PART.read() == grader_rates.PART.filled(grader_rates.table()), "stale: run python -m benchmarks.grader_rates"


def test_the_counts_are_those_of_the_cases_marked_as_misses() -> None:
    for grader in (*labelled.GRADERS, *labelled.LAYERED):
        cases = labelled.cases(grader)
        found = grader_rates.rates(grader)
        assert found.missed == sum(case.miss for case in cases if case.paid)
        assert found.fooled == sum(case.miss for case in cases if not case.paid)
        assert found.good + found.bad == len(cases)
