"""Guard rails: whether a job that runs should be stopped, asked about or told of. Pure arithmetic on its readings.

Signs of trouble: AWS Machine Learning Blog, "Reinforcement fine-tuning on Amazon Bedrock: best practices" (a reward that stays below
about 0.15, training reward up with validation down, lengths that explode, groups without variance).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import attrs
from contracts.guard_settings import ASK, OFF, STOP, GuardRailSettings
from contracts.metrics import METRIC_OF_RAIL

from pipeline.signals import Reading, mean, unreadable_share

FLOOR, FALLING, COLLAPSE, PLATEAU, NO_SIGNAL = "floor", "falling", "collapse", "plateau", "no_signal"
EXPLOITATION, OUTCOME_SHIFT, OVERSPEND = "exploitation", "outcome_shift", "overspend"
TIME, CAP = "time", "cap"
"""The hard limits: `training.max_hours` and `training.caps.usd`. They stop a job and ask nobody."""


@attrs.frozen(kw_only=True)
class Finding:
    """A rail that was reached.

    Attributes:
        rail: its name, as in the settings.
        action: ``stop``, ``ask`` or ``tell``.
        reason: a sentence with the figures, for people.
    """

    rail: str
    action: str
    reason: str


@attrs.frozen(kw_only=True)
class Spend:
    """Money by the environment's prices, in US dollars: what the job took so far, what was estimated, what is allowed."""

    so_far: float
    estimated: float
    cap: float


@attrs.frozen(kw_only=True)
class Hours:
    """Hours the job has run, and the most it may."""

    so_far: float
    allowed: float


def findings(readings: Sequence[Reading], settings: GuardRailSettings, *, spend: Spend, hours: Hours) -> list[Finding]:
    """Every rail that was reached, hard limits first, then those that stop, ask and tell."""
    found = _hard_limits(spend, hours)
    found += _overspend(settings, spend)
    for rail, look in _RAILS.items():
        action = getattr(settings, rail)
        if action != OFF and (reason := look(readings, settings)):
            found.append(Finding(rail=rail, action=action, reason=reason))
    return sorted(found, key=lambda one: (STOP, ASK).index(one.action) if one.action in (STOP, ASK) else 2)


def pressing(found: Sequence[Finding], cleared: Collection[str]) -> Finding | None:
    """The finding to act on now: one that stops, else the first that nobody was asked about or told of yet."""
    return next((one for one in found if one.action == STOP or one.rail not in cleared), None)


def standing(found: Sequence[Finding], cleared: Collection[str]) -> list[str]:
    """The rails that are reached and that nobody has said the job may go on for: those there are alarms on."""
    return [one.rail for one in found if one.rail in METRIC_OF_RAIL and not (one.action == ASK and one.rail in cleared)]


def _hard_limits(spend: Spend, hours: Hours) -> list[Finding]:
    found = []
    if hours.so_far > hours.allowed:
        reason = f"stopped after {hours.so_far:.1f} hours; allowed are {hours.allowed:g} (training.max_hours)"
        found.append(Finding(rail=TIME, action=STOP, reason=reason))
    if spend.so_far > spend.cap:
        reason = f"about ${spend.so_far:,.2f} was spent; allowed are ${spend.cap:,.2f} (training.caps.usd)"
        found.append(Finding(rail=CAP, action=STOP, reason=reason))
    return found


def _overspend(settings: GuardRailSettings, spend: Spend) -> list[Finding]:
    limit = settings.overspend_factor * spend.estimated
    if settings.overspend == OFF or spend.so_far <= limit:
        return []
    reason = (
        f"about ${spend.so_far:,.2f} was spent, more than {settings.overspend_factor:g} times the ${spend.estimated:,.2f} "
        "the run was estimated at (guard_rails.overspend)"
    )
    return [Finding(rail=OVERSPEND, action=settings.overspend, reason=reason)]


def _floor(readings: Sequence[Reading], settings: GuardRailSettings) -> str | None:
    trained = _after_warm_up(readings, settings)
    latest = mean(_last(trained, settings.window_steps), "reward")
    if latest is None or trained[-1].step - settings.warm_up_steps < settings.window_steps or latest >= settings.reward_floor:
        return None
    return (
        f"the reward is below its floor: its mean over the last {settings.window_steps} steps is {latest:.3f}, below "
        f"{settings.reward_floor:g} (guard_rails.floor)"
    )


def _falling(readings: Sequence[Reading], settings: GuardRailSettings) -> str | None:
    return _fell(readings, settings, settings.falling_share, "the reward falls", "guard_rails.falling")


def _collapse(readings: Sequence[Reading], settings: GuardRailSettings) -> str | None:
    return _fell(readings, settings, settings.collapse_share, "the reward collapsed", "guard_rails.collapse")


def _fell(readings: Sequence[Reading], settings: GuardRailSettings, share: float, what: str, key: str) -> str | None:
    trained = _after_warm_up(readings, settings)
    now, earlier = _last(trained, settings.window_steps), _all_but_last(trained, settings.window_steps)
    latest, best = mean(now, "reward"), _best(earlier, settings.window_steps)
    if latest is None or best is None or latest >= share * best:
        return None
    return (
        f"{what}: its mean over the last {settings.window_steps} steps is {latest:.3f}, below {share:g} of the best before, "
        f"{best:.3f} ({key})"
    )


def _plateau(readings: Sequence[Reading], settings: GuardRailSettings) -> str | None:
    trained = _after_warm_up(readings, settings)
    if not trained or trained[-1].step - settings.warm_up_steps < settings.plateau_steps + settings.window_steps:
        return None
    then = [one for one in trained if one.step <= trained[-1].step - settings.plateau_steps]
    before, latest = mean(_last(then, settings.window_steps), "reward"), mean(_last(trained, settings.window_steps), "reward")
    if before is None or latest is None or latest >= settings.plateau_below or abs(latest - before) >= settings.plateau_gain:
        return None
    return (
        f"the reward does not rise: {before:.3f}, and {settings.plateau_steps} steps later {latest:.3f}, below "
        f"{settings.plateau_below:g} (guard_rails.plateau)"
    )


def _no_signal(readings: Sequence[Reading], settings: GuardRailSettings) -> str | None:
    now = _last(_after_warm_up(readings, settings), settings.window_steps)
    spread, reward = mean(now, "spread"), mean(now, "reward")
    if spread is None or reward is None or spread >= settings.spread_floor or reward >= settings.solved_above:
        return None
    return (
        f"nothing is being learnt: responses to the same prompt score alike, mean spread {spread:.4f} over the last "
        f"{settings.window_steps} steps at a mean reward of {reward:.3f} (guard_rails.no_signal)"
    )


def _exploitation(readings: Sequence[Reading], settings: GuardRailSettings) -> str | None:
    trained = _after_warm_up(readings, settings)
    first, now = _first(trained, settings.window_steps), _last(trained, settings.window_steps)
    began, latest = mean(first, "reward"), mean(now, "reward")
    if began is None or latest is None or latest < began:
        return None
    short, long = mean(first, "length"), mean(now, "length")
    if short and long and long >= settings.length_growth * short:
        return (
            f"responses grew from {short:.0f} to {long:.0f} characters while the reward went from {began:.3f} to {latest:.3f}: it may "
            "pay for length (guard_rails.exploitation)"
        )
    validated = [one.validation for one in trained if one.validation is not None]
    if not validated or max(validated) - validated[-1] < settings.validation_drop:
        return None
    best, validation = max(validated), validated[-1]
    return (
        f"validation reward fell from {best:.3f} to {validation:.3f} while training reward went from {began:.3f} to {latest:.3f}: the "
        "model may learn the reward's faults and not the task (guard_rails.exploitation)"
    )


def _outcome_shift(readings: Sequence[Reading], settings: GuardRailSettings) -> str | None:
    trained = _after_warm_up(readings, settings)
    then, now = unreadable_share(_first(trained, settings.window_steps)), unreadable_share(_last(trained, settings.window_steps))
    if then is None or now is None or now - then < settings.shift:
        return None
    return (
        f"{now:.0%} of the answers cannot be read, and after the warm-up it was {then:.0%}: the model learnt another form of answer, or "
        "the grader lost the old one (guard_rails.outcome_shift)"
    )


_RAILS: dict[str, Callable[[Sequence[Reading], GuardRailSettings], str | None]] = {
    FLOOR: _floor,
    FALLING: _falling,
    COLLAPSE: _collapse,
    PLATEAU: _plateau,
    NO_SIGNAL: _no_signal,
    EXPLOITATION: _exploitation,
    OUTCOME_SHIFT: _outcome_shift,
}


def _after_warm_up(readings: Sequence[Reading], settings: GuardRailSettings) -> list[Reading]:
    return [one for one in readings if one.step > settings.warm_up_steps]


def _first(readings: Sequence[Reading], steps: int) -> list[Reading]:
    return [one for one in readings if one.step < readings[0].step + steps] if readings else []


def _last(readings: Sequence[Reading], steps: int) -> list[Reading]:
    return [one for one in readings if one.step > readings[-1].step - steps] if readings else []


def _all_but_last(readings: Sequence[Reading], steps: int) -> list[Reading]:
    return [one for one in readings if one.step <= readings[-1].step - steps] if readings else []


def _best(readings: Sequence[Reading], steps: int) -> float | None:
    """The highest mean reward of any window of `steps`; one pass, since a long job has many steps."""
    best: float | None = None
    paid, graded, first = 0.0, 0, 0
    counted = [one for one in readings if one.reward is not None]
    for one in counted:
        paid, graded = paid + (one.reward or 0.0) * one.graded, graded + one.graded
        while counted[first].step <= one.step - steps:
            gone = counted[first]
            paid, graded, first = paid - (gone.reward or 0.0) * gone.graded, graded - gone.graded, first + 1
        if graded and one.step - counted[0].since >= steps:
            best = paid / graded if best is None else max(best, paid / graded)
    return best
