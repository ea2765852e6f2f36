"""Keeps text apart from instructions: what a candidate, a reference or a prompt says must never read as a word to the judge.

Each text stands between two marker lines that carry a token. The token is the hash of all the texts, so nobody can write it in
advance (the text would have to contain its own hash), and the same sample gives the same request every time, which a random token
would not. Markers forged with another token, and the control tokens of chat formats, are broken up before the text goes in.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

_MARKER = re.compile(r"[\[\uff3b]{3}(?=[\s/\u200b-\u200f\u2060\ufeff]*(?:begin|end)\b)", re.IGNORECASE)
# Those of Llama, Qwen and harmony, of DeepSeek, of Gemma and of Mistral.
_CONTROL_TOKEN = re.compile(
    r"<[|\uff5c](?=[\w\u2581 ]{1,40}[|\uff5c]>)|<(?=/?s>|/?SYS>|(?:start|end)_of_turn>)"
    r"|\[(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\])"
)
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")
"""Control characters, lone surrogates (no service takes them), and the characters that hide text or turn its direction."""


def fenced(blocks: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """The texts between their markers, and the token of the markers.

    Args:
        blocks: name of each text, in capitals, and the text.
    """
    texts = [(name, harmless(text)) for name, text in blocks]
    token = _token(texts)
    parts = [f"[[[BEGIN {name} {token}]]]\n{text}\n[[[END {name} {token}]]]" for name, text in texts]
    return "\n\n".join(parts), token


def harmless(text: str) -> str:
    """The text with everything broken up that could pass for a marker or for the frame of a conversation."""
    text = _INVISIBLE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))
    return _CONTROL_TOKEN.sub(lambda found: f"{found[0]} ", _MARKER.sub("[ [ [", text))


def _token(texts: Sequence[tuple[str, str]]) -> str:
    digest = hashlib.sha256()
    for name, text in texts:
        data = text.encode()
        digest.update(f"{name}\0{len(data)}\0".encode())
        digest.update(data)
    while True:
        token = digest.hexdigest()[:24]
        if not any(token in text for _, text in texts):
            return token
        digest.update(b"again")
