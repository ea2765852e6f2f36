"""What the guard rails of a run have done so far. It travels through the state machine, so that every look at the job starts from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
from contracts.guard_settings import ASK, STOP

from pipeline import tokens
from pipeline.approvals import approval_problem
from pipeline.guard_rails import Finding


@attrs.frozen(kw_only=True)
class GuardRecord:
    """The state of a run's guard rails.

    Attributes:
        cleared: rails that people were told of, or said the job may go on for; they are silent from then on.
        asked: `{rail, reason}` of the rail a person is being asked about.
        stopped: why the job was stopped; empty while it was not.
    """

    cleared: tuple[str, ...] = ()
    asked: Mapping[str, str] | None = None
    stopped: str = ""

    @classmethod
    def read(cls, value: object) -> GuardRecord:
        """From what the state machine carried; nothing gives an empty record."""
        if not isinstance(value, Mapping):
            return cls()
        asked = value.get("asked")
        return cls(
            cleared=tuple(str(rail) for rail in value.get("cleared") or ()),
            asked=dict(asked) if isinstance(asked, Mapping) else None,
            stopped=str(value.get("stopped") or ""),
        )

    def plain(self) -> dict[str, Any]:
        return {"cleared": list(self.cleared), "asked": dict(self.asked) if self.asked else None, "stopped": self.stopped}

    def answered(self, approvals: Mapping[str, Any] | None) -> GuardRecord:
        """After the person was asked: a yes clears the rail; anything else, no answer included, stops the job."""
        if self.asked is None:
            return self
        problem = approval_problem(approvals, tokens.CONTINUE)
        if problem:
            return attrs.evolve(self, asked=None, stopped=f"{self.asked['reason']}; {problem}")
        return attrs.evolve(self, asked=None, cleared=(*self.cleared, self.asked["rail"]))

    def refusal(self, approvals: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        """The answer of a person who was asked and did not say yes; None when nobody was asked or nobody has answered."""
        answer = (approvals or {}).get(tokens.CONTINUE)
        if self.asked is None or not isinstance(answer, Mapping) or approval_problem(approvals, tokens.CONTINUE) is None:
            return None
        return answer

    def reached(self, finding: Finding) -> GuardRecord:
        """With what a rail that was reached demands."""
        if finding.action == STOP:
            return attrs.evolve(self, stopped=finding.reason)
        if finding.action == ASK:
            return attrs.evolve(self, asked={"rail": finding.rail, "reason": finding.reason})
        return attrs.evolve(self, cleared=(*self.cleared, finding.rail))
