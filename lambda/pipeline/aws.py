"""AWS clients, made once and only when needed, and what their errors mean."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError, IncompleteReadError

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_sts import STSClient

TRANSIENT_CODES = frozenset(
    {
        "ThrottlingException",
        "Throttling",
        "Throttled",
        "ThrottledException",
        "TooManyRequestsException",
        "ExecutionLimitExceeded",
        "RequestLimitExceeded",
        "ServiceQuotaExceededException",
        "InternalServerException",
        "InternalServerError",
        "InternalError",
        "InternalFailure",
        "ServiceException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "SlowDown",
        "ModelNotReadyException",
        "ModelTimeoutException",
        "ModelErrorException",
        "KMSThrottlingException",
        "ResourceNotReadyException",
        "EC2ThrottledException",
        "ENILimitReachedException",
    }
)
"""Error codes that a later attempt may not meet. A quota counts: another job or deployment may end meanwhile."""

_RETRIES = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 5})
# A grader may take its full 15 minutes; a retry by the SDK would grade everything twice.
_LONG_CALL = Config(connect_timeout=5, read_timeout=900, retries={"mode": "standard", "total_max_attempts": 1}, max_pool_connections=16)
# The evaluation has its own back-off, spread over all its prompts.
_ANSWER = Config(connect_timeout=5, read_timeout=300, retries={"mode": "standard", "total_max_attempts": 1}, max_pool_connections=16)


@lru_cache(maxsize=1)
def s3() -> S3Client:
    return boto3.client("s3", config=_RETRIES)


@lru_cache(maxsize=1)
def bedrock() -> BedrockClient:
    return boto3.client("bedrock", config=_RETRIES)


@lru_cache(maxsize=1)
def bedrock_runtime() -> BedrockRuntimeClient:
    return boto3.client("bedrock-runtime", config=_ANSWER)


@lru_cache(maxsize=1)
def events() -> EventBridgeClient:
    return boto3.client("events", config=_RETRIES)


@lru_cache(maxsize=1)
def functions() -> LambdaClient:
    return boto3.client("lambda", config=_LONG_CALL)


@lru_cache(maxsize=1)
def kms() -> KMSClient:
    return boto3.client("kms", config=_RETRIES)


@lru_cache(maxsize=1)
def logs() -> CloudWatchLogsClient:
    return boto3.client("logs", config=_RETRIES)


@lru_cache(maxsize=1)
def sns() -> SNSClient:
    return boto3.client("sns", config=_RETRIES)


@lru_cache(maxsize=1)
def ssm() -> SSMClient:
    return boto3.client("ssm", config=_RETRIES)


@lru_cache(maxsize=1)
def states() -> SFNClient:
    return boto3.client("stepfunctions", config=_RETRIES)


@lru_cache(maxsize=1)
def sts() -> STSClient:
    return boto3.client("sts", region_name=os.environ.get("AWS_REGION"), config=_RETRIES)


def code_of(error: ClientError) -> str:
    """The service's error code, such as ``ThrottlingException``."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_transient(error: BaseException) -> bool:
    """Whether a later attempt may succeed: a busy service, a fault of the service's own, or the network."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return code_of(error) in TRANSIENT_CODES or status >= 500
    return isinstance(error, ConnectionError | HTTPClientError | IncompleteReadError)
