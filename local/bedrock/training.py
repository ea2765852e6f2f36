"""One job's training: sample responses, have the deployed reward function score them, move the policy."""

from __future__ import annotations

import math
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
from pipeline.learning.grpo import Group, Update

from local.bedrock.artifacts import TrainingRow, ValidationRow
from local.bedrock.data import CHARS_PER_TOKEN, Record
from local.bedrock.grader import Grader, Response
from local.bedrock.policy import Policy, trainer_of
from local.bedrock.strategies import Strategy, respond


@attrs.frozen(kw_only=True)
class Hyper:
    """The request's hyperparameters. The API's defaults are undocumented; these are those of AWS's own recipe template.

    `reasoning_effort` is taken and has no effect: the small policy does not reason.
    """

    epoch_count: int = 1
    batch_size: int = 128
    learning_rate: float = 1e-5
    max_prompt_length: int = 8192
    training_sample_per_prompt: int = 8
    inference_max_tokens: int = 2048
    reasoning_effort: str = "medium"
    eval_interval: int = 10

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Hyper:
        """From `rftConfig.hyperParameters`, whose ranges the service model has checked."""
        snake = {"".join(f"_{c.lower()}" if c.isupper() else c for c in name): value for name, value in given.items()}
        return cls(**{field.name: snake[field.name] for field in attrs.fields(cls) if field.name in snake})

    def steps(self, prompts: int) -> int:
        return math.ceil(prompts / self.batch_size) * self.epoch_count


@attrs.define(kw_only=True)
class Progress:
    """What a run has recorded so far."""

    training: list[TrainingRow] = attrs.field(factory=list)
    validation: list[ValidationRow] = attrs.field(factory=list)


class Training:
    """Runs the steps of one job.

    Args:
        seed: text; the same seed, data and rewards give the same model.
        before_step: called with the step's number before each; raises to end the training. Gives the one strategy all responses of
            the step are of, or None where the policy chooses.
        after_step: called with step (1-based count), total and mean reward.
        pace: gives the least seconds a step takes, asked at every step.
        sleep: waits; returns early when the local cloud goes down.
    """

    def __init__(
        self,
        *,
        job_id: str,
        seed: str,
        hyper: Hyper,
        policy: Policy,
        grader: Grader,
        before_step: Callable[[int], Strategy | None],
        after_step: Callable[[int, int, float], None],
        pace: Callable[[], float],
        sleep: Callable[[float], object],
    ) -> None:
        self.job_id = job_id
        self.seed = seed
        self.hyper = hyper
        self.policy = policy
        self.grader = grader
        self.before_step = before_step
        self.after_step = after_step
        self.pace = pace
        self.sleep = sleep
        self.trainer = trainer_of(policy, learning_rate=hyper.learning_rate, seed=random.Random(f"{seed}:trainer").getrandbits(64))
        self.progress = Progress()

    def run(self, train: Sequence[Record], validation: Sequence[Record]) -> Progress:
        """All epochs; `validation` is scored every `evalInterval` steps and at the end."""
        total, step = self.hyper.steps(len(train)), 0
        for epoch in range(self.hyper.epoch_count):
            order = list(range(len(train)))
            random.Random(f"{self.seed}:{epoch}:order").shuffle(order)
            for first in range(0, len(order), self.hyper.batch_size):
                started = time.monotonic()
                fixed = self.before_step(step)
                row = self._step(step, epoch, [train[index] for index in order[first : first + self.hyper.batch_size]], fixed)
                self.progress.training.append(row)
                if validation and ((step + 1) % self.hyper.eval_interval == 0 or step + 1 == total):
                    self.progress.validation.append(self._validate(step, epoch, validation))
                step += 1
                self.after_step(step, total, row.reward_mean)
                self.sleep(max(0.0, self.pace() - (time.monotonic() - started)))
        return self.progress

    def _step(self, step: int, epoch: int, records: Sequence[Record], fixed: Strategy | None) -> TrainingRow:
        size = self.hyper.training_sample_per_prompt
        chosen, responses = [], []
        for position, record in enumerate(records):
            for sample in range(size):
                rng = random.Random(f"{self.seed}:{step}:{position}:{sample}")
                strategy = fixed or self.policy.choose(record.reference.bucket, rng)
                text = respond(Strategy(strategy), record.reference, rng, self.hyper.inference_max_tokens)
                chosen.append(strategy)
                responses.append(Response(f"{self.job_id}-{step}-{position}-{sample}", record, text))
        scores = self.grader.scores(responses)
        rewards = [scores[response.id] for response in responses]
        groups = [
            Group(record.reference.bucket, tuple(chosen[i * size : (i + 1) * size]), tuple(rewards[i * size : (i + 1) * size]))
            for i, record in enumerate(records)
        ]
        update = self.trainer.update(step, groups)
        return self._row(step, epoch, update, records=records, responses=responses, rewards=rewards)

    def _row(
        self,
        step: int,
        epoch: int,
        update: Update,
        *,
        records: Sequence[Record],
        responses: Sequence[Response],
        rewards: Sequence[float],
    ) -> TrainingRow:
        limit = self.hyper.inference_max_tokens * CHARS_PER_TOKEN
        return TrainingRow(
            step=step,
            epoch=epoch,
            loss=update.pg_loss,
            perplexity=math.exp(update.nll),
            reward_mean=statistics.fmean(rewards),
            reward_max=max(rewards),
            reward_min=min(rewards),
            entropy=update.entropy,
            kl=update.kl,
            clip_fraction=update.clip_fraction,
            grad_norm=update.grad_norm,
            prompt_length=statistics.fmean(record.tokens for record in records),
            response_length=_tokens(responses),
            aborted=sum(len(response.text) >= limit for response in responses) / len(responses),
        )

    def _validate(self, step: int, epoch: int, records: Sequence[Record]) -> ValidationRow:
        responses, surprise = [], []
        for position, record in enumerate(records):
            # The same draw at every evaluation: what changes between two of them is the policy alone.
            rng = random.Random(f"{self.seed}:validation:{position}")
            strategy = self.policy.choose(record.reference.bucket, rng)
            text = respond(Strategy(strategy), record.reference, rng, self.hyper.inference_max_tokens)
            surprise.append(-math.log(self.policy.probability(strategy, record.reference.bucket)))
            responses.append(Response(f"{self.job_id}-v{step}-{position}", record, text))
        scores = self.grader.scores(responses)
        loss = statistics.fmean(surprise)
        mean = statistics.fmean(scores[response.id] for response in responses)
        return ValidationRow(
            step=step, epoch=epoch, loss=loss, perplexity=math.exp(loss), reward_mean=mean, response_length=_tokens(responses)
        )


def _tokens(responses: Sequence[Response]) -> float:
    return statistics.fmean(len(response.text) / CHARS_PER_TOKEN for response in responses)
