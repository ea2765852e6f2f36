"""Given a trained model, when it is deployed and asked, then it answers as its policy has learned."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.bedrock import control_models
from local.bedrock.runtime import UNKNOWN_PROMPT
from local.bedrock.shapes import problems as shape_problems
from local.bedrock.wire import Wire

BASE = "us.amazon.nova-2-lite-v1:0"
UNKNOWN = [{"role": "user", "content": [{"text": "Write me a poem about the sea."}]}]


@pytest.fixture
def trained(bench: Any, make_request: Any, make_problems: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A bench whose job has completed, with held-out problems in the datasets bucket."""
    monkeypatch.setattr(control_models, "DEPLOY_SECONDS", 0.3)
    config = make_request()["customizationConfig"]
    config["rftConfig"]["hyperParameters"]["epochCount"] = 10
    bench.cloud.buckets["data"]["datasets/math/0123456789ab/heldout.jsonl"] = make_problems(200, 1000)
    bench.bedrock.create_model_customization_job(**make_request(customizationConfig=config))
    bench.model = bench.finished()["outputModelArn"]
    return bench


def deploy(bench: Any, name: str = "candidate", **more: Any) -> str:
    arn: str = bench.bedrock.create_custom_model_deployment(modelDeploymentName=name, modelArn=bench.model, **more)[
        "customModelDeploymentArn"
    ]
    return arn


def until_active(bench: Any, identifier: str) -> dict[str, Any]:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        found: dict[str, Any] = bench.bedrock.get_custom_model_deployment(customModelDeploymentIdentifier=identifier)
        if found["status"] != "Creating":
            return found
        time.sleep(0.02)
    raise AssertionError("still Creating")


def ask(bench: Any, model: str, text: str, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = bench.runtime.converse(modelId=model, messages=[{"role": "user", "content": [{"text": text}]}], **more)
    return answer


def accuracy(bench: Any, model: str) -> float:
    right = 0
    for line in bench.cloud.buckets["data"]["datasets/math/0123456789ab/heldout.jsonl"].decode().splitlines():
        record = json.loads(line)
        text = ask(bench, model, record["messages"][0]["content"])["output"]["message"]["content"][0]["text"]
        sample = {"id": "x", "messages": [{"content": text}], "metadata": record}
        right += bench.cloud.reward([sample])[0]["aggregate_reward_score"]
    return right / 200


def test_a_deployment_is_created_becomes_active_and_beats_the_base_model(trained: Any) -> None:
    trained.fault("slow_deployment", seconds=3, job="candidate")  # long enough to be asked too early on a busy machine
    arn = deploy(trained, tags=[{"key": "RunId", "value": "one"}])
    with pytest.raises(ClientError, match="ModelNotReadyException") as caught:
        trained.runtime.converse(modelId=arn, messages=UNKNOWN)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert until_active(trained, arn)["status"] == "Active"

    base, candidate = accuracy(trained, BASE), accuracy(trained, arn)

    assert 0.25 < base < 0.5
    assert candidate > 0.75


def test_the_same_prompt_gets_the_same_answer(trained: Any) -> None:
    text = "Problem 1003: what is 8020 + 1? End with #### and the number."
    first = [ask(trained, BASE, text, inferenceConfig={"temperature": t})["output"] for t in (0.0, 1.0, 0.0)]
    assert first[0] == first[1] == first[2]


@pytest.mark.parametrize(
    "model",
    [
        BASE,
        "amazon.nova-2-lite-v1:0",
        "amazon.nova-2-lite-v1:0:256k",
        "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-2-lite-v1:0",
        "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.amazon.nova-2-lite-v1:0",
    ],
)
def test_the_base_model_is_served_under_all_its_ids(bench: Any, model: str) -> None:
    answer = bench.runtime.converse(modelId=model, messages=UNKNOWN, system=[{"text": "Be brief."}])

    assert answer["output"]["message"] == {"role": "assistant", "content": [{"text": UNKNOWN_PROMPT}]}
    assert answer["stopReason"] == "end_turn"
    usage = answer["usage"]
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"] > usage["outputTokens"] > 0
    assert answer["metrics"]["latencyMs"] >= 1


def test_invoke_model_takes_and_gives_novas_shapes(bench: Any) -> None:
    body = {"messages": UNKNOWN, "system": [{"text": "Be brief."}], "inferenceConfig": {"maxTokens": 3, "temperature": 0.2}}
    answer = bench.runtime.invoke_model(modelId=BASE, body=json.dumps(body), contentType="application/json")

    assert answer["contentType"] == "application/json"
    found = json.loads(answer["body"].read())
    assert found["output"]["message"]["content"] == [{"text": UNKNOWN_PROMPT[:12]}]
    assert found["stopReason"] == "max_tokens"
    assert found["usage"]["outputTokens"] == 3


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"messages": "hi"}',
        b'{"messages": []}',
        b'{"messages": [{"role": "user", "content": "hi"}]}',
        b'{"messages": [{"role": "user", "content": [{"text": "x"}]}], "inferenceConfig": {"maxTokens": 0}}',
        b'{"messages": [{"role": "user", "content": [{"text": "x"}]}], "system": "be brief"}',
    ],
)
def test_a_body_of_invoke_model_that_is_not_novas_is_refused(bench: Any, body: bytes) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        bench.runtime.invoke_model(modelId=BASE, body=body)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"messages": [{"role": "robot", "content": [{"text": "x"}]}]}, "enum value set"),
        ({"messages": [{"role": "user"}]}, "messages.1.member.content"),
        ({"messages": []}, "at least one user message"),
        ({"messages": [*UNKNOWN, {"role": "assistant", "content": [{"text": "x"}]}]}, "must end with a user message"),
        ({"inferenceConfig": {"maxTokens": 0}}, "inferenceConfig.maxTokens"),
        ({"inferenceConfig": {"temperature": 1.5}}, "inferenceConfig.temperature"),
        ({"messages": [{"role": "user", "content": [{"text": "x", "toolUse": {}}]}]}, "content.1.member"),
    ],
)
def test_a_bad_conversation_is_refused(bench: Any, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ClientError, match="ValidationException") as caught:
        bench.runtime.converse(**({"modelId": BASE, "messages": UNKNOWN} | changes))
    assert says in caught.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("model", "code"),
    [
        ("anthropic.claude-9", "ResourceNotFoundException"),
        ("arn:aws:bedrock:us-east-1:111122223333:custom-model-deployment/0123456789ab", "ResourceNotFoundException"),
        ("not a model", "ValidationException"),
    ],
)
def test_an_unknown_model_is_refused(bench: Any, model: str, code: str) -> None:
    with pytest.raises(ClientError, match=code):
        bench.runtime.converse(modelId=model, messages=UNKNOWN)


def test_a_custom_model_is_not_served_without_a_deployment(trained: Any) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        trained.runtime.converse(modelId=trained.model, messages=UNKNOWN)


def test_streaming_is_refused_by_name(bench: Any) -> None:
    with pytest.raises(ClientError, match="ConverseStream is not supported by the local stand-in"):
        bench.runtime.converse_stream(modelId=BASE, messages=UNKNOWN)


def test_a_dataset_that_comes_later_is_found(bench: Any, make_problems: Any) -> None:
    text = json.loads(make_problems(1, 3000).splitlines()[0])["messages"][0]["content"]
    assert ask(bench, BASE, text)["output"]["message"]["content"][0]["text"] == UNKNOWN_PROMPT
    bench.cloud.buckets["data"]["datasets/late/0123456789ab/train.jsonl"] = make_problems(10, 3000)
    end = time.monotonic() + 120
    while ask(bench, BASE, text)["output"]["message"]["content"][0]["text"] == UNKNOWN_PROMPT:
        assert time.monotonic() < end
        time.sleep(0.1)


def test_deployment_names_are_unique_and_tokens_idempotent(trained: Any) -> None:
    first = deploy(trained, clientRequestToken="t1")
    assert deploy(trained, clientRequestToken="t1") == first
    with pytest.raises(ClientError, match="a deployment named candidate exists"):
        deploy(trained, clientRequestToken="t2")
    with pytest.raises(ClientError, match="used before"):
        deploy(trained, "other", clientRequestToken="t1")


def test_an_update_swaps_the_model_behind_the_same_arn(trained: Any, make_request: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = deploy(trained)
    until_active(trained, arn)
    trained.bedrock.create_model_customization_job(**make_request(jobName="two", customModelName="two", clientRequestToken="two"))
    second = trained.finished("two")["outputModelArn"]

    monkeypatch.setattr(control_models, "DEPLOY_SECONDS", 600.0)
    trained.bedrock.update_custom_model_deployment(customModelDeploymentIdentifier=arn, modelArn=second)
    during = trained.bedrock.get_custom_model_deployment(customModelDeploymentIdentifier=arn)
    with pytest.raises(ClientError, match="ConflictException"):
        trained.bedrock.delete_custom_model_deployment(customModelDeploymentIdentifier=arn)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 601)
    after = trained.bedrock.get_custom_model_deployment(customModelDeploymentIdentifier="candidate")

    assert (during["modelArn"], during["updateDetails"]) == (trained.model, {"modelArn": second, "updateStatus": "Updating"})
    assert (after["modelArn"], after["updateDetails"]["updateStatus"], after["customModelDeploymentArn"]) == (
        second,
        "UpdateCompleted",
        arn,
    )


def test_a_model_in_use_cannot_be_deleted(trained: Any) -> None:
    arn = deploy(trained)
    with pytest.raises(ClientError, match="ConflictException"):
        trained.bedrock.delete_custom_model(modelIdentifier=trained.model)
    trained.bedrock.delete_custom_model_deployment(customModelDeploymentIdentifier=arn)
    trained.bedrock.delete_custom_model(modelIdentifier="rft-dev-one")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        trained.bedrock.get_custom_model(modelIdentifier=trained.model)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        trained.bedrock.get_custom_model_deployment(customModelDeploymentIdentifier=arn)


def test_models_and_deployments_are_listed_with_filters(trained: Any) -> None:
    first, second = deploy(trained, "one"), deploy(trained, "two")
    until_active(trained, second)

    def arns(**filters: Any) -> list[str]:
        rows = trained.bedrock.list_custom_model_deployments(**filters)["modelDeploymentSummaries"]
        return [row["customModelDeploymentArn"] for row in rows]

    assert arns(sortOrder="Ascending") == [first, second]
    assert arns(nameContains="tw") == [second]
    assert arns(statusEquals="Failed") == []
    assert arns(modelArnEquals=trained.model) == [second, first]
    model = trained.bedrock.list_custom_models(nameContains="dev", isOwned=True)["modelSummaries"]
    assert [row["modelArn"] for row in model] == [trained.model]
    assert trained.bedrock.list_custom_models(isOwned=False)["modelSummaries"] == []


def test_every_answer_fits_the_service_model(trained: Any) -> None:
    """What the stand-in answers is checked as strictly as what it is asked."""
    arn = deploy(trained)
    until_active(trained, arn)
    job = trained.bedrock.get_model_customization_job(jobIdentifier="rft-dev-one")
    calls: list[tuple[Any, str, dict[str, Any]]] = [
        (trained.bedrock, "get_model_customization_job", {"jobIdentifier": job["jobArn"]}),
        (trained.bedrock, "list_model_customization_jobs", {}),
        (trained.bedrock, "get_custom_model", {"modelIdentifier": trained.model}),
        (trained.bedrock, "list_custom_models", {}),
        (trained.bedrock, "get_custom_model_deployment", {"customModelDeploymentIdentifier": arn}),
        (trained.bedrock, "list_custom_model_deployments", {}),
        (trained.bedrock, "list_tags_for_resource", {"resourceARN": arn}),
        (trained.runtime, "converse", {"modelId": arn, "messages": UNKNOWN}),
    ]
    for client, method, params in calls:
        answer = getattr(client, method)(**params)
        answer.pop("ResponseMetadata")
        operation = client.meta.method_to_api_mapping[method]
        shape = Wire(client.meta.service_model.service_name).model.operation_model(operation).output_shape
        assert shape is not None
        assert shape_problems(shape, json.loads(json.dumps(answer, default=lambda moment: moment.isoformat()))) == [], method
