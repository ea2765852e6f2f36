"""The lineage as boxes and arrows: what went into the run on the left, the run, and the model that came out on the right."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

WIDTH = 1080
_GAP, _LINE, _PAD = 14, 17, 12
_INPUT_WIDTH, _RUN_WIDTH, _MODEL_WIDTH = 340, 330, 270
_BETWEEN = (WIDTH - 8 - _INPUT_WIDTH - _RUN_WIDTH - _MODEL_WIDTH) / 2
_CHARACTER = 6.9
"""Width of a character at the picture's font size, as wide fonts have it."""


@attrs.frozen(kw_only=True)
class Box:
    """One box; `x` and `y` are its upper left corner, in units of the picture."""

    title: str
    lines: tuple[str, ...]
    kind: str
    x: float
    y: float
    width: float

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
        box = Box(title=title, lines=_fitting(lines, _INPUT_WIDTH), kind=kind, x=4, y=y, width=_INPUT_WIDTH)
        left.append(box)
        y += box.height + _GAP
    height = max(y - _GAP + 4, 150.0)
    run = _centred("run", _run_lines(lineage), "run", x=_INPUT_WIDTH + 4 + _BETWEEN, width=_RUN_WIDTH, height=height)
    model = _centred(*_model(lineage), x=WIDTH - _MODEL_WIDTH - 4, width=_MODEL_WIDTH, height=height)
    arrows = [_arrow(box, run) for box in left] + [_arrow(run, model)]
    return Picture(boxes=(*left, run, model), arrows=tuple(arrows), height=height)


def _inputs(lineage: Mapping[str, Any]) -> list[tuple[str, list[str], str]]:
    dataset, reward = lineage.get("dataset") or {}, lineage.get("reward") or {}
    hyper, model = lineage.get("hyperparameters") or {}, lineage.get("model") or {}
    found: list[tuple[str, list[str], str]] = []
    if dataset:
        prompts = ", ".join(f"{count} {split}" for split, count in (dataset.get("prompts") or {}).items())
        found.append(
            (f"dataset {dataset['name']}", [f"version {dataset['version']}", f"sha256 {_digest(dataset['sha256'])}", prompts], "input")
        )
    if reward:
        found.append((f"reward function, version {reward['version']}", [f"code {_digest(reward['code_sha256'])}"], "input"))
    if model.get("base_model"):
        found.append(("base model", [str(model["base_model"])], "input"))
    if hyper:
        pairs = [
            f"{key.replace('_', ' ')} {value:g}" if isinstance(value, float) else f"{key.replace('_', ' ')} {value}"
            for key, value in hyper.items()
        ]
        found.append(("hyperparameters", [", ".join(pairs)], "input"))
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


def _centred(title: str, lines: list[str], kind: str, *, x: float, width: float, height: float) -> Box:
    box = Box(title=title, lines=_fitting(lines, width), kind=kind, x=x, y=0, width=width)
    return attrs.evolve(box, y=(height - box.height) / 2)


def _arrow(start: Box, end: Box) -> str:
    x0, x1 = start.x + start.width, end.x - 7
    bend = (x0 + x1) / 2
    # Arrows into the run spread over its side, so that they can be told apart.
    target = end.middle + max(-end.height * 0.32, min(end.height * 0.32, (start.middle - end.middle) * 0.25))
    return f"M{x0:.1f},{start.middle:.1f} C{bend:.1f},{start.middle:.1f} {bend:.1f},{target:.1f} {x1:.1f},{target:.1f}"


def _who(arn: str) -> str:
    return arn.split(":", 5)[5] if arn.startswith("arn:") and arn.count(":") >= 5 else arn


def _digest(text: str) -> str:
    return text if len(text) <= 16 else f"{text[:16]}…"


def _fitting(lines: Sequence[str], width: float) -> tuple[str, ...]:
    """The lines, broken at their spaces so that they fit the box; what cannot be broken is cut."""
    room = int((width - 26) / _CHARACTER)
    broken = [part for line in lines if line for part in textwrap.wrap(line, room, break_on_hyphens=False)]
    return tuple(part if len(part) <= room else f"{part[: room - 1]}…" for part in broken)
