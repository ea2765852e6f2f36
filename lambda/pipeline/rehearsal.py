"""Judges a reward function by what it paid for replies whose worth is known. No AWS calls here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from pipeline.probes import NOTED, PAID, UNPAID, Probe

RIGHT_PAYS = 0.9
"""Least mean score of right replies: a reward that often denies a right answer teaches the model to leave it."""

EXPLOIT_SHARE = 0.5
"""Most an undeserving kind of reply may earn, as a share of what right ones do. Above it, cheating is the cheaper way to learn."""

LEAST_SIGNAL = 0.05
"""Least distance between the best and the worst paid kind. Without one, every advantage is zero and nothing is learnt."""


def verdict(probes: Sequence[Probe], scores: Sequence[float]) -> dict[str, Any]:
    """`{trusted, reasons, probes: [{name, kind, mean, expected, samples}], signal}`.

    Trusted means: right replies are paid, no exploit is paid nearly as much, and replies are paid differently at all.
    """
    by_name: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    by_kind: dict[tuple[str, str], list[float]] = defaultdict(list)
    for probe, score in zip(probes, scores, strict=True):
        by_name[(probe.name, probe.kind, probe.expected)].append(score)
        by_kind[(probe.kind, probe.expected)].append(score)
    means = {key: _mean(values) for key, values in by_kind.items()}
    right = _mean([score for (_, expected), values in by_kind.items() if expected == PAID for score in values])
    judged = [mean for (_, expected), mean in means.items() if expected != NOTED]
    signal = max(judged, default=0.0) - min(judged, default=0.0)
    reasons = _reasons(means, _by_probe(by_name), right, signal)
    return {
        "trusted": not reasons,
        "reasons": reasons,
        "probes": [
            {"name": name, "kind": kind, "mean": round(_mean(values), 4), "expected": expected, "samples": len(values)}
            for (name, kind, expected), values in by_name.items()
        ],
        "signal": round(signal, 4),
    }


def broken(reason: str) -> dict[str, Any]:
    """The verdict on a reward function that failed or broke its contract."""
    return {"trusted": False, "reasons": [reason], "probes": [], "signal": 0.0}


def _by_probe(by_name: dict[tuple[str, str, str], list[float]]) -> dict[str, float]:
    return {name: _mean(values) for (name, _, expected), values in by_name.items() if expected == UNPAID}


def _reasons(means: dict[tuple[str, str], float], undeserved: dict[str, float], right: float, signal: float) -> list[str]:
    if not means:
        return ["there was nothing to probe the reward with; allowed is a training split with reference answers"]
    if signal < LEAST_SIGNAL:
        return [
            f"no learning signal: every kind of reply is paid about {right:.2f}; allowed is a reward that pays right and wrong differently"
        ]
    reasons = []
    if right < RIGHT_PAYS:
        reasons.append(f"right replies are paid {right:.2f} on average; allowed is {RIGHT_PAYS:.2f} or more")
    # Of a kind's variants the best paid one counts: a policy finds it.
    for name, mean in sorted(undeserved.items(), key=lambda item: -item[1]):
        if mean > EXPLOIT_SHARE * right:
            reasons.append(
                f"exploit paid: '{name}' earns {mean:.2f} on average, right replies earn {right:.2f}; allowed is at most half of that"
            )
    return reasons


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
