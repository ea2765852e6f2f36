"""The lineage as boxes and arrows: what went into the run on the left, the run, and the model that came out on the right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

WIDTH = 1000
_BOX_WIDTH, _GAP, _LINE, _PAD = 300, 14, 17, 12
_CHARACTERS = 41
"""Characters that fit a line of a box at the picture's font size."""


@attrs.frozen(kw_only=True)
class Box:
    """One box; `x` and `y` are its upper left corner, in units of the picture."""

    title: str
    lines: tuple[str, ...]
    kind: str
    x: float
    y: float
    width: float = _BOX_WIDTH

    @property
    def height(self) -> float:
        return 2 * _PAD + _LINE * (1 + len(self.lines)) - 3

    @property
    def middle(self) -> float:
        return self.y + self.height / 2

    def baseline(self, line: int) -> float:
        """Where text stands; line 0 is the title."""
        return self.y + _PAD + 11 + line * _LINE


@attrs.frozen(kw_only=True)
class Picture:
    boxes: tuple[Box, ...]
    arrows: tuple[str, ...]
    height: float
    width: int = WIDTH


def lineage_picture(lineage: Mapping[str, Any]) -> Picture:
    """Places the boxes of a lineage record; what the run never reached is left out."""
    left: list[Box] = []
    y = 4.0
    for title, lines, kind in _inputs(lineage):
        box = Box(title=title, lines=tuple(_short(line) for line in lines if line), kind=kind, x=4, y=y)
        left.append(box)
        y += box.height + _GAP
    height = max(y - _GAP + 4, 150.0)
    run = _centred("run", _run_lines(lineage), "run", x=(WIDTH - _BOX_WIDTH) / 2, height=height)
    model = _centred(*_model(lineage), x=WIDTH - _BOX_WIDTH - 4, height=height)
    arrows = [_arrow(box, run) for box in left] + [_arrow(run, model)]
    return Picture(boxes=(*left, run, model), arrows=tuple(arrows), height=height)


def _inputs(lineage: Mapping[str, Any]) -> list[tuple[str, list[str], str]]:
    dataset, reward = lineage.get("dataset") or {}, lineage.get("reward") or {}
    hyper, model = lineage.get("hyperparameters") or {}, lineage.get("model") or {}
    found: list[tuple[str, list[str], str]] = []
    if dataset:
        prompts = ", ".join(f"{count} {split}" for split, count in (dataset.get("prompts") or {}).items())
        found.append((f"dataset {dataset['name']}", [f"version {dataset['version']}", f"sha256 {dataset['sha256']}", prompts], "input"))
    if reward:
        found.append((f"reward function, version {reward['version']}", [f"code {reward['code_sha256']}"], "input"))
    if model.get("base_model"):
        found.append(("base model", [str(model["base_model"])], "input"))
    if hyper:
        pairs = [
            f"{key.replace('_', ' ')} {value:g}" if isinstance(value, float) else f"{key.replace('_', ' ')} {value}"
            for key, value in hyper.items()
        ]
        found.append(("hyperparameters", [", ".join(pairs[at : at + 2]) for at in range(0, len(pairs), 2)], "input"))
    found.append(("people", _people(lineage), "people"))
    return found


def _people(lineage: Mapping[str, Any]) -> list[str]:
    lines = [f"asked for by {_who(str(lineage.get('requested_by') or 'unknown'))}"]
    for kind, answer in (lineage.get("approvals") or {}).items():
        if isinstance(answer, Mapping):
            word = "approved" if answer.get("approved") is True else "refused"
            lines.append(f"{kind} {word} by {_who(str(answer.get('by', 'unknown')))}")
    return lines if len(lines) > 1 else [*lines, "no approval was needed"]


def _run_lines(lineage: Mapping[str, Any]) -> list[str]:
    outcome, gate = lineage.get("outcome") or {}, lineage.get("gate") or {}
    job = str((lineage.get("job") or {}).get("job_arn") or "")
    lines = [str(lineage.get("run_id", "")), f"outcome {outcome.get('code', 'none')}"]
    if job:
        lines.append(f"job {job.rpartition('/')[2]}")
    if gate:
        lines.append(f"gate {'passed' if gate.get('passed') else 'refused'}, gain {gate['difference']:+.3f}")
    return lines


def _model(lineage: Mapping[str, Any]) -> tuple[str, list[str], str]:
    model = lineage.get("model") or {}
    if not model.get("model_arn"):
        return "no model", [f"the run ended in {(lineage.get('outcome') or {}).get('state', 'an early state')}"], "none"
    lines = [f"custom-model/…/{str(model['model_arn']).rpartition('/')[2]}"]
    if model.get("deployment_arn"):
        lines.append(f"deployment {str(model['deployment_arn']).rpartition('/')[2]}")
    return ("released model", lines, "model") if model.get("released") else ("model, not released", lines, "none")


def _centred(title: str, lines: list[str], kind: str, *, x: float, height: float) -> Box:
    box = Box(title=title, lines=tuple(_short(line) for line in lines if line), kind=kind, x=x, y=0)
    return attrs.evolve(box, y=(height - box.height) / 2)


def _arrow(start: Box, end: Box) -> str:
    x0, x1 = start.x + start.width, end.x - 7
    bend = (x0 + x1) / 2
    # Arrows into the run spread over its side, so that they can be told apart.
    target = end.middle + max(-end.height * 0.32, min(end.height * 0.32, (start.middle - end.middle) * 0.25))
    return f"M{x0:.1f},{start.middle:.1f} C{bend:.1f},{start.middle:.1f} {bend:.1f},{target:.1f} {x1:.1f},{target:.1f}"


def _who(arn: str) -> str:
    return arn.split(":", 5)[5] if arn.startswith("arn:") and arn.count(":") >= 5 else arn


def _short(text: str) -> str:
    return text if len(text) <= _CHARACTERS else f"{text[: _CHARACTERS - 1]}…"
