"""Counts what judging took: calls, tokens, time, dollars. Read and set to zero by the handler after each batch."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from contracts.metrics import Metric


class Usage:
    """The count since it was last taken. Safe to use from many threads.

    Args:
        input_usd: price of a million tokens read.
        output_usd: price of a million tokens written.
    """

    def __init__(self, *, input_usd: float, output_usd: float) -> None:
        self._prices = (input_usd, output_usd)
        self._lock = threading.Lock()
        self._clear()

    def _clear(self) -> None:
        self._latencies: list[float] = []
        self._tokens = [0, 0]
        self._errors = 0

    def called(self, milliseconds: float, answer: Mapping[str, Any] | None) -> None:
        """One request has ended; `answer` is what Converse returned, None when it raised."""
        reported = (answer or {}).get("usage") or {}
        with self._lock:
            self._latencies.append(milliseconds)
            for index, name in enumerate(("inputTokens", "outputTokens")):
                count = reported.get(name, 0)
                self._tokens[index] += count if type(count) is int and count > 0 else 0

    def failed(self) -> None:
        """The last request gave no usable verdict."""
        with self._lock:
            self._errors += 1

    def take(self) -> dict[Metric, float | Sequence[float]]:
        """The count as metrics, and a fresh start; empty when nobody was asked."""
        with self._lock:
            latencies, tokens, errors = self._latencies, self._tokens, self._errors
            self._clear()
        if not latencies:
            return {}
        return {
            Metric.JUDGE_CALLS: len(latencies),
            Metric.JUDGE_ERRORS: errors,
            Metric.JUDGE_LATENCY: latencies,
            Metric.JUDGE_INPUT_TOKENS: tokens[0],
            Metric.JUDGE_OUTPUT_TOKENS: tokens[1],
            Metric.JUDGE_COST: sum(count * price for count, price in zip(tokens, self._prices, strict=True)) / 1e6,
        }
