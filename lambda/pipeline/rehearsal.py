"""Judges a reward function by what it paid for replies whose worth is known. No AWS calls here."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from pipeline.probe_answers import LABEL, NUMBER
from pipeline.probes import AGAIN, CHECK, NOTED, PAID, RIGHT, SWAPPED, UNPAID, Case, Probe
from pipeline.rehearsal_learning import Learnt, learn

RIGHT_PAYS = 0.9
"""Least mean score of right replies: a reward that often denies a right answer teaches the model to leave it."""

GOLD_PAYS = 0.999
"""Least score of a reference's own answer, under a reward that reads the reference."""

READS_REFERENCE = 0.5
"""How much less a right reply must earn, on average, under another record's reference for the reward to be one that reads it."""

EXPLOIT_SHARE = 0.5
"""Most an undeserving kind of reply may earn, as a share of what right ones do. Above it, cheating is the cheaper way to learn."""

TEXT_EXPLOIT_SHARE = 0.75
"""The same for free text and objects, of which a reply may be right in part: a hedge holds the whole right answer."""

LEAST_SIGNAL = 0.05
"""Least distance between the best and the worst paid kind. Without one, every advantage is zero and nothing is learnt."""

MOST_FLAT = 0.9
"""Most groups of replies that may be paid all the same. Bedrock bills for them and learns nothing."""

MOST_UNPAID = 0.5
"""Most of its replies that a rehearsed policy may spend on kinds that should earn nothing."""

MOST_NOISE = 0.15
"""Most that the scores of one and the same reply may differ, on average."""

MAX_EXPLOITS = 8
"""Kinds of exploit named in the reasons, each by its best paid variant; the table has all of them."""

MAX_IDS = 3


class Gold(NamedTuple):
    """What the reference's own answer to a record was paid."""

    record_id: str
    score: float


def verdict(cases: Sequence[Case], scores: Sequence[Sequence[float]], gold: Sequence[Gold] = ()) -> dict[str, Any]:
    """`{trusted, reasons, probes: [{name, kind, mean, expected, samples}], signal, learnt, gold}`.

    Trusted means: right replies are paid, no exploit is paid nearly as much, replies are paid differently at all, the same reply
    is paid the same, and a policy trained on these scores would not end in exploits.

    Args:
        cases: records and their probes.
        scores: one per probe of each case, in order.
        gold: further records' own answers; those of the cases count without being given.
    """
    trials = [trial for case, given in zip(cases, scores, strict=True) for trial in zip(case.probes, given, strict=True)]
    if not trials:
        return broken("there was nothing to probe the reward with; allowed is a training split with reference answers")
    learnt = learn(cases, scores)
    right = _mean(score for probe, score in trials if probe.expected == PAID)
    signal = _signal(trials)
    own = [
        Gold(str(case.record.get("id", "")), score)
        for case, given in zip(cases, scores, strict=True)
        for probe, score in zip(case.probes, given, strict=True)
        if probe.name == RIGHT
    ]
    held = [*own, *gold] if _reads_reference(trials, right) else []
    nothing = _no_signal(right, signal, learnt)
    reasons = nothing or [
        *_right_problems(right, trials),
        *_noise_problems(trials),
        *_gold_problems(held),
        *_exploit_problems(trials, right, learnt),
        *_learning_problems(learnt),
    ]
    return {
        "trusted": not reasons,
        "reasons": reasons,
        "probes": _rows(trials),
        "signal": round(signal, 4),
        "learnt": learnt.as_dict(),
        "gold": {"checked": len(held), "denied": sum(one.score < GOLD_PAYS for one in held)},
    }


def broken(*reasons: str) -> dict[str, Any]:
    """The verdict on a reward function that failed or broke its contract, or that was not even tried."""
    return {"trusted": False, "reasons": list(reasons), "probes": [], "signal": 0.0, "learnt": None, "gold": None}


_Trial = tuple[Probe, float]


def _rows(trials: Sequence[_Trial]) -> list[dict[str, Any]]:
    grouped: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for probe, score in trials:
        if probe.expected != CHECK:
            grouped[(probe.name, probe.kind, probe.expected)].append(score)
    return [
        {"name": name, "kind": kind, "mean": round(_mean(values), 4), "expected": expected, "samples": len(values)}
        for (name, kind, expected), values in grouped.items()
    ]


def _signal(trials: Sequence[_Trial]) -> float:
    by_kind: dict[tuple[str, str], list[float]] = defaultdict(list)
    for probe, score in trials:
        if probe.expected not in (NOTED, CHECK):
            by_kind[(probe.kind, probe.expected)].append(score)
    means = [_mean(values) for values in by_kind.values()]
    return max(means, default=0.0) - min(means, default=0.0)


def _no_signal(right: float, signal: float, learnt: Learnt) -> list[str]:
    if signal < LEAST_SIGNAL:
        return [
            f"no learning signal: every kind of reply is paid about {right:.2f}; allowed is a reward that pays right and wrong differently"
        ]
    if learnt.flat_groups > MOST_FLAT:
        return [
            f"no learning signal: {learnt.flat_groups:.0%} of the groups of {learnt.group} replies to a prompt are paid all the same; "
            f"allowed is at most {MOST_FLAT:.0%}"
        ]
    return []


def _right_problems(right: float, trials: Sequence[_Trial]) -> list[str]:
    if right >= RIGHT_PAYS:
        return []
    hint = "" if any(probe.reference in (NUMBER, LABEL) for probe, _ in trials) else _EXAMPLE_HINT
    return [f"right replies are paid {right:.2f} on average; allowed is {RIGHT_PAYS:.2f} or more{hint}"]


_EXAMPLE_HINT = " (where the reference is no answer but a rule or a rubric, give records an example_response that deserves full pay)"


def _reads_reference(trials: Sequence[_Trial], right: float) -> bool:
    swapped = [score for probe, score in trials if probe.name == SWAPPED]
    return bool(swapped) and right - _mean(swapped) >= READS_REFERENCE


def _gold_problems(gold: Sequence[Gold]) -> list[str]:
    denied = [one.record_id for one in gold if one.score < GOLD_PAYS]
    if not denied:
        return []
    shown = ", ".join(denied[:MAX_IDS]) + (" and others" if len(denied) > MAX_IDS else "")
    return [
        f"the reference's own answer does not earn 1.0 in {len(denied)} of {len(gold)} records ({shown}); "
        "allowed is a reward that reads every reference, and references that it can read"
    ]


def _exploit_problems(trials: Sequence[_Trial], right: float, learnt: Learnt) -> list[str]:
    grouped: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for probe, score in trials:
        if probe.expected == UNPAID:
            grouped[(probe.kind, probe.name, probe.reference)].append(score)
    found: dict[str, tuple[float, float, str, str]] = {}
    # Of a kind's variants the best paid one counts: a policy finds it.
    for (kind, name, reference), values in grouped.items():
        strict, mean = reference in (NUMBER, LABEL), _mean(values)
        if mean > (EXPLOIT_SHARE if strict else TEXT_EXPLOIT_SHARE) * right:
            candidate = (mean, learnt.policy[name][1], name, "half" if strict else "three quarters")
            found[kind] = max(found.get(kind, candidate), candidate)
    ordered = sorted(found.values(), reverse=True)
    lines = [
        f"exploit paid: '{name}' earns {mean:.2f} on average, right replies earn {right:.2f}; allowed is at most {most} of that"
        for mean, _, name, most in ordered[:MAX_EXPLOITS]
    ]
    more = len(ordered) - MAX_EXPLOITS
    return [*lines, f"and {more} more kind{'s' if more > 1 else ''} of exploit {'are' if more > 1 else 'is'} paid"] if more > 0 else lines


def _learning_problems(learnt: Learnt) -> list[str]:
    if learnt.unpaid_after <= MOST_UNPAID:
        return []
    worst = learnt.exploit
    most = f", most of all '{worst}' ({learnt.policy[worst][0]:.0%} before, {learnt.policy[worst][1]:.0%} after)" if worst else ""
    return [
        f"a policy trained by this reward would give {learnt.unpaid_after:.0%} of its replies in ways that should earn nothing"
        f"{most}; allowed is at most {MOST_UNPAID:.0%}"
    ]


def _noise_problems(trials: Sequence[_Trial]) -> list[str]:
    first = [score for probe, score in trials if probe.name == RIGHT]
    again = [score for probe, score in trials if probe.name == AGAIN]
    noise = _mean(abs(a - b) for a, b in zip(first, again, strict=False))
    if noise <= MOST_NOISE:
        return []
    return [f"one and the same reply is paid {noise:.2f} apart on average when it is graded twice; allowed is at most {MOST_NOISE:.2f}"]


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return statistics.fmean(found) if found else 0.0
