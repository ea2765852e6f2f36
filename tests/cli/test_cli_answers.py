"""An answer counts when the question ended with it: a token whose function died takes one that nobody hears."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from contracts import names

from local import cloud
from local.cloud import Endpoint
from rft import run_answer, run_control
from rft.exits import Exit, Failure
from rft.run_answer import answer
from rft.run_view import RunReader, RunView
from rft.target import Target, local_target

ENVIRONMENT, BUCKET = "prod", "cli-answers"
DIED = "Lambda.Unknown"
Give = Callable[[str], object]


def waiting(kind: str) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:s3:putObject.waitForTaskToken",
        "Arguments": {
            "Bucket": BUCKET,
            "Key": f"{{% 'tokens/' & $states.context.Execution.Name & '/{kind}.json' %}}",
            "Body": {"token": "{% $states.context.Task.Token %}"},
        },
        "Retry": [{"ErrorEquals": [DIED], "IntervalSeconds": 1, "MaxAttempts": 3}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "NotReleased"}],
        "Assign": {"answer": "{% $states.result %}"},
    }


def definition() -> dict[str, Any]:
    """A run that asks about the spend, again when its function died, and once more when the answer's reason says so."""
    return {
        "QueryLanguage": "JSONata",
        "StartAt": "Begin",
        "States": {
            "Begin": {
                "Type": "Choice",
                "Choices": [{"Condition": "{% $states.input.trains %}", "Next": "AwaitJobChange"}],
                "Default": "ApproveSpend",
            },
            "ApproveSpend": {**waiting("spend"), "Next": "SpendApproved"},
            "AwaitJobChange": {**waiting("job"), "Next": "TrackTraining"},
            "TrackTraining": {"Type": "Wait", "Seconds": 60, "Next": "NotReleased"},
            "SpendApproved": {
                "Type": "Choice",
                "Choices": [
                    {"Condition": "{% $answer.reason = 'ask me about the next' %}", "Next": "ApproveSpend"},
                    {"Condition": "{% $answer.approved %}", "Next": "Released"},
                ],
                "Default": "NotReleased",
            },
            "Released": {"Type": "Succeed", "Output": "{% $answer %}"},
            "NotReleased": {"Type": "Fail", "Error": "SpendRejected"},
        },
    }


@pytest.fixture(scope="module")
def asking_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """A local cloud of its own: in the one that all share, each environment belongs to another file's tests."""
    with cloud.running(state_dir=tmp_path_factory.mktemp("cloud")) as endpoint:
        endpoint.client("s3").create_bucket(Bucket=BUCKET)
        trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
        iam, document = endpoint.client("iam"), {"Version": "2012-10-17", "Statement": [trust]}
        role = iam.create_role(RoleName=BUCKET, AssumeRolePolicyDocument=json.dumps(document))["Role"]
        allowed = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"}
        iam.put_role_policy(RoleName=BUCKET, PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}))
        machine = endpoint.client("stepfunctions").create_state_machine(
            name=names.state_machine(ENVIRONMENT), definition=json.dumps(definition()), roleArn=role["Arn"]
        )["stateMachineArn"]
        for name, value in ((names.PARAM_DATASETS_BUCKET, BUCKET), (names.PARAM_RUNS_BUCKET, BUCKET), (names.PARAM_STATE_MACHINE, machine)):
            endpoint.client("ssm").put_parameter(Name=names.parameter(ENVIRONMENT, name), Value=value, Type="String")
        yield endpoint


@pytest.fixture
def prod(asking_cloud: Endpoint) -> Target:
    return local_target(asking_cloud, ENVIRONMENT)


@pytest.fixture
def asked(prod: Target) -> str:
    """A run that waits for an answer."""
    return started(prod, "spend")


def started(prod: Target, kind: str) -> str:
    run_id = f"{kind}-{time.time_ns()}"
    given = json.dumps({"trains": kind == "job"})
    prod.states.start_execution(stateMachineArn=prod.parts.state_machine, name=run_id, input=given)
    until(lambda: prod.read_json(BUCKET, names.token_key(run_id, kind)))
    return run_id


def until(look: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError("it never came")


def ended(prod: Target, run_id: str) -> RunView:
    reader = RunReader(prod, run_id)
    until(lambda: not reader.look().running)
    return reader.look()


@pytest.fixture
def instead(prod: Target, monkeypatch: pytest.MonkeyPatch) -> Callable[[Give], list[str]]:
    """Has something else happen to the token when the first answer comes, which is taken and void; gives the tokens answered so far."""
    send, tokens = prod.states.send_task_success, []

    def arrange(happen: Give) -> list[str]:
        def sent(*, taskToken: str, output: str) -> Any:  # noqa: N803 - the API's own names
            tokens.append(taskToken)
            if len(tokens) > 1:
                return send(taskToken=taskToken, output=output)
            happen(taskToken)
            return {}

        monkeypatch.setattr(prod.states, "send_task_success", sent)
        return tokens

    return arrange


def says(prod: Target, given: dict[str, Any]) -> Give:
    send = prod.states.send_task_success
    return lambda token: send(taskToken=token, output=json.dumps(given))


def dies(prod: Target) -> Give:
    return lambda token: prod.states.send_task_failure(taskToken=token, error=DIED)


@pytest.mark.parametrize("approved", [True, False])
def test_an_answer_to_a_function_that_dies_is_given_to_the_one_that_asks_again(
    prod: Target, asked: str, instead: Callable[[Give], list[str]], approved: bool
) -> None:
    tokens = instead(dies(prod))
    assert answer(prod, asked, approved=approved, reason="a test says so") == "spend"
    assert len(set(tokens)) == 2
    view = ended(prod, asked)
    assert (view.outcome or {})["code"] == ("Released" if approved else "SpendRejected")
    if approved:
        output = json.loads(prod.states.describe_execution(executionArn=view.execution_arn)["output"])
        assert (output["approved"], output["by"], output["reason"]) == (True, prod.caller, "a test says so")


def test_an_answer_that_is_taken_and_never_heard_is_told_with_what_to_do(prod: Target, asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_answer, "HEARD_SECONDS", 0.0)
    monkeypatch.setattr(prod.states, "send_task_success", lambda **_: {})
    with pytest.raises(Failure, match="taken and not heard: the function that asked died") as told:
        answer(prod, asked, approved=True, reason="")
    assert (told.value.code, told.value.hint) == (Exit.FAILED, f"answer again in a minute: rft run approve {asked}")
    assert RunReader(prod, asked).look().waiting_for == "spend"


def test_a_token_that_is_void_before_the_answer_is_told(prod: Target, asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_answer, "HEARD_SECONDS", 0.0)
    prod.s3.put_object(Bucket=BUCKET, Key=names.token_key(asked, "spend"), Body=json.dumps({"token": "of-a-function-that-died"}))
    with pytest.raises(Failure, match="the token is void"):
        answer(prod, asked, approved=False, reason="no")
    prod.s3.delete_object(Bucket=BUCKET, Key=names.token_key(asked, "spend"))
    with pytest.raises(Failure, match="its token is not there yet"):
        answer(prod, asked, approved=False, reason="no")


def test_who_was_not_the_first_is_told_who_was(prod: Target, asked: str, instead: Callable[[Give], list[str]]) -> None:
    instead(says(prod, {"approved": False, "by": "bo", "reason": "too dear"}))
    with pytest.raises(Failure, match="not heard: bo was faster and said no"):
        answer(prod, asked, approved=True, reason="")
    assert (ended(prod, asked).outcome or {})["code"] == "SpendRejected"


def test_an_answer_is_not_given_to_the_next_question(prod: Target, asked: str, instead: Callable[[Give], list[str]]) -> None:
    tokens = instead(says(prod, {"approved": True, "by": "bo", "reason": "ask me about the next"}))
    with pytest.raises(Failure, match="not heard: bo was faster and said yes"):
        answer(prod, asked, approved=True, reason="")
    assert len(tokens) == 1
    assert RunReader(prod, asked).look().waiting_for == "spend"


def test_a_question_whose_time_is_up_hears_no_answer(prod: Target, asked: str, instead: Callable[[Give], list[str]]) -> None:
    instead(lambda token: prod.states.send_task_failure(taskToken=token, error="States.Timeout"))
    with pytest.raises(Failure, match="the question ended without one"):
        answer(prod, asked, approved=True, reason="")


def test_a_stop_that_refuses_the_question_is_heard_as_well(prod: Target, asked: str, instead: Callable[[Give], list[str]]) -> None:
    tokens = instead(dies(prod))
    assert run_control.stop(prod, asked, reason="enough").how == "approval refused"
    assert len(tokens) == 2
    assert (ended(prod, asked).outcome or {})["code"] == "SpendRejected"


def test_a_stop_of_a_job_is_heard_though_the_function_that_waits_for_it_dies(prod: Target, instead: Callable[[Give], list[str]]) -> None:
    run_id = started(prod, "job")
    tokens = instead(dies(prod))
    assert run_control.stop(prod, run_id, reason="enough").how == "job stopped"
    assert len(set(tokens)) == 2
    history = prod.states.get_execution_history(executionArn=RunReader(prod, run_id).look().execution_arn)["events"]
    (heard,) = [json.loads(event["taskSucceededEventDetails"]["output"]) for event in history if event["type"] == "TaskSucceeded"]
    assert heard["stop"]["reason"] == "enough"
