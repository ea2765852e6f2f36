"""environments/*.toml: what is accepted, and what each fault says."""

from __future__ import annotations

from pathlib import Path

import pytest
from contracts.errors import InvalidInput
from contracts.settings import RFT_REGIONS
from contracts.validation import plain

from stacks.settings import ENVIRONMENTS, EnvironmentSettings, load, load_all

DEV = (ENVIRONMENTS / "dev.toml").read_text()
NOTIFICATIONS = DEV[DEV.index("[notifications]") : DEV.index("[triggers]")]


def written(directory: Path, text: str, name: str = "dev") -> Path:
    path = directory / "environments" / f"{name}.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def refusal(directory: Path, *changes: tuple[str, str]) -> InvalidInput:
    """What loading dev.toml says after each first string was replaced by the second."""
    text = DEV
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in dev.toml"
        text = text.replace(old, new)
    with pytest.raises(InvalidInput) as caught:
        load(written(directory, text))
    return caught.value


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('account = ""', 'account = "12345"', "account = '12345': allowed is 12 digits or an empty string"),
        ('account = ""', "account = 123456789012", "account = 123456789012: allowed is a string"),
        ('name = "dev"', 'name = "Dev!"', "name = 'Dev!': allowed is 2 to 8 lower-case letters and digits, a letter first"),
        ('region = "us-east-1"', 'region = "Virginia"', "region = 'Virginia': allowed is an AWS Region such as us-east-1"),
        ("protect = false", 'protect = "no"', "protect = 'no': allowed is true or false"),
        ("availability_zones = 1", "availability_zones = 4", "network.availability_zones = 4: allowed is a whole number from 1 to 3"),
        ("availability_zones = 1", "availability_zones = 1.5", "network.availability_zones = 1.5: allowed is a whole number"),
        ("log_days = 30", "log_days = 31", "retention.log_days = 31: allowed is one of 1, 3, 5, 7, 14, 30"),
        ("timeout_seconds = 60", "timeout_seconds = 901", "reward.timeout_seconds = 901: allowed is a whole number from 3 to 900"),
        ("timeout_seconds = 60", "timeout_seconds = 2", "reward.timeout_seconds = 2: allowed is a whole number from 3 to 900"),
        ("memory_mb = 512", "memory_mb = 64", "reward.memory_mb = 64: allowed is a whole number from 128 to 10240"),
        ('grader = "math"', 'grader = "vibes"', "reward.grader = 'vibes': allowed is one of code, composite, format,"),
        ('mode = "strict"', 'mood = "strict"', "reward.options.mood is not an option of the grader math; its options: mode, partial"),
        ('mode = "strict"', 'mode = "loose"', "reward.options.mode = 'loose': allowed is one of strict, lenient"),
        ('mode = "strict"', 'mode = ["strict"]', "reward.options.mode = \"['strict']\": allowed is one of strict, lenient"),
        (
            'mode = "strict"',
            "mode = [2026-01-31]",
            "allowed are strings, finite numbers, true, false, and lists and tables of them, and 'mode'",
        ),
        ('mode = "strict"', f'mode = "{"x" * 3000}"', "allowed are 3000 bytes as JSON, and these are 30"),
        (
            'organization_id = ""',
            'organization_id = "ou-1234"',
            "perimeter.organization_id = 'ou-1234': allowed is an organisation id such as o-a1b2c3d4e5, or an empty string",
        ),
        (
            "trusted_accounts = []",
            'trusted_accounts = ["1234"]',
            "perimeter.trusted_accounts = ['1234']: allowed are account ids of 12 digits, and '1234' is none",
        ),
        ("trusted_accounts = []", 'trusted_accounts = ["111122223333", "111122223333"]', "allowed is each entry once"),
        (
            "outside_vpc_principals = []",
            'outside_vpc_principals = ["*"]',
            "allowed are ARNs of IAM roles or users, and '*' is none",
        ),
        (
            "outside_vpc_principals = []",
            'outside_vpc_principals = ["arn:aws:iam::111122223333:role/ci"]',
            "allowed is an empty list, because perimeter.data_through_vpc_only is false",
        ),
        ("inspection_minutes = 60", "inspection_minutes = 1", "perimeter.inspection_minutes = 1: allowed is a whole number from 5 to 1440"),
        ("emails = []", 'emails = ["ml-team"]', "allowed are e-mail addresses, and 'ml-team' is none"),
        ("emails = []", "emails = [3]", "notifications.emails[0] = 3: allowed is a string"),
        ('schedule = ""', 'schedule = "weekly"', "triggers.schedule = 'weekly': allowed is rate(...), cron(...) or an empty string"),
        (
            "learning_rate = 5e-5",
            "learning_rate = 0.1",
            "hyperparameters.learning_rate = 0.1: allowed is a number from 1e-07 to 0.001",
        ),
        ("epoch_count = 3 ", "epoch_count = 0 ", "training.hyperparameters.epoch_count = 0: allowed is a whole number from 1 to 50"),
        ('reasoning_effort = "low"', 'reasoning_effort = "max"', "reasoning_effort = 'max': allowed is one of low, medium, high"),
        ("poll_seconds = 600", "poll_minutes = 1", "training.poll_minutes is not a known key; known here: base_model, poll_seconds"),
        ("spend_above_usd = 60.0", "spend_above_usd = nan", "approval.spend_above_usd = nan: allowed is a number"),
        ("[evaluation]", "[evaluating]", "evaluating is not a known key; known here: name, account, region"),
        ("[dataset]", "dataset_check = true\n[dataset]", "evaluation.dataset_check is not a known key"),
        ("reward_floor = 0.05", "reward_floor = 5", "guard_rails.reward_floor = 5: allowed is a number from 0 to 1"),
        (
            "falling_share = 0.75",
            "falling_share = 0.4",
            "guard_rails.falling_share = 0.4: allowed is guard_rails.collapse_share = 0.5 or more",
        ),
        ("approval_hours = 4 ", "approval_hours = 30 ", "alarms.approval_hours = 30: allowed is less than approval.timeout_hours = 24"),
        ("limit_share = 0.8", "limit_share = 80", "alarms.limit_share = 80: allowed is a number from 0.1 to 1"),
        ("silent_minutes = 60", "silent_minutes = 1", "alarms.silent_minutes = 1: allowed is a whole number from 10 to 720"),
        ("on_call = []", 'on_call = ["pager"]', "notifications.on_call = ['pager']: allowed are e-mail addresses, and 'pager' is none"),
        ('runbooks_url = ""', 'runbooks_url = "http://wiki"', "notifications.runbooks_url = 'http://wiki': allowed is an https:// address"),
        (NOTIFICATIONS, "notifications = true", "notifications = True: allowed is a table of keys and values"),
    ],
)
def test_a_fault_names_file_key_value_and_what_is_allowed(tmp_path: Path, old: str, new: str, problem: str) -> None:
    if new == "notifications = true":
        # A bare key must stand before the first table.
        text = DEV.replace(old, "").replace("[network]", f"{new}\n\n[network]")
        with pytest.raises(InvalidInput) as caught:
            load(written(tmp_path, text))
        fault = caught.value
    else:
        fault = refusal(tmp_path, (old, new))
    assert str(fault).startswith("environments/dev.toml: ")
    assert problem in str(fault)
    assert len(fault.problems) == 1


@pytest.mark.parametrize("network", ["8.8.8.0/20", "10.0.0.0/8", "10.40.0.0/28", "10.40.0.1/20", "ten"])
def test_the_network_is_private_and_of_a_size_that_holds_the_endpoints(tmp_path: Path, network: str) -> None:
    fault = refusal(tmp_path, ('"10.40.0.0/20"', f'"{network}"'))
    assert fault.problems == (f"network.vpc_cidr = {network!r}: allowed is a private IPv4 network from /16 to /24, such as 10.40.0.0/20",)


def test_a_region_without_the_model_is_refused_with_the_regions_that_have_it(tmp_path: Path) -> None:
    fault = refusal(tmp_path, ('region = "us-east-1"', 'region = "eu-west-1"'))
    (problem,) = fault.problems
    assert problem.startswith("region = 'eu-west-1': allowed is us-east-1, where Bedrock trains training.base_model = ")


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("epoch_count = 3 ", "epoch_count = 6 ", "epoch_count"),
        ("batch_size = 32 ", "batch_size = 129 ", "batch_size"),
        ("training_sample_per_prompt = 4 ", "training_sample_per_prompt = 9 ", "training_sample_per_prompt"),
        ("inference_max_tokens = 768 ", "inference_max_tokens = 2000 ", "inference_max_tokens"),
    ],
)
def test_hyperparameters_stay_within_the_environments_own_caps(tmp_path: Path, old: str, new: str, key: str) -> None:
    (problem,) = refusal(tmp_path, (old, new)).problems
    assert problem.startswith(f"training.hyperparameters.{key} = ")
    assert f"allowed is at most training.caps.{key} = " in problem


def test_a_schedule_and_its_dataset_need_each_other(tmp_path: Path) -> None:
    assert "triggers.schedule_dataset = ''" in str(refusal(tmp_path, ('schedule = ""', 'schedule = "rate(7 days)"')))
    assert "triggers.schedule = ''" in str(refusal(tmp_path, ('schedule_dataset = ""', 'schedule_dataset = "maths"')))


def test_an_approval_threshold_above_the_cap_would_never_ask(tmp_path: Path) -> None:
    assert "approval.spend_above_usd = 400: allowed is at most training.caps.usd = 300" in str(
        refusal(tmp_path, ("spend_above_usd = 60.0", "spend_above_usd = 400.0"))
    )


def test_an_environment_is_named_as_its_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"environments/stage\.toml: name = 'dev': allowed is the file's own name, 'stage'"):
        load(written(tmp_path, DEV, name="stage"))


def test_all_faults_are_listed_at_once(tmp_path: Path) -> None:
    fault = refusal(
        tmp_path,
        ('account = ""', 'account = "1"'),
        ("protect = false", "protect = 0"),
        ("log_days = 30", "log_days = 31"),
        ("noncurrent_days = 30", "noncurrent_days = 0"),
        ("poll_seconds = 600", "pol_seconds = 600"),
        ("max_hours = 12", "max_hours = 1000"),
    )
    keys = {problem.split(" ", 1)[0] for problem in fault.problems}
    assert keys == {"account", "protect", "retention.log_days", "retention.noncurrent_days", "training.pol_seconds", "training.max_hours"}
    assert str(fault).startswith("environments/dev.toml: 6 problems\n  - ")


def test_contradictions_are_listed_together(tmp_path: Path) -> None:
    fault = refusal(tmp_path, ('region = "us-east-1"', 'region = "us-west-2"'), ("epoch_count = 3 ", "epoch_count = 9 "))
    assert len(fault.problems) == 2


def test_broken_toml_is_refused_with_its_line(tmp_path: Path) -> None:
    line = next(number for number, text in enumerate(DEV.splitlines(), 1) if text.startswith("[network]"))
    fault = refusal(tmp_path, ("[network]", "[network"))
    assert "is not valid TOML" in str(fault) and f"line {line}" in str(fault)


def test_a_missing_file_and_one_that_is_no_text_are_named(tmp_path: Path) -> None:
    written(tmp_path, DEV)
    with pytest.raises(InvalidInput, match=r"environments/qa\.toml: there is no such file; environments here: dev"):
        load(tmp_path / "environments" / "qa.toml")
    (tmp_path / "environments" / "qa.toml").write_bytes(b'name = "\xff"')
    with pytest.raises(InvalidInput, match="not UTF-8"):
        load(tmp_path / "environments" / "qa.toml")


def test_the_faults_of_several_files_come_together(tmp_path: Path) -> None:
    written(tmp_path, DEV.replace('account = ""', 'account = "1"'))
    directory = written(tmp_path, DEV, name="stage").parent
    with pytest.raises(InvalidInput) as caught:
        load_all(directory=directory)
    assert [problem.split(": ", 1)[0] for problem in caught.value.problems] == ["environments/dev.toml", "environments/stage.toml"]


def test_a_directory_without_environments_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="holds no environment"):
        load_all(directory=tmp_path)


def test_only_the_named_environments_are_loaded() -> None:
    assert [settings.name for settings in load_all(only="stage, dev")] == ["stage", "dev"]
    assert {settings.name for settings in load_all()} == {"dev", "stage", "prod"}


def test_an_account_may_be_given(tmp_path: Path) -> None:
    assert load(written(tmp_path, DEV.replace('account = ""', 'account = "111122223333"'))).account == "111122223333"


def test_what_is_left_out_takes_the_default(tmp_path: Path) -> None:
    settings = load(written(tmp_path, 'name = "dev"\nregion = "us-east-1"\nprotect = false\n'))
    assert plain(settings) == plain(EnvironmentSettings(name="dev", region="us-east-1", protect=False))


def test_a_protected_environment_keeps_its_functions_inside(tmp_path: Path) -> None:
    text = (ENVIRONMENTS / "prod.toml").read_text().replace('functions = "inside"', 'functions = "outside"')
    with pytest.raises(InvalidInput, match=r"network\.functions = 'outside': allowed is 'inside', because protect = true"):
        load(written(tmp_path, text, "prod"))


def test_what_only_the_vpcs_endpoint_reaches_keeps_them_inside_too(tmp_path: Path) -> None:
    outside = ('functions = "inside"', 'functions = "outside"')
    problem = str(refusal(tmp_path, outside, ("data_through_vpc_only = false", "data_through_vpc_only = true")))
    assert "because perimeter.data_through_vpc_only = true refuses them the data buckets" in problem


@pytest.mark.parametrize("name", ["dev", "stage", "prod"])
def test_every_key_that_ships_is_explained_beside_it(name: str) -> None:
    keys = [line for line in (ENVIRONMENTS / f"{name}.toml").read_text().splitlines() if " = " in line]
    assert len(keys) > 40
    assert not [line for line in keys if "# " not in line]


def test_environments_grow_stricter_towards_production() -> None:
    dev, stage, prod = (load(ENVIRONMENTS / f"{name}.toml") for name in ("dev", "stage", "prod"))
    assert not dev.protect and stage.protect and prod.protect
    assert not dev.approval.release and prod.approval.release
    assert not dev.perimeter.stop_foreign_jobs and stage.perimeter.stop_foreign_jobs and prod.perimeter.stop_foreign_jobs
    assert dev.triggers.on_dataset_registered and not prod.triggers.on_dataset_registered
    assert dev.retention.log_days <= stage.retention.log_days <= prod.retention.log_days
    assert dev.evaluation.margin <= stage.evaluation.margin <= prod.evaluation.margin
    assert prod.approval.spend_above_usd <= stage.approval.spend_above_usd
    assert all(settings.region in RFT_REGIONS[settings.training.base_model] for settings in (dev, stage, prod))


def test_the_demo_run_in_dev_asks_nobody_and_a_larger_one_asks() -> None:
    settings = load(ENVIRONMENTS / "dev.toml")
    chosen, prices = settings.training.hyperparameters, settings.training.prices

    def usd(epochs: int, samples: int) -> float:
        tokens = 480 * samples * epochs * (chosen.max_prompt_length + chosen.inference_max_tokens)
        return tokens / 1e6 * prices.training_usd_per_million_tokens

    assert usd(chosen.epoch_count, chosen.training_sample_per_prompt) < settings.approval.spend_above_usd
    assert settings.approval.spend_above_usd < usd(5, 8) < settings.training.caps.usd


NESTED = """[reward.options]
[[reward.options.parts]]
name = "answer"
grader = "math"
weight = 0.75
[reward.options.parts.options]
mode = "strict"
[[reward.options.parts]]
name = "form"
grader = "format"
weight = 0.25
[[reward.options.parts.options.criteria]]
kind = "json_schema"
schema = { type = "object", required = ["answer"] }

[alarms]"""


def nested(text: str) -> str:
    before, _, rest = DEV.replace('grader = "math"', 'grader = "composite"').partition("[reward.options]")
    return before + text + rest.partition("[alarms]")[2]


def test_nested_options_of_a_grader_are_read(tmp_path: Path) -> None:
    settings = load(written(tmp_path, nested(NESTED)))
    assert settings.reward.options["parts"][1]["options"]["criteria"][0]["schema"]["required"] == ["answer"]


def test_a_fault_deep_in_a_graders_options_is_named_with_file_and_key(tmp_path: Path) -> None:
    for old, new, problem in (
        ("0.75", "0.5", "reward.options.parts: the weights sum to 0.75; allowed is 1"),
        ('"math"', '"maths"', "reward.options.parts[0].grader = 'maths': allowed is one of code"),
        ('"strict"', '"loose"', "reward.options.parts[0].options.mode = 'loose': allowed is one of strict, lenient"),
        ("schema =", "schemas =", "reward.options.parts[1].options.criteria[0].schema = None: allowed is a JSON Schema"),
    ):
        with pytest.raises(InvalidInput) as caught:
            load(written(tmp_path, nested(NESTED.replace(old, new, 1))))
        assert caught.value.where == "environments/dev.toml"
        assert any(problem in line for line in caught.value.problems), caught.value.problems
