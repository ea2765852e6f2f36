"""A policy that is small enough to write down: a softmax over named ways to respond, one distribution per bucket of prompts.

The buckets share one logit vector and each has an offset of its own, so what is learned on one kind of prompt carries over to
the others in part, as it does in a model.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any, Self

NEVER = -1e9
"""Offset of a way to respond that a bucket does not have: its chance is exactly 0, and stays so."""


class Policy:
    """Logits over `arms`: `shared`, plus `offsets` per bucket."""

    def __init__(self, arms: Sequence[str], shared: Sequence[float], offsets: Mapping[str, Sequence[float]]) -> None:
        self.arms = tuple(arms)
        self.buckets = tuple(offsets)
        self.shared = list(shared)
        self.offsets = {bucket: list(values) for bucket, values in offsets.items()}
        self._index = {arm: index for index, arm in enumerate(self.arms)}

    @classmethod
    def of_chances(cls, chances: Mapping[str, Mapping[str, float]]) -> Self:
        """The policy with these chances, by bucket and arm. A bucket need not have every arm; what it has is normalised.

        Raises:
            ValueError: if a bucket has no arm with a chance above 0.
        """
        arms = list(dict.fromkeys(arm for given in chances.values() for arm in given))
        logs: dict[str, list[float | None]] = {}
        for bucket, given in chances.items():
            total = math.fsum(given.values())
            if total <= 0:
                raise ValueError(f"bucket {bucket} has no way to respond; allowed is at least one with a chance above 0")
            logs[bucket] = [math.log(given[arm] / total) if given.get(arm, 0) > 0 else None for arm in arms]
        shared = [_mean([values[index] for values in logs.values()]) for index in range(len(arms))]
        offsets = {
            bucket: [NEVER if log is None else log - mean for log, mean in zip(values, shared, strict=True)]
            for bucket, values in logs.items()
        }
        return cls(arms, shared, offsets)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The reverse of `as_dict`."""
        arms = list(data["shared"])
        offsets = {bucket: [float(values[arm]) for arm in arms] for bucket, values in data["offsets"].items()}
        return cls(arms, [float(data["shared"][arm]) for arm in arms], offsets)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON, logits by name."""
        named = {bucket: dict(zip(self.arms, values, strict=True)) for bucket, values in self.offsets.items()}
        return {"shared": dict(zip(self.arms, self.shared, strict=True)), "offsets": named}

    def copy(self) -> Self:
        return type(self)(self.arms, self.shared, self.offsets)

    def index(self, arm: str) -> int:
        return self._index[arm]

    def probabilities(self, bucket: str) -> list[float]:
        """Chance of each of `arms` on prompts of a bucket."""
        logits = [a + b for a, b in zip(self.shared, self.offsets[bucket], strict=True)]
        top = max(logits)
        weights = [math.exp(logit - top) for logit in logits]
        total = sum(weights)
        return [weight / total for weight in weights]

    def probability(self, arm: str, bucket: str) -> float:
        return self.probabilities(bucket)[self._index[arm]]

    def choose(self, bucket: str, rng: random.Random) -> str:
        """Samples a way to respond at temperature 1."""
        return rng.choices(self.arms, weights=self.probabilities(bucket))[0]

    def entropy(self, bucket: str) -> float:
        """Entropy of the bucket's distribution, in nats."""
        return -sum(p * math.log(p) for p in self.probabilities(bucket) if p > 0)


def _mean(values: Sequence[float | None]) -> float:
    found = [value for value in values if value is not None]
    return math.fsum(found) / len(found) if found else 0.0
