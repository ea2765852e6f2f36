"""Exact, normalised and label match: all or nothing, against a short reference."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from reward.contract import Sample
from reward.graders import texts
from reward.graders.options import Options
from reward.score import Component, Outcome, Score

MODES = ("normalised", "exact", "label")
PICKS = ("only", "last")
MAX_ANSWER = 20_000

_EDGES = "*_`\"'\u201c\u201d\u2018\u2019\u00ab\u00bb .,;:!?()[]"
_NEGATED = re.compile(
    r"(?:\b(?:not|no|never|non|nor|neither|cannot|hardly|barely|scarcely|isn't|wasn't|aren't|doesn't|anything but|far from|less than"
    r"|rather than|instead of|the opposite of)|n't)"
    r"(?: (?:a|an|the|at all|all|that|so|too|really|very|quite|clearly|exactly|particularly|overly|longer|more|being)){0,4}[ -]$"
)
_BEFORE = 50


def grader(
    *,
    mode: str = "normalised",
    labels: Sequence[str] = (),
    aliases: Mapping[str, Sequence[str]] | None = None,
    marker: str = "",
    pick: str = "only",
) -> Callable[[Sample], Score]:
    """The match grader.

    Args:
        mode: ``exact`` compares the answer with the reference sign by sign; ``normalised`` without case, repeated white space,
            look-alike widths, and quotes, emphasis or punctuation at the edges; ``label`` finds which of `labels` the answer names.
            A list of references means any of them, except that a label's reference is one label.
        labels: for ``label``: at least two.
        aliases: for ``label``: other spellings of a label.
        marker: text that introduces the answer, such as ``Label:``. What follows the last one, to the end of its line, is compared.
            Without it in the answer the outcome is NO_MARKER.
        pick: for ``label`` without a marker: ``only`` reads an answer that names exactly one label; ``last`` reads the last line
            that names any, which must name exactly one. A negated label ("not positive") is never read.

    Raises:
        InvalidInput: for a value outside these.
    """
    options = Options()
    chosen = options.choice("mode", mode, MODES)
    sign = options.phrase("marker", marker, empty=True)
    only = options.choice("pick", pick, PICKS) == "only"
    spellings = _spellings(options, labels, aliases, chosen == "label")
    options.done()
    find = _finder(spellings) if chosen == "label" else None

    def grade(sample: Sample) -> Score:
        accepted = texts.references(sample.reference)
        if find is None:
            wanted = {text.strip() if chosen == "exact" else _normal(text) for text in accepted}
        else:
            wanted = {spellings[_normal(text)] for text in accepted if _normal(text) in spellings}
        if not wanted - {""} or (find is not None and len(accepted) != 1):
            return _BAD_GOLD
        if len(sample.response) > texts.MAX_TEXT or len(given := texts.answer(sample)) > MAX_ANSWER:
            return _OVERSIZE
        if sign:
            marked = _marked(given, sign)
            if marked is None:
                return _NO_MARKER
            given = marked
        if find is None:
            given = given if chosen == "exact" else _normal(given)
        else:
            read = spellings.get(_normal(given)) or (None if sign else find(given, only))
            if read is None:
                return _UNPARSABLE
            given = read
        return _CORRECT if given in wanted else _WRONG if given else _UNPARSABLE

    return grade


def _normal(text: str) -> str:
    folded = texts.fold(text)
    bare = folded.lstrip(_EDGES)
    # The point of .5 is no punctuation.
    point = "." if bare[:1].isdigit() and folded[: len(folded) - len(bare)].endswith(".") else ""
    return point + bare.rstrip(_EDGES)


def _marked(given: str, sign: str) -> str | None:
    for line in reversed(given.splitlines()):
        if sign in texts.fold(line):
            # Positions move when a line is folded, so the rest is found by what the marker's own words look like in it.
            spots = list(re.finditer(r"\s*".join(map(re.escape, sign.replace(" ", ""))), line, re.IGNORECASE))
            return line[spots[-1].end() :].strip() if spots else texts.fold(line).rpartition(sign)[2].strip()
    return None


def _spellings(options: Options, labels: object, aliases: object, wanted: bool) -> dict[str, str]:
    """Each normal form with the label it stands for."""
    names = options.strings("labels", labels, least=2 if wanted else 0)
    if names and not wanted:
        options.fault("labels", names, 'none, unless mode = "label"')
    table = options.table("aliases", {} if aliases is None else aliases)
    found: dict[str, str] = {}
    given = [("labels", name, name) for name in names]
    for alias, entries in table.items():
        given += [(f"aliases.{alias}", str(alias), text) for text in options.strings(f"aliases.{alias}", entries, least=1)]
    for path, name, text in given:
        if name not in names:
            options.fault(path, name, f"an alias of one of the labels: {', '.join(names) or 'none'}")
        normal = _normal(text)
        if not normal or found.setdefault(normal, name) != name:
            options.fault(path, text, "a spelling that is not empty and belongs to one label only")
    return found


def _finder(spellings: Mapping[str, str]) -> Callable[[str, bool], str | None]:
    # The longest first, so that "not spam" is read as itself and not as a negated "spam".
    pattern = re.compile("|".join(rf"(?<![\w]-){texts.phrase(text)}(?!-\w)" for text in sorted(spellings, key=len, reverse=True)))

    def named(text: str) -> set[str | None]:
        return {
            None if _NEGATED.search(reading, max(0, found.start() - _BEFORE), found.start()) else spellings[found[0]]
            for reading in texts.readings(text)
            for found in pattern.finditer(reading)
        }

    def find(given: str, only: bool) -> str | None:
        parts = [given] if only else reversed(given.splitlines())
        names = next((names for part in parts if (names := named(part))), set())
        return next(iter(names)) if len(names) == 1 else None

    return find


def _score(value: float, outcome: Outcome, *, answered: bool) -> Score:
    parts: tuple[Component, ...] = (texts.reward("correct", value), texts.metric("answered", answered))
    return Score(value, outcome, parts)


_CORRECT = _score(1.0, Outcome.CORRECT, answered=True)
_WRONG = _score(0.0, Outcome.WRONG, answered=True)
_NO_MARKER = _score(0.0, Outcome.NO_MARKER, answered=False)
_UNPARSABLE = _score(0.0, Outcome.UNPARSABLE, answered=False)
_BAD_GOLD = _score(0.0, Outcome.BAD_GOLD, answered=False)
_OVERSIZE = _score(0.0, Outcome.OVERSIZE, answered=False)
