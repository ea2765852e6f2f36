"""Throws random events and answers at the deployed grader and reports the first that breaks it.

Run it from the repository's root: ``python -m benchmarks.fuzz_reward --count 1000000``.
"""

from __future__ import annotations

import argparse
import json
import os
import random
from contextlib import redirect_stdout
from math import isfinite
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from contracts.errors import InvalidInput
from reward.contract import Sample
from reward.graders import build
from reward.handler import handler

PIECES = (
    "####", "#### ", "42", "41", "1,080", "-", "\u2212", "+", "$", "**", "_", "`", ".", ",", "000", " ", "\n", "\r", "or", "half",
    "million", "k", "x",
    "%", "\u00b0", "\\boxed{", "\\text{", "\\(", "\\", "}", "{", "<think>", "</think>", "<reasoning>", "<", ">", "=", "(", ")",
    "/", "^", "\u00bd", "\u0664", "\uff14", "\u200b", "\ud800", "\x00", "answer:", "The final answer is ", "NaN", "1e9", "!", "?", "\u00b2",
)  # fmt: skip
KEYS = (
    "id",
    "task_id",
    "messages",
    "metadata",
    "reference_answer",
    "role",
    "content",
    "type",
    "text",
    "trajectories",
    "rft_run_id",
    "rft_split",
)
SLOW_SECONDS = 0.25
"""Of processor time, which a busy machine does not stretch."""


class Fuzz:
    """Random input, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def text(self) -> str:
        draw = self._random
        if draw.random() < 0.002:
            return draw.choice(PIECES) * draw.randrange(200_000)
        return "".join(draw.choice(PIECES) if draw.random() < 0.9 else chr(draw.randrange(0x2FFF)) for _ in range(draw.randrange(14)))

    def value(self, depth: int = 0) -> Any:
        draw = self._random
        kind = draw.randrange(9 if depth < 5 else 6)
        if kind < 2:
            return self.text()
        if kind < 6:
            return draw.choice([None, True, False, 0, 42, -1, 0.5, float("nan"), float("inf"), 10**400, "", [], {}, "assistant", "train"])
        if kind < 7:
            return [self.value(depth + 1) for _ in range(draw.randrange(4))]
        return {draw.choice(KEYS): self.value(depth + 1) for _ in range(draw.randrange(6))}

    def sample(self) -> Any:
        draw = self._random
        if draw.random() < 0.3:
            return self.value()
        sample: dict[str, Any] = {
            "id": self.text(),
            "messages": [{"role": "assistant", "content": self.text()}],
            "metadata": {"reference_answer": self.text(), "rft_run_id": "fuzz", "rft_split": "train"},
        }
        if draw.random() < 0.3:
            sample[draw.choice(KEYS)] = self.value()
        return sample

    def event(self) -> Any:
        draw = self._random
        kind = draw.random()
        if kind < 0.1:
            return self.value()
        samples = [self.sample() for _ in range(draw.randrange(1, 5))]
        return samples if kind < 0.9 else {"trajectories": samples}


def check_event(event: Any) -> str | None:
    """What is wrong with the grader's answer to `event`, or None."""
    start = process_time()
    try:
        results = handler(event)
    except InvalidInput:
        return None
    if process_time() - start > SLOW_SECONDS:
        return "slow"
    items = event["trajectories"] if isinstance(event, dict) and "trajectories" in event else event if isinstance(event, list) else [event]
    if len(results) != len(items):
        return "not one result per item"
    for item, result in zip(items, results, strict=True):
        score = result["aggregate_reward_score"]
        if not isfinite(score) or not 0 <= score <= 1:
            return "score out of range"
        if isinstance(item, dict) and isinstance(item.get("id"), str) and result["id"] != item["id"]:
            return "id not echoed"
    json.dumps(results, allow_nan=False)
    return None


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz_reward", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000, help="events, and as many answers")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    fuzz = Fuzz(options.seed)
    graders = [build("math", {"mode": mode}) for mode in ("strict", "lenient")]
    paid = 0
    start = perf_counter()
    with Path(os.devnull).open("w") as nowhere:
        for number in range(options.count):
            event = fuzz.event()
            sample = Sample("fuzz", fuzz.text(), "42", [], {})
            with redirect_stdout(nowhere):
                problem = check_event(event)
                values = [grade(sample).value for grade in graders]
            if problem is None and not set(values) <= {0.0, 1.0}:
                problem = "score out of range"
            if problem is not None:
                print(f"case {number} of seed {options.seed}: {problem}\n{event!r:.2000}\n{sample.response!r:.2000}")
                return 1
            paid += int(values[0])
    print(
        f"{options.count:,} events and as many answers in {perf_counter() - start:.0f} s: nothing broke; {paid:,} random answers were paid"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
