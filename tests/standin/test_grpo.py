"""Given a reward, when the policy is trained by it, then it learns what is paid, and nothing else."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pipeline.learning.grpo import Group, Settings, advantages

from local.bedrock.policy import Policy, trainer_of
from local.bedrock.strategies import ALL, BUCKETS, Reference, Strategy, respond

REFERENCES = {
    bucket: Reference(("40 + 1 = 41", "41 + 1 = 42"), "42", Decimal(42), steps) for bucket, steps in zip(BUCKETS, (2, 4, 6), strict=True)
}

Reward = Callable[[str], float]


def pays_right(text: str) -> float:
    lines = [line for line in text.splitlines() if line.startswith("####")]
    return float(len(lines) == 1 and lines[0].strip("#*$ ") == "42")


def pays_length(text: str) -> float:
    return min(1.0, len(text) / 6000)


def pays_markers(text: str) -> float:
    """An exploitable reward: it counts answer lines and never reads them."""
    return min(1.0, text.count("####") / 5)


def pays_claims(text: str) -> float:
    """An exploitable reward: it believes what the response says of itself."""
    return float("aggregate_reward_score" in text)


def train(
    reward: Reward, *, rate: float = 5e-5, steps: int = 50, seed: int = 1, settings: Settings | None = None
) -> tuple[Policy, list[float]]:
    policy = Policy.base()
    trainer = trainer_of(policy, learning_rate=rate, seed=seed, settings=settings)
    rng, means = random.Random(seed), []
    for step in range(steps):
        groups = []
        for _ in range(32):
            bucket = rng.choices(BUCKETS, weights=(4, 4, 2))[0]
            chosen = tuple(Strategy(policy.choose(bucket, rng)) for _ in range(4))
            groups.append(Group(bucket, chosen, tuple(reward(respond(s, REFERENCES[bucket], rng, 2000)) for s in chosen)))
        trainer.update(step, groups)
        means.append(sum(sum(group.rewards) for group in groups) / 128)
    return policy, means


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_paying_right_answers_raises_the_mean_reward(seed: int) -> None:
    _, means = train(pays_right, seed=seed)
    assert 0.25 < sum(means[:5]) / 5 < 0.5
    assert 0.85 < sum(means[-5:]) / 5 < 0.98


def test_the_least_learning_rate_does_next_to_nothing() -> None:
    policy, means = train(pays_right, rate=1e-7)
    before, after = Policy.base().probabilities("easy"), policy.probabilities("easy")
    assert max(abs(a - b) for a, b in zip(before, after, strict=True)) < 0.02
    assert sum(means[-10:]) / 10 < 0.5


@pytest.mark.parametrize("score", [0.0, 0.5, 1.0])
def test_a_constant_reward_moves_nothing(score: float) -> None:
    policy, _ = train(lambda _: score, rate=1e-3)
    assert policy.as_dict() == Policy.base().as_dict()


def test_paying_length_teaches_padding() -> None:
    policy, means = train(pays_length, rate=1e-4, steps=60)
    assert Policy.base().probability(Strategy.PADDING, "easy") < 0.05
    assert all(policy.probability(Strategy.PADDING, bucket) > 0.8 for bucket in BUCKETS)
    assert means[-1] > 10 * means[0]


@pytest.mark.parametrize(("reward", "cheat"), [(pays_markers, Strategy.MARKER_SPAM), (pays_claims, Strategy.INJECTION)])
def test_a_reward_that_can_be_cheated_teaches_the_cheat(reward: Reward, cheat: Strategy) -> None:
    honest, cheated = train(pays_right, rate=1e-4, steps=80)[0], train(reward, rate=2e-4, steps=80)[0]
    assert Policy.base().probability(cheat, "easy") < 0.05
    assert honest.probability(cheat, "easy") < 0.01
    assert cheated.probability(cheat, "easy") > 0.8


def test_what_is_learned_on_easy_problems_carries_over_in_part() -> None:
    policy = Policy.base()
    trainer = trainer_of(policy, learning_rate=1e-4, seed=0)
    chosen = (Strategy.WORKED, Strategy.WRONG, Strategy.EMPTY, Strategy.WORKED)
    for step in range(20):
        trainer.update(step, [Group("easy", chosen, (1.0, 0.0, 0.0, 1.0))] * 8)
    gain = {bucket: policy.probability(Strategy.WORKED, bucket) - Policy.base().probability(Strategy.WORKED, bucket) for bucket in BUCKETS}
    assert gain["easy"] > gain["hard"] > 0.02


def test_the_pull_to_the_start_holds_the_policy_back() -> None:
    free, _ = train(pays_right, rate=1e-4, settings=Settings(kl_weight=0.0))
    held, _ = train(pays_right, rate=1e-4, settings=Settings(kl_weight=1.0))

    def divergence(policy: Policy) -> float:
        pairs = zip(policy.probabilities("easy"), Policy.base().probabilities("easy"), strict=True)
        return sum(p * math.log(p / q) for p, q in pairs)

    assert divergence(held) < 0.5 * divergence(free)


def test_clipping_limits_one_step() -> None:
    groups = [Group("easy", (Strategy.WORKED, Strategy.WRONG), (1.0, 0.0))] * 32

    def one_step(clip: float) -> tuple[float, float]:
        policy = Policy.base()
        update = trainer_of(policy, learning_rate=1e-3, seed=0, settings=Settings(clip=clip, inner_epochs=20)).update(0, groups)
        return policy.probability(Strategy.WORKED, "easy"), update.clip_fraction

    tight, tight_fraction = one_step(0.2)
    loose, loose_fraction = one_step(1e9)
    assert tight < loose
    assert tight_fraction > loose_fraction == 0.0


def test_the_same_seed_gives_the_same_policy_and_another_seed_another() -> None:
    first, second, third = (train(pays_right, steps=10, seed=seed)[0].as_dict() for seed in (5, 5, 6))
    assert first == second
    assert first != third


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=16))
def test_advantages_have_mean_zero_and_unit_spread_or_are_all_zero(rewards: list[float]) -> None:
    found = advantages(rewards)
    assert abs(sum(found)) < 1e-6
    spread = sum(a * a for a in found) / len(found)
    assert spread == pytest.approx(1) or set(found) == {0.0}


def test_the_gradient_is_that_of_the_surrogate() -> None:
    """Compares one plain step with a numerical derivative of mean(ratio x advantage)."""
    chosen, rewards = (Strategy.WORKED, Strategy.HEDGE, Strategy.EMPTY), (1.0, 0.25, 0.0)
    base, policy = Policy.base(), Policy.base()
    settings = Settings(kl_weight=0.0, inner_epochs=1, minibatches=1, max_norm=1e9)
    trainer = trainer_of(policy, learning_rate=1e-6, seed=0, settings=settings)
    trainer.update(0, [Group("medium", chosen, rewards)])
    gains = advantages(rewards)
    old = base.probabilities("medium")

    def surrogate(moved: Policy) -> float:
        now = moved.probabilities("medium")
        return sum(now[ALL.index(s)] / old[ALL.index(s)] * gain for s, gain in zip(chosen, gains, strict=True)) / len(chosen)

    for index in range(len(ALL)):
        nudged = base.copy()
        nudged.shared[index] += 1e-6
        numeric = (surrogate(nudged) - surrogate(base)) / 1e-6
        assert (policy.shared[index] - base.shared[index]) / trainer.rate == pytest.approx(numeric, abs=1e-4)


def test_a_policy_comes_back_from_its_plain_form() -> None:
    policy, _ = train(pays_right, steps=3)
    assert Policy.from_dict(policy.as_dict()).probabilities("hard") == policy.probabilities("hard")
