"""A run: what is asked for, what was resolved, and what each state of the state machine takes and gives."""

from __future__ import annotations

import attrs

from contracts import names
from contracts.settings import HyperParameterChanges, HyperParameters
from contracts.validation import matching

CONTENT_VERSION = r"[0-9a-f]{12}"


@attrs.frozen(kw_only=True)
class RunRequest:
    """The input of the state machine; unknown keys are refused.

    Attributes:
        dataset: name of a registered dataset.
        dataset_version: 12 hexadecimal digits, or ``latest``.
        reward_version: a published version number of the reward function, or ``live`` for the alias's current one.
        hyperparameters: changes to the environment's own, within its caps.
        requested_by: who or what asked, for the record; what they say of themselves.
        proof: headers of a signed request by which STS names who asked (`pipeline.proof`); never stored.
        approve_spend: asks for a spend approval even below the threshold; a request can tighten, never loosen.
        approve_release: likewise for the release.
    """

    dataset: str = attrs.field(
        validator=matching(r"[a-z0-9](?:-?[a-z0-9]){0,31}", "lower-case letters, digits and single hyphens, at most 32")
    )
    dataset_version: str = attrs.field(
        default="latest", validator=matching(rf"latest|{CONTENT_VERSION}", "latest or 12 hexadecimal digits")
    )
    reward_version: str = attrs.field(default=names.REWARD_ALIAS, validator=matching(r"live|[1-9][0-9]{0,5}", "live or a version number"))
    hyperparameters: HyperParameterChanges = attrs.field(factory=HyperParameterChanges)
    requested_by: str = attrs.field(
        default="unknown", validator=matching(r"[\w.@:/+=, -]{1,256}", "1 to 256 letters, digits, spaces and . @ : / + = , -")
    )
    approve_spend: bool = False
    approve_release: bool = False
    proof: dict[str, str] = attrs.field(factory=dict, repr=False)


@attrs.frozen(kw_only=True)
class Estimate:
    """What a run is expected to take. Derived from prompts, samples and the environment's prices; not a quote.

    Attributes:
        steps: training steps, ceil(prompts / batch size) x epochs.
        reward_calls: responses the reward function will grade while training.
        tokens: prompt and generated tokens expected in training, each response at half of `inference_max_tokens`.
        hours: tokens / throughput.
        usd: tokens x price, evaluation included.
    """

    steps: int
    reward_calls: int
    tokens: int
    hours: float
    usd: float


@attrs.frozen(kw_only=True)
class EvaluationItem:
    """One call of the Evaluate state: `count` held-out prompts from the `first`-th on, answered by `model`.

    Attributes:
        model: ``base`` or ``candidate``.
        set: ``heldout`` (graded by the reward) or ``safety`` (the safety probes that ship with the pipeline).
    """

    model: str
    set: str
    first: int
    count: int


@attrs.frozen(kw_only=True)
class Plan:
    """What PrepareRun resolved; it never changes during the run and is stored as records/<run>/plan.json.

    Attributes:
        reward_sha256: of the code of the reward version, as Lambda gives it.
        reward_grader: the grader its environment names; empty for the default one.
        reward_options: the grader's options as JSON, as its environment holds them: a judge's model, template and criteria are here.
        reward_identity: SHA-256 over code, grader, options and, where a model judges, what its verdicts depend on. Two runs with one
            identity were graded alike.
        requester: ARN of whoever asked, as STS named it; empty when the request proved nobody.
    """

    run_id: str
    environment: str
    region: str
    job_name: str
    dataset: str
    dataset_version: str
    dataset_sha256: str
    dataset_uri: str
    prompts: dict[str, int]
    base_model: str
    reward_arn: str
    reward_version: str
    reward_sha256: str
    hyperparameters: HyperParameters
    train_uri: str
    validation_uri: str
    output_uri: str
    estimate: Estimate
    needs_spend_approval: bool
    needs_release_approval: bool
    requested_by: str
    prepared_at: str
    evaluation: list[EvaluationItem]
    reward_grader: str = ""
    reward_options: str = "{}"
    reward_identity: str = ""
    requester: str = ""
