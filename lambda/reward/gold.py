"""The gold check: a reply that is right by the data's own word scores 1.0, and no reply breaks the grader.

The same check runs in the tests of one's own graders and in `rft reward test`. It calls the grader in this process; nothing of a
reply is kept or told, only the record's id, the kind of reply and what went wrong.
"""

from __future__ import annotations

import io
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, NamedTuple

from reward import contract, grading
from reward.contract import Sample
from reward.score import Score, unsound

FULL = 0.999
"""Least score of a right reply: full pay, less what floating point loses."""

SECONDS = 5.0
"""Longest time one reply may take. Graders that bound their own time do so far below it, and Lambda ends a batch that is late."""

HOSTILE_RECORDS = 3
"""Records whose reply is replaced by each of `HOSTILE`."""

MAX_SHOWN = 20

GOLD, STEADY, SOUND, HARD = "gold", "steady", "sound", "hard to break"
CHECKS: Mapping[str, str] = {
    GOLD: "a right reply scores 1.0",
    STEADY: "the same sample gets the same score again, in another order",
    SOUND: "gives a Score from 0 to 1 with one of the outcomes and the same components each time, and prints nothing",
    HARD: "no empty, huge or hostile reply raises or takes long",
}

_HUGE = grading.MAX_RESPONSE
HOSTILE: Mapping[str, str] = {
    "empty": "",
    "white space": " \n\t" * 1000,
    "one huge word": "a" * _HUGE,
    "a huge word and its end": "a" * (_HUGE - 1) + "!",
    "a huge number": "#### " + "9" * 400_000,
    "ten thousand markers": "#### 42\n" * 10_000,
    "deep brackets": "(" * 100_000 + "[" * 100_000 + "{" * 100_000,
    "deep JSON": '{"a":' * 50_000,
    "spaces behind a marker": "####" + " " * 400_000 + "x",
    "thinking tags": "<think>" * 60_000,
    "zero bytes": "\x00" * 1000,
    "half a surrogate pair": "#### \ud800",
    "not a number": "#### nan",
    "infinity": '{"answer": 1e999, "score": Infinity}',
    "format fields": "{0.__class__} %s %n ${answer}",
    "other digits": "#### \u0664\u0662 \uff14\uff12 \u00b2",
    "right to left": "#### \u202e24\u202c",
}
"""Replies made to break a grader, by name."""

Grade = Callable[[Sample], Score]


class Problem(NamedTuple):
    """What is wrong with a grader.

    Attributes:
        check: one of `CHECKS`.
        where: the record's id, or the name of the hostile reply.
        says: what happened and what is allowed; never text of a reply.
    """

    check: str
    where: str
    says: str


class _TookTooLong(BaseException):
    """No `Exception`, so that a grader that catches everything does not catch its own time limit."""


def problems(grade: Grade, items: Sequence[Mapping[str, Any]], *, hostile: bool = True) -> list[Problem]:
    """Everything the check finds; empty for a grader that passes.

    Args:
        grade: the grader, as `reward.graders.build` makes it.
        items: elements of the grader event, each with a reply that deserves full pay.
        hostile: whether it is tried on `HOSTILE` replies as well.

    Raises:
        ValueError: without items, or for an item that is no sample.
    """
    if not items:
        raise ValueError("there is nothing to check the grader on; allowed is at least one sample with a right reply")
    samples = [contract.sample(item, position) for position, item in enumerate(items)]
    first = [_graded(grade, sample) for sample in samples]
    again = [_graded(grade, sample) for sample in reversed(samples)][::-1]
    found = [
        problem for sample, one, two in zip(samples, first, again, strict=True) for problem in _of_right_reply(str(sample.id), one, two)
    ]
    found += _differing_components(samples, first)
    return [*found, *(_of_hostile_replies(grade, samples[:HOSTILE_RECORDS]) if hostile else ())]


def told(found: Sequence[Problem]) -> str:
    """The problems as lines of text, the first `MAX_SHOWN`; for the message of a failed test."""
    lines = [f"{problem.check}: {problem.where}: {problem.says}" for problem in found[:MAX_SHOWN]]
    return "\n".join([*lines, *([f"and {len(found) - MAX_SHOWN} more"] if len(found) > MAX_SHOWN else [])])


def _graded(grade: Grade, sample: Sample) -> Score | str:
    """The score, or what went wrong in words."""
    printed = io.StringIO()
    try:
        with redirect_stdout(printed), redirect_stderr(printed), _time_limit(SECONDS):
            started = time.perf_counter()
            score = grade(sample)
            took = time.perf_counter() - started
    except _TookTooLong:
        return f"takes more than {SECONDS:g} s; allowed is less for any reply"
    except (Exception, SystemExit) as error:
        return f"raises {grading.place(error)}; allowed is a Score for any reply"
    if took > SECONDS:
        return f"takes {took:.1f} s; allowed is at most {SECONDS:g} s for any reply"
    if printed.tell():
        return "prints; allowed is nothing, since what a grader prints about a reply ends up in the log"
    return unsound(score) or score


def _of_right_reply(ident: str, first: Score | str, again: Score | str) -> Iterator[Problem]:
    if isinstance(first, str):
        yield Problem(SOUND, ident, first)
        return
    if first.value < FULL:
        yield Problem(GOLD, ident, f"the right reply scores {first.value:.2f} ({first.outcome}); allowed is 1.0")
    if isinstance(again, str):
        yield Problem(STEADY, ident, f"the second time it {again}")
    elif again != first:
        yield Problem(
            STEADY, ident, f"scores {first.value:.4f} ({first.outcome}), then {again.value:.4f} ({again.outcome}); allowed is the same"
        )


def _differing_components(samples: Sequence[Sample], scores: Sequence[Score | str]) -> list[Problem]:
    names = [(str(sample.id), _names(score)) for sample, score in zip(samples, scores, strict=True) if isinstance(score, Score)]
    odd = next(((ident, given) for ident, given in names if given != names[0][1]), None)
    if odd is None:
        return []
    says = f"has the components {', '.join(odd[1]) or 'none'}, another record has {', '.join(names[0][1]) or 'none'}; allowed are the same"
    return [Problem(SOUND, odd[0], says)]


def _names(score: Score) -> list[str]:
    return [str(component["name"]) for component in score.components]


def _of_hostile_replies(grade: Grade, samples: Sequence[Sample]) -> Iterator[Problem]:
    for name, reply in HOSTILE.items():
        for sample in samples:
            turn = {"role": "assistant", "content": reply}
            score = _graded(grade, sample._replace(response=reply, messages=[*sample.messages[:-1], turn]))
            if isinstance(score, str):
                # Three records with the same fault are one thing to mend.
                yield Problem(HARD, name, score)
                break


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Ends what takes longer, where the platform can: in the main thread, by a signal that reaches a regular expression as well."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def late(_number: int, _frame: object) -> None:
        raise _TookTooLong

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
