"""Reads an uploaded dataset line by line, and finds every fault in one pass. No AWS calls here.

Memory: the records that pass, once, as bytes; never more of the upload than one line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs
from contracts.settings import MAX_PROMPTS, MIN_PROMPTS, DatasetSettings

from pipeline.dataset_rules import BadRecord, prompt_characters, record_of
from pipeline.store import line_of

MAX_LINE_BYTES = 1_000_000
"""Longest line: a prompt of some 250,000 tokens, more than the model reads."""

SHOWN_FAULTS = 50
"""Faults a report lists; all are counted."""

_BOM = b"\xef\xbb\xbf"


@attrs.define
class Faults:
    """Collects faults; keeps the first `SHOWN_FAULTS` and counts the rest."""

    shown: list[str] = attrs.field(factory=list)
    total: int = 0

    def add(self, fault: str) -> None:
        self.total += 1
        if len(self.shown) < SHOWN_FAULTS:
            self.shown.append(fault)


@attrs.frozen
class Entry:
    """One record, ready to be written: its sort key, its line, and the length of its prompt."""

    prompt_sha256: str
    line: bytes
    prompt_characters: int


@attrs.define
class Reading:
    """What an upload holds.

    Attributes:
        entries: the records that pass, in order of upload; empty of meaning when there are faults.
        faults: all of them.
        prompts: lines that hold something, good or bad.
        forms: how many records came in which form.
    """

    entries: list[Entry] = attrs.field(factory=list)
    faults: Faults = attrs.field(factory=Faults)
    prompts: int = 0
    forms: dict[str, int] = attrs.field(factory=dict)


def read(chunks: Iterable[bytes]) -> Reading:
    """Checks every line of an upload; blank lines are passed over."""
    reading = Reading()
    line_of_prompt: dict[str, int] = {}
    for number, line in enumerate(_lines(chunks), 1):
        if line is None:
            reading.prompts += 1
            reading.faults.add(f"line {number}: is longer than {MAX_LINE_BYTES:,} bytes, the longest allowed")
            continue
        text = line
        if number == 1 and line.startswith(_BOM):
            reading.faults.add("line 1: starts with a byte order mark; allowed is UTF-8 without one")
            text = line[len(_BOM) :]
        if text.strip():
            reading.prompts += 1
            _take(reading, line_of_prompt, number, text)
    return reading


def _take(reading: Reading, line_of_prompt: dict[str, int], number: int, line: bytes) -> None:
    try:
        record = record_of(line)
    except BadRecord as bad:
        for fault in bad.faults:
            reading.faults.add(f"line {number}: {fault}")
        return
    first = line_of_prompt.setdefault(record.prompt_sha256, number)
    if first != number:
        reading.faults.add(f"line {number}: has the same prompt as line {first}; allowed is each prompt once")
        return
    reading.forms[record.form] = reading.forms.get(record.form, 0) + 1
    # Past the limit the upload is refused anyway; there is no need to hold it.
    if len(reading.entries) <= MAX_PROMPTS:
        reading.entries.append(Entry(record.prompt_sha256, line_of(record.fields), prompt_characters(record.fields)))


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes | None]:
    """Lines without their ends; None stands for one that is too long, whose bytes are not kept."""
    rest, too_long = b"", False
    for chunk in chunks:
        *whole, tail = (rest + chunk).split(b"\n")
        for line in whole:
            yield None if too_long or len(line) > MAX_LINE_BYTES else line
            too_long = False
        rest = tail
        if len(rest) > MAX_LINE_BYTES:
            too_long, rest = True, b""
    if too_long:
        yield None
    elif rest:
        yield rest


@attrs.frozen
class Sizes:
    """Prompts of each split."""

    train: int
    validation: int
    heldout: int


def sizes(prompts: int, settings: DatasetSettings) -> Sizes:
    """How `prompts` are split; at least one prompt goes to validation and one to the held-out split."""
    heldout = max(1, round(prompts * settings.heldout_fraction))
    validation = max(1, round(prompts * settings.validation_fraction))
    return Sizes(train=prompts - heldout - validation, validation=validation, heldout=heldout)


def count_faults(prompts: int, settings: DatasetSettings) -> list[str]:
    """A line if the dataset is too small or too large for a training set of 100 to 20,000 prompts."""
    if prompts > MAX_PROMPTS:
        return [f"holds {prompts:,} prompts; allowed are at most {MAX_PROMPTS:,}"]
    if prompts < MIN_PROMPTS:
        return [f"holds {prompts} prompts; allowed are {MIN_PROMPTS} or more; {needed(settings) - prompts} more are needed with this split"]
    train = sizes(prompts, settings).train
    if train < MIN_PROMPTS:
        return [
            f"holds {prompts} prompts, of which {train} would be for training; allowed are {MIN_PROMPTS} or more of those: "
            f"{needed(settings) - prompts} more prompts are needed"
        ]
    return []


def needed(settings: DatasetSettings) -> int:
    """The fewest prompts whose training split is large enough."""
    return next(count for count in range(MIN_PROMPTS, MAX_PROMPTS) if sizes(count, settings).train >= MIN_PROMPTS)
