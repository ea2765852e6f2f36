"""What the pipeline itself adds to a run: everything but what Bedrock and a judge charge.

State transitions are counted on the synthesised definition, memory on the functions, custom metrics on what the grader's own handler
prints and on the definitions of the others. What a call takes is assumed, and said below.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import redirect_stdout
from typing import Any

import attrs
from contracts import names
from contracts.emf import NOTED_COMPONENTS
from contracts.metrics import Metric
from contracts.trends import MAX_COMPONENTS
from pipeline.answering import WORKERS
from pipeline.track_training import EVERY_LOOK
from reward.handler import handler
from reward.judging.usage import Usage

from audit.assembly import Assembly
from cost.prices import HOURS_PER_MONTH, Line, Prices
from stacks.judge_settings import uses_judge

POLL, DEPLOY, ANSWER, END = "TrackTraining", "DeployCandidate", "AnswerAndGrade", "Released"
"""States of the definition (stacks/run_definition.py): the two that are polled, one part of the evaluation, a release."""

CALL_SECONDS = 1.5
"""Assumed of one call of a task function; most read or write one small object."""

REPLY_SECONDS = 8.0
"""Assumed of one reply in the evaluation: 800 tokens, at 100 a second."""

GRADER_SECONDS = 0.5
"""Assumed of one call of the reward function by Bedrock, its start included."""

TASK, EVALUATE = "pipeline.track_training.handler", "pipeline.evaluate.handler"
"""Functions whose memory counts: one stands for all that give an answer at once, the other waits for the model."""

GRADED_PER_CALL = 64
RESPONSES_PER_HOUR = 2_500
"""Assumed: 60,000 responses in a job of 24 hours, such as 7,500 prompts with 8 responses each."""

DEPLOYMENT_POLLS = 60
"""Assumed: a candidate that takes half an hour to become active."""

LOG_BYTES = 1_500
"""Assumed of one call of a function or of one state transition in the log, platform lines and metric records included."""

WRITES, READS, KEYS = 1, 2, 1
"""Requests of one call to S3 and KMS. A look writes its trend, the wait its token; bucket keys spare most of the requests to KMS."""

WATCHING = "metric_month"
"""The price of what is there to watch a run, not to move it: its series live as long as data comes."""

ONCE = (
    Metric.RUN_REQUESTED,
    Metric.SPEND_ESTIMATED,
    Metric.APPROVAL_REQUESTED,
    Metric.REHEARSAL_REWARD,
    Metric.EVALUATION_REWARD,
    Metric.CANDIDATE_GAIN,
    Metric.RUN_RELEASED,
)
"""What a run prints in an hour or so and not all through its job; a metric is billed for the hours it gets data."""


@attrs.frozen(kw_only=True)
class Pace:
    """How often the state machine moves.

    Attributes:
        path: transitions of the longest way to a release, every approval asked for, each loop gone through once.
        looks: times the job is looked at.
        per_look: transitions of one look.
        chunks: parts the evaluation is cut into.
    """

    path: int
    looks: int
    per_look: int
    deployment: int
    chunks: int

    @property
    def transitions(self) -> int:
        """Of a whole run."""
        return self.path + self.looks * self.per_look + self.deployment + self.chunks


def pace(assembly: Assembly, hours: float) -> Pace:
    """The transitions of a run whose job takes `hours`, from the synthesised definition."""
    states = definition(assembly)["States"]
    settings = assembly.settings
    look, seconds = cycle(states, POLL)
    deployment, _ = cycle(states, DEPLOY)
    evaluation = settings.evaluation
    chunks = 2 * -(-evaluation.max_prompts // evaluation.chunk_prompts)
    return Pace(
        path=longest(states, "Begin", END),
        looks=round(hours * 3600 / seconds),
        per_look=look,
        deployment=DEPLOYMENT_POLLS * deployment,
        chunks=chunks,
    )


def run(assembly: Assembly, prices: Prices, *, hours: float = 24.0) -> list[Line]:
    """The lines of one run's bill, the dearest first.

    Args:
        hours: the job takes.
    """
    moved = pace(assembly, hours)
    calls = moved.path + 2 * moved.looks + DEPLOYMENT_POLLS
    graded = RESPONSES_PER_HOUR * hours / GRADED_PER_CALL
    grader, memory = assembly.settings.reward.memory_mb / 1024, memory_gb(assembly)
    answering = REPLY_SECONDS * -(-assembly.settings.evaluation.chunk_prompts // WORKERS) * moved.chunks
    used = memory[TASK] * CALL_SECONDS * calls + memory[EVALUATE] * answering + grader * GRADER_SECONDS * graded
    all_through, once = grader_series() | judge_series(assembly) | series(EVERY_LOOK), series(ONCE)
    requests = calls + moved.chunks
    logged = (moved.transitions + requests + graded) * LOG_BYTES
    lines = [
        prices.line(f"state transitions, {moved.looks:,} looks at the job among them", moved.transitions, "state_transition"),
        prices.line(
            f"{len(all_through)} custom metrics all through, {len(once)} for an hour",
            (len(all_through) * hours + len(once)) / HOURS_PER_MONTH,
            WATCHING,
        ),
        prices.line("time of functions", used, "function_gb_second"),
        prices.line("calls of functions", requests + graded, "function_request"),
        prices.line("objects written", requests * WRITES, "object_write"),
        prices.line("objects read", requests * READS, "object_read"),
        prices.line("requests to KMS", requests * KEYS, "key_request"),
        prices.line("log lines, GB", logged / 1e9, "log_gb"),
        prices.line("traces", 1 + graded, "trace"),
    ]
    return sorted(lines, key=lambda line: -line.usd)


def definition(assembly: Assembly) -> dict[str, Any]:
    """The run's definition, with a stand-in for each value CloudFormation fills in."""
    for _, _, resource in assembly.resources("AWS::StepFunctions::StateMachine"):
        if resource["Properties"]["StateMachineName"] != names.state_machine(assembly.settings.name):
            continue
        text = resource["Properties"]["DefinitionString"]
        parts = [text] if isinstance(text, str) else text["Fn::Join"][1]
        found: dict[str, Any] = json.loads("".join(part if isinstance(part, str) else "deployed" for part in parts))
        return found
    raise LookupError("the templates hold no state machine")


def cycle(states: Mapping[str, Any], start: str) -> tuple[int, float]:
    """Transitions and seconds of one time round the loop a state waits in, by each choice's default."""
    count, seconds, name = 0, 0.0, start
    while True:
        state = states[name]
        count += 1
        if state["Type"] == "Wait":
            seconds += state["Seconds"]
        elif "waitForTaskToken" in state.get("Resource", ""):
            seconds += state["TimeoutSeconds"]
        name = state["Default"] if state["Type"] == "Choice" else state["Next"]
        if name == start:
            return count, seconds
        if count > len(states):
            raise LookupError(f"{start} stands in no loop")


def longest(states: Mapping[str, Any], start: str, end: str) -> int:
    """States on the longest way from one to another that enters none twice."""

    def ways(name: str, passed: frozenset[str]) -> Iterator[int]:
        if name == end:
            yield len(passed) + 1
            return
        for following in _following(states[name]) - passed - {name}:
            yield from ways(following, passed | {name})

    return max(ways(start, frozenset()))


def _following(state: Mapping[str, Any]) -> set[str]:
    found = {state.get("Next"), state.get("Default"), *(choice["Next"] for choice in state.get("Choices", []))}
    return {name for name in found if name}


def memory_gb(assembly: Assembly) -> dict[str, float]:
    """Memory of each function by its handler."""
    found = [each["Properties"] for _, _, each in assembly.resources("AWS::Lambda::Function")]
    return {each["Handler"]: each["MemorySize"] / 1024 for each in found}


def series(metrics: Iterable[Metric]) -> set[tuple[str, tuple[str, ...]]]:
    """The custom metrics that a data point of each makes: a name with a dimension set."""
    return {(metric.metric_name, dimensions) for metric in metrics for dimensions in metric.dimension_sets}


def judge_series(assembly: Assembly) -> set[tuple[str, tuple[str, ...]]]:
    """Custom metrics that a judge keeps alive, where the environment's reward has one: those its own count of a request gives."""
    reward = assembly.settings.reward
    if not uses_judge(reward.grader, reward.options):
        return set()
    usage = Usage(input_usd=1, output_usd=1)
    usage.called(1, {"usage": {"inputTokens": 1, "outputTokens": 1}})
    return series(usage.take())


def grader_series() -> set[tuple[str, tuple[str, ...]]]:
    """Custom metrics the reward function keeps alive: those it prints for a batch of each split that holds every usual outcome, and one for
    each component of its scores, which TrackTraining publishes from its log."""
    replies = ("#### 42", "#### 41", "no marker", "#### 42 or 41")
    found: set[tuple[str, tuple[str, ...]]] = set()
    for split in (names.SPLIT_TRAIN, names.SPLIT_VALIDATION):
        batch = [
            {
                "id": str(number),
                "messages": [{"role": "assistant", "content": reply}],
                "metadata": {
                    "reference_answer": "42",
                    names.META_RUN_ID: "cost-run",
                    names.META_SPLIT: split,
                    names.META_RECORD_ID: "one",
                },
            }
            for number, reply in enumerate(replies)
        ]
        printed = io.StringIO()
        with redirect_stdout(printed):
            handler(batch)
        for line in printed.getvalue().splitlines():
            components = list(json.loads(line).get(NOTED_COMPONENTS, {}))[:MAX_COMPONENTS]
            found |= {(Metric.COMPONENT.metric_name, (*Metric.COMPONENT.dimension_sets[0], name)) for name in components}
            for directive in json.loads(line).get("_aws", {}).get("CloudWatchMetrics", []):
                found |= {(metric["Name"], tuple(each)) for metric in directive["Metrics"] for each in directive["Dimensions"]}
    return found
