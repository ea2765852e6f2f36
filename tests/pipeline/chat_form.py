"""The form of a custom notification as AWS documents it, as JSON Schema (chat applications administrator guide, custom-notifs)."""

from __future__ import annotations

from typing import Any

import jsonschema

_TEXTS: dict[str, Any] = {"type": "array", "items": {"type": "string", "minLength": 1}}

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["version", "source", "content"],
    "additionalProperties": False,
    "properties": {
        "version": {"const": "1.0"},
        "source": {"const": "custom"},
        "id": {"type": "string"},
        "content": {
            "type": "object",
            "required": ["description"],
            "additionalProperties": False,
            "properties": {
                "textType": {"const": "client-markdown"},
                "title": {"type": "string"},
                "description": {"type": "string", "minLength": 1},
                "nextSteps": _TEXTS,
                "keywords": _TEXTS,
            },
        },
        "metadata": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "threadId": {"type": "string"},
                "summary": {"type": "string"},
                "eventType": {"type": "string"},
                "relatedResources": _TEXTS,
                "additionalContext": {"type": "object", "additionalProperties": {"type": "string"}},
            },
        },
    },
}


def content(shown: Any) -> dict[str, Any]:
    """What a channel shows of the form, once it is one."""
    jsonschema.validate(shown, SCHEMA)
    found: dict[str, Any] = shown["content"]
    return found
