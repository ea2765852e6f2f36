"""`rft`: the operator's command. Wiring only; each group of verbs has its own module."""

from __future__ import annotations

import os
import sys

import click

from rft.exits import Exit, Failure, epilog, translate
from rft.lazy import LazyGroup
from rft.output import Output

COMMANDS: dict[str, tuple[str, str, str]] = {
    "audit": ("rft.audit", "audit", "Evidence for a reviewer: what is deployed, and what was recorded."),
    "backup": ("rft.backup", "backup", "Check datasets and records, and put back what was lost."),
    "budget": ("rft.budget", "budget", "What the environment has cost this month, and what is refused once that is too much."),
    "cost": ("rft.cost", "cost", "What an environment costs idle, and what the pipeline adds to a run."),
    "dataset": ("rft.dataset", "dataset", "Add datasets and see what is registered."),
    "demo": ("rft.demo", "demo", "The whole job on this machine: deploy locally, train, evaluate, release."),
    "local": ("rft.local_commands", "local", "The local cloud: up, status, down, reset, env."),
    "report": ("rft.report.command", "report", "Write a run's HTML report."),
    "reward": ("rft.reward", "reward", "Write, try, test, rehearse and calibrate rewards."),
    "run": ("rft.run", "run", "Start, follow, approve and stop runs."),
}
"""Where each verb lives and its one line of help: a verb's module is imported only when it is used."""


@click.group(
    cls=LazyGroup,
    verbs=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=epilog(),
)
def rft() -> None:
    """Reinforcement fine-tuning on Amazon Bedrock as a deployed, audited pipeline.

    Commands go to the AWS account of your ordinary credentials and Region, or with --local (RFT_TARGET=local) to the
    local cloud. Results are on stdout, progress and errors on stderr; --json makes stdout machine readable.
    Set RFT_DEBUG=1 to see the traceback of an error.
    """


def invoke(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit code; every error ends here."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    output = Output(as_json="--json" in given)
    try:
        with rft.make_context("rft", list(given)) as context:
            rft.invoke(context)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (KeyboardInterrupt, click.Abort):
        print("interrupted", file=sys.stderr)
        return Exit.INTERRUPTED
    except click.ClickException as error:
        if output.as_json:
            output.failure(Failure(error.format_message(), hint="add --help to see what is allowed", code=Exit.USAGE))
        else:
            error.show(file=sys.stderr)
        return Exit.USAGE
    except BrokenPipeError:
        # The reader of stdout went away (`rft run list | head`); that is its choice, not an error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    except Exception as error:
        if os.environ.get("RFT_DEBUG") == "1":
            raise
        failure = translate(error) or Failure(
            f"{type(error).__name__}: {error}", hint="this is a defect; run again with RFT_DEBUG=1 and report the traceback"
        )
        output.failure(failure)
        return failure.code
    return Exit.OK


def main() -> None:
    """Entry point of the console script."""
    sys.exit(invoke())
