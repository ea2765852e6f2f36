"""The page that says how each alarm was seen: `.venv/bin/python -m tests.alarms.seen` writes it, a test compares it."""

from __future__ import annotations

from pathlib import Path

from tests.alarms.cases import CASES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "runbooks" / "seen.md"

_HEAD = """# Every alarm, seen firing and recovering

`tests/alarms` takes each alarm from the synthesised templates of dev, stage and prod, puts it into the local cloud's alarm engine and plays
the columns below on a clock of its own. What the project emits comes from its own code: batches through the reward function, events through
the pipeline's steps. An alarm without a row, or a row without an alarm, fails the tests; so does a page that differs from the table in
`tests/alarms/cases.py`, from which `.venv/bin/python -m tests.alarms.seen` writes it.

Each alarm is OK in the quiet before, keeps still at what comes closest to its threshold, goes to ALARM with one notice to its topic, and
returns to OK. Then it fires a second time, and clears when nothing more comes.

| Alarm | Fires on | Keeps still at | Recovers on |
|---|---|---|---|
"""


_TAIL = """
`NeedsPerson`, the composite alarm, is raised by each of those that need a person and by no other, told to the pager once with the alarm
that set it off, and told again when the last of them clears (`tests/alarms/test_needs_person.py`). Faults planted in an alarm, such as a
wrong dimension or a threshold out of reach, are found (`tests/alarms/test_planted.py`).

On the deployed local cloud, with real runs: a healthy run raises nothing. A rejected dataset, a grader that fails, a failed job and a model
that collapses raise `DatasetRejected`, `RewardErrors`, `GraderFaults`, `RunFailed`, `RewardCollapsed` and `NeedsPerson`; the messages reach
what subscribes to the topics, and the alarms clear (`tests/cloud/test_alarms.py`, `test_endings.py`, `test_guarding.py`).
"""


def page() -> str:
    rows = [f"| `{name}` | {case.fired_by} | {case.missed_by} | {case.recovered_by} |" for name, case in sorted(CASES.items())]
    return _HEAD + "\n".join(rows) + "\n" + _TAIL


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page())
