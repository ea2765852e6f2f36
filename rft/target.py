"""Which cloud a command speaks to, and where the environment's parts are in it.

The local cloud is reached through an endpoint and nothing else; every line after `find_target` is the same for both.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

import attrs
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from contracts import names
from pipeline import proof

from local import cloud
from local.cloud import Endpoint
from rft.exits import Exit, Failure
from stacks.settings import ENVIRONMENTS, load

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_stepfunctions import SFNClient


TARGET_VARIABLE = "RFT_TARGET"
DEFAULT_REGION = "us-east-1"

_CONFIG = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "max_attempts": 4}, user_agent_extra="rft")


@attrs.frozen(kw_only=True)
class Parts:
    """What the stacks left in `/rft/<environment>/…`."""

    datasets_bucket: str
    runs_bucket: str
    state_machine: str


class Target:
    """A cloud, an environment in it, and clients for both.

    Args:
        environment: dev, stage or prod.
        session: credentials and Region.
        endpoint: the local cloud, or None for AWS.
    """

    def __init__(self, *, environment: str, session: boto3.Session, endpoint: Endpoint | None = None) -> None:
        self.environment, self.endpoint = environment, endpoint
        self._session = session

    @property
    def local(self) -> bool:
        return self.endpoint is not None

    @property
    def place(self) -> str:
        """The cloud in words, for messages."""
        if self.endpoint is not None:
            return f"the local cloud at {self.endpoint.url}"
        return f"AWS Region {self._session.region_name or '(none set)'}"

    @property
    def poll_seconds(self) -> float:
        """How often a run is looked at: the local cloud is free and fast, AWS counts requests."""
        return 0.5 if self.local else 5.0

    @cached_property
    def s3(self) -> S3Client:
        client: S3Client = self._client("s3")
        return client

    @cached_property
    def ssm(self) -> SSMClient:
        client: SSMClient = self._client("ssm")
        return client

    @cached_property
    def states(self) -> SFNClient:
        client: SFNClient = self._client("stepfunctions")
        return client

    @cached_property
    def bedrock(self) -> BedrockClient:
        client: BedrockClient = self._client("bedrock")
        return client

    @cached_property
    def cloudwatch(self) -> CloudWatchClient:
        client: CloudWatchClient = self._client("cloudwatch")
        return client

    @cached_property
    def kms(self) -> KMSClient:
        client: KMSClient = self._client("kms")
        return client

    @cached_property
    def budgets(self) -> Any:
        """AWS Budgets, and IAM below: no stubs are installed for a verb each."""
        return self._client("budgets")

    @cached_property
    def iam(self) -> Any:
        return self._client("iam")

    @cached_property
    def caller(self) -> str:
        """ARN of whoever calls, for the record."""
        return str(self._client("sts").get_caller_identity()["Arn"])

    def proof(self, what: str) -> dict[str, str]:
        """Headers by which the pipeline can have STS name whoever calls; bound to the claim `what`.

        Raises:
            Failure: connection, without credentials.
        """
        credentials, region = self._session.get_credentials(), self._session.region_name
        if credentials is None or not region:
            raise Failure("no usable AWS credentials", hint="set AWS_PROFILE or log in", code=Exit.CONNECTION)
        endpoint = self._client("sts").meta.endpoint_url
        return proof.sign(what, credentials=credentials.get_frozen_credentials(), region=region, endpoint=endpoint)

    @cached_property
    def parts(self) -> Parts:
        """Where things are.

        Raises:
            Failure: not found, when the environment is not deployed here.
        """
        wanted = {
            "datasets_bucket": names.PARAM_DATASETS_BUCKET,
            "runs_bucket": names.PARAM_RUNS_BUCKET,
            "state_machine": names.PARAM_STATE_MACHINE,
        }
        paths = {names.parameter(self.environment, name): part for part, name in wanted.items()}
        found = self.ssm.get_parameters(Names=list(paths))
        if found.get("InvalidParameters"):
            raise self._not_deployed(found["InvalidParameters"])
        return Parts(**{paths[parameter["Name"]]: parameter["Value"] for parameter in found["Parameters"]})

    @cached_property
    def backup_bucket(self) -> str | None:
        """The bucket of copies, or None where settings have no backup."""
        path = names.parameter(self.environment, names.PARAM_BACKUP_BUCKET)
        found = self.ssm.get_parameters(Names=[path])["Parameters"]
        return str(found[0]["Value"]) if found else None

    def lineage_keys(self) -> list[str]:
        """ARNs of the keys whose signature on records counts, the one that signs now first.

        Raises:
            Failure: not found, when the environment publishes none.
        """
        name = names.parameter(self.environment, names.PARAM_LINEAGE_KEYS)
        found = self.ssm.get_parameters(Names=[name])["Parameters"]
        if not found:
            raise self._not_deployed([name])
        return [arn.strip() for arn in found[0]["Value"].split(",")]

    def released_model(self) -> dict[str, Any] | None:
        """The released-model pointer, or None before the first release."""
        try:
            parameter = self.ssm.get_parameter(Name=names.parameter(self.environment, names.PARAM_RELEASED_MODEL))
        except ClientError as error:
            if error.response["Error"].get("Code") == "ParameterNotFound":
                return None
            raise
        value: dict[str, Any] = json.loads(parameter["Parameter"]["Value"])
        return value

    def read_json(self, bucket: str, key: str) -> Any | None:
        """An object's JSON value, or None when there is no such object."""
        body = self.read_bytes(bucket, key)
        return None if body is None else json.loads(body)

    def read_bytes(self, bucket: str, key: str) -> bytes | None:
        """An object's content, or None when there is no such object."""
        try:
            return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"].get("Code") in ("NoSuchKey", "404"):
                return None
            raise

    def record(self, run_id: str, file: str) -> Any | None:
        """One of a run's records, or None."""
        return self.read_json(self.parts.runs_bucket, names.record_key(run_id, file))

    @contextmanager
    def as_process_environment(self, variables: Mapping[str, str]) -> Iterator[None]:
        """Lets code that makes its own clients, such as the pipeline's modules, speak to this target, with `variables` set as well."""
        before = dict(os.environ)
        os.environ.update(variables)
        if self.endpoint is not None:
            for name, value in local_environ(self.endpoint, self.environment).items():
                # An empty AWS_PROFILE is a profile without a name to botocore, not none.
                if value:
                    os.environ[name] = value
                else:
                    os.environ.pop(name, None)
        elif self._session.region_name:
            os.environ["AWS_REGION"] = os.environ["AWS_DEFAULT_REGION"] = self._session.region_name
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)

    def _client(self, service: Any) -> Any:
        url = self.endpoint.url if self.endpoint is not None else None
        return self._session.client(service, endpoint_url=url, config=_CONFIG)

    def _not_deployed(self, missing: list[str]) -> Failure:
        deploy = f"cdk deploy '{self.environment}/*'"
        hint = f"rft demo, or {deploy} with the variables of: rft local env" if self.local else f"deploy it with: {deploy}, or add --local"
        return Failure(
            f"environment {self.environment} is not deployed in {self.place}",
            where=f"SSM parameters {', '.join(sorted(missing))}",
            hint=hint,
            code=Exit.NOT_FOUND,
        )


def find_target(*, environment: str, local: bool) -> Target:
    """The target a command's options and environment variables name.

    Raises:
        Failure: no local cloud is running, `RFT_TARGET` is neither ``aws`` nor ``local``, or no Region is set.
    """
    named = os.environ.get(TARGET_VARIABLE, "")
    if named not in ("", "aws", "local"):
        raise Failure(f"{TARGET_VARIABLE} = {named!r}; allowed are aws and local", code=Exit.USAGE)
    if local or named == "local":
        return local_target(running_cloud(), environment)
    session = boto3.Session()
    if not session.region_name:
        session = boto3.Session(region_name=os.environ.get("AWS_REGION") or None)
    if not session.region_name:
        raise Failure("no AWS Region is set", hint="set AWS_REGION, or add --local for the local cloud", code=Exit.CONNECTION)
    return Target(environment=environment, session=session)


def running_cloud() -> Endpoint:
    """The local cloud that runs.

    Raises:
        Failure: none does.
    """
    endpoint = cloud.find()
    if endpoint is None:
        raise Failure("the local cloud is not running", where=str(cloud.STATE_DIR), hint="rft local up", code=Exit.CONNECTION)
    return endpoint


def local_target(endpoint: Endpoint, environment: str) -> Target:
    """An environment in the local cloud, in the account and Region its settings name."""
    account, region = account_and_region(environment)
    return Target(environment=environment, session=endpoint.session(account, region), endpoint=endpoint)


def local_environ(endpoint: Endpoint, environment: str) -> dict[str, str]:
    """Variables that point the SDK and the CDK CLI at an environment in the local cloud; one that is empty must be unset."""
    return endpoint.environ(*account_and_region(environment))


def account_and_region(environment: str) -> tuple[str, str]:
    """Account and Region of an environment in the local cloud; an account left open becomes the local cloud's own."""
    settings = load(ENVIRONMENTS / f"{environment}.toml")
    return settings.account or cloud.ACCOUNT, settings.region or DEFAULT_REGION
