"""`rft audit pack`: what it writes, says and returns."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import pytest

from audit import pack
from audit.pack import BILL, BUILD_BILL, EVIDENCE, PAGE, Synthesis
from rft.cli import invoke
from rft.exits import Exit


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch, synthesis: Synthesis, tmp_path: Path) -> list[Synthesis]:
    """What the command is given for a synthesis: the session's, with nothing open; a test may put another."""
    answered = [attrs.evolve(one, acknowledged=True) for one in synthesis.register.findings]
    given = [attrs.evolve(synthesis, register=attrs.evolve(synthesis.register, findings=answered))]

    @contextmanager
    def synthesised() -> Iterator[Synthesis]:
        yield given[-1]

    monkeypatch.setattr(pack, "synthesised", synthesised)
    monkeypatch.chdir(tmp_path)
    return given


def test_each_environment_gets_a_folder(done: list[Synthesis], capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["audit", "pack", "--strict"]) == Exit.OK
    out = Path("reports/evidence")
    found = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert found == {BUILD_BILL} | {f"{name}/{file}" for name in ("dev", "stage", "prod") for file in (PAGE, EVIDENCE, BILL)}
    assert "reports/evidence/prod/index.html" in capsys.readouterr().out


def test_one_environment_against_an_earlier_pack(done: list[Synthesis], capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["audit", "pack", "prod", "--out", "then"]) == Exit.OK
    path = Path("then/prod") / EVIDENCE
    earlier = json.loads(path.read_text())
    earlier["settings"]["retention.log_days"] = 1
    path.write_text(json.dumps(earlier))
    capsys.readouterr()
    assert invoke(["audit", "pack", "prod", "--out", "now", "--since", "then", "--json"]) == Exit.OK
    said = json.loads(capsys.readouterr().out)
    assert list(said["pages"]) == ["prod"]
    assert said["changes"]["prod"]["areas"][0]["changes"][0]["what"] == "retention.log_days"
    assert 'id="changes"' in Path("now/prod/index.html").read_text()
    assert not Path("now/dev").exists()


def test_strict_fails_on_an_open_finding_and_still_writes(done: list[Synthesis], capsys: pytest.CaptureFixture[str]) -> None:
    register = done[0].register
    opened = attrs.evolve(register.of("dev").findings[0], acknowledged=False, level="error")
    done.append(attrs.evolve(done[0], register=attrs.evolve(register, findings=[opened])))
    assert invoke(["audit", "pack", "dev"]) == Exit.OK
    assert "1 against a deployment" in capsys.readouterr().out
    assert invoke(["audit", "pack", "dev", "--strict"]) == Exit.FAILED
    assert "dev: open finding: " in capsys.readouterr().err
    assert Path("reports/evidence/dev/index.html").exists()


def test_an_unknown_environment_is_refused(done: list[Synthesis], capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["audit", "pack", "nowhere"]) == Exit.USAGE
    assert "'dev', 'stage', 'prod'" in capsys.readouterr().err
