"""Alarms: they watch what is emitted, say what to do, and tell somebody once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from contracts import names
from contracts.guard_settings import ASK, OFF, STOP, TELL
from contracts.metrics import DIMENSION_ENVIRONMENT, METRIC_OF_RAIL, NAMESPACE, Metric

from stacks.alarms.needs_person import PAGE
from stacks.constructs.alarm_notes import METADATA
from stacks.settings import ENVIRONMENTS, EnvironmentSettings
from tests.stacks.template_reader import Synthesised, flat

DEFINED = {metric.metric_name for metric in Metric}
SERVICES = {"AWS/Lambda", "AWS/States", "AWS/Events", "AWS/SQS", "AWS/S3"}
RUNBOOKS = ENVIRONMENTS.parent / "docs" / "runbooks"
PAGES = [page for page in RUNBOOKS.glob("*.md") if page.stem not in ("README", "seen")]


def alarms(environment: Synthesised) -> dict[str, dict[str, Any]]:
    """The pipeline's alarms; what those of the audit stack count is in test_audit_templates."""
    found = environment.pipeline["Resources"].items()
    return {name: resource for name, resource in found if resource["Type"] == "AWS::CloudWatch::Alarm"}


def every(environment: Synthesised) -> dict[str, dict[str, Any]]:
    """Those of all stacks, composite ones included."""
    return {**environment.of_type("AWS::CloudWatch::Alarm"), **environment.of_type("AWS::CloudWatch::CompositeAlarm")}


def metrics(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """Each metric an alarm looks at: its own, or those its expression is made of."""
    properties = alarm["Properties"]
    return [query["MetricStat"]["Metric"] for query in properties.get("Metrics", []) if "MetricStat" in query] or [properties]


def called(environment: Synthesised, beginning: str) -> dict[str, Any]:
    """Properties of the one alarm whose logical id says so."""
    (found,) = [alarm for name, alarm in alarms(environment).items() if re.match(rf"Alarms{beginning}[0-9A-F]{{8}}$", name)]
    return dict(found["Properties"])


def topic(environment: Synthesised, beginning: str) -> str:
    return f"${{{environment.one('AWS::SNS::Topic', beginning)[0]}}}"


def test_every_alarm_watches_a_metric_that_somebody_emits(environment: Synthesised) -> None:
    for name, alarm in alarms(environment).items():
        for metric in metrics(alarm):
            assert metric["Namespace"] in SERVICES | {NAMESPACE}, name
            if metric["Namespace"] == NAMESPACE:
                assert metric["MetricName"] in DEFINED, name
                assert metric["Dimensions"] == [{"Name": DIMENSION_ENVIRONMENT, "Value": environment.settings.name}], name


def test_every_alarm_says_what_happened_what_to_do_first_and_where_to_read_on(environment: Synthesised) -> None:
    for name, alarm in every(environment).items():
        description = alarm["Properties"]["AlarmDescription"]
        assert len(description) <= 1024, name
        what, first = description.split(" First: ")
        assert len(what.split()) > 6 and len(first.split()) > 6, name
        assert description.endswith(f" Runbook: docs/runbooks/{alarm['Metadata'][METADATA]['Runbook']}.md"), name


def test_a_runbook_is_linked_where_settings_say_it_can_be_read(furnished: Synthesised) -> None:
    for name, alarm in every(furnished).items():
        page = alarm["Metadata"][METADATA]["Runbook"]
        assert alarm["Properties"]["AlarmDescription"].endswith(f" Runbook: https://example.com/runbooks/{page}.md"), name


def test_missing_data_has_its_reason(environment: Synthesised) -> None:
    for name, alarm in environment.of_type("AWS::CloudWatch::Alarm").items():
        assert alarm["Properties"]["TreatMissingData"] == "notBreaching", name
        assert len(alarm["Metadata"][METADATA]["QuietBecause"]) > 40, name


def test_every_alarm_tells_the_topic_unless_the_pipeline_has_told_already(environment: Synthesised) -> None:
    told = topic(environment, "Notifications")
    for name, alarm in alarms(environment).items():
        actions = [flat(action) for action in alarm["Properties"].get("AlarmActions", [])]
        assert actions == ([] if "Told" in alarm["Metadata"][METADATA] else [told]), name
        assert [flat(action) for action in alarm["Properties"].get("OKActions", [])] in ([], actions), name
    assert 0 < sum("Told" in alarm["Metadata"][METADATA] for alarm in alarms(environment).values()) < len(alarms(environment))


def test_the_end_is_told_of_what_lasts_and_not_of_what_is_counted(environment: Synthesised) -> None:
    assert "OKActions" in called(environment, "RunOverTime")
    assert "OKActions" in called(environment, "NoSamples")
    assert "OKActions" not in called(environment, "RunTimedOut")


def test_the_composite_is_over_all_that_need_a_person_and_calls_the_pager(environment: Synthesised) -> None:
    (composite,) = environment.of_type("AWS::CloudWatch::CompositeAlarm").values()
    members = set(re.findall(r"ALARM\(\"?\$\{(\w+)\.Arn\}\"?\)", flat(composite["Properties"]["AlarmRule"])))
    needing = {name for name, alarm in alarms(environment).items() if alarm["Metadata"][METADATA]["NeedsPerson"]}
    assert members == needing and 5 < len(needing) < len(alarms(environment))
    pager = topic(environment, "OnCall")
    for actions in ("AlarmActions", "OKActions"):
        assert [flat(action) for action in composite["Properties"][actions]] == [pager]
    assert composite["Metadata"][METADATA]["Runbook"] == PAGE


def test_the_pager_is_called_by_the_composite_alone(furnished: Synthesised) -> None:
    pager = topic(furnished, "OnCall")
    assert not [n for n, a in alarms(furnished).items() if pager in [flat(action) for action in a["Properties"].get("AlarmActions", [])]]
    (subscription,) = [s for s in furnished.of_type("AWS::SNS::Subscription").values() if flat(s["Properties"]["TopicArn"]) == pager]
    assert subscription["Properties"]["Endpoint"] == "pager@example.com"


def test_every_guard_rail_that_is_on_has_its_alarm(environment: Synthesised) -> None:
    watched = {alarm["Properties"].get("MetricName"): alarm for alarm in alarms(environment).values()}
    rails = {rail: getattr(environment.settings.guard_rails, rail) for rail in METRIC_OF_RAIL}
    assert set(rails.values()) == {TELL, ASK, STOP}
    for rail, action in rails.items():
        alarm = watched[METRIC_OF_RAIL[rail].metric_name]
        assert alarm["Properties"]["Period"] > environment.settings.training.poll_seconds, f"{rail}: a period without a look would end it"
        assert (alarm["Properties"]["EvaluationPeriods"], alarm["Properties"]["DatapointsToAlarm"]) == (1, 1), rail
        assert alarm["Metadata"][METADATA]["NeedsPerson"] == (action == ASK), rail


def test_a_guard_rail_that_is_off_has_no_alarm(synthesise: Callable[[EnvironmentSettings], Synthesised], dev: Synthesised) -> None:
    settings = attrs.evolve(dev.settings, guard_rails=attrs.evolve(dev.settings.guard_rails, plateau=OFF))
    without = synthesise(settings)
    assert len(alarms(dev)) - len(alarms(without)) == 1
    assert not [name for name in alarms(without) if "Plateau" in name]


def test_a_waiting_approval_is_told_of_before_its_time_is_up(environment: Synthesised) -> None:
    alarm, settings = called(environment, "ApprovalWaiting"), environment.settings
    assert alarm["Threshold"] == settings.alarms.approval_hours < settings.approval.timeout_hours
    assert alarm["Period"] == settings.sweep.hours * 3600


def test_states_that_wait_for_a_person_are_states_of_the_run(dev: Synthesised) -> None:
    _, machine = dev.one("AWS::StepFunctions::StateMachine", "Run")
    states = json.loads(flat(machine["Properties"]["DefinitionString"]))["States"]
    asking = {name for name, state in states.items() if "request_approval" in json.dumps(state) or "RequestApproval" in json.dumps(state)}
    assert asking == set(names.APPROVAL_STATES)


def test_silence_of_the_grader_breaches_only_while_a_job_runs(environment: Synthesised) -> None:
    alarm, settings = called(environment, "NoSamples"), environment.settings
    (expression,) = [query["Expression"] for query in alarm["Metrics"] if "Expression" in query]
    assert expression == f"IF(hours > {settings.alarms.silent_minutes / 60:g}, FILL(samples, 0), 1)"
    periods = {query["MetricStat"]["Period"] for query in alarm["Metrics"] if "MetricStat" in query}
    assert min(periods) > settings.training.poll_seconds, "a period without a look would hide the job"
    assert alarm["DatapointsToAlarm"] == alarm["EvaluationPeriods"] >= settings.alarms.silent_minutes * 60 / min(periods)
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)


def test_time_and_spend_are_told_of_before_they_stop_a_job(environment: Synthesised) -> None:
    settings = environment.settings
    for name, limit in (("RunOverTime", settings.training.max_hours), ("SpendOverBudget", settings.training.caps.usd)):
        alarm = called(environment, name)
        assert alarm["Threshold"] == pytest.approx(settings.alarms.limit_share * limit)
        assert alarm["Threshold"] < limit
        assert alarm["Period"] > settings.training.poll_seconds


def test_a_slow_grader_is_noticed_before_it_times_out(environment: Synthesised) -> None:
    slow = called(environment, "RewardSlow")
    assert (slow["MetricName"], slow["Statistic"]) == ("Duration", "Maximum")
    assert 0 < slow["Threshold"] < environment.settings.reward.timeout_seconds * 1000


def test_every_queue_and_every_rule_is_watched(environment: Synthesised) -> None:
    def watched(metric: str, dimension: str) -> set[str]:
        found = [alarm["Properties"] for alarm in alarms(environment).values()]
        return {flat(d["Value"]) for a in found if a.get("MetricName") == metric for d in a["Dimensions"] if d["Name"] == dimension}

    queues = {f"${{{name}.QueueName}}" for name in environment.of_type("AWS::SQS::Queue")}
    assert watched("ApproximateNumberOfMessagesVisible", "QueueName") == queues
    assert len(watched("FailedInvocations", "RuleName")) == len(environment.of_type("AWS::Events::Rule"))


def test_every_rule_of_the_backup_is_watched(environment: Synthesised) -> None:
    failing = [name for name in alarms(environment) if name.startswith("AlarmsBackupFailing")]
    assert bool(failing) == environment.settings.backup.enabled
    if not failing:
        return
    found = {d["Value"] for metric in metrics(alarms(environment)[failing[0]]) for d in metric["Dimensions"] if d["Name"] == "RuleId"}
    assert found == {names.replication_rule(prefix) for prefix in (*names.BACKED_UP_DATASETS, *names.BACKED_UP_RUNS)}


def test_alarms_may_publish_to_the_topics_the_budget_to_one_and_nobody_else_may(environment: Synthesised) -> None:
    budget = []
    for policy in environment.of_type("AWS::SNS::TopicPolicy").values():
        granting = [s for s in policy["Properties"]["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
        assert all("aws:SourceAccount" in s["Condition"]["StringEquals"] for s in granting)
        services = [s["Principal"]["Service"] for s in granting]
        budget += [service for service in services if service == "budgets.amazonaws.com"]
        assert [service for service in services if service != "budgets.amazonaws.com"] == ["cloudwatch.amazonaws.com"]
    assert len(budget) == 1


def test_every_alarm_has_its_page_and_every_page_its_alarm(all_environments: list[Synthesised]) -> None:
    wanted = {alarm["Metadata"][METADATA]["Runbook"] for environment in all_environments for alarm in every(environment).values()}
    assert {page.stem for page in PAGES} == wanted


def test_every_page_has_the_same_parts_and_stands_in_the_index() -> None:
    index = (RUNBOOKS / "README.md").read_text()
    for page in PAGES:
        text = page.read_text()
        parts = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert parts == ["What it means", "Look at", "End it", "Escalate"], page.name
        assert "```" in text, f"{page.name} names no command"
        assert f"]({page.name})" in index, page.name
    assert set(re.findall(r"\]\(([\w-]+)\.md\)", index)) == {page.stem for page in PAGES} | {"seen"}


def test_the_pages_say_of_missing_data_what_the_templates_say(all_environments: list[Synthesised]) -> None:
    for environment in all_environments:
        for name, alarm in environment.of_type("AWS::CloudWatch::Alarm").items():
            page = (RUNBOOKS / f"{alarm['Metadata'][METADATA]['Runbook']}.md").read_text()
            assert alarm["Metadata"][METADATA]["QuietBecause"] in " ".join(page.split()), name
