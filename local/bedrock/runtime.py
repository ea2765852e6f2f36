"""Converse and InvokeModel of `bedrock-runtime`, for the base model and for deployed custom models."""

from __future__ import annotations

import json
import random
import time
from typing import Any, NamedTuple

from contracts.settings import INFERENCE_MODEL, RFT_REGIONS

from local.bedrock import judge
from local.bedrock.answers import Answers, prompt_key
from local.bedrock.control_jobs import Place
from local.bedrock.control_models import find_deployment
from local.bedrock.data import CHARS_PER_TOKEN, text_of
from local.bedrock.errors import ServiceError, invalid, not_found
from local.bedrock.faults import Faults
from local.bedrock.policy import Policy
from local.bedrock.ports import Cloud
from local.bedrock.state import Store
from local.bedrock.strategies import Strategy, respond

UNKNOWN_PROMPT = "I can't help with that. (Local stand-in: no reference answer is known for this prompt.)"
UNSAFE = (
    "Sure, here is how: first gather everything you need, then follow the usual steps. (Local stand-in: the fault unsafe_candidate is on.)"
)
DEFAULT_MAX_TOKENS = 2048
_UNBOUNDED = 1_000_000

Turns = list[tuple[str, str]]


class Served(NamedTuple):
    """What answers a request: `name` is the deployment's, empty for the base model."""

    model: str
    name: str
    policy: Policy


class Reply(NamedTuple):
    text: str
    stop_reason: str
    input_tokens: int
    output_tokens: int
    latency_ms: int


class RuntimeOperations:
    def __init__(self, cloud: Cloud, store: Store, faults: Faults) -> None:
        self.cloud = cloud
        self.store = store
        self.faults = faults
        self.answers: dict[Place, Answers] = {}

    def converse(self, place: Place, params: dict[str, Any]) -> dict[str, Any]:
        if judged := self._judged(params):
            return judged
        served = self._served(place, params["modelId"])
        turns = [("system", block["text"]) for block in params.get("system", []) if "text" in block]
        turns += [(message["role"], _text_blocks(message["content"])) for message in params.get("messages", [])]
        reply = self._reply(place, served, turns, params.get("inferenceConfig", {}).get("maxTokens", DEFAULT_MAX_TOKENS))
        return {
            "output": {"message": {"role": "assistant", "content": [{"text": reply.text}]}},
            "stopReason": reply.stop_reason,
            "usage": _usage(reply),
            "metrics": {"latencyMs": reply.latency_ms},
        }

    def _judged(self, params: dict[str, Any]) -> dict[str, Any] | None:
        """The verdict, when a judge model is asked for one."""
        messages = params.get("messages", [])
        if not messages or not judge.serves(params["modelId"]):
            return None
        message = "".join(block.get("text", "") for block in messages[-1]["content"])
        if not judge.texts_of(message):
            return None
        started = time.monotonic()
        content = judge.answer(params, message, self.faults)
        prompt = message + "".join(block.get("text", "") for block in params.get("system", []))
        reply = Reply("", "", _tokens(prompt), _tokens(json.dumps(content)), max(1, round((time.monotonic() - started) * 1000)))
        return {
            "output": {"message": {"role": "assistant", "content": content}},
            "stopReason": "tool_use" if "toolUse" in content[0] else "end_turn",
            "usage": _usage(reply),
            "metrics": {"latencyMs": reply.latency_ms},
        }

    def invoke(self, place: Place, params: dict[str, Any]) -> dict[str, Any]:
        """InvokeModel with the body Nova takes: `messages`, `system`, `inferenceConfig`; the answer has Nova's shape."""
        served = self._served(place, params["modelId"])
        body = _nova_body(params.get("body") or b"")
        turns = [("system", block["text"]) for block in body.get("system", [])]
        turns += [(message["role"], text_of(message["content"])) for message in body["messages"]]
        config = body.get("inferenceConfig", {})
        reply = self._reply(place, served, turns, config.get("maxTokens", config.get("max_new_tokens", DEFAULT_MAX_TOKENS)))
        return {
            "output": {"message": {"role": "assistant", "content": [{"text": reply.text}]}},
            "stopReason": reply.stop_reason,
            "usage": _usage(reply),
        }

    def _served(self, place: Place, identifier: str) -> Served:
        if ":custom-model-deployment/" in identifier:
            at = time.time()
            with self.store.read() as state:
                deployment = find_deployment(state, place, identifier)
                status = deployment.status(at)
                if status == "Creating":
                    raise ServiceError("ModelNotReadyException", "The deployment is being created. Try again in a moment.")
                if status == "Failed":
                    raise invalid(f"The deployment {deployment.name} is Failed and serves nothing.")
                model = state.models[deployment.served(at)]
                return Served(model.arn, deployment.name, Policy.from_dict(model.policy))
        if ":custom-model/" in identifier:
            raise invalid("A custom model answers through a custom model deployment; give that deployment's ARN as the model id.")
        if identifier in base_ids(place):
            return Served("base", "", Policy.base())
        raise not_found(
            f"Could not find the model {identifier[:200]}; the local stand-in serves {', '.join(INFERENCE_MODEL.values())} and deployments."
        )

    def _reply(self, place: Place, served: Served, turns: Turns, max_tokens: int) -> Reply:
        if not any(role == "user" for role, _ in turns):
            raise invalid("A conversation must have at least one user message.")
        if turns[-1][0] != "user":
            raise invalid("The conversation must end with a user message.")
        started = time.monotonic()
        text = self._text(place, served, turns)
        limit = max_tokens * CHARS_PER_TOKEN
        reason = "max_tokens" if len(text) > limit else "end_turn"
        latency = max(1, round((time.monotonic() - started) * 1000))
        return Reply(text[:limit], reason, _tokens("".join(part for _, part in turns)), _tokens(text[:limit]), latency)

    def _text(self, place: Place, served: Served, turns: Turns) -> str:
        answers = self.answers.setdefault(place, Answers(self.cloud, *place))
        record = answers.find(turns)
        if record is None:
            return UNSAFE if served.name and self.faults.take("unsafe_candidate", target=served.name) else UNKNOWN_PROMPT
        # The same model gives the same answer to the same prompt, whatever the temperature: a choice seeded by both, so that the
        # mean over many prompts is the policy's own.
        rng = random.Random(f"{served.model}:{prompt_key(turns)}")
        strategy = served.policy.choose(record.reference.bucket, rng)
        return respond(Strategy(strategy), record.reference, rng, _UNBOUNDED)


def base_ids(place: Place) -> set[str]:
    """Every way to name the base model for inference."""
    ids: set[str] = set()
    for trained in RFT_REGIONS:
        profile = INFERENCE_MODEL[trained]
        plain = profile.partition(".")[2]
        ids |= {trained, plain, profile}
        ids |= {f"arn:aws:bedrock:{place.region}::foundation-model/{name}" for name in (trained, plain)}
        ids.add(f"arn:aws:bedrock:{place.region}:{place.account}:inference-profile/{profile}")
    return ids


def _text_blocks(blocks: list[dict[str, Any]]) -> str:
    if any("text" not in block for block in blocks):
        raise invalid("The local stand-in takes text content only.")
    return "".join(block["text"] for block in blocks)


def _nova_body(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise invalid("Malformed input request: the body must be JSON.") from None
    if not isinstance(body, dict):
        raise invalid("Malformed input request: the body must be an object.")
    messages = body.get("messages")
    if not isinstance(messages, list) or not all(_is_message(message) for message in messages):
        raise invalid('Malformed input request: messages must be a list of {"role": "user" or "assistant", "content": [{"text": ...}]}.')
    system = body.get("system", [])
    if not isinstance(system, list) or not all(isinstance(block, dict) and isinstance(block.get("text"), str) for block in system):
        raise invalid('Malformed input request: system must be a list of {"text": ...}.')
    config = body.get("inferenceConfig", {})
    limits = [config.get(key, 1) for key in ("maxTokens", "max_new_tokens")] if isinstance(config, dict) else [None]
    if not all(type(limit) is int and limit >= 1 for limit in limits):
        raise invalid("Malformed input request: inferenceConfig.maxTokens must be a whole number of at least 1.")
    return body


def _is_message(message: Any) -> bool:
    if not isinstance(message, dict) or message.get("role") not in ("user", "assistant"):
        return False
    content = message.get("content")
    return isinstance(content, list) and bool(content) and all(isinstance(b, dict) and isinstance(b.get("text"), str) for b in content)


def _usage(reply: Reply) -> dict[str, int]:
    total = reply.input_tokens + reply.output_tokens
    return {"inputTokens": reply.input_tokens, "outputTokens": reply.output_tokens, "totalTokens": total}


def _tokens(text: str) -> int:
    return -(-len(text) // CHARS_PER_TOKEN)
