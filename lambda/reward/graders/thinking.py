"""Reasoning that a model wrote into its response is not its answer."""

from __future__ import annotations

import re

# One literal character first, so that the search runs at the speed of memchr; no two repeats that could share a run of text.
_TAG = re.compile(r"<(?=[/tr])(/?)(think|thinking|thought|reasoning)\b[^<>]{0,80}>", re.IGNORECASE)

MAX_TAGS = 64
"""A response with more thinking tags than this is spam, and none of it counts."""


def without_thinking(text: str) -> str:
    """The parts of `text` outside ``<think>``, ``<thinking>``, ``<thought>`` and ``<reasoning>``, joined by spaces: what stood on
    one line still does, so that no block can hide half of it.

    A block ends at the first closing tag of its own name. A closing tag without an opening one ends thinking that began
    in the prompt, so all before it is left out. After an opening tag that is never closed nothing counts: the result is
    empty, as it is when there are more than `MAX_TAGS` tags.
    """
    if _TAG.search(text) is None:
        return text
    kept: list[str] = []
    start, inside = 0, ""
    for count, tag in enumerate(_TAG.finditer(text)):
        if count >= MAX_TAGS:
            return ""
        closing, name = tag[1], tag[2].lower()
        if not closing and not inside:
            kept.append(text[start : tag.start()])
            inside = name
        elif closing and name == inside:
            start, inside = tag.end(), ""
        elif closing and not inside:
            kept, start = [], tag.end()
    return "" if inside else " ".join([*kept, text[start:]])
