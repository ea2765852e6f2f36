"""The policy that the stand-in trains: how its base model answers, and how fast it learns.

Policy and algorithm are those of `pipeline.learning`, which the rehearsal of a reward uses as well.
"""

from __future__ import annotations

from pipeline.learning import grpo, policy

from local.bedrock.strategies import ALL, BUCKETS, Strategy

LOGIT_RATE_PER_LEARNING_RATE = 1_200.0
"""From the API's `learningRate` to a step on this policy's logits. A language model has billions of weights that all move a
little; this policy has a few dozen that must move visibly. The figure makes 5e-5, which AWS's samples use, climb within
50 steps and leaves 1e-7, the least the API allows, without visible effect."""

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


class Policy(policy.Policy):
    """A policy over `strategies.ALL`, by difficulty."""

    @classmethod
    def base(cls) -> Policy:
        """The base model's policy, before any training."""
        return cls.of_chances({bucket: {str(s): _START[s][index] for s in ALL} for index, bucket in enumerate(BUCKETS)})


def trainer_of(taught: policy.Policy, *, learning_rate: float, seed: int, settings: grpo.Settings | None = None) -> grpo.Trainer:
    """A trainer of the policy; `learning_rate` is as the API takes it, 1e-7 to 1e-3."""
    return grpo.Trainer(taught, rate=learning_rate * LOGIT_RATE_PER_LEARNING_RATE, seed=seed, settings=settings)
