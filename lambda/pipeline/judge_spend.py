"""What a reward's judges are expected to cost in a run. Pure arithmetic on the options the reward version carries."""

from __future__ import annotations

import json
import math

from contracts.judges import judges

INSTRUCTION_TOKENS = 800
"""What a judge reads besides the sample: its instructions, criteria and the tool it must answer with; the templates take 500 to 800."""

DEFAULT_ANSWER_TOKENS = 512
"""The judge's `max_tokens` when its options name none; an answer is counted at half of it."""

REHEARSAL_CALLS = 640
"""Replies a rehearsal has graded at the most."""


def usd(*, grader: str, options: str, calls: int, sample_tokens: float) -> float | None:
    """US dollars all judges of a reward are expected to take; 0 without a judge, None when one of them has no price.

    Args:
        grader: the grader the reward version names.
        options: its options as JSON.
        calls: responses that will be graded.
        sample_tokens: prompt, response and reference of one of them.
    """
    total = 0.0
    for _, judge in judges(grader, _parsed(options)):
        read, written = judge.get("input_usd_per_million"), judge.get("output_usd_per_million")
        if read is None or written is None:
            return None
        answer = float(judge.get("max_tokens", DEFAULT_ANSWER_TOKENS)) / 2
        total += (calls + REHEARSAL_CALLS) * ((INSTRUCTION_TOKENS + sample_tokens) * float(read) + answer * float(written)) / 1e6
    return math.ceil(total * 100) / 100


def _parsed(options: str) -> dict[str, object]:
    found = json.loads(options or "{}")
    return found if isinstance(found, dict) else {}
