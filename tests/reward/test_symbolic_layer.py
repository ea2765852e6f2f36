"""The optional layer: built only where settings ask for it, pure Python, and all that the grader needs beside the standard library."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stacks import packaging

PART = {"name": "maths", "grader": "symbolic", "weight": 1.0}


@pytest.mark.parametrize(
    ("grader", "options", "needed"),
    [
        ("math", {}, False),
        ("symbolic", {}, True),
        ("composite", {"parts": [PART]}, True),
        ("composite", {"parts": [{"name": "a", "grader": "composite", "options": {"parts": [PART]}}]}, True),
        ("composite", {"parts": [{"name": "symbolic", "grader": "math"}]}, False),
        ("format", {"sections": ["symbolic"]}, False),
    ],
)
def test_the_layer_is_built_for_the_grader_that_needs_it(grader: str, options: dict[str, Any], needed: bool) -> None:
    assert packaging.needs_symbolic_layer(grader, options) is needed


GRADE = """
from reward.contract import Sample
from reward.graders import build
from reward.handler import handler

score = build("symbolic", {"seconds": 10.0})(Sample("s", r"\\boxed{\\sqrt{12}}", r"2\\sqrt{3}", [], {}))
print(score.outcome.value)
"""


def test_the_layer_and_the_reward_tree_are_all_that_a_function_needs(tmp_path: Path) -> None:
    layer = packaging.symbolic_layer_tree()
    files = [path for path in layer.rglob("*") if path.is_file()]
    assert not [path for path in files if path.suffix in {".so", ".pyd", ".pyc"} or path.name in {"RECORD", "direct_url.json"}]
    assert sum(path.stat().st_size for path in files) < 30_000_000
    tree = packaging.reward_tree(tmp_path)
    environment = {"PYTHONPATH": os.pathsep.join([str(tree), str(layer / "python")]), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-S", "-c", GRADE], capture_output=True, text=True, env=environment, timeout=300, check=False)
    assert done.stdout.split() == ["correct"], done.stderr[-2000:]


def test_without_the_layer_the_grader_says_what_is_missing(tmp_path: Path) -> None:
    environment = {"PYTHONPATH": str(packaging.reward_tree(tmp_path))}
    done = subprocess.run([sys.executable, "-S", "-c", GRADE], capture_output=True, text=True, env=environment, timeout=300, check=False)
    assert "lambda/symbolic/requirements.txt" in done.stderr
