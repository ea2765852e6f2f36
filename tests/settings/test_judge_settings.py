"""A judge that cannot work here is refused before anything is synthesised, by file and key."""

from __future__ import annotations

from pathlib import Path

import pytest
from contracts.errors import InvalidInput

from stacks.settings import ENVIRONMENTS, EnvironmentSettings, load

PLAIN = (ENVIRONMENTS / "dev.toml").read_text()
HEAD = PLAIN.index("[reward]")
TAIL = PLAIN.index("[alarms]")


def loaded(tmp_path: Path, reward: str) -> EnvironmentSettings:
    path = tmp_path / "environments" / "dev.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(PLAIN[:HEAD] + reward + "\n" + PLAIN[TAIL:])
    return load(path)


ACCEPTED = """
[reward]
grader = "judge"
timeout_seconds = 120
[reward.options]
template = "custom"
model = "us.amazon.nova-premier-v1:0"
batch_seconds = 100
criteria = [
  { name = "polite", description = "It is polite.", weight = 0.5, scale = "binary" },
  { name = "right", description = "It is right.", weight = 0.5 },
]
"""


def test_a_judge_with_criteria_of_ones_own_is_accepted(tmp_path: Path) -> None:
    assert loaded(tmp_path, ACCEPTED).reward.options["criteria"][1]["name"] == "right"


SYMBOLIC_PART = '{ name = "a", grader = "symbolic", weight = 1.0, options = { batch_seconds = 60 } }'


@pytest.mark.parametrize(
    ("reward", "least"),
    [
        ('grader = "symbolic"\ntimeout_seconds = %d', 50),
        ('grader = "symbolic"\ntimeout_seconds = %d\n[reward.options]\nbatch_seconds = 100', 105),
        ('grader = "composite"\ntimeout_seconds = %d\n[reward.options]\nparts = [' + SYMBOLIC_PART + "]", 65),
    ],
)
def test_symbolic_answers_must_end_before_the_function_does(tmp_path: Path, reward: str, least: int) -> None:
    assert loaded(tmp_path, "[reward]\n" + reward % least).reward.timeout_seconds == least
    with pytest.raises(InvalidInput, match=f"reward.timeout_seconds = {least - 1}: allowed is {least} or more, because symbolic answers"):
        loaded(tmp_path, "[reward]\n" + reward % (least - 1))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            '"us.amazon.nova-premier-v1:0"',
            '"openai.gpt-oss-120b-1:0"',
            "reward.options.model = 'openai.gpt-oss-120b-1:0': allowed is a model known to be offered in us-east-1",
        ),
        ('"us.amazon.nova-premier-v1:0"', '"eu.amazon.nova-pro-v1:0"', "reward.options.model = 'eu.amazon.nova-pro-v1:0': allowed is"),
        ("weight = 0.5 }", "weight = 0.4 }", "reward.options.criteria: the weights sum to 0.9; allowed is 1"),
        ('"custom"', '"poem"', "reward.options.template = 'poem'"),
        ("timeout_seconds = 120", "timeout_seconds = 104", "reward.timeout_seconds = 104: allowed is 105 or more"),
        ('"judge"', '"jugde"', "reward.grader = 'jugde': allowed is one of"),
    ],
)
def test_a_judge_that_cannot_work_is_refused_with_file_and_key(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        loaded(tmp_path, ACCEPTED.replace(old, new))
    assert refused.value.where == "environments/dev.toml"
    assert said in str(refused.value)


def test_a_model_the_owner_has_seen_is_accepted_where_it_was_seen(tmp_path: Path) -> None:
    named = ACCEPTED.replace("us.amazon.nova-premier-v1:0", "openai.gpt-oss-120b-1:0")
    added = '\n[judge.offered]\n"openai.gpt-oss-120b-1:0" = ["{region}"]\n'
    assert loaded(tmp_path, named + added.format(region="us-east-1")).judge.offered
    with pytest.raises(InvalidInput, match="allowed is a model known to be offered in us-east-1"):
        loaded(tmp_path, named + added.format(region="us-west-2"))


def test_an_application_profile_must_say_what_is_behind_it(tmp_path: Path) -> None:
    arn = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abc123"
    named = ACCEPTED.replace("us.amazon.nova-premier-v1:0", arn) + f'\n[judge.offered]\n"{arn}" = ["us-east-1"]\n'
    with pytest.raises(InvalidInput, match=r"judge\.behind has no 'arn:"):
        loaded(tmp_path, named)
    assert loaded(tmp_path, named + f'\n[judge.behind]\n"{arn}" = ["amazon.nova-pro-v1:0"]\n').judge.behind


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ('[judge]\nmodels = ["x"]\n', "judge.models is not a known key; known here: offered, behind"),
        ('[judge.offered]\n"x.y" = "us-east-1"\n', "judge.offered"),
        ("[judge]\noffered = 3\n", "judge.offered"),
    ],
)
def test_a_judge_table_of_the_wrong_shape_is_refused(tmp_path: Path, block: str, said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        loaded(tmp_path, ACCEPTED + "\n" + block)
    assert said in str(refused.value)
