"""Reads reference answers, so that replies of known worth can be made from them. Pure functions."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import attrs

from pipeline.dataset_rules import MARKER

NUMBER, LABEL, TEXT, OBJECT = "number", "label", "text", "object"
"""The kinds of reference answer. What is a near miss, or a right answer hidden among wrong ones, depends on it."""

EXAMPLE = "example_response"
"""A record's key for a reply that deserves full pay, where the reference is no answer: a rubric, or rules to be kept."""

MAX_LABELS = 24
_MAX_LABEL_CHARACTERS = 60
_ANSWER_KEYS = ("reference_answer", "answer", "text")
_NUMBER = re.compile(r"[-+]?\$?\d[\d,]*(?:\.\d+)?")


@attrs.frozen
class Answer:
    """A reference answer, read.

    Attributes:
        text: a reply that is right: the worked solution, ending with the marker and the answer.
        final: the bare answer.
        number: the answer as a number, or None when it is none.
        marked: whether an answer is given behind the marker.
        kind: `NUMBER`, `LABEL`, `TEXT` or `OBJECT`.
        value: the object of an `OBJECT`, else None.
    """

    text: str
    final: str
    number: Decimal | None
    marked: bool
    kind: str
    value: Mapping[str, Any] | None = None

    def ending(self, final: str) -> str:
        """`final` as this answer is given: behind the marker, or bare."""
        return f"{MARKER} {final}" if self.marked else final


def labels_of(records: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """The labels the records choose among; empty when their answers are no labels.

    Answers are labels when they are short, few, and come back: at most `MAX_LABELS` different ones, and half as many as records.
    """
    finals = [_final(_text(record.get("reference_answer")))[0] for record in records]
    found = frozenset(finals)
    if not 2 <= len(found) <= min(MAX_LABELS, len(finals) // 2):
        return frozenset()
    if any(not final or len(final) > _MAX_LABEL_CHARACTERS or "\n" in final or _decimal(final) is not None for final in found):
        return frozenset()
    return found


def answer_of(reference: object, labels: frozenset[str] = frozenset()) -> Answer:
    """Reads a reference answer: a worked solution with the marker, bare text, or an object that holds one of them.

    Args:
        reference: as the record has it.
        labels: those of the dataset, from `labels_of`.
    """
    if isinstance(reference, Mapping) and not any(reference.get(key) is not None for key in _ANSWER_KEYS):
        text = json.dumps(reference, sort_keys=True, ensure_ascii=False)
        return Answer(text, text, None, False, OBJECT, reference)
    text = _text(reference)
    final, marked = _final(text)
    number = _decimal(final)
    if number is not None:
        return Answer(text if marked else f"{MARKER} {final}", final, number, True, NUMBER)
    return Answer(text, final, None, marked, LABEL if final in labels else TEXT)


def plain(number: Decimal) -> str:
    """The number in digits, without an exponent or idle zeros."""
    return format(number.normalize() if number % 1 else number.quantize(Decimal(1)), "f")


def _final(text: str) -> tuple[str, bool]:
    _work, marker, tail = text.rpartition(MARKER)
    return (tail if marker else text).strip(), bool(marker)


def _decimal(text: str) -> Decimal | None:
    if len(text) > 24 or not _NUMBER.fullmatch(text.rstrip(".")):
        return None
    try:
        return Decimal(text.rstrip(".").replace(",", "").replace("$", ""))
    except InvalidOperation:
        return None


def _text(reference: object) -> str:
    if isinstance(reference, Mapping):
        named = next((reference[key] for key in _ANSWER_KEYS if reference.get(key) is not None), None)
        return _text(named) if named is not None else json.dumps(reference, sort_keys=True, ensure_ascii=False)
    return reference.strip() if isinstance(reference, str) else json.dumps(reference)
