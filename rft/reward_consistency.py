"""`rft reward consistency`: does the judge contradict itself?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from contracts.judges import judges
from contracts.metrics import Metric
from pipeline import calibration_feedback, judge_spend
from pipeline.calibration import CONFIDENCE, wilson
from pipeline.probes import RIGHT, cases_of
from reward import contract, graders
from reward.judging import consistency as checks
from reward.judging.asking import Unreachable
from reward.judging.judge import Judge

from rft.exits import Exit, Failure
from rft.options import Invocation, cloud_options
from rft.output import Output, facts, table
from rft.reward_data import data_option, item, option_option, options_of, read_records
from stacks.settings import ENVIRONMENTS, load

CHARACTERS_PER_TOKEN = 4
"""For the estimate only: English prose has about four characters to a token."""

REQUESTS_PER_PAIR = 4
"""One of its answers scored twice, and the two compared in both orders."""

Rate = dict[str, float]


@click.command("consistency")
@data_option
@click.option(
    "--pairs",
    "pairs_file",
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    help="Instead of --data: preference pairs, as rft reward review writes them.",
)
@click.option("--count", type=click.IntRange(2, 500), default=20, show_default=True, help="Pairs to ask about; each takes four requests.")
@click.option("--yes", is_flag=True, help="Do not ask before spending.")
@option_option
@cloud_options
def consistency(call: Invocation, *, data: Path, pairs_file: Path | None, count: int, yes: bool, options: tuple[str, ...]) -> None:
    """Ask the judge about the same answers twice, and about pairs of answers in both orders.

    The judge is that of [reward] in environments/<env>.toml or, with --option, one with these options. Without --pairs a
    pair is a right and a wrong reply to a record of the dataset. What it will take is shown first, and a person or --yes
    must agree; in the local cloud, whose judge is a stand-in, nothing is spent. Exit code 1 when the judge gave no verdict.

    \b
    rft reward consistency --local
    rft reward consistency --pairs answers.jsonl --option template=summarisation --option model=us.amazon.nova-pro-v1:0
    """
    judge = graders.build("judge", options_of(options) if options else _of_settings(call.environment))
    if not isinstance(judge, Judge):
        raise TypeError("the grader judge is no Judge")
    pairs = _labelled(pairs_file, count) if pairs_file else _made(data, count)
    target = call.target()
    expected = _expected(judge, pairs)
    call.output.say(facts({"judge": judge.options.model, "asked in": target.place, **_told(expected)}))
    if not target.local and not yes:
        _agreed(call.output)
    with call.output.progress("asking the judge"), target.as_process_environment({}):
        try:
            repetition = checks.repeat(judge, [pair.sample for pair in pairs])
            order = checks.swap(judge, pairs)
        except Unreachable as fault:
            raise Failure(f"the judge model cannot be called: {fault}", where=target.place, code=Exit.CONNECTION) from fault
    found = {
        "judge": {"model": judge.options.model, "template": judge.options.template, "identity": judge.identity},
        "expected": expected,
        "repetition": {
            "samples": repetition.samples,
            "unanswered": repetition.unanswered,
            "same": _rate(repetition.same, repetition.samples),
            "difference": repetition.difference,
        },
        "order": {
            "pairs": order.pairs,
            "unanswered": order.unanswered,
            "consistent": _rate(order.consistent, order.pairs),
            "first_favoured": _rate(order.first_favoured, order.pairs),
            "second_favoured": _rate(order.second_favoured, order.pairs),
        },
        "confidence": CONFIDENCE,
        "took": _took(judge),
    }
    call.output.result(found, _text(found))
    if not repetition.samples or not order.pairs:
        raise click.exceptions.Exit(Exit.FAILED)


def _of_settings(environment: str) -> Mapping[str, Any]:
    file = ENVIRONMENTS / f"{environment}.toml"
    reward = load(file).reward
    found = list(judges(reward.grader, reward.options))
    if len(found) == 1:
        return found[0][1]
    where = f"has judges at {', '.join(path for path, _ in found)}" if found else f"has no judge (reward.grader is {reward.grader})"
    raise Failure(
        f"the reward {where}; allowed is one, or a judge given by --option",
        where=str(file),
        hint="rft reward consistency --option template=instruction_following --option model=us.amazon.nova-pro-v1:0",
        code=Exit.USAGE,
    )


def _made(data: Path, count: int) -> list[checks.Pair]:
    """A right and a wrong reply to each record; which of them is scored twice alternates, so that both kinds are."""
    pairs = []
    for number, case in enumerate(cases_of(read_records(data), count)):
        replies = {probe.name: probe.reply for probe in case.probes if probe.name in (RIGHT, "wrong")}
        one, other = (replies[RIGHT], replies["wrong"]) if number % 2 == 0 else (replies["wrong"], replies[RIGHT])
        pairs.append(checks.Pair(contract.sample(item(case.record, one), number), other))
    return pairs


def _labelled(file: Path, count: int) -> list[checks.Pair]:
    pairs = calibration_feedback.read_feedback(file.read_bytes(), file.name).pairs
    if not pairs:
        raise Failure(
            'the file holds ratings and no pairs; allowed are lines with "chosen" and "rejected"', where=str(file), code=Exit.USAGE
        )
    step = max(1, len(pairs) // count)
    made = []
    for number, pair in enumerate(pairs[::step][:count]):
        one, other = (pair.chosen, pair.rejected) if number % 2 == 0 else (pair.rejected, pair.chosen)
        record = {"id": pair.id, "messages": list(pair.messages), **pair.metadata}
        made.append(checks.Pair(contract.sample(item(record, one), number), other))
    return made


def _expected(judge: Judge, pairs: Sequence[checks.Pair]) -> dict[str, float | None]:
    """What asking takes: requests, tokens and, where the options give prices, dollars. Retries are not in it."""
    options = judge.options
    read = 0.0
    for pair in pairs:
        shared = sum(len(text) for _, text in judge.texts(pair.sample)) / CHARACTERS_PER_TOKEN + judge_spend.INSTRUCTION_TOKENS
        answers = (2 * len(pair.sample.response) + len(pair.other)) / CHARACTERS_PER_TOKEN
        # Each of the four requests holds what is shared; the scored answer stands in all of them, the other in two.
        read += REQUESTS_PER_PAIR * shared + 2 * answers
    requests = REQUESTS_PER_PAIR * len(pairs)
    written = requests * options.max_tokens / 2
    prices = options.input_usd_per_million, options.output_usd_per_million
    dollars = None if None in prices else (read * (prices[0] or 0.0) + written * (prices[1] or 0.0)) / 1e6
    return {"requests": requests, "input_tokens": round(read), "output_tokens": round(written), "usd": dollars}


def _took(judge: Judge) -> dict[str, float | None]:
    usage = judge.usage()
    taken = (Metric.JUDGE_CALLS, Metric.JUDGE_INPUT_TOKENS, Metric.JUDGE_OUTPUT_TOKENS)
    requests, read, written = (float(value) if isinstance(value := usage.get(metric, 0), int | float) else 0.0 for metric in taken)
    cost = usage.get(Metric.JUDGE_COST)
    return {
        "requests": round(requests),
        "input_tokens": round(read),
        "output_tokens": round(written),
        "usd": cost if isinstance(cost, int | float) else None,
    }


def _told(amount: Mapping[str, float | None]) -> dict[str, str]:
    dollars = amount["usd"]
    return {
        "requests": f"{amount['requests']:,}",
        "tokens": f"about {amount['input_tokens']:,} read, {amount['output_tokens']:,} written",
        "cost": "unknown: the judge's options give no prices"
        if dollars is None
        else f"about ${dollars:.{2 if dollars >= 1 else 4}f}, without retries",
    }


def _agreed(output: Output) -> None:
    if output.as_json:
        raise Failure("asking a judge in AWS costs money; allowed with --json is --yes", hint="add --yes, or --local", code=Exit.USAGE)
    if not click.confirm("Ask the judge?", err=True):
        raise Failure("nothing was asked", hint="--yes agrees beforehand", code=Exit.USAGE)


def _rate(share: float | None, count: int) -> Rate | None:
    if share is None:
        return None
    low, high = wilson(share, count)
    return {"share": share, "low": low, "high": high}


def _text(found: Mapping[str, Any]) -> str:
    repetition, order, took = found["repetition"], found["order"], found["took"]
    rows = [
        ("asked twice: same scores", repetition["samples"], repetition["unanswered"], _shown(repetition["same"])),
        ("orders swapped: same winner", order["pairs"], order["unanswered"], _shown(order["consistent"])),
        ("  the first won both times", order["pairs"], "", _shown(order["first_favoured"])),
        ("  the second won both times", order["pairs"], "", _shown(order["second_favoured"])),
    ]
    change = repetition["difference"]
    cost = "" if took["usd"] is None else f", ${took['usd']:.4f}"
    lines = [
        table(("CHECK", "JUDGED", "UNANSWERED", "SHARE"), rows, empty=""),
        "",
        f"in brackets: {found['confidence']:.0%} intervals",
        *([] if change is None else [f"a score differs from itself by {change:.3f} on average, on a scale of 0 to 1"]),
        f"took {took['requests']:,} requests, {took['input_tokens']:,} tokens read, {took['output_tokens']:,} written{cost}",
    ]
    return "\n".join(lines)


def _shown(rate: Rate | None) -> str:
    return "-" if rate is None else f"{rate['share']:.2f} ({rate['low']:.2f} to {rate['high']:.2f})"
