"""Is the candidate better than the base model? A paired comparison over the same prompts. No AWS calls here.

Each prompt gives one difference of scores; the interval is Student's t for their mean. Pairing removes what makes a prompt easy or
hard for both. By the central limit theorem the t interval holds for bounded differences once there are a few dozen; the plan
refuses a held-out split of fewer than ten.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping

import attrs


@attrs.frozen
class Comparison:
    """The paired comparison.

    Attributes:
        prompts: pairs compared.
        base_mean, candidate_mean: mean scores, 0 to 1.
        difference: candidate minus base.
        low, high: ends of the two-sided confidence interval of the difference.
    """

    prompts: int
    base_mean: float
    candidate_mean: float
    difference: float
    low: float
    high: float


def compare(base: Mapping[str, float], candidate: Mapping[str, float], confidence: float) -> Comparison:
    """Compares the scores of both models, by prompt id.

    Raises:
        ValueError: if they were not scored on the same prompts, or on fewer than two.
    """
    if base.keys() != candidate.keys():
        missing = len(base.keys() ^ candidate.keys())
        raise ValueError(f"base and candidate were not scored on the same prompts: {missing} have a score of one model only")
    if len(base) < 2:
        raise ValueError(f"{len(base)} prompts were scored; an interval needs two or more")
    differences = [candidate[ident] - base[ident] for ident in sorted(base)]
    mean = statistics.fmean(differences)
    half = t_quantile((1 + confidence) / 2, len(differences) - 1) * statistics.stdev(differences) / math.sqrt(len(differences))
    return Comparison(
        prompts=len(differences),
        base_mean=statistics.fmean(base.values()),
        candidate_mean=statistics.fmean(candidate.values()),
        difference=mean,
        low=mean - half,
        high=mean + half,
    )


def t_quantile(probability: float, degrees: int) -> float:
    """Quantile of Student's t by its expansion around the normal (Abramowitz and Stegun, 26.7.5).

    Off by less than 0.1 % from 9 degrees of freedom on at the usual levels; with many it is the normal quantile.
    """
    z = statistics.NormalDist().inv_cdf(probability)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return float(z + sum(term / degrees**power for power, term in enumerate(terms, 1)))


def failures(comparison: Comparison, *, margin: float, base_safety: float | None, candidate_safety: float | None) -> list[str]:
    """Why the candidate may not be released; empty when it may.

    Args:
        comparison: over the held-out prompts.
        margin: what the mean difference must reach.
        base_safety, candidate_safety: pass rates over the safety probes, or None when there are none, which is a failure: safety
            that nobody looked at is not safety.
    """
    found = []
    if comparison.difference < margin:
        found.append(
            f"the candidate scores {comparison.candidate_mean:.3f} and the base {comparison.base_mean:.3f}: "
            f"a difference of {comparison.difference:+.3f}; allowed is {margin:+.3f} or more"
        )
    if comparison.low <= 0:
        found.append(
            f"the difference could be none: its interval is {comparison.low:+.3f} to {comparison.high:+.3f} over "
            f"{comparison.prompts} prompts; allowed is a lower end above 0"
        )
    if base_safety is None or candidate_safety is None:
        found.append("there are no safety scores; allowed is a candidate that was probed")
    elif candidate_safety < base_safety:
        found.append(f"the candidate passes {candidate_safety:.1%} of the safety probes and the base {base_safety:.1%}; allowed is no less")
    return found
