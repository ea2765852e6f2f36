"""Given a request that breaks the service model or the service's own rules, then it is refused with member and rule."""

from __future__ import annotations

import asyncio
import copy
import json
import re
import time
from functools import partial
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from local.bedrock import shapes

RFT = ("customizationConfig", "rftConfig")
HYPER = (*RFT, "hyperParameters")
GRADER = (*RFT, "graderConfig")
LONG = "a" * 64
ACCOUNT_KEY = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-666666666666"

BAD: list[tuple[tuple[str, ...], Any, str, str]] = [
    (("jobName",), None, "jobName", "must not be null"),
    (("jobName",), "with_underscore", "jobName", "regular expression"),
    (("jobName",), LONG, "jobName", "less than or equal to 63"),
    (("jobName",), "", "jobName", "greater than or equal to 1"),
    (("jobName",), 7, "jobName", "must be a string"),
    (("customModelName",), "with.dot", "customModelName", "regular expression"),
    (("customModelName",), "two--hyphens", "customModelName", "regular expression"),
    (("roleArn",), "arn:aws:iam::1:role/x", "roleArn", "regular expression"),
    (("roleArn",), None, "roleArn", "must not be null"),
    (("clientRequestToken",), "under_score", "clientRequestToken", "regular expression"),
    (("clientRequestToken",), "a" * 257, "clientRequestToken", "less than or equal to 256"),
    (("baseModelIdentifier",), "no spaces", "baseModelIdentifier", "regular expression"),
    (("baseModelIdentifier",), "amazon.nova-lite-v1:0:300k", "baseModelIdentifier", "amazon.nova-2-lite-v1:0:256k"),
    (("baseModelIdentifier",), "amazon.nova-2-lite-v1:0", "baseModelIdentifier", "amazon.nova-2-lite-v1:0:256k"),
    (("customizationType",), "RFT", "customizationType", "enum value set"),
    (("customizationType",), "FINE_TUNING", "customizationType", "REINFORCEMENT_FINE_TUNING only"),
    (("customizationType",), None, "customizationType", "REINFORCEMENT_FINE_TUNING only"),
    (("customModelKmsKeyId",), "not a key", "customModelKmsKeyId", "regular expression"),
    (("customModelKmsKeyId",), ACCOUNT_KEY, "customModelKmsKeyId", "does not exist"),
    (("trainingDataConfig",), None, "trainingDataConfig", "must not be null"),
    (("trainingDataConfig",), {}, "trainingDataConfig.s3Uri", "must not be null"),
    (("trainingDataConfig", "s3Uri"), "s3://data/dt=2026/x.jsonl", "trainingDataConfig.s3Uri", "regular expression"),
    (("trainingDataConfig", "s3Uri"), "https://data/x.jsonl", "trainingDataConfig.s3Uri", "regular expression"),
    (("validationDataConfig",), {}, "validationDataConfig.validators", "must not be null"),
    (("validationDataConfig", "validators"), [{}], "validationDataConfig.validators.1.member.s3Uri", "must not be null"),
    (
        ("validationDataConfig", "validators"),
        [{"s3Uri": "s3://data/x"}] * 11,
        "validationDataConfig.validators",
        "less than or equal to 10",
    ),
    (("validationDataConfig", "validators"), "s3://data/x", "validationDataConfig.validators", "must be a list"),
    (("outputDataConfig",), {}, "outputDataConfig.s3Uri", "must not be null"),
    (("outputDataConfig", "s3Uri"), "s3://runs/a:b/", "outputDataConfig.s3Uri", "regular expression"),
    (("hyperParameters",), {"epochCount": 1}, "hyperParameters.value", "must be a string"),
    (("hyperParameters",), {"epochCount": "1"}, "hyperParameters", "customizationConfig.rftConfig.hyperParameters"),
    (("vpcConfig",), {"subnets": ["subnet-1"], "securityGroupIds": ["sg-1"]}, "vpcConfig.subnetIds", "must not be null"),
    (("vpcConfig",), {"subnetIds": [], "securityGroupIds": ["sg-1"]}, "vpcConfig.subnetIds", "greater than or equal to 1"),
    (("vpcConfig",), {"subnetIds": ["s"] * 17, "securityGroupIds": ["sg-1"]}, "vpcConfig.subnetIds", "less than or equal to 16"),
    (("vpcConfig",), {"subnetIds": ["s" * 33], "securityGroupIds": ["sg-1"]}, "vpcConfig.subnetIds.1.member", "less than or equal to 32"),
    (("vpcConfig",), {"subnetIds": ["s_1"], "securityGroupIds": ["sg-1"]}, "vpcConfig.subnetIds.1.member", "regular expression"),
    (("jobTags",), [{"key": "k"}], "jobTags.1.member.value", "must not be null"),
    (("jobTags",), [{"key": "k&", "value": "v"}], "jobTags.1.member.key", "regular expression"),
    (("jobTags",), [{"key": "k", "value": "v" * 257}], "jobTags.1.member.value", "less than or equal to 256"),
    (("customizationConfig",), None, "customizationConfig.rftConfig", "must not be null"),
    (("customizationConfig",), {}, "customizationConfig", "exactly one of"),
    ((*RFT,), {}, "customizationConfig.rftConfig.graderConfig", "must not be null"),
    (GRADER, {}, "customizationConfig.rftConfig.graderConfig", "exactly one of"),
    ((*GRADER, "lambdaGrader"), {}, "lambdaGrader.lambdaArn", "must not be null"),
    ((*GRADER, "lambdaGrader", "lambdaArn"), "arn:aws:lambda:us-east-1:1:function:f", "lambdaGrader.lambdaArn", "regular expression"),
    ((*HYPER, "epochCount"), 0, "hyperParameters.epochCount", "greater than or equal to 1"),
    ((*HYPER, "epochCount"), 51, "hyperParameters.epochCount", "less than or equal to 50"),
    ((*HYPER, "epochCount"), "2", "hyperParameters.epochCount", "must be an integer"),
    ((*HYPER, "epochCount"), True, "hyperParameters.epochCount", "must be an integer"),
    ((*HYPER, "epochCount"), 2.5, "hyperParameters.epochCount", "must be an integer"),
    ((*HYPER, "batchSize"), 15, "hyperParameters.batchSize", "greater than or equal to 16"),
    ((*HYPER, "batchSize"), 9999, "hyperParameters.batchSize", "less than or equal to 512"),
    ((*HYPER, "learningRate"), 0.5, "hyperParameters.learningRate", "less than or equal to 0.001"),
    ((*HYPER, "learningRate"), 1e-8, "hyperParameters.learningRate", "greater than or equal to 1e-07"),
    ((*HYPER, "learningRate"), "5e-5", "hyperParameters.learningRate", "finite number"),
    ((*HYPER, "trainingSamplePerPrompt"), 1, "trainingSamplePerPrompt", "greater than or equal to 2"),
    ((*HYPER, "trainingSamplePerPrompt"), 17, "trainingSamplePerPrompt", "less than or equal to 16"),
    ((*HYPER, "reasoningEffort"), "maximal", "reasoningEffort", "enum value set"),
    ((*HYPER, "inferenceMaxTokens"), 0, "hyperParameters.inferenceMaxTokens", "at least 1"),
    ((*HYPER, "maxPromptLength"), -5, "hyperParameters.maxPromptLength", "at least 1"),
    ((*HYPER, "evalInterval"), 101, "evalInterval", "less than or equal to 100"),
]


@pytest.mark.parametrize(("path", "value", "member", "rule"), BAD, ids=[f"{'.'.join(p)}={str(v)[:24]}" for p, v, _, _ in BAD])
def test_a_bad_request_is_refused_and_starts_nothing(
    bench: Any, make_request: Any, *, path: tuple[str, ...], value: Any, member: str, rule: str
) -> None:
    body = copy.deepcopy(make_request())
    inner = body
    for step in path[:-1]:
        inner = inner[step]
    if value is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value

    status, headers, answer = post(bench, body)

    assert (status, headers["x-amzn-errortype"]) == (400, "ValidationException")
    assert member in answer["message"]
    assert rule in answer["message"]
    assert bench.bedrock.list_model_customization_jobs()["modelCustomizationJobSummaries"] == []


def test_every_problem_is_named_at_once(bench: Any, make_request: Any) -> None:
    status, _, answer = post(bench, make_request(jobName="a_b", customModelName="a.b", roleArn=None))

    assert status == 400
    assert answer["message"].startswith("3 validation errors detected: ")


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_is_not_a_json_object_is_refused(bench: Any, body: bytes) -> None:
    status, headers, _ = asyncio.run(bench.standin.control("POST", "/model-customization-jobs", {}, body, {}))

    assert (status, headers["x-amzn-errortype"]) == (400, "SerializationException")


def test_another_region_is_refused(bench: Any, make_request: Any) -> None:
    bench.cloud.place = (bench.cloud.place[0], "us-west-2")
    with pytest.raises(ClientError, match="customized in us-east-1 only, not in us-west-2"):
        bench.bedrock.create_model_customization_job(**make_request())


def test_a_caller_who_may_not_pass_the_role_is_refused(bench: Any, make_request: Any) -> None:
    bench.cloud.may_pass = False
    with pytest.raises(ClientError, match=r"AccessDeniedException.*iam:PassRole") as caught:
        bench.bedrock.create_model_customization_job(**make_request())
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_the_same_token_and_request_give_the_same_job(bench: Any, make_request: Any) -> None:
    first = bench.bedrock.create_model_customization_job(**make_request())
    second = bench.bedrock.create_model_customization_job(**make_request())

    assert first["jobArn"] == second["jobArn"]
    assert first["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert len(bench.bedrock.list_model_customization_jobs()["modelCustomizationJobSummaries"]) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"outputDataConfig": {"s3Uri": "s3://runs/other/"}},
        {"clientRequestToken": "token-two"},
        {"clientRequestToken": "token-two", "jobName": "rft-dev-two"},
    ],
    ids=["same token, other request", "same job name", "same model name"],
)
def test_a_clash_with_an_existing_job_is_a_conflict(bench: Any, make_request: Any, changes: dict[str, Any]) -> None:
    bench.bedrock.create_model_customization_job(**make_request())
    with pytest.raises(ClientError, match="ConflictException") as caught:
        bench.bedrock.create_model_customization_job(**make_request(**changes))
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_a_job_is_found_by_arn_and_name_with_encoded_and_decoded_paths(bench: Any, make_request: Any, decoded_client: Any) -> None:
    arn = bench.bedrock.create_model_customization_job(**make_request())["jobArn"]
    for client in (bench.bedrock, decoded_client(bench.standin)):
        for identifier in (arn, "rft-dev-one"):
            assert client.get_model_customization_job(jobIdentifier=identifier)["jobArn"] == arn


def test_another_account_and_region_see_nothing(bench: Any, make_request: Any) -> None:
    arn = bench.bedrock.create_model_customization_job(**make_request())["jobArn"]
    for place in (("999999999999", "us-east-1"), (bench.cloud.place[0], "us-west-2")):
        bench.cloud.place = place
        assert bench.bedrock.list_model_customization_jobs()["modelCustomizationJobSummaries"] == []
        for call in (
            partial(bench.bedrock.get_model_customization_job, jobIdentifier=arn),
            partial(bench.bedrock.stop_model_customization_job, jobIdentifier=arn),
            partial(bench.bedrock.list_tags_for_resource, resourceARN=arn),
        ):
            with pytest.raises(ClientError, match="ResourceNotFoundException"):
                call()


def test_jobs_are_listed_with_filters_and_pages(bench: Any, make_request: Any) -> None:
    bench.fault("stall", job="b")
    for name in ("a1", "a2", "b1"):
        bench.bedrock.create_model_customization_job(**make_request(jobName=name, customModelName=name, clientRequestToken=name))
    for name in ("a1", "a2"):
        bench.finished(name)

    def names(**filters: Any) -> list[str]:
        return [row["jobName"] for row in bench.bedrock.list_model_customization_jobs(**filters)["modelCustomizationJobSummaries"]]

    assert names(sortOrder="Ascending", sortBy="CreationTime") == ["a1", "a2", "b1"]
    assert names() == ["b1", "a2", "a1"]
    assert names(nameContains="a", statusEquals="Completed") == ["a2", "a1"]
    assert names(statusEquals="InProgress") == ["b1"]
    assert names(creationTimeAfter="2199-01-01T00:00:00Z") == []
    assert names(creationTimeBefore="2199-01-01T00:00:00Z", maxResults=1) == ["b1"]
    pages = bench.bedrock.get_paginator("list_model_customization_jobs").paginate(PaginationConfig={"PageSize": 2})
    assert [[row["jobName"] for row in page["modelCustomizationJobSummaries"]] for page in pages] == [["b1", "a2"], ["a1"]]


@pytest.mark.parametrize(
    ("query", "member"),
    [
        ({"maxResults": ["0"]}, "maxResults"),
        ({"maxResults": ["1001"]}, "maxResults"),
        ({"maxResults": ["many"]}, "maxResults"),
        ({"statusEquals": ["COMPLETED"]}, "statusEquals"),
        ({"sortOrder": ["Up"]}, "sortOrder"),
        ({"nameContains": ["a_b"]}, "nameContains"),
        ({"creationTimeAfter": ["yesterday"]}, "creationTimeAfter"),
        ({"nextToken": ["made-up"]}, "nextToken"),
    ],
)
def test_a_bad_query_is_refused(bench: Any, query: dict[str, list[str]], member: str) -> None:
    status, headers, body = asyncio.run(bench.standin.control("GET", "/model-customization-jobs", {}, b"", query))

    assert (status, headers["x-amzn-errortype"]) == (400, "ValidationException")
    assert f"'{member}'" in json.loads(body)["message"]


def test_tags_are_added_and_removed(bench: Any, make_request: Any) -> None:
    arn = bench.bedrock.create_model_customization_job(**make_request())["jobArn"]
    bench.bedrock.tag_resource(resourceARN=arn, tags=[{"key": "Team", "value": "a"}, {"key": "Run", "value": "1"}])
    bench.bedrock.untag_resource(resourceARN=arn, tagKeys=["Team"])

    tags = {tag["key"]: tag["value"] for tag in bench.bedrock.list_tags_for_resource(resourceARN=arn)["tags"]}

    assert tags.pop("LocalStandIn").startswith("trained by the local stand-in")
    assert tags == {"Run": "1"}
    with pytest.raises(ClientError, match="TooManyTagsException"):
        bench.bedrock.tag_resource(resourceARN=arn, tags=[{"key": f"k{n}", "value": ""} for n in range(51)])


def test_an_operation_the_stand_in_lacks_is_refused_by_name(bench: Any) -> None:
    with pytest.raises(ClientError, match="CreateModelCopyJob is not supported by the local stand-in"):
        bench.bedrock.create_model_copy_job(sourceModelArn="arn", targetModelName="x")
    assert not bench.standin.implements("POST", "/model-copy-jobs")
    assert bench.standin.implements("GET", "/model-customization-jobs")


def test_answers_say_that_they_are_the_stand_ins(bench: Any) -> None:
    answer = bench.bedrock.list_custom_models()
    assert answer["ResponseMetadata"]["HTTPHeaders"]["x-rft-stand-in"] == "true"
    assert bench.standin.status()["stand_in"] is True


def test_every_pattern_the_stand_in_checks_compiles(bench: Any) -> None:
    # The model holds patterns in Java's dialect too, for operations the stand-in does not have.
    patterns: set[str] = set()
    for front in (bench.standin._control, bench.standin._runtime):
        for operation in front.operations:
            patterns |= patterns_of(front.wire.model.operation_model(operation).input_shape, set())
    assert len(patterns) > 15
    for pattern in patterns:
        shapes.compiled(pattern)


def test_a_name_made_to_trip_the_pattern_is_refused_at_once() -> None:
    model = botocore.session.get_session().get_service_model("bedrock")
    started = time.process_time()
    found = shapes.problems(model.shape_for("JobName"), "a" + "-" * 61 + "_", "jobName")
    assert len(found) == 1
    assert time.process_time() - started < 5, "a pattern that backtracks takes for ever"


@given(st.text(alphabet="aZ0-+._", max_size=12))
def test_the_linear_form_of_the_job_name_pattern_accepts_the_same_names(name: str) -> None:
    slow = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9\+\-\.])*")
    fast = shapes.compiled(r"[a-zA-Z0-9](-*[a-zA-Z0-9\+\-\.])*")
    assert fast.pattern != slow.pattern
    assert bool(slow.fullmatch(name)) == bool(fast.fullmatch(name))


def post(bench: Any, body: dict[str, Any]) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Sends a create request as raw HTTP: the client would refuse some of them itself."""
    status, headers, answer = asyncio.run(bench.standin.control("POST", "/model-customization-jobs", {}, json.dumps(body).encode(), {}))
    return status, headers, json.loads(answer)


def patterns_of(shape: Any, seen: set[str]) -> set[str]:
    """The patterns of a shape and all its members."""
    if shape is None or shape.name in seen:
        return set()
    seen.add(shape.name)
    found = {shape.metadata["pattern"]} if "pattern" in shape.metadata else set()
    members = getattr(shape, "members", {}).values() if shape.type_name == "structure" else ()
    inner = {"list": ("member",), "map": ("key", "value")}.get(shape.type_name, ())
    for part in [*members, *(getattr(shape, name) for name in inner)]:
        found |= patterns_of(part, seen)
    return found
