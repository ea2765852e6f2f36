"""Judge models this project knows to be offered, where, and which of them can be made to use a tool.

Bedrock offers more than is listed: `judge.offered` in an environment's settings adds what its owner has seen in the console.
Source of Regions: Bedrock user guide, batch-inference-supported (its columns "foundation model" and "inference profile"), and for
Nova 2 Lite and Nova Premier rft-nova-models and rft-access-security, which invoke their US profiles. A profile is called from its
source Regions. Source of tools: API reference, ToolChoice ("only supported by Anthropic Claude 3 and Amazon Nova models").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_US = ("us-east-1", "us-east-2", "us-west-2")

OFFERED: dict[str, tuple[str, ...]] = {
    "amazon.nova-micro-v1:0": ("us-east-1",),
    "amazon.nova-lite-v1:0": ("us-east-1",),
    "amazon.nova-pro-v1:0": ("us-east-1",),
    "us.amazon.nova-micro-v1:0": _US,
    "us.amazon.nova-lite-v1:0": _US,
    "us.amazon.nova-pro-v1:0": _US,
    "us.amazon.nova-premier-v1:0": _US,
    "us.amazon.nova-2-lite-v1:0": ("us-east-1",),
}
"""Model id or inference profile id, and the Regions it can be called from."""

_TOOL_FAMILIES = ("amazon.nova", "anthropic.claude")
_GEOGRAPHIES = frozenset({"us", "us-gov", "eu", "apac", "jp", "au", "ca", "global"})
"""Prefixes of system-defined inference profiles (user guide, inference-profiles-support)."""


def model_behind(model: str) -> str | None:
    """The foundation model a system-defined inference profile routes to, such as ``amazon.nova-pro-v1:0``; None for anything else."""
    geography, _, rest = model.partition(".")
    return rest if geography in _GEOGRAPHIES and "." in rest else None


def takes_forced_tool(model: str) -> bool:
    """Whether the model can be made to answer through one tool. False for an ARN that does not say what model it stands for."""
    name = model.rsplit("/", 1)[-1] if model.startswith("arn:") else model
    return (model_behind(name) or name).startswith(_TOOL_FAMILIES)


def problem(model: str, region: str, added: Mapping[str, Sequence[str]]) -> str:
    """Why the model cannot judge in a Region, or nothing.

    Args:
        model: as the grader's options name it.
        region: where the reward function runs.
        added: models and their Regions from the environment's own settings.
    """
    offered = {**OFFERED, **{key: tuple(regions) for key, regions in added.items()}}
    if region in offered.get(model, ()):
        return ""
    here = ", ".join(sorted(key for key, regions in offered.items() if region in regions)) or "none"
    return f"allowed is a model known to be offered in {region} ({here}), or one that judge.offered adds"
