"""Whether a run's reward version agrees with people well enough to train, by its stored calibration."""

from __future__ import annotations

from typing import Any, NamedTuple

from contracts import names
from contracts.errors import InvalidInput
from contracts.run import Plan
from contracts.settings import CalibrationSettings

from pipeline import calibration, config, store


class Calibrated(NamedTuple):
    """What was found.

    Attributes:
        problems: why the version may not train; empty when it may, or when settings ask for nothing.
        found: which calibration was relied on, for the record; None when none was.
    """

    problems: list[str]
    found: dict[str, Any] | None


def look(plan: Plan, settings: CalibrationSettings) -> Calibrated:
    """Reads the calibration of the plan's reward version and holds its figures against the settings as they are now."""
    if not settings.required:
        return Calibrated([], None)
    bucket, key = config.variable(names.ENV_DATASETS_BUCKET), names.calibration_key(plan.dataset, plan.reward_version)
    stored = store.find_json(bucket, key)
    if stored is None:
        line = (
            f"version {plan.reward_version} of the reward is not calibrated on the feedback of {plan.dataset}, and calibration.required "
            f"is true; allowed is a version whose calibration rft reward calibrate has stored under {key}"
        )
        return Calibrated([line], None)
    try:
        found = calibration.of_record(stored, store.uri(bucket, key), reward_arn=plan.reward_arn, reward_sha256=plan.reward_sha256)
    except InvalidInput as fault:
        return Calibrated([f"{fault.where}: {problem}" for problem in fault.problems], None)
    relied_on = {name: stored[name] for name in ("calibrated_at", "calibrated_by", "feedback_sha256")}
    return Calibrated([f"not calibrated well enough: {line}" for line in calibration.below_floor(found, settings)], relied_on)
