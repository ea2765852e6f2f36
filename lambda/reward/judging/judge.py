"""A model that grades: one request for each sample, many at a time, each answered with a score for every criterion."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ALL_COMPLETED, FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from functools import cached_property
from typing import Any

from contracts.metrics import Metric

from reward.batches import BatchFailed
from reward.contract import Sample
from reward.graders.texts import seen
from reward.graders.thinking import without_thinking
from reward.judging import answers, fencing, prompts
from reward.judging.asking import Asker, Unanswered, Unreachable, connect
from reward.judging.options import RAISE, TOOL, JudgeOptions
from reward.judging.usage import Usage
from reward.score import Component, Outcome, Score

RIGHT = 0.999
"""A score from here on counts as correct in the outcomes."""

_UNGRADED = Score(0.0, Outcome.JUDGE_ERROR)

Scores = tuple[int, ...]


class Judge:
    """Grades by asking a model.

    Args:
        options: checked options.
        client: makes the `bedrock-runtime` client, at the first question.

    Attributes:
        options: as given.
        asker: what asks the model; the consistency check uses it as well.
    """

    def __init__(self, options: JudgeOptions, client: Callable[[JudgeOptions], Any] = connect) -> None:
        self.options = options
        self._usage = Usage(input_usd=options.input_usd_per_million or 0.0, output_usd=options.output_usd_per_million or 0.0)
        self.asker = Asker(options, self._usage, client)
        kind, criteria = options.kind, options.criteria
        self._system = [{"text": prompts.system(kind, criteria)}]
        self._ending = prompts.scoring_ending(criteria, tool=options.answer_by == TOOL, reasons=options.reasons)
        self._schema = answers.scores_schema(criteria, reasons=options.reasons)
        # What is settled without asking has the components of the rest, so that a criterion's figures cover every sample.
        self._nothing = tuple(Component(name=each.name, value=0.0, type="Reward") for each in criteria)

    def __call__(self, sample: Sample) -> Score:
        """The score of one sample.

        Raises:
            BatchFailed: as `batch`.
        """
        return self.batch([sample])[0]

    def batch(self, samples: Sequence[Sample]) -> list[Score]:
        """The score of each sample, in order; at most `concurrency` requests are under way at once.

        Raises:
            BatchFailed: if the judge cannot be called at all, or, by the policy ``raise``, if it gave no verdict on a sample.
        """
        settled: dict[int, Score] = {}
        wanted: dict[tuple[str, int], list[int]] = {}
        for position, sample in enumerate(samples):
            found = self._question(sample)
            if isinstance(found, Score):
                settled[position] = found
            else:
                # At temperature 0 the same question has one answer; a group often holds the same response twice.
                wanted.setdefault((found, 0 if self.options.temperature == 0 else position), []).append(position)
        for positions, scores in zip(wanted.values(), self._asked([question for question, _ in wanted]), strict=True):
            settled.update((position, _UNGRADED if scores is None else self._score(scores)) for position in positions)
        return [settled[position] for position in range(len(samples))]

    def usage(self) -> Mapping[Metric, float | Sequence[float]]:
        """Calls, tokens, time and dollars since the last time this was asked; without prices no dollars."""
        taken = self._usage.take()
        if self.options.input_usd_per_million is None:
            taken.pop(Metric.JUDGE_COST, None)
        return taken

    @cached_property
    def identity(self) -> str:
        """SHA-256 of everything that decides a verdict: model, prompts and their version, criteria, schema, sampling, bounds.

        Two judges with one identity ask the same model the same question. What it cannot cover is a change Bedrock makes behind
        the same model id.
        """
        options = self.options
        decides = {
            "version": prompts.VERSION,
            "model": options.model,
            "template": options.template,
            "system": self._system,
            "message": prompts.message("", "", self._ending),
            "criteria": [list(each) for each in options.criteria],
            "schema": self._schema,
            "answer_by": options.answer_by,
            "temperature": options.temperature,
            "max_tokens": options.max_tokens,
            "max_characters": options.max_characters,
            "context_key": options.context_key,
        }
        return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()

    def ask_once(self, sample: Sample) -> Scores | None:
        """One verdict, on each criterion's own scale; None where there is nothing to ask or no answer. For checks of the judge itself."""
        found = self._question(sample)
        if isinstance(found, Score):
            return None
        self.asker.ready()
        try:
            return self._ask(found, time.monotonic() + self.options.deadline_seconds, threading.Event())
        except Unreachable:
            raise
        except Unanswered:
            return None

    def texts(self, sample: Sample) -> list[tuple[str, str]]:
        """What the candidate is judged against, under its names: prompt, context and reference, as far as the sample has them."""
        found = (
            (prompts.PROMPT, _conversation(sample.messages[:-1])),
            (prompts.CONTEXT, _text(sample.metadata.get(self.options.context_key))),
            (prompts.REFERENCE, _text(sample.reference)),
        )
        return [(name, text) for name, text in found if seen(text)]

    def _question(self, sample: Sample) -> str | Score:
        """The user's turn for a sample, or its score where nobody needs to be asked."""
        options, kind = self.options, self.options.kind
        candidate = sample.response if kind.shows_thinking else without_thinking(sample.response)
        if len(candidate) > options.max_characters:
            return Score(0.0, Outcome.OVERSIZE, self._nothing)
        if not seen(candidate):
            return Score(0.0, Outcome.WRONG, self._nothing)
        texts = self.texts(sample)
        if not set(kind.needs) <= {name for name, _ in texts} or sum(len(text) for _, text in texts) > 4 * options.max_characters:
            return Score(0.0, Outcome.BAD_GOLD, self._nothing)
        return prompts.message(*fencing.fenced([*texts, (prompts.CANDIDATE, candidate)]), self._ending)

    def _asked(self, questions: Sequence[str]) -> list[Scores | None]:
        if not questions:
            return []
        self.asker.ready()
        options, halt = self.options, threading.Event()
        until = time.monotonic() + options.batch_seconds
        pool = ThreadPoolExecutor(max_workers=min(options.concurrency, len(questions)), thread_name_prefix="judge")
        try:
            asked = [pool.submit(self._ask, question, until, halt) for question in questions]
            until_when = FIRST_EXCEPTION if options.unanswered == RAISE else ALL_COMPLETED
            wait(asked, timeout=max(0.0, until - time.monotonic()), return_when=until_when)
            return self._verdicts(asked)
        finally:
            # Neither a wait nor a question that has not begun goes on; a request under way ends by its own timeout.
            halt.set()
            pool.shutdown(wait=False, cancel_futures=True)

    def _verdicts(self, asked: Sequence[Future[Scores]]) -> list[Scores | None]:
        problems: list[str] = []
        found: list[Scores | None] = []
        for each in asked:
            fault = each.exception() if each.done() else None
            if isinstance(fault, Unreachable):
                raise BatchFailed(f"the judge model cannot be called: {fault}")
            if fault is not None and not isinstance(fault, Unanswered):
                raise fault
            if fault is not None:
                problems.insert(0, str(fault))
            elif not each.done():
                problems.append("it did not answer in time")
            found.append(each.result() if each.done() and fault is None else None)
        if problems and self.options.unanswered == RAISE:
            raise BatchFailed(f"the judge model gave no verdict on a sample: {problems[0]}")
        return found

    def _ask(self, question: str, until: float, halt: threading.Event) -> Scores:
        options, tool = self.options, answers.TOOL if self.options.answer_by == TOOL else ""
        request: dict[str, Any] = {
            "system": self._system,
            "messages": [{"role": "user", "content": [{"text": question}]}],
            "inferenceConfig": {"maxTokens": options.max_tokens, "temperature": options.temperature},
        }
        if tool:
            request["toolConfig"] = answers.forced(tool, "Records the score of every criterion.", self._schema)
        return self.asker.ask(
            request, lambda answer: answers.scores(answers.content_of(answer, tool=tool), options.criteria), until=until, halt=halt
        )

    def _score(self, scores: Scores) -> Score:
        shares = [each.share(score) for each, score in zip(self.options.criteria, scores, strict=True)]
        value = sum(each.weight * share for each, share in zip(self.options.criteria, shares, strict=True))
        components = tuple(
            Component(name=each.name, value=share, type="Reward") for each, share in zip(self.options.criteria, shares, strict=True)
        )
        # Weights that sum to one within rounding may carry the sum a hair over it.
        return Score(min(1.0, value), Outcome.CORRECT if value >= RIGHT else Outcome.WRONG, components)


def _conversation(messages: Sequence[Any]) -> str:
    """The prompt's turns as text, each under its role where there is more than one."""
    turns = [(str(each.get("role", ""))[:20], _text(each.get("content"))) for each in messages if isinstance(each, Mapping)]
    if len(turns) == 1:
        return turns[0][1]
    return "\n\n".join(f"{role}:\n{text}" for role, text in turns)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence) and value and all(isinstance(part, Mapping) and isinstance(part.get("text"), str) for part in value):
        return "\n".join(part["text"] for part in value)
    return json.dumps(value, ensure_ascii=False, default=str)
