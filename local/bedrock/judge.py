"""A stand-in for a judge model: rules instead of a language model, so that judged rewards can be tried without one.

It reads the texts between the judge's markers and scores how many of the reference's (or context's, or prompt's) words the candidate
holds, and how many of the candidate's words come from there. It cannot be talked into anything and understands nothing: what it pays
says whether requests, answers, permissions and retries work, and not whether a reward is a good one.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from typing import Any

from reward.judging import models
from reward.judging.prompts import CANDIDATE, CONTEXT, PROMPT, REFERENCE

from local.bedrock.errors import ServiceError, invalid
from local.bedrock.faults import Faults

NOTE = "(Local stand-in: scored by shared words, not by a language model.)"

_BLOCK = re.compile(r"^\[\[\[BEGIN ([A-Z]+) ([0-9a-f]{24})\]\]\]\n(.*?)\n\[\[\[END \1 \2\]\]\]$", re.DOTALL | re.MULTILINE)
_TOKEN = re.compile(r"^The token of this message is ([0-9a-f]{24})\.")
_CRITERION = re.compile(r"^- (\w+) \((0 or 1|1 to 5):", re.MULTILINE)
_WORD = re.compile(r"[^\W_]+")
_TIE = 0.02


def serves(model: str) -> bool:
    """Whether this names a judge model of the table; a base model answers as itself unless a message asks it to judge."""
    return model.rsplit("/", 1)[-1] in models.OFFERED or models.model_behind(model.rsplit("/", 1)[-1]) in models.OFFERED


def texts_of(message: str) -> dict[str, str]:
    """The texts between the markers that carry the message's own token; empty for a message that asks for no judgement."""
    token = _TOKEN.match(message)
    return {name: text for name, mark, text in _BLOCK.findall(message) if mark == token[1]} if token else {}


def answer(params: dict[str, Any], message: str, faults: Faults) -> list[dict[str, Any]]:
    """The content blocks of a verdict.

    Args:
        params: the Converse request.
        message: text of its last turn.
        faults: `slow_judge` and `judge_malformed` are looked for.

    Raises:
        ServiceError: ValidationException for a request that this judge cannot read.
    """
    slow = faults.take("slow_judge")
    if slow is not None:
        time.sleep(slow.params["seconds"])
    tool = _forced_tool(params)
    schema = tool["inputSchema"]["json"]["properties"] if tool else _asked_in_words(params)
    verdict = _verdict(schema, texts_of(message))
    if faults.take("judge_malformed"):
        verdict = {"verdict": "as good as it gets"}
    if tool:
        return [{"toolUse": {"toolUseId": "tooluse_standin", "name": tool["name"], "input": verdict}}]
    return [{"text": json.dumps(verdict)}]


def _forced_tool(params: dict[str, Any]) -> dict[str, Any] | None:
    config = params.get("toolConfig")
    if not config:
        return None
    name = config.get("toolChoice", {}).get("tool", {}).get("name")
    for each in config["tools"]:
        spec: dict[str, Any] | None = each.get("toolSpec")
        if spec and spec["name"] == name and isinstance(spec["inputSchema"].get("json", {}).get("properties"), dict):
            return spec
    raise invalid("The local stand-in judges by a forced tool: toolChoice.tool.name must name a tool with an input schema.")


def _asked_in_words(params: dict[str, Any]) -> dict[str, Any]:
    """The criteria of the system prompt, in the form of a schema, for a judge that is asked for JSON text."""
    system = "\n".join(block.get("text", "") for block in params.get("system", []))
    levels = {"0 or 1": [0, 1], "1 to 5": [1, 2, 3, 4, 5]}
    return {name: {"properties": {"score": {"enum": levels[scale]}}} for name, scale in _CRITERION.findall(system)}


def _verdict(schema: dict[str, Any], texts: dict[str, str]) -> dict[str, Any]:
    if "FIRST" in texts and "SECOND" in texts:
        first, second = _overlap(texts["FIRST"], texts), _overlap(texts["SECOND"], texts)
        return {"choice": "tie" if abs(first - second) <= _TIE else "first" if first > second else "second"}
    if CANDIDATE not in texts or not schema:
        raise ServiceError("ValidationException", "The local stand-in found no candidate between the judge's markers, or no criteria.")
    share = _overlap(texts[CANDIDATE], texts)
    return {name: _entry(each, share) for name, each in schema.items()}


def _entry(entry: dict[str, Any], share: float) -> dict[str, Any]:
    properties = entry["properties"]
    levels = properties["score"]["enum"]
    found: dict[str, Any] = {"score": levels[min(len(levels) - 1, int(share * len(levels)))]}
    return {"reason": NOTE, **found} if "reason" in properties else found


def _overlap(candidate: str, texts: dict[str, str]) -> float:
    """F1 of the words of the candidate and of what it should say, 0 to 1."""
    wanted = _words(texts.get(REFERENCE) or texts.get(CONTEXT) or texts.get(PROMPT, ""))
    said = _words(candidate)
    shared = (wanted & said).total()
    return 2 * shared / (wanted.total() + said.total()) if shared else 0.0


def _words(text: str) -> Counter[str]:
    return Counter(_WORD.findall(text.lower()))
