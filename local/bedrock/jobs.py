"""The life of a customization job: validation, data processing, training, and how it ends."""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from contracts.errors import InvalidInput
from contracts.events import BEDROCK_JOB_STATE_CHANGE, BEDROCK_SOURCE

from local.bedrock import artifacts, data
from local.bedrock.data import Record
from local.bedrock.errors import JobFailed, JobStopped, ShuttingDown
from local.bedrock.faults import Faults
from local.bedrock.grader import Grader
from local.bedrock.policy import Policy
from local.bedrock.ports import Cloud
from local.bedrock.state import PHASES, Job, Model, Store, now, short_id
from local.bedrock.strategies import Strategy
from local.bedrock.training import Hyper, Progress, Training

LOG = logging.getLogger("rft.bedrock")

ENV_PACE = "RFT_STANDIN_PACE"
DEFAULT_PACE = 0.3
"""Seconds per training step: a run of 50 steps takes about a quarter of a minute, long enough to watch."""

CREDENTIALS_SECONDS = 1800.0
STAND_IN_TAG = {"LocalStandIn": "trained by the local stand-in / not by Amazon Bedrock"}


class Pace:
    """The least seconds a training step takes; changes apply to running jobs at once."""

    def __init__(self) -> None:
        given = os.environ.get(ENV_PACE)
        self.seconds = self.checked(float(given) if given else DEFAULT_PACE, ENV_PACE)

    @staticmethod
    def checked(value: object, where: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 60:
            raise InvalidInput(where, ["seconds_per_step: allowed is a number from 0 to 60"])
        return float(value)


class Runner:
    """Runs jobs, one thread each, and tells EventBridge about them."""

    def __init__(self, cloud: Cloud, store: Store, faults: Faults, pace: Pace) -> None:
        self.cloud = cloud
        self.store = store
        self.faults = faults
        self.pace = pace
        self.halt = threading.Event()
        self.threads: dict[str, threading.Thread] = {}

    def start(self, job: Job) -> None:
        thread = threading.Thread(target=_Run(self, job).run, name=f"job-{job.id}", daemon=True)
        self.threads[job.arn] = thread
        thread.start()

    def shutdown(self, timeout: float = 5.0) -> None:
        """Ends all threads; jobs stay as they are and are found Failed at the next start."""
        self.halt.set()
        for thread in list(self.threads.values()):
            thread.join(timeout)

    def announce(self, job: Job, detail: dict[str, Any] | None = None) -> None:
        """Sends the state-change event, as often as the faults that are on say. Best effort, like the service's.

        Args:
            detail: what the event says; by default how the job stands.
        """
        times = 1
        if self.faults.take("lost_event", target=job.name):
            times = 0
        elif self.faults.take("duplicate_event", target=job.name):
            times = 2
        for _ in range(times):
            try:
                self.cloud.put_event(
                    account=job.account,
                    region=job.region,
                    source=BEDROCK_SOURCE,
                    detail_type=BEDROCK_JOB_STATE_CHANGE,
                    detail=detail or event_detail(job),
                    resources=[job.arn],
                )
            except Exception as error:
                LOG.warning("the event of job %s could not be sent: %s", job.name, type(error).__name__)


def event_detail(job: Job) -> dict[str, Any]:
    """`detail` of the event (user guide, monitoring-eventbridge-how-it-works). The status is in `jobStatus`."""
    detail = {
        "version": "0.0",
        "jobName": job.name,
        "jobArn": job.arn,
        "outputModelName": job.request["customModelName"],
        "outputModelArn": job.model_arn,
        "roleArn": job.request["roleArn"],
        "jobStatus": job.status,
        "failureMessage": job.failure,
        "creationTime": job.created,
        "lastModifiedTime": job.modified,
        "endTime": job.ended,
        "baseModelArn": job.base_model,
        "hyperParameters": {name: str(value) for name, value in job.rft.get("hyperParameters", {}).items()},
        "trainingDataConfig": job.request["trainingDataConfig"],
        "validationDataConfig": job.request.get("validationDataConfig"),
        "outputDataConfig": job.request["outputDataConfig"],
    }
    return {key: value for key, value in detail.items() if value is not None}


class _Run:
    """One job from start to end, on a thread of its own."""

    def __init__(self, runner: Runner, job: Job) -> None:
        self.runner = runner
        self.cloud = runner.cloud
        self.store = runner.store
        self.job = job
        self.role: str = job.request["roleArn"]
        self.hyper = Hyper.of(job.rft.get("hyperParameters", {}))
        self._credentials: dict[str, str] = {}
        self._taken = 0.0
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    def run(self) -> None:
        late = event_detail(self.job) if self.runner.faults.take("reordered_events", target=self.job.name) else None
        if late is None:
            self.runner.announce(self.job)
        try:
            self._life()
        except ShuttingDown:
            return
        except JobStopped:
            self._end("Stopped")
        except JobFailed as error:
            self._end("Failed", str(error))
        except Exception as error:  # whatever it is, the job must end and say so
            LOG.exception("job %s", self.job.name)
            self._end("Failed", f"Internal error of the local stand-in ({type(error).__name__}).")
        self.runner.announce(self.job)
        if late is not None:
            self.runner.announce(self.job, late)

    def _life(self) -> None:
        self._enter(PHASES[0])
        slow = self.runner.faults.take("slow_start", target=self.job.name)
        self._wait(slow.params["seconds"] if slow else self.runner.pace.seconds)
        data.check_output(self._client("s3"), self.job.request["outputDataConfig"]["s3Uri"], self.role)
        self._check_network()
        self._enter(PHASES[1])
        train, validation = self._read()
        self._wait(self.runner.pace.seconds)
        self._enter(PHASES[2])
        policy = self._start_policy()
        grader = Grader(lambda: self._client("lambda"), self._function, self.role, halt=self.runner.halt)
        try:
            training = Training(
                job_id=self.job.id,
                seed=self.job.name,
                hyper=self.hyper,
                policy=policy,
                grader=grader,
                before_step=self._before_step,
                after_step=self._after_step,
                pace=lambda: self.runner.pace.seconds,
                sleep=self._wait,
            )
            progress = training.run(train, validation)
        finally:
            grader.close()
        self._write(progress, prompts=len(train))
        self._complete(policy, progress)

    @property
    def _function(self) -> str:
        arn: str = self.job.rft["graderConfig"]["lambdaGrader"]["lambdaArn"]
        return arn

    def _client(self, service: str) -> Any:
        """A client with the service role's credentials, which are taken anew before they run out."""
        with self._lock:
            if not self._credentials or time.monotonic() - self._taken > CREDENTIALS_SECONDS:
                try:
                    self._credentials = self.cloud.assume(self.role, account=self.job.account, region=self.job.region)
                except PermissionError as error:
                    needed = "Its trust policy must let bedrock.amazonaws.com call sts:AssumeRole for this account and job"
                    raise JobFailed(f"Could not assume role {self.role}. {needed}.") from error
                self._taken, self._clients = time.monotonic(), {}
            if service not in self._clients:
                place = {"account": self.job.account, "region": self.job.region}
                self._clients[service] = self.cloud.client(service, **place, credentials=self._credentials)
            return self._clients[service]

    def _check_network(self) -> None:
        network = self.job.request.get("vpcConfig")
        if not network:
            return
        try:
            self._client("ec2").describe_subnets(SubnetIds=network["subnetIds"])
            self._client("ec2").describe_security_groups(GroupIds=network["securityGroupIds"])
        except (ClientError, BotoCoreError) as error:
            what = f"subnets {', '.join(network['subnetIds'])} and security groups {', '.join(network['securityGroupIds'])}"
            needed = "They must exist, and the role needs ec2:DescribeSubnets and ec2:DescribeSecurityGroups"
            raise JobFailed(f"Could not use {what} with role {self.role} ({data.reason(error)}). {needed}.") from error

    def _read(self) -> tuple[list[Record], list[Record]]:
        uri = self.job.request["trainingDataConfig"]["s3Uri"]
        train = data.read(self._client("s3"), uri, self.role, training=True)
        validation: list[Record] = []
        for validator in self.job.request.get("validationDataConfig", {}).get("validators", []):
            validation += data.read(self._client("s3"), validator["s3Uri"], self.role, training=False)
        limit = self.hyper.max_prompt_length
        kept = [record for record in train if record.tokens <= limit]
        self.job.filtered = len(train) - len(kept)
        if not kept:
            raise JobFailed(f"Every prompt of {uri} is longer than maxPromptLength ({limit} tokens).")
        if self.job.filtered:
            LOG.warning("job %s: %d prompts longer than %d tokens are left out", self.job.name, self.job.filtered, limit)
        return kept, [record for record in validation if record.tokens <= limit]

    def _start_policy(self) -> Policy:
        if not self.job.start_model:
            return Policy.base()
        with self.store.read() as state:
            model = state.models.get(self.job.start_model)
            if model is None:
                raise JobFailed(f"The model {self.job.start_model} to train further was deleted.")
            return Policy.from_dict(model.policy)

    def _before_step(self, step: int) -> Strategy | None:
        self._wait(0)
        failure = self.runner.faults.take("job_failure", target=self.job.name, step=step)
        if failure:
            raise JobFailed(failure.params["message"])
        while self.runner.faults.take("stall", target=self.job.name, step=step):
            self._wait(0.2)
        fixed = self.runner.faults.take("fixed_answers", target=self.job.name, step=step)
        return Strategy(fixed.params["strategy"]) if fixed else None

    def _after_step(self, step: int, steps: int, reward: float) -> None:
        with self.store.read():
            self.job.step, self.job.steps, self.job.reward = step, steps, reward

    def _wait(self, seconds: float) -> None:
        """Sleeps, and raises as soon as the job is to stop or the local cloud goes down."""
        end = time.monotonic() + seconds
        while True:
            if self.runner.halt.is_set():
                raise ShuttingDown
            if self.job.status == "Stopping":
                raise JobStopped
            left = end - time.monotonic()
            if left <= 0:
                return
            self.runner.halt.wait(min(left, 0.1))

    def _write(self, progress: Progress, *, prompts: int) -> None:
        uri = artifacts.prefix(self.job.request["outputDataConfig"]["s3Uri"], self.job.id)
        bucket, prefix = data.split_uri(uri)
        malformed = bool(self.runner.faults.take("malformed_csv", target=self.job.name))
        files = {artifacts.TRAINING: artifacts.training_csv(progress.training, malformed=malformed)}
        if progress.validation:
            files[artifacts.VALIDATION] = artifacts.validation_csv(progress.validation, malformed=malformed)
        files[artifacts.NOTE] = artifacts.note(prompts=prompts, filtered=self.job.filtered, steps=len(progress.training))
        for name, body in files.items():
            try:
                self._client("s3").put_object(Bucket=bucket, Key=prefix + name, Body=body)
            except (ClientError, BotoCoreError) as error:
                raise JobFailed(
                    f"Could not write {uri}{name} with role {self.role} ({data.reason(error)}). Needed: s3:PutObject."
                ) from error

    def _enter(self, phase: str) -> None:
        with self.store.change():
            at = now()
            for name in PHASES[: PHASES.index(phase)]:
                if self.job.phases[name]["status"] == "InProgress":
                    self.job.phases[name].update(status="Completed", lastModifiedTime=at)
            self.job.phases[phase] = {"status": "InProgress", "creationTime": at, "lastModifiedTime": at}
            self.job.modified = at

    def _complete(self, policy: Policy, progress: Progress) -> None:
        job = self.job
        with self.store.change() as state:
            if job.status == "Stopping":
                raise JobStopped
            base = job.base_model.partition("/")[2]
            arn = f"arn:aws:bedrock:{job.region}:{job.account}:custom-model/{base}/{short_id('model', job.arn)}"
            state.models[arn] = Model(
                arn=arn,
                name=job.request["customModelName"],
                account=job.account,
                region=job.region,
                job_arn=job.arn,
                base_model=job.base_model,
                created=now(),
                policy=policy.as_dict(),
            )
            state.tags[arn] = STAND_IN_TAG | {tag["key"]: tag["value"] for tag in job.request.get("customModelTags", [])}
            job.model_arn = arn
            job.training_loss = progress.training[-1].loss
            job.validation_losses = [row.loss for row in progress.validation[-1:]]
            self._end("Completed")

    def _end(self, status: str, failure: str | None = None) -> None:
        with self.store.change():
            at = now()
            for phase in self.job.phases.values():
                if phase["status"] == "InProgress":
                    phase.update(status=status, lastModifiedTime=at)
            self.job.status, self.job.failure = status, failure[:2048] if failure else None
            self.job.ended = self.job.modified = at
