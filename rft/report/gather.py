"""What the report shows of a run, beyond what `RunView` holds: single scores, and what the graded responses were."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import attrs
from contracts import names
from contracts.trends import OUTCOMES as OUTCOMES_BY_CLASS
from contracts.trends import TRAINING, VALIDATION

from rft.audit_verify import sentence, verdict_on
from rft.report.board import fetch
from rft.report.board_data import BoardData, over, rounded
from rft.run_view import RunReader, RunView

if TYPE_CHECKING:
    from rft.target import Target

OUTCOMES: dict[str, str] = {
    "correct": "paid as correct",
    "wrong": "readable, but wrong",
    "no_marker": "no answer marker",
    "unparsable": "marked answer unreadable",
    "bad_gold": "reference unreadable",
    "oversize": "too long to read",
    "invalid": "sample of the wrong shape",
    "judge_error": "the judge gave no answer",
    "timeout": "grading took too long",
    "internal_error": "the grader failed",
}
"""Outcome classes of graded responses (`contracts.trends.OUTCOME_METRICS`) and how the report words them."""

HELDOUT = "heldout"


@attrs.frozen(kw_only=True)
class ReportData:
    """Everything the report shows.

    Attributes:
        base, candidate: held-out scores by prompt id.
        outcomes: the job's responses, training and validation together, by outcome class, in the order of `OUTCOMES`; classes without
            any are left out.
        board: the run's dashboard with its data; None where none is deployed.
        records: what verifying the signed records said, in a sentence; empty while there is no lineage record.
        made_at: when this was gathered.
    """

    view: RunView
    base: Mapping[str, float] = attrs.field(factory=dict)
    candidate: Mapping[str, float] = attrs.field(factory=dict)
    outcomes: Mapping[str, int] = attrs.field(factory=dict)
    board: BoardData | None = None
    records: str = ""
    made_at: datetime

    @property
    def pairs(self) -> list[tuple[float, float]]:
        """Scores of base and candidate on the same prompt."""
        return [(score, self.candidate[ident]) for ident, score in self.base.items() if ident in self.candidate]


def gather(target: Target, run_id: str) -> ReportData:
    """Reads a run's records.

    Raises:
        Failure: not found, when there is no such run.
    """
    view = RunReader(target, run_id).look()
    scores = {model: _scores(target, view, model) for model in ("base", "candidate")}
    return ReportData(
        view=view,
        base=scores["base"],
        candidate=scores["candidate"],
        outcomes=_outcomes(view),
        board=_board(target, view),
        records=sentence(verdict_on(target, run_id)) if view.lineage else "",
        made_at=datetime.now(UTC),
    )


def _board(target: Target, view: RunView) -> BoardData | None:
    board = fetch(target, names.run_dashboard(view.environment), run_id=view.run_id)
    return over(target, board, rounded(view.started, view.stopped or datetime.now(UTC))) if board else None


def _scores(target: Target, view: RunView, model: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for item in (view.plan or {}).get("evaluation", []):
        if item["model"] == model and item["set"] == HELDOUT:
            record = target.record(view.run_id, f"evaluation/{model}-{HELDOUT}-{item['first']}.json")
            found |= {str(entry["id"]): float(entry["score"]) for entry in (record or {}).get("scores", [])}
    return found


def _outcomes(view: RunView) -> dict[str, int]:
    totals = view.trend.get("totals") or {}
    found: Counter[str] = Counter()
    for part in (TRAINING, VALIDATION):
        found.update((totals.get(part) or {}).get(OUTCOMES_BY_CLASS) or {})
    return {label: found[outcome] for outcome, label in OUTCOMES.items() if found[outcome]}


def step_table(artifacts: Mapping[str, Any]) -> tuple[str, str, Sequence[Mapping[str, Any]]] | None:
    """Step column, mean-reward column and rows of Bedrock's training CSV, when it has both; their names are not documented."""
    for name, table in sorted(artifacts.items()):
        columns = [str(column) for column in table.get("columns", [])]
        step = next((column for column in columns if "step" in column.lower()), None)
        reward = next((column for column in columns if "reward" in column.lower() and "mean" in column.lower()), None)
        if "valid" not in name.lower() and step and reward:
            rows = [row for row in table["rows"] if isinstance(row.get(step), int | float) and isinstance(row.get(reward), int | float)]
            if rows:
                return step, reward, rows
    return None
