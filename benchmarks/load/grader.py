"""Many grader calls at once on the pinned version, by a role with the job role's own rights, retried as Bedrock says it does."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.config import Config
from contracts import names
from contracts.metrics import DIMENSION_ENVIRONMENT, DIMENSION_RUN, NAMESPACE, Metric

from benchmarks.load.environment import MOST_AT_ONCE, Environment, Result, spread
from benchmarks.responses import events

RETRIES = 3
FIRST_WAIT_SECONDS = 0.5
"""Exponential back-off, and the job fails after three retries (AWS machine learning blog on reward functions for Nova); how long the
first wait is, it does not say."""

METRIC_SECONDS = 300.0
QUIET_SECONDS = 900.0


class Caller:
    """Calls one version of the reward function and keeps count.

    Attributes:
        refused: throttled attempts.
        seconds: of each call that was answered, from its first attempt on.
        scores: by sample id, one for each time the sample was graded.
        lost: calls given up.
    """

    def __init__(self, client: Any, function: str, retries: int) -> None:
        self.client, self.function, self.retries = client, function, retries
        self.refused = 0
        self.seconds: list[float] = []
        self.scores: dict[str, list[float]] = {}
        self.lost: list[str] = []
        self._lock = threading.Lock()

    def call(self, samples: Sequence[dict[str, Any]]) -> None:
        """One batch, with its retries."""
        began, body = time.monotonic(), json.dumps(samples)
        for attempt in range(self.retries + 1):
            try:
                answer = self.client.invoke(FunctionName=self.function, Payload=body)
                graded = json.loads(answer["Payload"].read())
            except self.client.exceptions.TooManyRequestsException:
                with self._lock:
                    self.refused += 1
                if attempt < self.retries:
                    time.sleep(FIRST_WAIT_SECONDS * 2**attempt)
                continue
            with self._lock:
                if "FunctionError" in answer:
                    self.lost.append(f"{samples[0]['id']}: {graded.get('errorType')}")
                    return
                self.seconds.append(time.monotonic() - began)
                for one in graded:
                    self.scores.setdefault(one["id"], []).append(one["aggregate_reward_score"])
            return
        with self._lock:
            self.lost.append(f"{samples[0]['id']}: throttled {self.retries + 1} times")


def calls(env: Environment, *, count: int, batch: int, reserved: int, at_once: int, retries: int = RETRIES) -> Result:
    """`count` calls of `batch` samples, `at_once` in flight, against `reserved` concurrency.

    Raises:
        TimeoutError: something else that calls the grader went on for too long.
    """
    function = env.parameter(names.PARAM_REWARD_FUNCTION)
    version = env.lambda_.get_alias(FunctionName=function, Name=names.REWARD_ALIAS)["FunctionVersion"]
    pinned = env.lambda_.get_function_configuration(FunctionName=function, Qualifier=version)["FunctionArn"]
    run_id = f"load-{uuid.uuid4().hex[:8]}"
    batches = events(count=count, batch=batch)
    for sample in (sample for part in batches for sample in part):
        sample["metadata"][names.META_RUN_ID] = run_id
    caller = Caller(_as_job(env), pinned, retries)
    _quiet(env)
    env.lambda_.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=reserved)
    try:
        since, began = _next_second(), time.monotonic()
        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(caller.call, batches))
        took = time.monotonic() - began
    finally:
        env.lambda_.delete_function_concurrency(FunctionName=function)
    samples = count * batch
    env.until(lambda: _count(env, Metric.REWARD, run_id) >= samples - len(caller.lost) * batch, METRIC_SECONDS)
    counted = _count(env, Metric.REWARD, run_id)
    counts = _lambda_counts(env, function, since)
    wanted = Counter(sample["id"] for part in batches for sample in part)
    got = Counter({ident: len(scores) for ident, scores in caller.scores.items()})
    not_graded, too_often = wanted - got, got - wanted
    checks = [
        (not not_graded, f"{len(not_graded)} samples were not graded"),
        (not too_often, f"{len(too_often)} samples were graded twice"),
        (counted == sum(got.values()), f"the metric counts {counted:.0f} of {samples} samples"),
        (counts["Invocations"] == len(caller.seconds), f"Lambda counts {counts['Invocations']:.0f} invocations of {len(caller.seconds)}"),
        (counts["Throttles"] == caller.refused, f"Lambda counts {counts['Throttles']:.0f} throttles of {caller.refused}"),
        (counts["Errors"] == 0, f"Lambda counts {counts['Errors']:.0f} errors"),
    ]
    return Result(
        f"{count} grader calls of {batch} samples, {at_once} in flight, {reserved} reserved",
        {
            "calls": count,
            "samples": samples,
            "graded once": sum(times == 1 for times in got.values()),
            "counted by the metric": round(counted),
            "throttled attempts": caller.refused,
            "calls given up": len(caller.lost),
            "most at the same time": round(_concurrency(env, function, since)),
            "seconds": round(took, 1),
            "calls a second": round(len(caller.seconds) / took, 1),
            "samples a second": round(sum(got.values()) / took),
            "seconds a call, retries included": spread(caller.seconds, 2),
        },
        [*caller.lost, *(said for good, said in checks if not good)],
    )


def _quiet(env: Environment) -> None:
    """Waits until no run and no job goes on: Lambda would count their calls of the grader too."""

    def quiet() -> bool:
        running = env.states.get_paginator("list_executions").paginate(stateMachineArn=env.state_machine, statusFilter="RUNNING")
        runs = [execution for page in running for execution in page["executions"]]
        pages = env.bedrock.get_paginator("list_model_customization_jobs").paginate()
        jobs = [job for page in pages for job in page["modelCustomizationJobSummaries"]]
        return not runs and all(job["status"] not in ("InProgress", "Stopping") for job in jobs)

    if not env.until(quiet, QUIET_SECONDS):
        raise TimeoutError(f"waited {QUIET_SECONDS:g} s for runs and jobs to end, whose calls of the grader would be counted too")


def _next_second() -> datetime:
    """Waits for it, and gives it: what was called before is in no period of a second that begins then or later."""
    now = datetime.now(UTC)
    second = now.replace(microsecond=0) + timedelta(seconds=1)
    time.sleep((second - now).total_seconds())
    return second


def _as_job(env: Environment) -> Any:
    """A Lambda client of a role with the job role's own policies: the job role itself trusts Bedrock alone."""
    iam, name = env.client("iam"), "load-caller"
    resources = env.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=f"rft-{env.name}-pipeline")
    job_role = next(
        found["PhysicalResourceId"]
        for page in resources
        for found in page["StackResourceSummaries"]
        if found["ResourceType"] == "AWS::IAM::Role" and found["LogicalResourceId"].startswith("JobRole")
    )
    account = env.state_machine.split(":")[4]
    root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [root]})
    if name not in {role["RoleName"] for page in iam.get_paginator("list_roles").paginate() for role in page["Roles"]}:
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    for policy in iam.list_attached_role_policies(RoleName=job_role)["AttachedPolicies"]:
        iam.attach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
    given = env.client("sts").assume_role(RoleArn=f"arn:aws:iam::{account}:role/{name}", RoleSessionName="job")["Credentials"]
    session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], region_name="us-east-1")
    # One attempt: what is repeated, when and how often is counted here.
    config = Config(max_pool_connections=MOST_AT_ONCE, read_timeout=900, retries={"mode": "standard", "total_max_attempts": 1})
    return session.client("lambda", endpoint_url=env.endpoint.url, config=config)


def _lambda_counts(env: Environment, function: str, since: datetime) -> dict[str, float]:
    counted = ("Invocations", "Errors", "Throttles")
    return {name: _statistic(env, f"AWS/Lambda {name}", {"FunctionName": function}, since, "Sum") for name in counted}


def _concurrency(env: Environment, function: str, since: datetime) -> float:
    return _statistic(env, "AWS/Lambda ConcurrentExecutions", {"FunctionName": function}, since, "Maximum")


def _count(env: Environment, metric: Metric, run_id: str) -> float:
    dimensions = {DIMENSION_ENVIRONMENT: env.name, DIMENSION_RUN: run_id}
    return _statistic(env, f"{NAMESPACE} {metric.metric_name}", dimensions, datetime.now(UTC) - timedelta(hours=1), "SampleCount")


def _statistic(env: Environment, metric: str, dimensions: dict[str, str], since: datetime, statistic: str) -> float:
    """Over everything from `since` on. CloudWatch rounds that down to the period: with longer ones earlier calls would be in it."""
    namespace, name = metric.split()
    found = env.cloudwatch.get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=since,
        EndTime=datetime.now(UTC) + timedelta(minutes=5),
        Period=1,
        Statistics=[statistic],
    )["Datapoints"]
    values = [point[statistic] for point in found]
    return float(max(values, default=0.0) if statistic == "Maximum" else sum(values))
