"""What a promotion adds to a pack: which commit went where, when, and by whom; and the record it leaves."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import attrs
from contracts.errors import InvalidInput

from audit.assembly import ROOT

RECORDS = ROOT / "promotions"
"""One folder for each environment: the pack of what is deployed there, and the record. Kept in git, where the next promotion finds it."""

RECORD = "promotion.json"


@attrs.frozen(kw_only=True)
class Promotion:
    """One deployment of one commit to one environment.

    Attributes:
        principal: ARN of the caller, as AWS names it.
        at: when it was asked for, UTC.
        evidence: SHA-256 of the pack's evidence.json.
        before: commit that the environment before this one was last promoted from; empty if never, or if there is none.
    """

    environment: str
    account: str
    region: str
    commit: str
    principal: str
    at: datetime
    evidence: str
    before: str

    def rows(self) -> dict[str, str]:
        """For the page: label and value."""
        rows = {
            "promoted to": f"{self.environment}, account {self.account}, {self.region}",
            "commit": self.commit,
            "by": self.principal,
            "at": self.at.isoformat(timespec="seconds"),
        }
        return {**rows, "before it ran": f"commit {self.before}"} if self.before else rows

    def text(self) -> str:
        return json.dumps({**attrs.asdict(self), "at": self.at.isoformat(timespec="seconds")}, indent=2) + "\n"


def commit(root: Path = ROOT) -> str:
    """The commit that is checked out.

    Raises:
        InvalidInput: if this is no git work tree, or anything in it is not committed: nobody could say later what was deployed.
    """
    head = _git(root, "rev-parse", "HEAD").strip()
    # The record of the promotion before this one may wait for its commit; it is not deployed.
    changed = [line for line in _git(root, "status", "--porcelain").splitlines() if not line[3:].startswith(f"{RECORDS.name}/")]
    if changed:
        raise InvalidInput("the work tree", [f"{line[3:]} is not committed; allowed is a clean tree" for line in changed[:10]])
    return head


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def promoted_commit(environment: str, records: Path) -> str:
    """The commit an environment was last promoted from; empty if it never was."""
    path = records / environment / RECORD
    return str(json.loads(path.read_text(encoding="utf-8"))["commit"]) if path.is_file() else ""


def keep(pack: Path, environment: str, records: Path) -> Path:
    """Puts a written pack where the last one of its environment stood."""
    target = records / environment
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(pack, target)
    return target


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)  # noqa: S603, S607 - our own arguments
    if done.returncode:
        raise InvalidInput(str(root), [f"git {arguments[0]} failed: {done.stderr.strip()}; allowed is a git work tree"])
    return done.stdout


def account_of(principal: str) -> str:
    """The account in an ARN."""
    return principal.split(":")[4]


def problems(*, settings_account: str, caller_account: str, environment: str, local: bool) -> list[str]:
    """What stands between caller and environment before anything is synthesised."""
    if local:
        return []
    where = f"environments/{environment}.toml: account"
    if not settings_account:
        return [f"{where} = '': allowed is the account's 12 digits, or a promotion could go anywhere"]
    if settings_account != caller_account:
        return [f"{where} = {settings_account!r}: allowed is {caller_account!r}, the account of the credentials"]
    return []
