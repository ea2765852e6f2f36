"""How steady a judge is: the same sample twice, and a pair of candidates in both orders.

A judge that contradicts itself rewards noise, and one that prefers what stands first rewards nothing. Neither check needs labels.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import fsum
from typing import Any, TypeVar

from reward.contract import Sample
from reward.graders.thinking import without_thinking
from reward.judging import answers, fencing, prompts
from reward.judging.asking import Unanswered, Unreachable
from reward.judging.judge import Judge
from reward.judging.options import TOOL

Item = TypeVar("Item")
Found = TypeVar("Found")

PAIR_TASK = "You compare two candidate responses to the same prompt, FIRST and SECOND. Their order was drawn by lot and means nothing."
_MIRRORED = {"first": "second", "second": "first", "tie": "tie"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Repetition:
    """The same samples judged twice.

    Attributes:
        samples: how many were judged both times.
        unanswered: how many were not.
        same: share on which every criterion got the same score; None without samples.
        difference: mean absolute difference of the rewards, 0 to 1; None without samples.
    """

    samples: int
    unanswered: int
    same: float | None
    difference: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Pairs judged in both orders.

    Attributes:
        pairs: how many were answered in both orders.
        unanswered: how many were not.
        consistent: share on which both orders name the same candidate, or both a tie; None without pairs.
        first_favoured: share on which the one that stood first won both times; a judge without a lean has next to none.
        second_favoured: likewise for the one that stood second.
    """

    pairs: int
    unanswered: int
    consistent: float | None
    first_favoured: float | None
    second_favoured: float | None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two responses to one prompt; `sample` gives prompt, reference and context, its response is the first candidate."""

    sample: Sample
    other: str


def repeat(judge: Judge, samples: Sequence[Sample]) -> Repetition:
    """Asks for the verdict on each sample twice. Costs two requests for each.

    Raises:
        Unreachable: if the judge cannot be called.
    """
    judge.asker.ready()
    twice = _many(judge, lambda sample: (judge.ask_once(sample), judge.ask_once(sample)), samples)
    answered = [(one, two) for one, two in twice if one is not None and two is not None]
    differences = [abs(_reward(judge, one) - _reward(judge, two)) for one, two in answered]
    return Repetition(
        samples=len(answered),
        unanswered=len(twice) - len(answered),
        same=_share([one == two for one, two in answered]),
        difference=fsum(differences) / len(differences) if differences else None,
    )


def swap(judge: Judge, pairs: Sequence[Pair]) -> Order:
    """Asks which of two candidates is better, in both orders. Costs two requests for each pair.

    Raises:
        Unreachable: if the judge cannot be called.
    """
    judge.asker.ready()
    both = _many(judge, lambda pair: (_choice(judge, pair, swapped=False), _choice(judge, pair, swapped=True)), pairs)
    answered = [(one, two) for one, two in both if one is not None and two is not None]
    return Order(
        pairs=len(answered),
        unanswered=len(both) - len(answered),
        consistent=_share([_MIRRORED[one] == two for one, two in answered]),
        first_favoured=_share([one == two == "first" for one, two in answered]),
        second_favoured=_share([one == two == "second" for one, two in answered]),
    )


def _choice(judge: Judge, pair: Pair, *, swapped: bool) -> str | None:
    options = judge.options
    mine = pair.sample.response if options.kind.shows_thinking else without_thinking(pair.sample.response)
    other = pair.other if options.kind.shows_thinking else without_thinking(pair.other)
    first, second = (other, mine) if swapped else (mine, other)
    blocks, token = fencing.fenced([*judge.texts(pair.sample), ("FIRST", first), ("SECOND", second)])
    tool = answers.PAIR_TOOL if options.answer_by == TOOL else ""
    how = "Call the tool once." if tool else 'Answer with one JSON object and nothing around it: {"choice": "<first, second or tie>"}.'
    ending = f"Say which of FIRST and SECOND meets the criteria better, or that it is a tie: first, second or tie. {how}"
    request: dict[str, Any] = {
        "system": [{"text": prompts.system(options.kind._replace(task=PAIR_TASK), options.criteria)}],
        "messages": [{"role": "user", "content": [{"text": prompts.message(blocks, token, ending)}]}],
        "inferenceConfig": {"maxTokens": options.max_tokens, "temperature": options.temperature},
    }
    if tool:
        request["toolConfig"] = answers.forced(tool, "Records which candidate is better.", answers.choice_schema())
    try:
        return judge.asker.ask(
            request,
            lambda answer: answers.choice(answers.content_of(answer, tool=tool)),
            until=time.monotonic() + options.deadline_seconds,
            halt=threading.Event(),
        )
    except Unreachable:
        raise
    except Unanswered:
        return None


def _many(judge: Judge, ask: Callable[[Item], Found], items: Sequence[Item]) -> list[Found]:
    with ThreadPoolExecutor(max_workers=judge.options.concurrency) as pool:
        return list(pool.map(ask, items))


def _reward(judge: Judge, scores: Sequence[int]) -> float:
    return fsum(each.weight * each.share(score) for each, score in zip(judge.options.criteria, scores, strict=True))


def _share(found: Sequence[bool]) -> float | None:
    return sum(found) / len(found) if found else None
