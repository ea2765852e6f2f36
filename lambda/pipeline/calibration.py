"""Does the reward agree with people? Agreement on pairs and rank correlation with ratings, with intervals. No AWS calls here.

How to use it, from the command or a function:

    feedback = calibration_feedback.read_feedback(body, "file.jsonl")            # -> Feedback(pairs, ratings); InvalidInput
    found = calibration.calibrate(feedback.pairs, feedback.ratings, grade_batch)  # -> Calibration
    lines = calibration.below_floor(found, settings)                             # -> [] when it may train (CalibrationSettings)
    text = calibration.table(found)                                              # -> a table a person can read
    record = calibration.record_of(found, reward_arn=..., ...)                   # -> dict, to store as JSON under
    key = names.calibration_key(dataset, reward_version)                         #    this key of the datasets bucket

`grade_batch` takes elements of the grader event and gives, in order, one `grading.Graded` (score, components) each. For a deployed
version it is ``lambda samples: grading.grade_parts(reward_version_arn, samples)``, which calls Lambda through `pipeline.aws`.
Feedback files are named by `names.feedback_key(dataset, file)`.

Sources: Wilson 1927 for the interval of a share; Kendall 1945 for tau-b; Fieller, Hartley and Pearson 1957 and Bonett and Wright
2000 for the intervals of the correlations by Fisher's transformation.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
from contracts.errors import InvalidInput
from contracts.settings import CalibrationSettings
from contracts.validation import number, plain, structure, whole

from pipeline.calibration_feedback import OVERALL, Pair, Rating
from pipeline.grading import Graded
from pipeline.rank_correlation import Correlation, kendall, spearman

CONFIDENCE = 0.95
FORMAT = 1
"""Version of the stored record."""

WHOLE = "score"
"""What is compared when the reward reports no component under a criterion's name: the aggregate score."""

GradeBatch = Callable[[Sequence[Mapping[str, Any]]], Sequence[Graded]]


@attrs.frozen(kw_only=True)
class Agreement:
    """How often the reward prefers what people prefer.

    Attributes:
        pairs: pairs compared.
        ties: pairs both of whose answers got the same score; each counts as half an agreement.
        share: agreements over pairs, 0 to 1; a coin has 0.5.
        low, high: ends of the Wilson interval.
    """

    pairs: int
    ties: int
    share: float
    low: float
    high: float


@attrs.frozen(kw_only=True)
class Criterion:
    """What was found for one criterion, or for all feedback together.

    Attributes:
        name: the criterion, or ``overall``.
        scored_by: ``score``, or the component of `metrics_list` that has the criterion's name.
        agreement: None without pairs.
        ratings: how many ratings there are.
        spearman, kendall: None without ratings, or when the ratings or the scores are all the same.
    """

    name: str
    scored_by: str
    agreement: Agreement | None
    ratings: int
    spearman: Correlation | None
    kendall: Correlation | None


@attrs.frozen(kw_only=True)
class Calibration:
    """The result. `criteria` holds only criteria that the feedback names, in alphabetical order.

    Attributes:
        overall: all feedback together, against the aggregate score.
        confidence: of every interval.
    """

    overall: Criterion
    criteria: tuple[Criterion, ...]
    confidence: float = attrs.field(default=CONFIDENCE, validator=number(CONFIDENCE, CONFIDENCE))


@attrs.frozen(kw_only=True)
class Stored:
    """The stored record: a calibration, and which reward and feedback it is of.

    Attributes:
        format: of the record.
        reward_arn: of the published version, as a run's plan has it.
        reward_sha256: the version's `CodeSha256`.
        feedback_sha256: hexadecimal, of the feedback file's bytes.
        calibrated_at: ISO 8601, UTC.
    """

    format: int = attrs.field(default=FORMAT, validator=whole(FORMAT, FORMAT))
    dataset: str
    reward_arn: str
    reward_version: str
    reward_sha256: str
    feedback_sha256: str
    calibrated_at: str
    calibrated_by: str = "unknown"
    calibration: Calibration


def calibrate(pairs: Sequence[Pair], ratings: Sequence[Rating], grade_batch: GradeBatch) -> Calibration:
    """Has every answer graded, all in one call of `grade_batch`, and compares the scores with what people said.

    Raises:
        ValueError: without any feedback, or if `grade_batch` gives another number of scores than it got samples.
    """
    if not pairs and not ratings:
        raise ValueError("there is no feedback to calibrate with; allowed is at least one pair or rating")
    samples = [sample for number, pair in enumerate(pairs) for sample in _pair_samples(pair, number)]
    samples += [_sample(rating, rating.response, f"rating-{number}") for number, rating in enumerate(ratings)]
    graded = list(grade_batch(samples))
    if len(graded) != len(samples):
        raise ValueError(f"grade_batch gave {len(graded)} scores for {len(samples)} samples; allowed is one for each")
    sides = [(pair, graded[2 * number], graded[2 * number + 1]) for number, pair in enumerate(pairs)]
    rated = list(zip(ratings, graded[2 * len(pairs) :], strict=True))
    named = sorted(({pair.criterion for pair in pairs} | {rating.criterion for rating in ratings}) - {OVERALL})
    return Calibration(
        overall=_criterion(OVERALL, sides, rated),
        criteria=tuple(
            _criterion(name, [side for side in sides if side[0].criterion == name], [one for one in rated if one[0].criterion == name])
            for name in named
        ),
    )


def wilson(share: float, count: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's interval of a share of `count` trials. With half-counted ties it is a little wider than need be."""
    z = statistics.NormalDist().inv_cdf((1 + confidence) / 2)
    middle = share + z * z / (2 * count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    scale = 1 + z * z / count
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def below_floor(calibration: Calibration, settings: CalibrationSettings) -> list[str]:
    """Why the reward may not train; empty when it may.

    The lower end of an interval is held against its floor, so that few samples never pass for certainty. The feedback as a whole
    needs `min_samples` pairs or as many ratings; a kind or criterion with fewer is shown and not judged.
    """
    least, overall = settings.min_samples, calibration.overall
    pairs = overall.agreement.pairs if overall.agreement else 0
    if max(pairs, overall.ratings) < least:
        return [f"there are {pairs} pairs and {overall.ratings} ratings; allowed are {least} or more of one of them"]
    return [line for criterion in (overall, *calibration.criteria) for line in _criterion_problems(criterion, settings)]


def table(calibration: Calibration) -> str:
    """A table of plain text: criterion, what it was scored by, and each figure with its interval."""
    rows = [("criterion", "scored by", "pairs", "ties", "agreement", "ratings", "Spearman", "Kendall")]
    for found in (calibration.overall, *calibration.criteria):
        agreement = found.agreement
        rows.append(
            (
                found.name,
                found.scored_by,
                str(agreement.pairs) if agreement else "-",
                str(agreement.ties) if agreement else "-",
                _figure(agreement.share, agreement.low, agreement.high) if agreement else "-",
                str(found.ratings) if found.ratings else "-",
                _correlation(found.spearman),
                _correlation(found.kendall),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def record_of(
    calibration: Calibration,
    *,
    dataset: str,
    reward_arn: str,
    reward_version: str,
    reward_sha256: str,
    feedback_sha256: str,
    calibrated_at: str,
    calibrated_by: str = "unknown",
) -> dict[str, Any]:
    """The record of a reward version's calibration, ready for JSON; see `Stored`. It holds figures, never text of an answer."""
    stored = Stored(
        dataset=dataset,
        reward_arn=reward_arn,
        reward_version=reward_version,
        reward_sha256=reward_sha256,
        feedback_sha256=feedback_sha256,
        calibrated_at=calibrated_at,
        calibrated_by=calibrated_by,
        calibration=calibration,
    )
    return plain(stored)  # type: ignore[no-any-return]


def of_record(record: object, where: str, *, reward_arn: str, reward_sha256: str) -> Calibration:
    """Reads a stored calibration, which must be of this very version of the reward.

    Raises:
        InvalidInput: if it is of another reward, or not a record that `record_of` made.
    """
    stored = structure(record, Stored, where)
    for key, given in (("reward_arn", reward_arn), ("reward_sha256", reward_sha256)):
        if getattr(stored, key) != given:
            raise InvalidInput(where, [f"{key} = {getattr(stored, key)!r}: allowed is {given!r}, the version of this run"])
    return stored.calibration


def _pair_samples(pair: Pair, number: int) -> list[dict[str, Any]]:
    return [_sample(pair, pair.chosen, f"pair-{number}-a"), _sample(pair, pair.rejected, f"pair-{number}-b")]


def _sample(item: Pair | Rating, reply: str, ident: str) -> dict[str, Any]:
    # Neither the id nor the metadata tells the reward which answer people chose.
    return {"id": ident, "messages": [*item.messages, {"role": "assistant", "content": reply}], "metadata": dict(item.metadata)}


def _criterion(name: str, sides: Sequence[tuple[Pair, Graded, Graded]], rated: Sequence[tuple[Rating, Graded]]) -> Criterion:
    graded = [one for _, *both in sides for one in both] + [one for _, one in rated]
    component = name if name != OVERALL and all(name in one.components for one in graded) else None
    scores = [_value(one, component) for _, one in rated]
    said = [rating.rating for rating, _ in rated]
    return Criterion(
        name=name,
        scored_by=component or WHOLE,
        agreement=_agreement([(_value(chosen, component), _value(rejected, component)) for _, chosen, rejected in sides]),
        ratings=len(rated),
        spearman=spearman(scores, said, CONFIDENCE),
        kendall=kendall(scores, said, CONFIDENCE),
    )


def _value(graded: Graded, component: str | None) -> float:
    return graded.score if component is None else graded.components[component]


def _agreement(values: Sequence[tuple[float, float]]) -> Agreement | None:
    if not values:
        return None
    ties = sum(chosen == rejected for chosen, rejected in values)
    share = (sum(chosen > rejected for chosen, rejected in values) + ties / 2) / len(values)
    low, high = wilson(share, len(values))
    return Agreement(pairs=len(values), ties=ties, share=share, low=low, high=high)


def _criterion_problems(criterion: Criterion, settings: CalibrationSettings) -> list[str]:
    lines = []
    name, agreement = criterion.name, criterion.agreement
    if agreement and agreement.pairs >= settings.min_samples and agreement.low < settings.min_pair_agreement:
        lines.append(
            f"{name}: the reward agrees with {agreement.share:.2f} of {agreement.pairs} pairs, at least {agreement.low:.2f} "
            f"with {CONFIDENCE:.0%} confidence; allowed is a lower end of {settings.min_pair_agreement:.2f} or more"
        )
    if criterion.ratings >= settings.min_samples:
        found = criterion.spearman
        if found is None:
            lines.append(
                f"{name}: the reward gives all {criterion.ratings} rated answers one score, or people did; allowed is a rank correlation"
            )
        elif found.low < settings.min_rank_correlation:
            lines.append(
                f"{name}: the rank correlation with {criterion.ratings} ratings is {found.value:.2f}, at least {found.low:.2f} "
                f"with {CONFIDENCE:.0%} confidence; allowed is a lower end of {settings.min_rank_correlation:.2f} or more"
            )
    return lines


def _correlation(found: Correlation | None) -> str:
    return _figure(found.value, found.low, found.high) if found else "-"


def _figure(value: float, low: float, high: float) -> str:
    return f"{value:.2f} ({low:.2f} to {high:.2f})"
