"""How alike two texts are, from 0 to 1: exact and small, in time bounded by the lengths."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from reward.graders import texts

MAX_COMPARED = 20_000
"""Characters of each text. Longer ones are not compared: ROUGE-L's work grows with the product of the lengths."""

CHRF_ORDER = 6


def token_f1(one: str, other: str) -> float:
    """F1 over the two bags of words, as SQuAD measures answers, but leaving every word in."""
    a, b = texts.words(texts.fold(one)), texts.words(texts.fold(other))
    return _f1(sum((Counter(a) & Counter(b)).values()), len(a), len(b))


def rouge_l(one: str, other: str) -> float:
    """F1 over the longest common subsequence of words (ROUGE-L without stemming)."""
    a, b = texts.words(texts.fold(one)), texts.words(texts.fold(other))
    return _f1(_common_subsequence(a, b), len(a), len(b))


def chrf(candidate: str, reference: str) -> float:
    """Character n-gram F-score, n from 1 to 6, recall counted twice as much as precision (chrF2, Popović 2015).

    White space does not count. Orders longer than either text are left out, as in sacreBLEU.
    """
    return _chrf(candidate, reference, 2.0)


def chrf1(one: str, other: str) -> float:
    """As `chrf` with precision and recall counted alike, so that the order of the two texts does not matter."""
    return _chrf(one, other, 1.0)


MEASURES: dict[str, Callable[[str, str], float]] = {"token_f1": token_f1, "rouge_l": rouge_l, "chrf": chrf}


def _f1(common: int, size: int, other_size: int) -> float:
    return 2 * common / (size + other_size) if common else 0.0


def _common_subsequence(a: Sequence[str], b: Sequence[str]) -> int:
    # Hyyrö's bit-parallel form: one big integer holds a whole row of the table, a bit for each word of `a`.
    places: dict[str, int] = {}
    for index, word in enumerate(a):
        places[word] = places.get(word, 0) | 1 << index
    mask = (1 << len(a)) - 1
    row = mask
    for word in b:
        matched = row & places.get(word, 0)
        row = (row + matched | row - matched) & mask
    return len(a) - row.bit_count()


def _chrf(candidate: str, reference: str, beta: float) -> float:
    a, b = "".join(texts.fold(candidate).split()), "".join(texts.fold(reference).split())
    precision = recall = 0.0
    orders = min(CHRF_ORDER, len(a), len(b))
    for n in range(1, orders + 1):
        grams, others = _grams(a, n), _grams(b, n)
        common = sum((grams & others).values())
        precision += common / (len(a) - n + 1)
        recall += common / (len(b) - n + 1)
    if not precision or not recall:
        return 0.0
    # In this form two equal texts give exactly 1.
    return (1 + beta**2) * (precision / orders) * (recall / orders) / (beta**2 * (precision / orders) + recall / orders)


def _grams(text: str, n: int) -> Counter[str]:
    return Counter(text[start : start + n] for start in range(len(text) - n + 1))
