"""What a policy would learn from a reward: a short GRPO rehearsal whose ways to respond are the probes. No AWS calls here.

The rewards are the scores the deployed version gave to the very replies, so nothing more is graded. The start is flatter than a base
model: right replies are the most frequent single way, and every exploit is tried now and then. In thousands of steps a real policy
comes upon what a short rehearsal from a truthful start would never see. Results are deterministic.
"""

from __future__ import annotations

import random
import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from pipeline.learning.grpo import Group, Settings, Trainer, advantages
from pipeline.learning.policy import Policy
from pipeline.probes import CHECK, UNPAID, Case

STEPS = 40
GROUP = 8
"""Replies to one prompt in a step, as many as the caps of a run commonly allow."""

RATE = 0.15
"""Step along the gradient: in `STEPS` steps an honest reward brings nearly every reply to a right one."""

START: Mapping[str, float] = {"right": 4.0, "right in another dress": 0.5}
OTHERWISE = 1.0
"""Weight of each probe at the start, by its kind."""

_PROMPTS_PER_STEP = 16
_FIRST = 5
_LEAST_GAIN = 0.02


@attrs.frozen(kw_only=True)
class Learnt:
    """The outcome of the rehearsal.

    Attributes:
        mean_before, mean_after: expected score of a reply, 0 to 1.
        flat_groups: share of groups without spread in the first steps: they teach nothing.
        unpaid_before, unpaid_after: share of the policy's replies that should earn nothing.
        exploit: the undeserving probe whose share grew most, or None when none did.
        policy: share of each probe's kind of reply, before and after, by name.
    """

    steps: int
    group: int
    mean_before: float
    mean_after: float
    flat_groups: float
    unpaid_before: float
    unpaid_after: float
    exploit: str | None
    policy: Mapping[str, tuple[float, float]]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON, rounded."""
        rounded = {key: round(value, 4) if isinstance(value, float) else value for key, value in attrs.asdict(self).items()}
        rounded["policy"] = {name: {"before": round(b, 4), "after": round(a, 4)} for name, (b, a) in self.policy.items()}
        return rounded


def learn(cases: Sequence[Case], scores: Sequence[Sequence[float]], seed: int = 0) -> Learnt:
    """Trains a policy over the probes on the scores they got.

    Args:
        cases: with at least one probe that is no check.
        scores: one per probe of each case, in order.
    """
    table = [_arms(case, given) for case, given in zip(cases, scores, strict=True)]
    buckets = [case.probes[0].reference for case in cases]
    policy = Policy.of_chances(_chances(cases))
    start = policy.copy()
    trainer, rng = Trainer(policy, rate=RATE, seed=seed), random.Random(f"{seed}:rehearsal")
    flat: list[bool] = []
    for step in range(STEPS):
        chosen = [rng.randrange(len(cases)) for _ in range(_PROMPTS_PER_STEP)]
        groups = [_group(policy, buckets[index], table[index], rng) for index in chosen]
        if step < _FIRST:
            flat += [not any(advantages(group.rewards, Settings().least_spread)) for group in groups]
        trainer.update(step, groups)
    before, after = _shares(start, buckets), _shares(policy, buckets)
    undeserving = {probe.name for case in cases for probe in case.probes if probe.expected == UNPAID}
    gains = {name: after[name] - before[name] for name in undeserving}
    worst = max(sorted(gains), key=lambda name: gains[name], default=None)
    return Learnt(
        steps=STEPS,
        group=GROUP,
        mean_before=_expected(start, buckets, table),
        mean_after=_expected(policy, buckets, table),
        flat_groups=statistics.fmean(flat),
        unpaid_before=sum(before[name] for name in undeserving),
        unpaid_after=sum(after[name] for name in undeserving),
        exploit=worst if worst is not None and gains[worst] > _LEAST_GAIN else None,
        policy={name: (before[name], after[name]) for name in before},
    )


def _arms(case: Case, scores: Sequence[float]) -> dict[str, float]:
    return {probe.name: score for probe, score in zip(case.probes, scores, strict=True) if probe.expected != CHECK}


def _chances(cases: Sequence[Case]) -> dict[str, dict[str, float]]:
    chances: dict[str, dict[str, float]] = defaultdict(dict)
    for case in cases:
        arms = {probe.name: START.get(probe.kind, OTHERWISE) for probe in case.probes if probe.expected != CHECK}
        chances[case.probes[0].reference].update(arms)
    return chances


def _group(policy: Policy, bucket: str, paid: Mapping[str, float], rng: random.Random) -> Group:
    # A record may lack a probe that others of its bucket have, such as the turned sign of 0: the policy cannot choose it here.
    weights = [chance if arm in paid else 0.0 for arm, chance in zip(policy.arms, policy.probabilities(bucket), strict=True)]
    chosen = tuple(rng.choices(policy.arms, weights=weights, k=GROUP))
    return Group(bucket, chosen, tuple(paid[arm] for arm in chosen))


def _shares(policy: Policy, buckets: Sequence[str]) -> dict[str, float]:
    counts = Counter(buckets)
    chances = {bucket: policy.probabilities(bucket) for bucket in counts}
    return {
        arm: sum(count * chances[bucket][index] for bucket, count in counts.items()) / len(buckets) for index, arm in enumerate(policy.arms)
    }


def _expected(policy: Policy, buckets: Sequence[str], table: Sequence[Mapping[str, float]]) -> float:
    means = []
    for bucket, paid in zip(buckets, table, strict=True):
        held = [(chance, paid[arm]) for arm, chance in zip(policy.arms, policy.probabilities(bucket), strict=True) if arm in paid]
        means.append(sum(chance * score for chance, score in held) / sum(chance for chance, _ in held))
    return statistics.fmean(means)
