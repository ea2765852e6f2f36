"""How graders are found, built and refused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from contracts.errors import InvalidInput
from reward import custom, graders
from reward.contract import Sample
from reward.graders import build, known, options_of
from reward.score import FAULTS, METRIC_OF, Outcome

LAMBDA = Path(graders.__file__).parents[2]
GOOD = "from reward.score import Outcome, Score\n\ndef grade(sample):\n    return Score(1.0, Outcome.CORRECT)\n"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory whose modules count as one's own graders."""
    monkeypatch.setattr(custom, "__path__", [*custom.__path__, str(tmp_path)])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith(custom.__name__):
            del sys.modules[name]


def refusal(name: Any, options: dict[str, Any] | None = None) -> str:
    with pytest.raises(InvalidInput) as caught:
        build(name, options)
    return str(caught.value)


def test_known_names_are_graders_and_not_what_graders_are_made_of() -> None:
    assert {"math", "format", "match", "similarity", "pii", "policy", "safety", "preference", "code", "composite"} <= set(known())
    assert not {"numerals", "thinking", "texts", "criteria", "schema", "options", "limits", "measures", "detectors", "program"} & set(
        known()
    )
    assert "starting_point" in known()


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    assert refusal("vibes").startswith("reward settings: grader = 'vibes': allowed is one of code, composite, format")


@pytest.mark.parametrize(
    "name", ["texts", "__init__", "..math", "math.grader", "os", "Math", "", None, 3, "x" * 200, "custom/starting_point"]
)
def test_only_a_grader_is_imported_by_name(name: Any) -> None:
    assert "allowed is one of" in refusal(name)


def test_an_unknown_option_is_refused_with_the_known_ones() -> None:
    assert refusal("similarity", {"mesure": "chrf"}).endswith(
        "options.mesure is not an option of the grader similarity; its options: floor, measure"
    )


def test_options_come_with_their_defaults() -> None:
    assert options_of("similarity") == {"measure": "rouge_l", "floor": 0.0}
    assert options_of("starting_point") == {}
    with pytest.raises(InvalidInput):
        options_of("vibes")


def test_building_one_grader_imports_no_other() -> None:
    code = (
        "import sys; from reward.graders import build; build('math');"
        "print(*sorted(m for m in sys.modules if m.startswith(('reward.graders.', 'reward.custom.'))))"
    )
    run = subprocess.run([sys.executable, "-S", "-c", code], env={"PYTHONPATH": str(LAMBDA)}, capture_output=True, text=True, check=True)
    assert set(run.stdout.split()) <= {"reward.graders.math", "reward.graders.numerals", "reward.graders.thinking"}


@pytest.mark.parametrize("name", ["format", "match", "similarity", "pii", "policy", "safety", "preference", "code", "composite"])
def test_every_grader_of_the_catalogue_needs_the_standard_library_only(name: str) -> None:
    code = f"import sys; import reward.graders.{name}; print(*{{m.partition('.')[0] for m in sys.modules}} - set(sys.stdlib_module_names))"
    run = subprocess.run([sys.executable, "-S", "-c", code], env={"PYTHONPATH": str(LAMBDA)}, capture_output=True, text=True, check=True)
    assert set(run.stdout.split()) - {"__main__"} == {"contracts", "reward"}


def test_ones_own_grader_is_found_by_its_file_name(own: Path) -> None:
    (own / "mine.py").write_text(GOOD)
    assert "mine" in known()
    assert build("mine")(Sample("s", "x", None, [], {})).value == 1.0
    assert "options.mode is not an option of the grader mine; its options: none" in refusal("mine", {"mode": "strict"})


def test_a_name_that_is_built_in_already_is_refused(own: Path) -> None:
    (own / "math.py").write_text(GOOD)
    assert "reward/custom/math.py has a built-in grader's name" in refusal("math")


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("def grade(sample:\n", "broken.py cannot be imported (SyntaxError, line 1: '(' was never closed)"),
        ("import no_such_module\n", "broken.py cannot be imported (ModuleNotFoundError: no_such_module)"),
        ("\nraise SystemError('a secret')\n", "broken.py cannot be imported (SystemError at broken.py:2)"),
        ("GRADE = 1\n", "broken.py must define one function, grade(sample: Sample) -> Score"),
        ("grade = 3\n", "broken.py must define one function, grade(sample: Sample) -> Score"),
        ("def grade(sample, mode):\n    return 1\n", "broken.py must define one function, grade(sample: Sample) -> Score"),
    ],
)
def test_a_broken_grader_of_ones_own_is_refused_with_its_file(own: Path, source: str, problem: str) -> None:
    (own / "broken.py").write_text(source)
    assert f"grader = 'broken': reward/custom/{problem}" in refusal("broken")


def test_the_starting_point_pays_the_reference_and_nothing_else() -> None:
    grade = build("starting_point")
    assert grade(Sample("s", "6 times 7 is\n42", "42", [], {})).outcome is Outcome.CORRECT
    assert grade(Sample("s", "Worked.\n42", "Worked.\n42", [], {})).value == 1.0
    assert grade(Sample("s", "42\nor 41", "42", [], {})).outcome is Outcome.WRONG
    assert grade(Sample("s", "", "42", [], {})).value == 0.0
    assert grade(Sample("s", "42", None, [], {})).outcome is Outcome.BAD_GOLD
    assert grade(Sample("s", "42", "  ", [], {})).outcome is Outcome.BAD_GOLD


def test_every_outcome_has_a_metric_of_its_own_and_faults_are_no_answers_fault() -> None:
    assert set(METRIC_OF) == set(Outcome)
    assert len(set(METRIC_OF.values())) == len(Outcome)
    assert {Outcome.JUDGE_ERROR, Outcome.TIMEOUT, Outcome.BAD_GOLD} <= FAULTS
    assert not {Outcome.CORRECT, Outcome.WRONG, Outcome.NO_MARKER, Outcome.UNPARSABLE, Outcome.OVERSIZE} & FAULTS


def test_a_sample_ones_own_grader_never_finishes_is_a_timeout_and_the_next_is_graded(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graders, "OWN_SECONDS", 0.1)
    (own / "endless.py").write_text(
        "from reward.score import Outcome, Score\n\ndef grade(sample):\n"
        "    while sample.response == 'endless':\n        pass\n    return Score(1.0, Outcome.CORRECT)\n"
    )
    grade = build("endless")
    scores = [grade(Sample("s", response, None, [], {})) for response in ("fine", "endless", "fine")]
    assert [(score.value, score.outcome) for score in scores] == [(1.0, Outcome.CORRECT), (0.0, Outcome.TIMEOUT), (1.0, Outcome.CORRECT)]
