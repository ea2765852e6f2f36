"""Functions, state machine, events and parameters of every environment."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from typing import Any

import pytest
from contracts import names
from contracts.events import JOB_ENDED, RunEvent
from contracts.settings import PipelineSettings
from contracts.validation import plain, structure

from stacks.run_definition import FUNCTIONS
from tests.stacks.template_reader import Synthesised, flat

OUTSIDE_THE_STATE_MACHINE = ("sweep", "inspect_jobs", "register_dataset", "request_run", "on_job_event")


def by_handler(environment: Synthesised) -> dict[str, tuple[str, dict[str, Any]]]:
    return {f["Properties"]["Handler"]: (n, f["Properties"]) for n, f in environment.of_type("AWS::Lambda::Function").items()}


def matches(pattern: Any, value: Any) -> bool:
    """EventBridge's matching, as far as the rules here use it."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(key in value and matches(inner, value[key]) for key, inner in pattern.items())
    for choice in pattern:
        if not isinstance(choice, dict):
            found = flat(choice) == value if isinstance(value, str) else choice == value
        elif "Ref" in choice or "Fn::ImportValue" in choice:
            found = True  # a name of ours, known only when deployed
        elif "wildcard" in choice:
            found = fnmatchcase(value, choice["wildcard"])
        elif "prefix" in choice:
            found = value.startswith(choice["prefix"])
        elif "equals-ignore-case" in choice:
            found = value.lower() == choice["equals-ignore-case"].lower()
        else:
            raise AssertionError(f"the test knows no matcher {choice}")
        if found:
            return True
    return False


def test_the_functions_are_those_of_the_pipeline_and_the_grader(environment: Synthesised) -> None:
    modules = [*FUNCTIONS, *OUTSIDE_THE_STATE_MACHINE]
    assert set(by_handler(environment)) == {f"pipeline.{module}.handler" for module in modules} | {"reward.handler.handler"}


def test_every_function_is_current_private_traced_and_logs_to_its_own_group(environment: Synthesised) -> None:
    groups = set()
    for handler, (_, function) in by_handler(environment).items():
        assert function["Runtime"] == "python3.14", handler
        assert function["Architectures"] == ["arm64"], handler
        assert function["TracingConfig"] == {"Mode": "Active"}, handler
        assert len(function["VpcConfig"]["SubnetIds"]) == environment.settings.network.availability_zones, handler
        assert len(function["VpcConfig"]["SecurityGroupIds"]) == 1, handler
        assert len(function["Layers"]) == 1, handler
        assert 3 <= function["Timeout"] <= 900, handler
        groups.add(flat(function["LoggingConfig"]["LogGroup"]))
    assert len(groups) == len(by_handler(environment))


def test_every_log_group_is_encrypted_and_expires(environment: Synthesised) -> None:
    groups = environment.of_type("AWS::Logs::LogGroup")
    assert len(groups) > len(by_handler(environment))
    for name, group in groups.items():
        assert "KeysLogs" in flat(group["Properties"]["KmsKeyId"]), name
        assert group["Properties"]["RetentionInDays"] == environment.settings.retention.log_days, name


def test_the_functions_are_given_the_environments_settings(environment: Synthesised) -> None:
    for handler, (_, function) in by_handler(environment).items():
        variables = function["Environment"]["Variables"]
        assert variables[names.ENV_ENVIRONMENT] == environment.settings.name
        if handler.startswith("pipeline."):
            given = structure(json.loads(variables[names.ENV_SETTINGS]), PipelineSettings, handler)
            assert plain(given) == plain(environment.settings.pipeline)
        # Lambda refuses more than 4 KB; ARNs and names grow by some 100 characters each when deployed.
        size = sum(len(key) + len(flat(value)) for key, value in variables.items()) + 100 * len(variables)
        assert size < 4096, f"{handler}: {size}"


def test_the_reward_is_published_behind_its_alias_and_old_versions_stay(environment: Synthesised) -> None:
    function, properties = by_handler(environment)["reward.handler.handler"]
    ((version, resource),) = environment.of_type("AWS::Lambda::Version").items()
    assert flat(resource["Properties"]["FunctionName"]) == f"${{{function}}}"
    assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain"
    (alias,) = environment.of_type("AWS::Lambda::Alias").values()
    assert alias["Properties"]["Name"] == names.REWARD_ALIAS
    assert flat(alias["Properties"]["FunctionVersion"]) == f"${{{version}.Version}}"
    assert properties["Timeout"] == environment.settings.reward.timeout_seconds
    assert properties["Environment"]["Variables"][names.ENV_GRADER] == environment.settings.reward.grader
    assert json.loads(properties["Environment"]["Variables"][names.ENV_GRADER_OPTIONS]) == environment.settings.reward.options


def test_reserved_concurrency_is_set_when_asked_for_and_not_otherwise(dev: Synthesised, furnished: Synthesised) -> None:
    assert "ReservedConcurrentExecutions" not in by_handler(dev)["reward.handler.handler"][1]
    assert by_handler(furnished)["reward.handler.handler"][1]["ReservedConcurrentExecutions"] == 100


def test_the_state_machine_runs_the_definition_and_logs_no_data(environment: Synthesised) -> None:
    _, machine = environment.one("AWS::StepFunctions::StateMachine", "Run")
    properties = machine["Properties"]
    assert properties["StateMachineName"] == names.state_machine(environment.settings.name)
    assert "StateMachineType" not in properties, "deployed ones have none, and CloudFormation would replace them, which their name forbids"
    assert properties["LoggingConfiguration"]["IncludeExecutionData"] is False
    assert properties["LoggingConfiguration"]["Level"] == "ALL"
    assert properties["TracingConfiguration"] == {"Enabled": True}
    definition = json.loads(flat(properties["DefinitionString"]))
    assert definition["QueryLanguage"] == "JSONata"
    assert {"PrepareRun", "RehearseReward", "StartTraining", "TrackTraining", "Gate", "Release", "CleanUp"} <= set(definition["States"])
    named = set(re.findall(r"\$\{(\w+)\.Arn\}", json.dumps(definition)))
    functions = {name for handler, (name, _) in by_handler(environment).items() if handler.split(".")[1] in FUNCTIONS}
    assert functions <= named


@pytest.mark.parametrize(
    ("key", "taken"),
    [
        ("incoming/maths/grade-school.jsonl", True),
        ("incoming/maths/deep/er.jsonl", True),
        ("incoming/maths/readme.txt", False),
        (names.split_key("maths", "0123456789ab", names.SPLIT_TRAIN), False),
        (names.manifest_key("maths", "0123456789ab"), False),
        (names.latest_key("maths"), False),
        (names.rejection_key("maths", "bad.jsonl", "e" * 32), False),
        (names.staged_key("run-1", names.SPLIT_TRAIN), False),
        (names.output_prefix("run-1") + "artifacts/incoming/x.jsonl", False),
        (names.record_key("run-1", "gate.json"), False),
        (names.token_key("run-1", "job"), False),
    ],
)
def test_registration_is_triggered_by_uploads_and_never_by_the_pipelines_own_objects(
    environment: Synthesised, key: str, taken: bool
) -> None:
    _, rule = environment.one("AWS::Events::Rule", "DatasetUploaded")
    pattern = rule["Properties"]["EventPattern"]
    bucket = pattern["detail"]["bucket"]["name"]
    assert len(bucket) == 1 and "BucketsDatasets" in flat(bucket[0])
    event = {"source": "aws.s3", "detail-type": "Object Created", "detail": {"bucket": {"name": "any"}, "object": {"key": key}}}
    assert matches(pattern, event) is taken


@pytest.mark.parametrize("status", [*JOB_ENDED, "COMPLETED", "InProgress", "Stopping"])
@pytest.mark.parametrize("whose", ["own", "another environment's", "another team's"])
def test_a_run_is_woken_by_the_end_of_its_own_environments_jobs(environment: Synthesised, status: str, whose: str) -> None:
    name = {"own": environment.settings.name, "another environment's": "other"}.get(whose)
    job = names.job_name(name, "maths-1") if name else "maths-1"
    event = {
        "source": "aws.bedrock",
        "detail-type": "Model Customization Job State Change",
        "detail": {"jobName": job, "jobStatus": status},
    }
    _, rule = environment.one("AWS::Events::Rule", "TrainingJobEnded")
    ended = status.title() in JOB_ENDED
    assert matches(rule["Properties"]["EventPattern"], event) is (ended and whose == "own")


def test_a_registered_dataset_starts_a_run_where_settings_say_so(environment: Synthesised) -> None:
    rules = {name: rule for name, rule in environment.of_type("AWS::Events::Rule").items() if name.startswith("RunDatasetRegistered")}
    assert bool(rules) is environment.settings.triggers.on_dataset_registered
    for rule in rules.values():
        assert rule["Properties"]["EventPattern"] == {"source": [names.EVENT_SOURCE], "detail-type": [RunEvent.DATASET_REGISTERED]}
        assert flat(rule["Properties"]["EventBusName"]).startswith("${Bus")


def test_a_schedule_starts_runs_on_its_dataset(furnished: Synthesised, dev: Synthesised) -> None:
    assert not [name for name in dev.of_type("AWS::Scheduler::Schedule") if name.startswith("Run")]
    _, schedule = furnished.one("AWS::Scheduler::Schedule", "RunSchedule")
    target = schedule["Properties"]["Target"]
    assert schedule["Properties"]["ScheduleExpression"] == "rate(7 days)"
    assert json.loads(target["Input"])["dataset"] == "maths"
    assert flat(target["DeadLetterConfig"]["Arn"]).startswith("${UndeliveredEvents")
    assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0
    function, _ = by_handler(furnished)["pipeline.request_run.handler"]
    assert flat(target["Arn"]) == f"${{{function}.Arn}}"


def test_every_rule_has_retries_a_dead_letter_queue_and_leave_to_call_its_function(environment: Synthesised) -> None:
    permissions = {
        (flat(p["Properties"]["FunctionName"]), flat(p["Properties"]["SourceArn"]))
        for p in environment.of_type("AWS::Lambda::Permission").values()
        if p["Properties"]["Principal"] == "events.amazonaws.com"
    }
    rules = environment.of_type("AWS::Events::Rule")
    assert len(rules) >= 2
    for name, rule in rules.items():
        for target in rule["Properties"]["Targets"]:
            assert flat(target["DeadLetterConfig"]["Arn"]).startswith("${UndeliveredEvents"), name
            assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0, name
            assert (flat(target["Arn"]), f"${{{name}.Arn}}") in permissions, name


def test_functions_that_events_call_keep_what_they_failed_on(environment: Synthesised) -> None:
    kept = {flat(c["Properties"]["FunctionName"]): c["Properties"] for c in environment.of_type("AWS::Lambda::EventInvokeConfig").values()}
    for module in OUTSIDE_THE_STATE_MACHINE:
        function, _ = by_handler(environment)[f"pipeline.{module}.handler"]
        destination = kept[f"${{{function}}}"]["DestinationConfig"]["OnFailure"]["Destination"]
        assert flat(destination).startswith("${FailedEvents"), module


def test_queues_and_topic_are_encrypted_and_refuse_plain_http(environment: Synthesised) -> None:
    queues, topics = environment.of_type("AWS::SQS::Queue"), environment.of_type("AWS::SNS::Topic")
    assert len(queues) == 2 and len(topics) == 3
    for name, resource in {**queues, **topics}.items():
        assert "KeysData" in flat(resource["Properties"]["KmsMasterKeyId"]), name
    policies = [*environment.of_type("AWS::SQS::QueuePolicy").values(), *environment.of_type("AWS::SNS::TopicPolicy").values()]
    assert len(policies) == 5
    for policy in policies:
        denials = [s for s in policy["Properties"]["PolicyDocument"]["Statement"] if s["Effect"] == "Deny"]
        assert {"Bool": {"aws:SecureTransport": "false"}} in [s["Condition"] for s in denials]


def test_names_that_others_type_are_published_under_the_environment(environment: Synthesised) -> None:
    published = {p["Properties"]["Name"]: p["Properties"]["Value"] for p in environment.of_type("AWS::SSM::Parameter").values()}
    wanted = (
        names.PARAM_DATASETS_BUCKET,
        names.PARAM_RUNS_BUCKET,
        names.PARAM_STATE_MACHINE,
        names.PARAM_REWARD_FUNCTION,
        names.PARAM_BUS,
        names.PARAM_LINEAGE_KEYS,
        names.PARAM_TOPIC,
        names.PARAM_ON_CALL,
        names.PARAM_DASHBOARD,
        names.PARAM_RUN_DASHBOARD,
        *([names.PARAM_BACKUP_BUCKET] if environment.settings.backup.enabled else []),
        *([names.PARAM_BUDGET] if environment.settings.budget.monthly_usd else []),
    )
    assert set(published) == {names.parameter(environment.settings.name, name) for name in wanted}
    assert names.parameter(environment.settings.name, names.PARAM_RELEASED_MODEL) not in published
    (bus,) = environment.of_type("AWS::Events::EventBus").values()
    assert bus["Properties"]["Name"] == names.bus(environment.settings.name)


def test_addresses_are_subscribed_to_the_topic(dev: Synthesised, furnished: Synthesised) -> None:
    assert not dev.of_type("AWS::SNS::Subscription")
    found = [r["Properties"] for r in furnished.pipeline["Resources"].values() if r["Type"] == "AWS::SNS::Subscription"]
    assert [(each["Protocol"], each["Endpoint"]) for each in found] == [("email", "ml-team@example.com"), ("email", "pager@example.com")]


def test_no_resource_is_a_custom_resource(environment: Synthesised) -> None:
    kinds = {resource["Type"] for resource in environment.all().values()}
    assert not [kind for kind in kinds if kind.startswith("Custom::") or kind == "AWS::CloudFormation::CustomResource"]


def test_the_pipeline_stack_holds_nothing_that_keeps_data(environment: Synthesised) -> None:
    kinds = {resource["Type"] for resource in environment.pipeline["Resources"].values()}
    assert not kinds & {"AWS::S3::Bucket", "AWS::KMS::Key", "AWS::EC2::VPC", "AWS::DynamoDB::Table"}
