"""Graded by a model (RLAIF): instruction following, summarisation, reasoning, faithfulness to a context, or criteria of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reward.judging.judge import Judge
from reward.judging.options import read


def grader(
    *,
    template: str = "instruction_following",
    model: str = "us.amazon.nova-pro-v1:0",
    criteria: Sequence[Mapping[str, Any]] = (),
    answer_by: str = "auto",
    reasons: bool = False,
    temperature: float = 0.0,
    max_tokens: int = 512,
    concurrency: int = 8,
    attempts: int = 4,
    deadline_seconds: float = 20.0,
    batch_seconds: float = 50.0,
    unanswered: str = "raise",
    max_characters: int = 32_000,
    context_key: str = "context",
    input_usd_per_million: float | None = None,
    output_usd_per_million: float | None = None,
) -> Judge:
    """A judge. Options:

    Args:
        template: ``instruction_following``, ``summarisation``, ``reasoning``, ``faithfulness`` or ``custom``.
        model: what Converse is given: the id or ARN of a model, an inference profile or a deployment.
        criteria: instead of the template's own, a list of ``{name, description, weight, scale}``; the scale is ``1-5`` (the
            default) or ``binary``; the weights sum to 1.
        answer_by: ``tool`` makes the model call a tool, ``text`` asks it for one JSON object; ``auto`` knows which models can be
            made to use a tool.
        reasons: whether the model gives a sentence of reason before each score: steadier and dearer. Nothing keeps the sentence.
        temperature: 0 to 1.
        max_tokens: of the model's answer, 16 to 8192.
        concurrency: requests under way at once, 1 to 64. Lambda calls in parallel multiply it.
        attempts: requests for one sample, 1 to 10.
        deadline_seconds: 1 to 300; no attempt for a sample begins later than this, and none takes longer.
        batch_seconds: 1 to 890; what is not answered by then counts as unanswered. It must end before the function's timeout does.
        unanswered: ``raise`` fails the call, so that Bedrock sends the batch again; ``ungraded`` scores the sample 0 under its own
            outcome, counted as a fault.
        max_characters: of a response, 100 to 400,000; a longer one scores 0 as oversize. The prompt, context and reference together
            may have four times as many.
        context_key: key of the training record that holds the context.
        input_usd_per_million: price of a million tokens read; without prices no cost is reported.
        output_usd_per_million: price of a million tokens written.

    Raises:
        InvalidInput: naming each option that is not allowed, and what is.
    """
    return Judge(read(**locals()))
