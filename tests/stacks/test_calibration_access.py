"""Who touches what people said about answers: one function reads it, none writes it."""

from __future__ import annotations

from contracts import names

from tests.stacks.template_reader import Synthesised, actions, resources


def test_feedback_is_read_by_the_rehearsal_alone_and_written_by_no_function(environment: Synthesised) -> None:
    touching = {
        name.split("RolePolicy", maxsplit=1)[0]: actions(statement)
        for name, statement in environment.identity_statements()
        if any(names.FEEDBACK in resource for resource in resources(statement))
    }
    # Where there is a backup, S3 copies it; what was written is neither read nor changed by that.
    copying = touching.pop("BackupReplication", None)
    assert (copying is not None) == environment.settings.backup.enabled
    assert touching == {"TrainingRehearseReward": ["s3:GetObject"]}
