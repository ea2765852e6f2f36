"""`[backup]` and the locks of `[retention]`: what is allowed, and what the error says."""

from __future__ import annotations

from pathlib import Path

import pytest
from contracts.errors import InvalidInput

from stacks.settings import ENVIRONMENTS, load


def changed(tmp_path: Path, *pairs: tuple[str, str], environment: str = "dev") -> Path:
    text = (ENVIRONMENTS / f"{environment}.toml").read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / f"{environment}.toml"
    path.write_text(text)
    return path


def test_only_prod_ships_with_a_backup_and_a_lock() -> None:
    shipped = {name: load(ENVIRONMENTS / f"{name}.toml") for name in ("dev", "stage", "prod")}
    assert {name: (s.backup.enabled, s.retention.lock_mode) for name, s in shipped.items()} == {
        "dev": (False, "none"),
        "stage": (False, "none"),
        "prod": (True, "governance"),
    }


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('lock_mode = "none"', 'lock_mode = "forever"', "retention.lock_mode"),
        ("lock_days = 90", "lock_days = 0", "retention.lock_days"),
        ('lock_mode = "governance"', 'lock_mode = "none"', "backup.lock_mode"),
        ("noncurrent_days = 90  ", "noncurrent_days = 4000", "noncurrent_days"),
        ("restorers = []", 'restorers = ["operators"]', "allowed are ARNs of IAM roles"),
        ("restorers = []", 'restorers = ["arn:aws:iam::111122223333:role/operators"]', "nothing to restore from"),
        ("restorers = []", 'region = "us-west-2"', "backup.region"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        load(changed(tmp_path, (old, new)))
    assert says in str(refused.value)


def test_restorers_are_taken_where_there_is_a_backup(tmp_path: Path) -> None:
    role = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_operators_0123456789abcdef"
    settings = load(changed(tmp_path, ("enabled = false", "enabled = true"), ("restorers = []", f'restorers = ["{role}"]')))
    assert settings.backup.restorers == [role]
