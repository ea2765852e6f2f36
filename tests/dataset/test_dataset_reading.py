"""Reading a whole upload, and what becomes of it."""

from __future__ import annotations

import json
import random

import pytest
from contracts.settings import MAX_PROMPTS, MIN_PROMPTS, DatasetSettings
from hypothesis import given
from hypothesis import strategies as st
from pipeline.dataset_reading import MAX_LINE_BYTES, SHOWN_FAULTS, count_faults, needed, read, sizes
from pipeline.dataset_version import version_of

SETTINGS = DatasetSettings()
FRACTIONS = st.floats(0.01, 0.4)


def lines(count: int, first: int = 0) -> list[bytes]:
    return [json.dumps({"question": f"What is {n} + 1?", "answer": f"#### {n + 1}"}).encode() for n in range(first, first + count)]


def test_a_clean_upload_has_no_faults_however_it_is_cut_into_chunks() -> None:
    body = b"\r\n".join(lines(150)) + b"\n\n"
    whole = read([body])
    cut = read(body[start : start + 7] for start in range(0, len(body), 7))

    assert (whole.faults.total, whole.prompts, whole.forms) == (0, 150, {"question_answer": 150})
    assert cut.entries == whole.entries


def test_all_faults_are_counted_and_the_first_are_listed_with_their_lines() -> None:
    reading = read([b"\n".join([*lines(3), b"{", *[b"[]"] * 60])])

    assert reading.faults.total == 61
    assert len(reading.faults.shown) == SHOWN_FAULTS
    assert reading.faults.shown[0].startswith("line 4: is not JSON")


def test_a_duplicate_names_both_lines() -> None:
    twin = json.dumps({"question": " What is  0 + 1?", "answer": "#### 1"}).encode()
    assert read([b"\n".join([*lines(5), twin])]).faults.shown == ["line 6: has the same prompt as line 1; allowed is each prompt once"]


def test_a_byte_order_mark_is_refused_and_the_line_behind_it_still_checked() -> None:
    reading = read([b"\xef\xbb\xbf" + b"\n".join(lines(2))])
    assert reading.faults.shown == ["line 1: starts with a byte order mark; allowed is UTF-8 without one"]
    assert len(reading.entries) == 2


@pytest.mark.parametrize("chunk", [1 << 12, 1 << 20, 1 << 23])
def test_an_endless_line_is_refused_without_being_held(chunk: int) -> None:
    body = b"\n".join([lines(1)[0], b"x" * (3 * MAX_LINE_BYTES), lines(2)[1]])
    reading = read(body[start : start + chunk] for start in range(0, len(body), chunk))

    assert reading.faults.shown == ["line 2: is longer than 1,000,000 bytes, the longest allowed"]
    assert reading.prompts == 3


def test_the_order_of_an_upload_does_not_matter_but_its_content_and_split_do() -> None:
    ordered = lines(200)
    shuffled = random.Random(3).sample(ordered, len(ordered))
    first = version_of(read([b"\n".join(ordered)]).entries, SETTINGS)

    assert version_of(read([b"\n".join(shuffled)]).entries, SETTINGS) == first
    assert version_of(read([b"\n".join(lines(201))]).entries, SETTINGS).version != first.version
    assert version_of(read([b"\n".join(ordered)]).entries, DatasetSettings(heldout_fraction=0.2)).version != first.version


def test_every_record_is_in_exactly_one_split() -> None:
    version = version_of(read([b"\n".join(lines(200))]).entries, SETTINGS)
    ids = [json.loads(line)["id"] for body in version.splits.values() for line in body.splitlines()]

    assert version.prompts == {"heldout": 30, "validation": 20, "train": 150}
    assert len(ids) == len(set(ids)) == 200


@pytest.mark.parametrize(
    ("prompts", "said"),
    [
        (0, "holds 0 prompts; allowed are 100 or more; 133 more are needed"),
        (99, "34 more are needed"),
        (120, "of which 90 would be for training"),
    ],
)
def test_too_few_prompts_say_how_many_more_are_needed(prompts: int, said: str) -> None:
    assert said in count_faults(prompts, SETTINGS)[0]


def test_the_bounds_of_a_training_set() -> None:
    assert count_faults(needed(SETTINGS), SETTINGS) == []
    assert count_faults(needed(SETTINGS) - 1, SETTINGS)
    assert count_faults(MAX_PROMPTS, SETTINGS) == []
    assert "at most 20,000" in count_faults(MAX_PROMPTS + 1, SETTINGS)[0]


@given(st.integers(3, 30_000), FRACTIONS, FRACTIONS)
def test_a_split_loses_no_prompt(prompts: int, validation: float, heldout: float) -> None:
    cut = sizes(prompts, DatasetSettings(validation_fraction=validation, heldout_fraction=heldout))
    assert cut.train + cut.validation + cut.heldout == prompts
    assert min(cut.validation, cut.heldout) >= 1


@given(FRACTIONS, FRACTIONS)
def test_what_is_said_to_be_needed_is_enough_and_no_more(validation: float, heldout: float) -> None:
    settings = DatasetSettings(validation_fraction=validation, heldout_fraction=heldout)
    assert sizes(needed(settings), settings).train >= MIN_PROMPTS
    assert needed(settings) == MIN_PROMPTS or sizes(needed(settings) - 1, settings).train < MIN_PROMPTS
