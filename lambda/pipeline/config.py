"""What a function is told through its environment variables, read once."""

from __future__ import annotations

import json
import os
from functools import lru_cache

from contracts import names
from contracts.errors import InvalidInput
from contracts.settings import PipelineSettings
from contracts.validation import structure


def variable(name: str) -> str:
    """The value of an environment variable.

    Raises:
        InvalidInput: if it is not set; the stack that deploys the function must set it.
    """
    value = os.environ.get(name, "")
    if not value:
        raise InvalidInput("the function's environment", [f"{name} is not set; the stack that deploys the function sets it"])
    return value


def chosen(name: str) -> str:
    """The value of an environment variable that is only set where settings ask for something; empty elsewhere."""
    return os.environ.get(name, "")


def listed(name: str) -> list[str]:
    """The values of a comma-separated environment variable."""
    return [part.strip() for part in variable(name).split(",") if part.strip()]


def environment() -> str:
    """dev, stage or prod."""
    return variable(names.ENV_ENVIRONMENT)


def region() -> str:
    """The Region the function runs in, which Lambda sets."""
    return variable("AWS_REGION")


def settings() -> PipelineSettings:
    """The environment's settings.

    Raises:
        InvalidInput: if they are not JSON or a value is not allowed.
    """
    return _parsed(variable(names.ENV_SETTINGS))


@lru_cache(maxsize=1)
def _parsed(text: str) -> PipelineSettings:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidInput(names.ENV_SETTINGS, [f"is not JSON at character {error.pos}; allowed is a JSON object"]) from None
    return structure(data, PipelineSettings, names.ENV_SETTINGS)
