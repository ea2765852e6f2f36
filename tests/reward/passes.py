"""What work on a text costs, in a measure that is the same on a slow machine and a busy one."""

from __future__ import annotations

from collections.abc import Callable
from time import process_time

TRIES = 5


def passes(work: Callable[[], object], text: str) -> float:
    """Processor time of `work`, in looks at every character of `text` by Python, each the least of a few taken in turn.

    Work that grows with the length is a few passes; what grows with its square is as many as there are characters, or more.
    """
    tried = [(_cost(work), _cost(lambda: sum(character == "\0" for character in text))) for _ in range(TRIES)]
    return min(took for took, _ in tried) / min(once for _, once in tried)


def _cost(work: Callable[[], object]) -> float:
    began = process_time()
    work()
    return process_time() - began
