"""Batches of responses to grade, drawn from the shipped problems: right, wrong and badly formed ones in a fixed mixture."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

PROBLEMS = Path(__file__).resolve().parent.parent / "datasets" / "word-problems.jsonl"


def events(*, count: int, batch: int, seed: int = 11, bare: bool = False, problems: Path = PROBLEMS) -> list[list[dict[str, Any]]]:
    """`count` events of `batch` samples each, as Bedrock sends them: four responses to a prompt, with the metadata staging adds.

    Args:
        bare: gives only the final number as reference answer, instead of the worked solution.
        problems: a file of problems in GSM8K's shape.
    """
    draw = random.Random(seed)
    read = [json.loads(line) for line in problems.read_text(encoding="utf-8").splitlines()]
    return [[_sample(draw, read[(number * batch + index) // 4 % len(read)], f"{number}-{index}", bare=bare)
             for index in range(batch)] for number in range(count)]  # fmt: skip


def _sample(draw: random.Random, problem: dict[str, str], ident: str, *, bare: bool) -> dict[str, Any]:
    work, gold = problem["answer"].rsplit("#### ", 1)
    # No chat model writes GSM8K's calculator marks.
    work = re.sub("<<[^<>]*>>", "", work)
    response = draw.choices(
        [
            f"{work}#### {gold}",
            f"{work}#### {int(gold.replace(',', '')) + draw.randint(1, 9)}",
            f"{work}#### **${gold}**",
            f"{work}So the answer is {gold}.",
            f"{work}#### {gold} or {int(gold.replace(',', '')) + 1}",
        ],
        weights=[55, 30, 5, 7, 3],
    )[0]
    return {
        "id": f"sample-{ident}",
        "messages": [
            {"role": "user", "content": problem["question"] + " Give the final answer after ####."},
            {"role": "assistant", "content": response},
        ],
        "metadata": {
            "reference_answer": gold if bare else problem["answer"],
            "rft_run_id": "word-problems-bench",
            "rft_split": "train",
            "rft_record_id": ident.rsplit("-", 1)[0] + f"-{int(ident.rsplit('-', 1)[1]) // 4}",
        },
    }
