"""`rft audit promote`: check, show what changes, ask, deploy, and leave the record."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from audit import comparison, pack, promotion
from audit.evidence import as_text
from local import cloud
from rft import deploy
from rft.exits import Exit, Failure
from rft.options import ENVIRONMENTS, Invocation, json_option
from rft.output import Output, short_path
from rft.target import Target, local_environ
from stacks.settings import ENVIRONMENTS as FOLDER
from stacks.settings import load

REPORTS = Path("reports") / "promotions"


@click.command("promote")
@click.argument("environment", type=click.Choice(ENVIRONMENTS))
@click.option("--local", is_flag=True, help="Promote into the local cloud (as RFT_TARGET=local does).")
@click.option("--check", is_flag=True, help="Stop before the deployment: say what stands against it and what it would change.")
@click.option("--yes", is_flag=True, help="Do not ask; for a pipeline whose own approval comes before this.")
@json_option
def promote(output: Output, environment: str, local: bool, check: bool, yes: bool) -> None:
    """Deploy the checked-out commit to ENVIRONMENT, if nothing stands against it.

    Synthesises, has every rule pack and access question answered, writes the pack with commit, time and caller, and
    shows what changes against the environment's last promotion. An open finding or a wrong answer ends it. Then it asks,
    deploys exactly what was read, and keeps the pack in promotions/ENVIRONMENT for the next one to be compared with.
    """

    target = Invocation(environment=environment, local=local, output=output).target()
    commit = promotion.commit()
    _same_account(target, environment)
    with tempfile.TemporaryDirectory() as temporary:
        assembly = Path(temporary) / "assembly"
        with (
            output.progress("synthesising, and asking the rule packs"),
            pack.synthesised(keep_account=True, directory=assembly) as synthesis,
        ):
            evidence = pack.evidence_of(synthesis, [environment])[environment]
        record = _record(target, environment, commit, evidence)
        folder = REPORTS / environment
        changes = _write(folder, _records(target), synthesis, record, evidence)
        _tell(output, record, changes)
        refused = pack.refusals(evidence)
        if refused:
            raise Failure(
                "\n".join(["not deployed:", *refused]),
                where=short_path((folder / pack.PAGE).resolve()),
                hint="answer each finding beside its resource, or mend it",
            )
        if not check:
            _agree(environment, yes=yes)
            _deploy(target, environment, assembly, output)
            folder = promotion.keep(folder, environment, _records(target))
    page = (folder / pack.PAGE).resolve()
    kept = "deployed" if target.local else f"deployed; commit {short_path(folder.resolve())} as the record"
    done = "nothing stands against it" if check else kept
    output.result({"environment": environment, "commit": commit, "deployed": not check, "page": str(page)}, f"{short_path(page)}\n{done}")


def _records(target: Target) -> Path:
    """Where the records are: in git, but for the local cloud, whose deployments end with its state."""
    return cloud.STATE_DIR / "promotions" if target.local else promotion.RECORDS


def _same_account(target: Target, environment: str) -> None:

    settings = load(FOLDER / f"{environment}.toml")
    found = promotion.problems(
        settings_account=settings.account,
        caller_account=promotion.account_of(target.caller),
        environment=environment,
        local=target.local,
    )
    if found:
        raise Failure("\n".join(found), code=Exit.USAGE)


def _record(target: Target, environment: str, commit: str, evidence: Mapping[str, Any]) -> promotion.Promotion:

    before = pack.predecessor(environment)
    return promotion.Promotion(
        environment=environment,
        account=promotion.account_of(target.caller),
        region=str(evidence["region"]),
        commit=commit,
        principal=target.caller,
        at=datetime.now(UTC),
        evidence=promotion.digest(as_text(evidence)),
        before=promotion.promoted_commit(before, _records(target)) if before else "",
    )


def _write(
    folder: Path, records: Path, synthesis: pack.Synthesis, record: promotion.Promotion, evidence: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Writes the pack and the record; returns what changes, None for a first promotion."""

    before = pack.last(records / record.environment)
    changes = comparison.compare(before, evidence, before_name="deployed now", after_name="this promotion") if before is not None else None
    contents = pack.files(evidence, synthesis.assemblies[record.environment], changes=changes, promotion=record.rows())
    pack.write(folder, {**contents, promotion.RECORD: record.text()})
    return changes


def _tell(output: Output, record: promotion.Promotion, changes: dict[str, Any] | None) -> None:

    output.say(f"{record.environment} in account {record.account}, commit {record.commit[:12]}, by {record.principal}")
    if record.before and record.before != record.commit:
        output.say(f"the environment before it runs commit {record.before[:12]}, which is another one")
    output.say("first promotion: there is no earlier pack to compare with" if changes is None else comparison.in_text(changes))


def _agree(environment: str, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise Failure("nobody is there to ask", hint="add --yes where an approval has been given before", code=Exit.USAGE)
    click.confirm(f"Deploy this to {environment}?", err=True, abort=True)


def _deploy(target: Target, environment: str, assembly: Path, output: Output) -> None:

    variables = local_environ(target.endpoint, environment) if target.endpoint is not None else {}
    log = REPORTS / f"{environment}.log"
    with output.progress(f"deploying {environment}") as progress:
        deploy.deploy(environment=environment, variables=variables, log=log.resolve(), progress=progress, assembly=assembly)
