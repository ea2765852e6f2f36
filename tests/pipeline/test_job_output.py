"""The job's CSV files: whatever Bedrock leaves, by training step, and never an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pipeline import job_output
from pipeline.job_output import by_step, part_of, table


def test_a_csv_keeps_every_column_and_leaves_out_what_is_cut() -> None:
    found = table(b"\xef\xbb\xbfstep_number, critic/rewards/mean,note\n0,0.25,warm\n1,nan,\n2,0.5\n3,0.75,x\n")

    assert found.columns == ["step_number", "critic/rewards/mean", "note"]
    assert [row["critic/rewards/mean"] for row in found.rows] == [0.25, None, 0.75]
    assert found.notes == ["1 rows were left out: cut, too long, or beyond 5000"]


@given(st.binary(max_size=300))
def test_no_file_breaks_the_reading(body: bytes) -> None:
    found = table(body)
    assert all(row.keys() <= set(found.columns) for row in found.rows)
    values, _ = by_step(found)
    assert all(step >= 1 for step in values)


def test_a_file_that_counts_from_0_is_moved_to_1_and_unknown_columns_come_along() -> None:
    found, notes = by_step(table(b"step_number,epoch_number,training_loss,odd column\n0,0,1.5,7\n1,0,nan,8\n2,1,0.5,text\n"))
    assert found == {1: {"training_loss": 1.5, "odd column": 7.0}, 2: {"odd column": 8.0}, 3: {"training_loss": 0.5}}
    assert notes == []


@pytest.mark.parametrize("column", ["step", "Step", "steps", "global_step", "GlobalStep", "training step", "step_number", "iteration"])
def test_the_column_of_the_step_is_found_by_its_usual_names(column: str) -> None:
    assert by_step(table(f"loss,{column},epoch\n0.5,3,1\n".encode())) == ({3: {"loss": 0.5}}, [])


def test_rows_that_name_no_step_are_counted_and_stand_apart() -> None:
    found, notes = by_step(table(b"step,loss\n1,0.5\n,0.4\nnan,0.3\n1.5,0.2\n-1,0.1\n1e300,0.1\nlast,0.1\n"))
    assert found == {1: {"loss": 0.5}}
    assert notes == ["6 rows name no step and stand apart"]


def test_of_a_step_in_several_rows_the_means_are_taken() -> None:
    found, notes = by_step(table(b"step,loss,entropy\n1,1.0,2\n1,3.0,\n2,5.0,1\n"))
    assert found == {1: {"loss": 2.0, "entropy": 2.0}, 2: {"loss": 5.0, "entropy": 1.0}}
    assert notes == ["1 steps stand in several rows; their means are taken"]


def test_without_a_column_of_the_step_the_rows_stand_apart_and_a_note_says_so() -> None:
    assert by_step(table(b"loss,stepwise\n0.5,1\n")) == ({}, ["has no column of the step, so its rows stand apart"])
    assert by_step(table(b"")) == ({}, [])


@pytest.mark.parametrize(
    ("file", "part"),
    [
        ("model-customization-job-a/training_artifacts/step_wise_training_metrics.csv", "training"),
        ("model-customization-job-a/validation_artifacts/post_fine_tuning_validation/validation/validation_metrics.csv", "validation"),
        ("anything.csv", "training"),
    ],
)
def test_a_file_belongs_to_the_part_its_path_names(file: str, part: str) -> None:
    assert part_of(file) == part


def test_no_more_rows_are_kept_than_allowed() -> None:
    found = table(b"step\n" + b"1\n" * (job_output.MAX_ROWS + 3))
    assert len(found.rows) == job_output.MAX_ROWS
    assert found.notes == ["3 rows were left out: cut, too long, or beyond 5000"]
