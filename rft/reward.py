"""`rft reward`: write, try, test, rehearse and calibrate rewards. Each verb has its own module."""

from __future__ import annotations

import click

from rft.lazy import LazyGroup

VERBS: dict[str, tuple[str, str, str]] = {
    "bench": ("rft.reward_bench", "bench", "How many samples a second a grader grades on one core."),
    "calibrate": ("rft.reward_calibrate", "calibrate", "Compare the deployed reward with what people said of answers."),
    "consistency": ("rft.reward_consistency", "consistency", "Ask the judge twice and in both orders: does it contradict itself?"),
    "grade": ("rft.reward_grade", "grade", "Grade the event on stdin, as Bedrock would have it graded."),
    "list": ("rft.reward_list", "list_graders", "The graders there are, built in and your own, and their options."),
    "new": ("rft.reward_new", "new", "Begin a grader of your own: one file, and its test."),
    "rehearse": ("rft.reward_rehearse", "rehearse", "Look for exploits the reward pays, before any run does."),
    "review": ("rft.reward_review", "review", "Choose between two answers, prompt by prompt, for calibrate."),
    "test": ("rft.reward_check", "check", "The gold check: right replies score 1.0, and none breaks the grader."),
    "try": ("rft.reward_try", "try_", "Grade a dataset's samples and see score, outcome and components."),
}


@click.group(cls=LazyGroup, verbs=VERBS)
def reward() -> None:
    """Write, try, test, rehearse and calibrate rewards.

    grade, list, new, test, try, bench and review work on this machine and need no account. rehearse asks the deployed
    reward unless --grader is given; calibrate always does. consistency asks the judge model itself.
    """
