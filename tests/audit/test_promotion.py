"""A promotion: what stands against it ends it, what was read is what is deployed, and the record is kept."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import pytest
from contracts.errors import InvalidInput

from audit import pack, promotion
from audit.pack import Synthesis
from audit.register import Register
from local import cloud
from rft import audit_promote, deploy
from rft.cli import invoke
from rft.exits import Exit, Failure

CALLER = "arn:aws:sts::111122223333:assumed-role/deployer/ann"


class Stage:
    """The command with everything outside it replaced: the cloud, git, and the deployment, which is only noted."""

    def __init__(self) -> None:
        self.deployed: list[dict[str, Any]] = []
        self.account = "111122223333"
        self.local = False
        self.register: Register | None = None


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, synthesis: Synthesis) -> Stage:
    """The real synthesis and the real pack; no finding open unless a test opens one."""
    it = Stage()
    answered = attrs.evolve(synthesis.register, findings=[attrs.evolve(one, acknowledged=True) for one in synthesis.register.findings])

    @contextmanager
    def synthesised(*, keep_account: bool, directory: Path) -> Iterator[Synthesis]:
        assert keep_account
        yield attrs.evolve(synthesis, register=it.register or answered)

    def note(**given: Any) -> None:
        it.deployed.append(given)

    def target(**_: Any) -> Any:
        return SimpleNamespace(caller=CALLER, local=it.local, endpoint=None)

    def load(path: Path) -> Any:
        return SimpleNamespace(account=it.account)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pack, "synthesised", synthesised)
    monkeypatch.setattr(deploy, "deploy", note)
    monkeypatch.setattr(audit_promote, "load", load)
    monkeypatch.setattr("rft.target.find_target", target)
    monkeypatch.setattr(promotion, "commit", lambda: "c0ffee" * 6 + "c0de")
    monkeypatch.setattr(promotion, "RECORDS", tmp_path / "promotions")
    monkeypatch.setattr(cloud, "STATE_DIR", tmp_path / "local")
    return it


def test_a_promotion_deploys_what_was_read_and_keeps_the_record(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["audit", "promote", "stage", "--yes"]) == Exit.OK
    (given,) = stage.deployed
    assert given["environment"] == "stage"
    assert given["assembly"].name == "assembly"
    kept = Path("promotions/stage")
    record = json.loads((kept / promotion.RECORD).read_text())
    assert record["commit"].startswith("c0ffee")
    assert record["principal"] == CALLER
    assert record["account"] == "111122223333"
    assert record["evidence"] == promotion.digest((kept / pack.EVIDENCE).read_text())
    page = (kept / pack.PAGE).read_text()
    assert CALLER in page
    assert record["at"] in page
    assert "first promotion" in capsys.readouterr().err


def test_the_next_promotion_shows_what_changed(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["audit", "promote", "prod", "--yes"]) == Exit.OK
    path = Path("promotions/prod") / pack.EVIDENCE
    earlier = json.loads(path.read_text())
    gone = earlier["roles"].pop()
    path.write_text(json.dumps(earlier))
    capsys.readouterr()
    assert invoke(["audit", "promote", "prod", "--check"]) == Exit.OK
    said = capsys.readouterr().err
    assert f"  {gone['stack']}/{gone['place']}" in said
    assert "    + boundary: " in said
    assert 'id="changes"' in Path("reports/promotions/prod/index.html").read_text()
    assert len(stage.deployed) == 1, "--check deploys nothing"


def test_the_local_cloud_keeps_its_own_records(stage: Stage) -> None:
    stage.local, stage.account = True, ""
    assert invoke(["audit", "promote", "dev", "--local", "--yes"]) == Exit.OK
    assert (Path("local/promotions/dev") / promotion.RECORD).exists()
    assert not Path("promotions").exists()


def test_an_open_finding_ends_it_before_anything_is_deployed(
    stage: Stage, synthesis: Synthesis, capsys: pytest.CaptureFixture[str]
) -> None:
    found = attrs.evolve(synthesis.register.of("prod").findings[0], acknowledged=False, level="error")
    stage.register = attrs.evolve(synthesis.register, findings=[found])
    assert invoke(["audit", "promote", "prod", "--yes"]) == Exit.FAILED
    assert "not deployed:" in capsys.readouterr().err
    assert stage.deployed == []
    assert not Path("promotions").exists()


def test_a_failed_deployment_leaves_the_last_record(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert invoke(["audit", "promote", "dev", "--yes"]) == Exit.OK
    first = (Path("promotions/dev") / promotion.RECORD).read_text()

    def fail(**_: Any) -> None:
        raise Failure("cdk deploy failed")

    monkeypatch.setattr(deploy, "deploy", fail)
    assert invoke(["audit", "promote", "dev", "--yes"]) == Exit.FAILED
    assert (Path("promotions/dev") / promotion.RECORD).read_text() == first


@pytest.mark.parametrize(("account", "complaint"), [("", "account = ''"), ("999900001111", "account = '999900001111'")])
def test_credentials_of_another_account_are_refused(stage: Stage, account: str, complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    stage.account = account
    assert invoke(["audit", "promote", "stage", "--yes"]) == Exit.USAGE
    assert complaint in capsys.readouterr().err
    assert stage.deployed == []


def test_nobody_to_ask_is_no_consent(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["audit", "promote", "stage"]) == Exit.USAGE
    assert "nobody is there to ask" in capsys.readouterr().err
    assert stage.deployed == []


def test_only_a_commit_can_be_promoted(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="git work tree"):
        promotion.commit(tmp_path)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@example.com"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    (tmp_path / "a").write_text("1")
    subprocess.run([*git, "add", "a"], check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "one"], check=True)
    (tmp_path / "promotions").mkdir()
    (tmp_path / "promotions" / "record").write_text("a record may wait for its commit")
    assert len(promotion.commit(tmp_path)) == 40
    (tmp_path / "a").write_text("2")
    with pytest.raises(InvalidInput, match="a is not committed"):
        promotion.commit(tmp_path)
