"""Filters, order and pages of the List operations."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from local.bedrock.errors import invalid

T = TypeVar("T")

DEFAULT_PAGE = 100


def moment(value: str | float) -> datetime:
    """A timestamp parameter, or one of the stand-in's own, as an aware datetime."""
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    parsed = datetime.fromisoformat(value)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def between(created: str, params: dict[str, Any], after: str, before: str) -> bool:
    """Whether a creation time lies between the two timestamp parameters, as far as they were given."""
    at = moment(created)
    return (after not in params or at > moment(params[after])) and (before not in params or at < moment(params[before]))


def page(rows: Sequence[tuple[str, str, T]], params: dict[str, Any]) -> tuple[list[T], str | None]:
    """One page of rows, newest first unless `sortOrder` says otherwise.

    Args:
        rows: creation time, a unique key, and the row.
        params: `sortOrder`, `maxResults`, `nextToken`.

    Returns:
        the page, and the token of the next one.

    Raises:
        ServiceError: ValidationException for a token that this stand-in did not give out.
    """
    ordered = sorted(rows, key=lambda row: row[:2], reverse=params.get("sortOrder", "Descending") == "Descending")
    first = 0
    if "nextToken" in params:
        last = _decoded(params["nextToken"])
        first = next((index + 1 for index, row in enumerate(ordered) if row[1] == last), -1)
        if first < 0:
            raise invalid("Value at 'nextToken' failed to satisfy constraint: Member must be a token of the preceding page")
    size = params.get("maxResults", DEFAULT_PAGE)
    part = ordered[first : first + size]
    more = first + size < len(ordered)
    return [row[2] for row in part], base64.urlsafe_b64encode(part[-1][1].encode()).decode() if more else None


def _decoded(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, ValueError):
        return ""
