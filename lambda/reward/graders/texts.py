"""How graders read text: what of a response is its answer, words of any script, and forms in which texts are compared."""

from __future__ import annotations

import re
import unicodedata

from reward.contract import Sample
from reward.graders.disguises import undisguised, unmarked
from reward.graders.thinking import without_thinking
from reward.score import Component, Outcome, Score

MAX_TEXT = 100_000
"""Characters of an answer that the catalogue's graders read; a longer one is `OVERSIZE`. Over twenty thousand English words."""

FULL = 0.999
"""From this value on a partial-credit score counts as `CORRECT`; below it as `WRONG`."""

_REFERENCE_KEYS = ("reference_answer", "final_answer", "answer", "text")

# A word is a run without white space, controls or punctuation; each sign of a script written without spaces is one by itself.
_SPACELESS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_PUNCTUATION = (
    "!-/:-@\\[-`{-~\u00a1-\u00a9\u00ab-\u00b1\u00b4\u00b6-\u00b8\u00bb\u00bf\u2010-\u203e"
    "\u3001-\u301f\uff01-\uff0f\uff1a-\uff20\u060c\u061b\u061f\u0964"
)
_WORD = re.compile(rf"[{_SPACELESS}]|[^\s{_PUNCTUATION}{_SPACELESS}]+(?:['\u2019][^\s{_PUNCTUATION}{_SPACELESS}]+)*")
_SPACELESS_SIGN = re.compile(rf"[{_SPACELESS}]")
_SPACE = re.compile(r"\s+")
_TYPED = {0x2018: "'", 0x2019: "'", 0x02BC: "'", 0x2010: "-", 0x2011: "-"}
"""Apostrophes and hyphens as a keyboard has them; models write the others as readily."""
# What Unicode calls default ignorable, controls that are no white space, and blanks that pass for a letter.
_HIDDEN = (
    "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_INVISIBLE = re.compile(f"[{_HIDDEN}]")
_SEEN = re.compile(rf"[^\s{_HIDDEN}\u0300-\u036f]")


def answer(sample: Sample) -> str:
    """The response without its thinking and without white space around it; empty if nothing in it can be seen."""
    text = without_thinking(sample.response).strip()
    return text if seen(text) else ""


def seen(text: str) -> bool:
    """Whether anything in `text` can be seen."""
    return _SEEN.search(text) is not None


def reference_text(reference: object) -> str | None:
    """A reference answer as one text: a string, a number, true or false, or an object that holds one under a usual key."""
    if isinstance(reference, dict):
        reference = next((reference[key] for key in _REFERENCE_KEYS if reference.get(key) is not None), None)
    if isinstance(reference, bool):
        return "true" if reference else "false"
    if isinstance(reference, int | float):
        # Python refuses to print integers of thousands of digits.
        return str(reference) if isinstance(reference, float) or reference.bit_length() <= 128 else None
    return reference if isinstance(reference, str) else None


def references(reference: object) -> list[str]:
    """Every accepted text of a reference: of each entry of a list, or of the one thing it is. Those without a visible sign are left out."""
    entries = reference if isinstance(reference, list) else [reference]
    return [text for text in map(reference_text, entries) if text is not None and seen(text)]


def visible(text: str) -> str:
    """`text` in Unicode's compatibility form without signs that do not show: full-width letters are plain ones."""
    return _INVISIBLE.sub("", text if text.isascii() else unicodedata.normalize("NFKC", text))


def fold(text: str) -> str:
    """The form in which texts are compared: visible, without case, each run of white space one space."""
    return _SPACE.sub(" ", visible(text).casefold().translate(_TYPED)).strip()


def plain(text: str) -> str:
    """`text` as a reader takes it: visible, without markup, look-alike letters read as what they look like. For what must not be said."""
    return undisguised(unmarked(visible(text)))


def readings(text: str) -> tuple[str, ...]:
    """The folded text and, where it differs, the one without markup. A phrase is there if either has it."""
    return tuple(dict.fromkeys((fold(text), fold(unmarked(visible(text))))))


def all_readings(text: str) -> tuple[str, ...]:
    """As `readings`, and the folded plain text: a forbidden phrase is there if any has it."""
    return tuple(dict.fromkeys((*readings(text), fold(plain(text)))))


def unaccented(text: str) -> str:
    """`text` without the marks of its letters: a name is often written so by who cannot type them."""
    return text if text.isascii() else "".join([sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.combining(sign)])


def words(text: str) -> list[str]:
    """The words of a text in any script; in scripts written without spaces each sign is one."""
    return _WORD.findall(text)


def phrase(text: str) -> str:
    """A pattern for the folded `text` as whole words, to be searched in a folded text."""
    left = "" if _SPACELESS_SIGN.match(text) or not text[:1].isalnum() else r"(?<!\w)"
    right = "" if _SPACELESS_SIGN.match(text[-1:]) or not text[-1:].isalnum() else r"(?!\w)"
    return left + re.escape(text) + right


def scored(value: float, components: tuple[Component, ...]) -> Score:
    """A score of partial credit with the outcome its value has."""
    value = min(1.0, max(0.0, value))
    return Score(value, Outcome.CORRECT if value >= FULL else Outcome.WRONG, components)


def reward(name: str, value: float) -> Component:
    """A component that is part of the score."""
    return Component(name=name, value=float(value), type="Reward")


def metric(name: str, value: float) -> Component:
    """A component that is only watched."""
    return Component(name=name, value=float(value), type="Metric")
