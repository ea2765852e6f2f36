"""What the grader told of a run: its metric records, read back from its own log.

A record holds every value of a batch and costs nothing to read, where a metric per run, split and component would cost by the hour
(FilterLogEvents is not billed; CloudWatch pricing). Only figures stand in it: no text of a prompt, answer or reference is ever logged.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs
from contracts import names
from contracts.emf import NOTED_COMPONENTS, NOTED_SPLIT
from contracts.metrics import DIMENSION_RUN, Metric

from pipeline import aws


@attrs.frozen(kw_only=True)
class Record:
    """What one call of the grader told of one split, or what its judge took.

    Attributes:
        at: when it was logged, in milliseconds since 1970.
        split: train or validation.
        members: the record's members by name.
    """

    at: int
    split: str
    members: Mapping[str, Any]

    def values(self, metric: Metric) -> Sequence[float]:
        """Every value of a metric, one for each response, group or call; empty where the record has none."""
        found: Any = self.members.get(metric.metric_name)
        return [value for value in (found if isinstance(found, list) else [found]) if _is_number(value)]

    def components(self) -> Iterator[tuple[str, float, int]]:
        """Name, sum and number of each component of the scores."""
        found = self.members.get(NOTED_COMPONENTS)
        for name, pair in (found if isinstance(found, dict) else {}).items():
            if isinstance(pair, list) and len(pair) == 2 and all(map(_is_number, pair)):
                yield str(name), float(pair[0]), int(pair[1])


def read(log_group: str, run_id: str, *, since: int, until: int) -> list[Record]:
    """The records of a run in order of time; what else its own code may print is passed over.

    Args:
        since, until: milliseconds since 1970, both included.
    """
    pages = (
        aws.logs()
        .get_paginator("filter_log_events")
        .paginate(logGroupName=log_group, startTime=since, endTime=until, filterPattern=f'{{ $.{DIMENSION_RUN} = "{run_id}" }}')
    )
    found = [parsed(event["message"], run_id, at=event["timestamp"]) for page in pages for event in page["events"]]
    return sorted((record for record in found if record is not None), key=lambda record: record.at)


def parsed(message: str, run_id: str, *, at: int) -> Record | None:
    """The record in a line of the log; None for a line that is none of this run's training or validation."""
    try:
        members = json.loads(message)
    except ValueError:
        return None
    if not isinstance(members, dict) or members.get(DIMENSION_RUN) != run_id:
        return None
    split = members.get(NOTED_SPLIT)
    if split not in (names.SPLIT_TRAIN, names.SPLIT_VALIDATION):
        return None
    return Record(at=at, split=split, members=members)


def _is_number(value: object) -> bool:
    # json.loads reads NaN and Infinity, which no sound record holds.
    return type(value) in (int, float) and abs(value) < 1e300  # type: ignore[arg-type]
