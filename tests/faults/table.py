"""The tables of docs/faults.md, written from what the tests found: `python -m tests.faults.table`, and `make faults` before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
from contracts.events import Outcome

from audit.generated import Generated
from tests.faults.aftermath import Aftermath
from tests.faults.cases import ENDS, LASTING, PASSING, SLICE, Case, Fault, cases, kebab

PART = Generated("docs/faults.md", "faults", "make faults")
RESULTS = Path(__file__).with_name("results.json")


def digest(case: Case) -> int:
    """Changes with whatever a case does or expects."""
    said = json.dumps(attrs.asdict(case), sort_keys=True, default=str)
    return int.from_bytes(hashlib.sha256(said.encode()).digest()[:6])


def results(found: Mapping[str, Aftermath]) -> dict[str, Any]:
    """What the runs came to, without what differs from one time to the next."""
    return {
        case.run: {
            "case": digest(case),
            **{key: value for key, value in attrs.asdict(found[case.run]).items() if key not in ("run", "reason", "errors")},
            "attempts_failed": {state: len(errors) for state, errors in sorted(found[case.run].errors.items())},
        }
        for case in cases()
        if case.run in found
    }


def page(found: Mapping[str, Any]) -> str:
    """The document with its tables from these results."""
    return PART.filled(_tables(found))


def write(found: Mapping[str, Any]) -> None:
    """Writes the results and the page; results of cases that are no more are dropped."""
    found = {case.run: found[case.run] for case in cases() if case.run in found}
    RESULTS.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    if len(found) == len(cases()):
        PART.write(_tables(found))


def committed() -> dict[str, Any]:
    """The results as committed."""
    found: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    return found


def _tables(found: Mapping[str, Any]) -> str:
    return "\n".join(
        [
            "### Faults that pass",
            "",
            "The state machine's call fails once, in every state of one run; killed is the function, right after the call that it must not",
            "make twice. The number is that of failed attempts, after which the state went on. Each run was released once, by one job.",
            "",
            *_passing(found),
            "",
            "### Faults that last",
            "",
            "One run for each. Denied: every call of the state's function, or the state's own where there is no function, is refused.",
            "",
            *_lasting(found),
            "",
            "### Other faults",
            "",
            *_others(found),
            "",
            "### Tried on every change",
            "",
            "By `make test`, all at once:",
            "",
            *[f"- {case.what}{f', in {case.state}' if case.state else ''}" for case in cases() if case.run in SLICE],
        ]
    )


def _passing(found: Mapping[str, Any]) -> Iterator[str]:
    yield _row("state", *PASSING)
    yield _row(*["---", *["---:"] * len(PASSING)])
    for state in ENDS:
        counts = [found[f"passing-{fault.name.lower()}"]["attempts_failed"].get(recorded_as(state)) for fault in PASSING]
        yield _row(state, *[str(count) if count else "no call to be killed at" for count in counts])


def _lasting(found: Mapping[str, Any]) -> Iterator[str]:
    yield _row("state", *[f"{fault}: ends as" for fault in LASTING], "jobs made", "left", "record", "told by", "because")
    yield _row(*["---"] * 8)
    for state, (_, _, because) in ENDS.items():
        rows = [found[f"{fault.name.lower()}-{kebab(state)}"] for fault in LASTING]
        yield _row(state, *[row["outcome"] for row in rows], *_facts(rows), because)


def _others(found: Mapping[str, Any]) -> Iterator[str]:
    yield _row("fault", "where", "ends as", "jobs made", "left", "record", "told by", "because")
    yield _row(*["---"] * 8)
    for case in cases():
        if case.run.startswith(tuple(f"{fault.name.lower()}-" for fault in LASTING)) or case.run in _PASSING_RUNS:
            continue
        row = found[case.run]
        yield _row(case.what, case.state or "any", row["outcome"], *_facts([row]), case.because)


def _facts(rows: list[Mapping[str, Any]]) -> list[str]:
    jobs = sorted({str(row["jobs"]) for row in rows})
    left = sorted({entry for row in rows for entry in row["left"]})
    gaps = sorted({entry for row in rows for entry in row["gaps"]})
    told = sorted({entry for row in rows for entry in row["told"]})
    return [" or ".join(jobs), ", ".join(left) or "nothing", ", ".join(gaps) or "complete", " and ".join(told) or "nobody"]


def recorded_as(state: str) -> str:
    """The state under which the history shows a failed attempt: a Map's stands for those of its iterations."""
    return {"AnswerAndGrade": "Evaluate"}.get(state, state)


def releases_wanted(case: Case) -> int:
    return int(case.outcome is Outcome.RELEASED)


_PASSING_RUNS = tuple(f"passing-{fault.name.lower()}" for fault in Fault)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    write(committed())
