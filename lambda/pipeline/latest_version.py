"""Which version of a dataset is its latest: the one uploaded last, in whatever order registrations end.

A registration may be held up, retried a minute later, or asked for twice by the same event; the pointer never moves back for it. It is
written on condition only, so of many at once none undoes another's.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from typing import Any

from contracts import names
from contracts.errors import TransientFault

from pipeline import store

ATTEMPTS = 12
"""Writers at once lose to a later upload, and then need no further attempt, or to an earlier one: half of what is left each time."""

_FIRST_WAIT_SECONDS = 0.05
_LONGEST_WAIT_SECONDS = 1.0


def put(bucket: str, dataset: str, latest: Mapping[str, Any]) -> bool:
    """Points at a version unless a later upload is pointed at; says whether it does.

    Args:
        latest: `version`, `manifest`, `registered_at`, and `upload` with `at` and `sequencer`.

    Raises:
        TransientFault: others were quicker at every attempt.
    """
    key = names.latest_key(dataset)
    for attempt in range(ATTEMPTS):
        found = store.find_tagged(bucket, key)
        if found is not None and _is_later(found[0], latest):
            return False
        if store.replace(bucket, key, {"dataset": dataset, **latest}, found[1] if found else None):
            return True
        # Spread, or those who met once meet again.
        time.sleep(random.uniform(0, min(_FIRST_WAIT_SECONDS * 2**attempt, _LONGEST_WAIT_SECONDS)))
    raise TransientFault(f"{store.uri(bucket, key)} was written by others at each of {ATTEMPTS} attempts")


def _is_later(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether `one` was uploaded after `other`."""
    first, second = one.get("upload") or {}, other.get("upload") or {}
    # Of one key S3's sequencer tells the order, compared as text (S3 user guide, notification-content-structure); of two, the second.
    order = ("sequencer",) if first.get("key") == second.get("key") else ("at", "sequencer")
    return [str(first.get(name, "")) for name in order] > [str(second.get(name, "")) for name in order]
