"""Group-relative policy optimisation (GRPO): the real algorithm on a small policy.

Per step, every prompt gets a group of sampled responses; a response's advantage is its reward minus the group's mean, over the
group's standard deviation. The policy climbs the clipped surrogate of PPO and is held back by the Kullback-Leibler (KL)
divergence from the policy it started as. A group without spread teaches nothing. (Shao et al. 2024, "DeepSeekMath", section 4.1.)
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import NamedTuple

import attrs

from pipeline.learning.policy import Policy


@attrs.frozen(kw_only=True)
class Settings:
    """Constants of the algorithm.

    Attributes:
        clip: how far a probability ratio may leave 1 and still earn a gradient.
        kl_weight: weight of the KL divergence from the start.
        inner_epochs, minibatches: passes over one step's samples, and into how many parts each is cut.
        max_norm: a longer gradient is scaled down to this.
        least_spread: a group whose rewards differ by less (standard deviation) has no spread.
    """

    clip: float = 0.2
    kl_weight: float = 0.01
    inner_epochs: int = 2
    minibatches: int = 2
    max_norm: float = 1.0
    least_spread: float = 1e-6


class Group(NamedTuple):
    """One prompt's responses: what was chosen, and what the reward function paid, in the same order."""

    bucket: str
    chosen: tuple[str, ...]
    rewards: tuple[float, ...]


class Update(NamedTuple):
    """What one step did; the names follow the metrics the Bedrock console shows.

    Attributes:
        pg_loss: clipped surrogate with its sign turned, plus the weighted KL, before the update.
        clip_fraction: share of samples whose ratio was clipped, 0 to 1.
        grad_norm: mean length of the gradient before it is limited.
        entropy: of the policy after the update, mean over the samples, in nats.
        kl: divergence from the start after the update, mean over the samples.
        nll: mean negative log likelihood of the samples when they were drawn.
    """

    pg_loss: float
    clip_fraction: float
    grad_norm: float
    entropy: float
    kl: float
    nll: float


class _Sample(NamedTuple):
    bucket: str
    action: int
    advantage: float
    old: float


def advantages(rewards: Sequence[float], least_spread: float = Settings().least_spread) -> list[float]:
    """Group-normalised advantages: mean 0, standard deviation 1; all 0 when the group has no spread."""
    mean = math.fsum(rewards) / len(rewards)
    spread = math.sqrt(math.fsum((reward - mean) ** 2 for reward in rewards) / len(rewards))
    if spread < least_spread:
        return [0.0] * len(rewards)
    return [(reward - mean) / spread for reward in rewards]


class Trainer:
    """Moves a policy by the rewards of its own samples.

    Args:
        policy: changed in place.
        rate: length of a step along the gradient of the logits.
        seed: the same seed and the same rewards give the same policy, whatever order the rewards arrived in.
    """

    def __init__(self, policy: Policy, *, rate: float, seed: int, settings: Settings | None = None) -> None:
        self.policy = policy
        self.start = policy.copy()
        self.rate = rate
        self.seed = seed
        self.settings = settings or Settings()

    def update(self, step: int, groups: Sequence[Group]) -> Update:
        """One training step on the groups sampled from the policy as it is now."""
        old = {bucket: self.policy.probabilities(bucket) for bucket in self.policy.buckets}
        samples = [
            _Sample(group.bucket, self.policy.index(arm), advantage, old[group.bucket][self.policy.index(arm)])
            for group in groups
            for arm, advantage in zip(group.chosen, advantages(group.rewards, self.settings.least_spread), strict=True)
        ]
        loss = self._loss(samples)
        nll = -math.fsum(math.log(sample.old) for sample in samples) / len(samples)
        rng = random.Random(f"{self.seed}:{step}:update")
        norms: list[float] = []
        clipped = seen = 0
        for _ in range(self.settings.inner_epochs):
            order = list(samples)
            rng.shuffle(order)
            size = math.ceil(len(order) / self.settings.minibatches)
            for first in range(0, len(order), size):
                part = order[first : first + size]
                norm, cut = self._ascend(part)
                norms.append(norm)
                clipped += cut
                seen += len(part)
        entropy = math.fsum(self.policy.entropy(sample.bucket) for sample in samples) / len(samples)
        kl = math.fsum(self._kl(sample.bucket) for sample in samples) / len(samples)
        return Update(loss, clipped / seen, math.fsum(norms) / len(norms), entropy, kl, nll)

    def _ascend(self, samples: Sequence[_Sample]) -> tuple[float, int]:
        """One gradient step; returns the gradient's length and how many samples were clipped."""
        gradients = {bucket: [0.0] * len(self.policy.arms) for bucket in self.policy.buckets}
        now = {bucket: self.policy.probabilities(bucket) for bucket in self.policy.buckets}
        clipped = 0
        for sample in samples:
            probabilities, gradient = now[sample.bucket], gradients[sample.bucket]
            ratio = probabilities[sample.action] / sample.old
            if self._is_clipped(ratio, sample.advantage):
                clipped += 1
                continue
            # d(ratio x advantage)/d(logits) of a softmax: ratio x advantage x (one-hot(action) - probabilities).
            weight = ratio * sample.advantage / len(samples)
            for index, probability in enumerate(probabilities):
                gradient[index] -= weight * probability
            gradient[sample.action] += weight
        for bucket in self.policy.buckets:
            share = sum(sample.bucket == bucket for sample in samples) / len(samples)
            self._add_kl_gradient(bucket, share, now[bucket], gradients[bucket])
        shared = [math.fsum(column) for column in zip(*gradients.values(), strict=True)]
        norm = math.sqrt(math.fsum(value * value for row in (shared, *gradients.values()) for value in row))
        scale = self.rate * min(1.0, self.settings.max_norm / norm) if norm > 0 else 0.0
        self.policy.shared = [logit + scale * value for logit, value in zip(self.policy.shared, shared, strict=True)]
        for bucket, gradient in gradients.items():
            self.policy.offsets[bucket] = [a + scale * b for a, b in zip(self.policy.offsets[bucket], gradient, strict=True)]
        return norm, clipped

    def _is_clipped(self, ratio: float, advantage: float) -> bool:
        return (advantage > 0 and ratio > 1 + self.settings.clip) or (advantage < 0 and ratio < 1 - self.settings.clip)

    def _add_kl_gradient(self, bucket: str, share: float, now: list[float], gradient: list[float]) -> None:
        start = self.start.probabilities(bucket)
        logs = [math.log(p / q) if p > 0 else 0.0 for p, q in zip(now, start, strict=True)]
        kl = math.fsum(p * log for p, log in zip(now, logs, strict=True))
        for index, (p, log) in enumerate(zip(now, logs, strict=True)):
            gradient[index] -= self.settings.kl_weight * share * p * (log - kl)

    def _kl(self, bucket: str) -> float:
        now, start = self.policy.probabilities(bucket), self.start.probabilities(bucket)
        return math.fsum(p * math.log(p / q) for p, q in zip(now, start, strict=True) if p > 0)

    def _loss(self, samples: Sequence[_Sample]) -> float:
        # Before the update every ratio is 1, so the surrogate is the mean advantage: zero but for rounding.
        surrogate = math.fsum(sample.advantage for sample in samples) / len(samples)
        kl = math.fsum(self._kl(sample.bucket) for sample in samples) / len(samples)
        return self.settings.kl_weight * kl - surrogate
