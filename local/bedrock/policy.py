"""The policy that the stand-in trains: a softmax over response strategies, one distribution per difficulty bucket.

The buckets share one logit vector and each has an offset of its own, so what is learned on easy problems carries over to
hard ones in part, as it does in a model.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from typing import Any

from local.bedrock.strategies import ALL, BUCKETS, Strategy

_START = {
    #               easy  medium hard
    Strategy.WORKED: (0.34, 0.31, 0.24),
    Strategy.FORMATTED: (0.08, 0.08, 0.06),
    Strategy.NO_MARKER: (0.14, 0.13, 0.11),
    Strategy.NEAR_MISS: (0.10, 0.13, 0.17),
    Strategy.WRONG: (0.06, 0.07, 0.10),
    Strategy.HEDGE: (0.05, 0.05, 0.05),
    Strategy.CANDIDATES: (0.04, 0.04, 0.04),
    Strategy.EMPTY: (0.02, 0.02, 0.02),
    Strategy.TRUNCATED: (0.06, 0.06, 0.08),
    Strategy.PADDING: (0.04, 0.04, 0.05),
    Strategy.MARKER_SPAM: (0.03, 0.03, 0.03),
    Strategy.INJECTION: (0.01, 0.01, 0.01),
    Strategy.REFUSAL: (0.03, 0.03, 0.04),
}
"""How the base model answers: right and well-formed in about two of five easy problems, fewer of the hard ones."""


class Policy:
    """Logits over `strategies.ALL`: `shared`, plus `offsets` per bucket."""

    def __init__(self, shared: list[float], offsets: dict[str, list[float]]) -> None:
        self.shared = shared
        self.offsets = offsets

    @classmethod
    def base(cls) -> Policy:
        """The base model's policy, before any training."""
        shared = [math.log(sum(_START[strategy]) / len(BUCKETS)) for strategy in ALL]
        offsets = {
            bucket: [math.log(_START[strategy][index]) - mean for strategy, mean in zip(ALL, shared, strict=True)]
            for index, bucket in enumerate(BUCKETS)
        }
        return cls(shared, offsets)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Policy:
        """The reverse of `as_dict`."""
        return cls(
            [float(data["shared"][strategy]) for strategy in ALL],
            {bucket: [float(data["offsets"][bucket][strategy]) for strategy in ALL] for bucket in BUCKETS},
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON, logits by strategy name."""
        named = {bucket: {str(s): value for s, value in zip(ALL, values, strict=True)} for bucket, values in self.offsets.items()}
        return {"shared": {str(s): value for s, value in zip(ALL, self.shared, strict=True)}, "offsets": named}

    def copy(self) -> Policy:
        return Policy(list(self.shared), {bucket: list(values) for bucket, values in self.offsets.items()})

    def probabilities(self, bucket: str) -> list[float]:
        """Chance of each strategy of `ALL` on problems of a bucket."""
        logits = [a + b for a, b in zip(self.shared, self.offsets[bucket], strict=True)]
        top = max(logits)
        weights = [math.exp(logit - top) for logit in logits]
        total = sum(weights)
        return [weight / total for weight in weights]

    def probability(self, strategy: Strategy, bucket: str) -> float:
        return self.probabilities(bucket)[ALL.index(strategy)]

    def choose(self, bucket: str, rng: random.Random) -> Strategy:
        """Samples a strategy at temperature 1."""
        return rng.choices(ALL, weights=self.probabilities(bucket))[0]

    def entropy(self, bucket: str) -> float:
        """Entropy of the bucket's distribution, in nats."""
        return -sum(p * math.log(p) for p in self.probabilities(bucket) if p > 0)
