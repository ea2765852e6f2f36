"""A rehearsal's result as text a person reads, in a terminal or a mail. A pure function of the stored result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_HEAD = ("reply", "kind", "should be", "mean pay", "share before", "after")
_RIGHT_ALIGNED = frozenset({3, 4, 5})


def table(result: Mapping[str, Any]) -> str:
    """The verdict, its reasons, what each kind of reply was paid, and what a policy would learn.

    Args:
        result: what RehearseReward gives or stored as rehearsal.json; one without `learnt` is shown without it.
    """
    lines = [f"The reward is {'trusted' if result['trusted'] else 'not trusted'}."]
    lines += [f"  - {reason}" for reason in result["reasons"]]
    learnt = result.get("learnt")
    if result["probes"]:
        shares = learnt["policy"] if learnt else {}
        lines += ["", *_aligned([_HEAD if shares else _HEAD[:4], *(_row(probe, shares) for probe in result["probes"])])]
    found = findings(result)
    return "\n".join([*lines, *([""] if learnt else []), *found])


def findings(result: Mapping[str, Any]) -> list[str]:
    """What a policy would learn, whether references are paid, and the calibration relied on: a sentence or two each, where there is one.

    Args:
        result: as for `table`.
    """
    learnt, gold, calibration = result.get("learnt"), result.get("gold"), result.get("calibration")
    lines = _learning(learnt) if learnt else []
    if gold and gold["checked"]:
        lines.append(f"The reference's own answer was denied full pay in {gold['denied']} of {gold['checked']} records.")
    if calibration:
        lines.append(
            f"Calibrated against people's feedback on {calibration['calibrated_at']} by {calibration['calibrated_by']}, "
            f"feedback sha256 {calibration['feedback_sha256']}."
        )
    return lines


def _row(probe: Mapping[str, Any], shares: Mapping[str, Any]) -> tuple[str, ...]:
    row = (str(probe["name"]), str(probe["kind"]), str(probe["expected"]), f"{probe['mean']:.2f}")
    share = shares.get(probe["name"])
    if not shares:
        return row
    return (*row, f"{share['before']:.1%}", f"{share['after']:.1%}") if share else (*row, "-", "-")


def _learning(learnt: Mapping[str, Any]) -> list[str]:
    lines = [
        f"After {learnt['steps']} rehearsed steps with groups of {learnt['group']}: mean reward {learnt['mean_before']:.2f} before, "
        f"{learnt['mean_after']:.2f} after; replies that should earn nothing {learnt['unpaid_before']:.0%} before, "
        f"{learnt['unpaid_after']:.0%} after; {learnt['flat_groups']:.0%} of the groups had no spread at the start."
    ]
    exploit = learnt["exploit"]
    if exploit:
        share = learnt["policy"][exploit]
        lines.append(f"The exploit it would learn: {exploit} ({share['before']:.1%} before, {share['after']:.1%} after).")
    else:
        lines.append("No undeserving reply would gain.")
    return lines


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.rjust(width) if column in _RIGHT_ALIGNED else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
