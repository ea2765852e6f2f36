"""The table: every alarm by its construct id, with what fires it, what just does not, and what clears it."""

from __future__ import annotations

from tests.alarms import cases_aws, cases_grader, cases_pipeline, cases_rails, cases_released
from tests.alarms.case import Case

CASES: dict[str, Case] = {**cases_rails.CASES, **cases_grader.CASES, **cases_pipeline.CASES, **cases_released.CASES, **cases_aws.CASES}
