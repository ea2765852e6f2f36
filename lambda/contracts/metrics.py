"""The project's metrics: each name once, for the emitter, the dashboards, the alarms and the tests.

Published through CloudWatch embedded metric format (EMF) with the dimension set [Environment] and, where a run is read by itself,
[Environment, RunId] as well. Each set is a custom metric of its own on the bill, for every hour it gets data; statistics of one cost
nothing. So shares and deciles are statistics of a distribution (`p10`, `PR(:0)`, `SampleCount`), not metrics.
"""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import NamedTuple

from contracts import names

NAMESPACE = "RFT"
DIMENSION_ENVIRONMENT = "Environment"
DIMENSION_RUN = "RunId"
DIMENSION_COMPONENT = "Component"


class Unit(StrEnum):
    NONE = "None"
    COUNT = "Count"
    MILLISECONDS = "Milliseconds"


class Definition(NamedTuple):
    """One metric.

    Attributes:
        name: the CloudWatch metric name.
        unit: CloudWatch unit.
        meaning: what one data point says, for dashboards and docs.
        resolution: storage resolution in seconds, 1 or 60. One second lets a trend be seen while a job runs.
        per_run: whether it is published for each run as well: only what guard rails or a run's own view read, because it doubles the
            metric's cost. `tests/cost` holds the sum of all to what a run may cost.
        dimension: a further dimension it always has; each value of it is a custom metric of its own, so that values are bounded.
        least, most: the range of one data point, both included; None where it has no end.
    """

    name: str
    unit: Unit
    meaning: str
    resolution: int = 60
    per_run: bool = False
    dimension: str = ""
    least: float | None = 0.0
    most: float | None = None


class Metric(Enum):
    """Every metric the project emits."""

    REWARD = Definition("Reward", Unit.NONE, "score of each graded training response", 1, per_run=True, most=1.0)
    VALIDATION_REWARD = Definition("ValidationReward", Unit.NONE, "score of each graded validation response", 1, per_run=True, most=1.0)
    EVALUATION_REWARD = Definition("EvaluationReward", Unit.NONE, "score of each response on the held-out split", 1, most=1.0)
    REHEARSAL_REWARD = Definition("RehearsalReward", Unit.NONE, "score of each probe of a rehearsal", 1, most=1.0)
    GROUP_SPREAD = Definition(
        "GroupSpread",
        Unit.NONE,
        "standard deviation of the scores within one prompt's group; 0 is no learning signal",
        1,
        per_run=True,
        most=0.5,
    )
    RESPONSE_LENGTH = Definition("ResponseLength", Unit.COUNT, "characters of each graded training response", 1, per_run=True)
    COMPONENT = Definition(
        "ComponentReward",
        Unit.NONE,
        "mean of one entry of the scores' `metrics_list` over a job's last steps, by its name",
        dimension=DIMENSION_COMPONENT,
        least=None,
    )
    SAMPLES_GRADED = Definition("SamplesGraded", Unit.COUNT, "responses graded in one call", 1)
    GRADER_LATENCY = Definition("GraderLatency", Unit.MILLISECONDS, "time one grader call took inside the handler", 1)
    OUTCOME_CORRECT = Definition("OutcomeCorrect", Unit.COUNT, "responses paid as correct")
    OUTCOME_WRONG = Definition("OutcomeWrong", Unit.COUNT, "responses with a readable but wrong answer")
    OUTCOME_NO_MARKER = Definition("OutcomeNoMarker", Unit.COUNT, "responses without the answer marker")
    OUTCOME_UNPARSABLE = Definition("OutcomeUnparsable", Unit.COUNT, "responses whose marked answer is not one number")
    OUTCOME_BAD_GOLD = Definition("OutcomeBadGold", Unit.COUNT, "responses whose reference answer is missing or unreadable")
    OUTCOME_OVERSIZE = Definition("OutcomeOversize", Unit.COUNT, "responses longer than the grader reads")
    OUTCOME_INVALID = Definition("OutcomeInvalid", Unit.COUNT, "samples of the wrong shape, scored 0")
    OUTCOME_INTERNAL_ERROR = Definition("OutcomeInternalError", Unit.COUNT, "samples on which the grader itself failed, scored 0")
    OUTCOME_JUDGE_ERROR = Definition("OutcomeJudgeError", Unit.COUNT, "samples the judging model could not grade, scored 0")
    OUTCOME_TIMEOUT = Definition("OutcomeTimeout", Unit.COUNT, "samples the grader could not grade within its time bound, scored 0")
    GRADER_FAULTS = Definition(
        "GraderFaults",
        Unit.COUNT,
        "bad-gold, invalid, internal-error, judge-error and timeout outcomes together: faults of data or grader, not of the model",
    )
    JUDGE_CALLS = Definition("JudgeCalls", Unit.COUNT, "requests to the judge model, retries included")
    JUDGE_ERRORS = Definition("JudgeErrors", Unit.COUNT, "requests to the judge model that gave no usable verdict")
    JUDGE_LATENCY = Definition("JudgeLatency", Unit.MILLISECONDS, "time of each request to the judge model")
    JUDGE_INPUT_TOKENS = Definition("JudgeInputTokens", Unit.COUNT, "tokens the judge model read, as it reports them")
    JUDGE_OUTPUT_TOKENS = Definition("JudgeOutputTokens", Unit.COUNT, "tokens the judge model wrote, as it reports them")
    JUDGE_COST = Definition(
        "JudgeCost", Unit.NONE, "US dollars the judge's tokens cost, from the prices in the grader's options", per_run=True
    )
    DATASET_REGISTERED = Definition("DatasetRegistered", Unit.COUNT, "datasets registered")
    DATASET_REJECTED = Definition("DatasetRejected", Unit.COUNT, "datasets refused")
    RUN_REQUESTED = Definition("RunRequested", Unit.COUNT, "runs started by an event or the schedule")
    RUN_REFUSED = Definition("RunRefused", Unit.COUNT, "run requests refused before anything was started")
    RUN_RELEASED = Definition("RunReleased", Unit.COUNT, "runs that ended in a release")
    RUN_REJECTED = Definition("RunRejected", Unit.COUNT, "runs a check or a person stopped: reward, spend, turn or release")
    CANDIDATE_REJECTED = Definition("CandidateRejected", Unit.COUNT, "runs whose candidate did not pass the gate")
    RUN_FAILED = Definition("RunFailed", Unit.COUNT, "runs that ended by a fault: job, deployment or pipeline")
    JOB_HOURS = Definition("JobHours", Unit.NONE, "hours the customization job has been running")
    SPEND_ESTIMATED = Definition("SpendEstimated", Unit.NONE, "US dollars a run is estimated to cost, from the prices in settings")
    SPEND_SO_FAR = Definition(
        "SpendSoFar", Unit.NONE, "US dollars a job has taken so far, estimated from what was graded and the prices in settings"
    )
    GUARD_RAIL = Definition("GuardRail", Unit.COUNT, "guard rails reached: a job was stopped, a person asked or told")
    RAIL_FLOOR = Definition("RailFloor", Unit.COUNT, "looks at which the mean reward was below its floor")
    RAIL_FALLING = Definition("RailFalling", Unit.COUNT, "looks at which the mean reward had fallen from its best")
    RAIL_COLLAPSE = Definition("RailCollapse", Unit.COUNT, "looks at which the mean reward had collapsed")
    RAIL_PLATEAU = Definition("RailPlateau", Unit.COUNT, "looks at which the mean reward was low and did not rise")
    RAIL_NO_SIGNAL = Definition("RailNoSignal", Unit.COUNT, "looks at which responses to the same prompt scored alike")
    RAIL_EXPLOITATION = Definition("RailExploitation", Unit.COUNT, "looks at which the reward seemed to be exploited")
    RAIL_OUTCOME_SHIFT = Definition("RailOutcomeShift", Unit.COUNT, "looks at which many more answers could not be read than before")
    RAIL_OVERSPEND = Definition("RailOverspend", Unit.COUNT, "looks at which a job had taken much more than its estimate")
    ORPHANS = Definition("Orphans", Unit.COUNT, "jobs, deployments and throughput found that cost money and belong to no run")
    APPROVAL_REQUESTED = Definition("ApprovalRequested", Unit.COUNT, "approvals asked for")
    APPROVAL_WAITING = Definition("ApprovalWaiting", Unit.NONE, "hours the longest approval has waited, while one waits")
    RELEASED_REQUESTS = Definition("ReleasedRequests", Unit.COUNT, "requests to the released model in five minutes, failed ones included")
    RELEASED_ERRORS = Definition("ReleasedErrors", Unit.COUNT, "of these, the ones that Bedrock failed or throttled")
    RELEASED_LATENCY = Definition(
        "ReleasedLatency", Unit.MILLISECONDS, "time that 95 of 100 answers of the released model stayed within, in five minutes"
    )
    RELEASED_DOWN = Definition(
        "ReleasedDown", Unit.COUNT, "1 at a look that finds the released model's deployment not active, else 0", most=1.0
    )
    CANDIDATE_GAIN = Definition(
        "CandidateGain", Unit.NONE, "held-out mean score of the candidate minus that of the base model", least=-1.0, most=1.0
    )

    FOREIGN_JOBS = Definition(
        "ForeignJobs", Unit.COUNT, "jobs, deployments and models found made beside the pipeline, and jobs of them running"
    )

    # Members are equal only to themselves; Enum's own hash runs in Python, several times for each metric of each batch.
    __hash__ = object.__hash__

    @property
    def metric_name(self) -> str:
        return self.value.name

    @property
    def dimension_sets(self) -> tuple[tuple[str, ...], ...]:
        """Those a data point of a run is published with; one that belongs to no run has the first only."""
        environment = (DIMENSION_ENVIRONMENT, self.value.dimension) if self.value.dimension else (DIMENSION_ENVIRONMENT,)
        return (environment, (*environment, DIMENSION_RUN)) if self.value.per_run else (environment,)


REWARD_BY_SPLIT: dict[str, Metric] = {
    names.SPLIT_TRAIN: Metric.REWARD,
    names.SPLIT_VALIDATION: Metric.VALIDATION_REWARD,
    names.SPLIT_HELDOUT: Metric.EVALUATION_REWARD,
    names.SPLIT_REHEARSAL: Metric.REHEARSAL_REWARD,
}
"""Which reward metric a sample's `rft_split` feeds; a sample without one counts as training, as Bedrock sends no split."""

METRIC_OF_RAIL: dict[str, Metric] = {
    "floor": Metric.RAIL_FLOOR,
    "falling": Metric.RAIL_FALLING,
    "collapse": Metric.RAIL_COLLAPSE,
    "plateau": Metric.RAIL_PLATEAU,
    "no_signal": Metric.RAIL_NO_SIGNAL,
    "exploitation": Metric.RAIL_EXPLOITATION,
    "outcome_shift": Metric.RAIL_OUTCOME_SHIFT,
    "overspend": Metric.RAIL_OVERSPEND,
}
"""What a guard rail of the settings sends at each look at which it is reached; at the others it sends nothing, which costs nothing."""
