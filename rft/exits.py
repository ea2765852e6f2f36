"""Exit codes and the one shape every failure of the command takes: what, where, what to do next."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What the command's exit code tells a script."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    CONNECTION = 4
    TAMPERED = 5
    INTERRUPTED = 130


MEANING: dict[Exit, str] = {
    Exit.OK: "done",
    Exit.FAILED: "the operation failed: a run ended without a release, a dataset was rejected",
    Exit.USAGE: "wrong usage or invalid input",
    Exit.NOT_FOUND: "no such run or dataset, or the environment is not deployed here",
    Exit.CONNECTION: "no credentials, no permission or no connection",
    Exit.TAMPERED: "a record is not what was signed, or is not signed",
    Exit.INTERRUPTED: "interrupted (Ctrl-C)",
}


class Failure(Exception):
    """A failure that a person can act on.

    Args:
        what: what went wrong, one line or more.
        where: the file, parameter, run or endpoint it concerns.
        hint: what to do next, often a command.
        code: the exit code.
    """

    def __init__(self, what: str, *, where: str = "", hint: str = "", code: Exit = Exit.FAILED) -> None:
        super().__init__(what)
        self.what, self.where, self.hint, self.code = what, where, hint, code

    def as_json(self) -> dict[str, object]:
        return {"error": {"what": self.what, "where": self.where, "next": self.hint, "exit_code": int(self.code)}}


def epilog() -> str:
    """The table of exit codes for ``rft --help``."""
    return "\n".join(["\b", "Exit codes:", *(f"  {int(code):>3}  {MEANING[code]}" for code in Exit)])


def translate(error: BaseException) -> Failure | None:
    """Turns a known exception into a `Failure`; None when it is a defect of the program.

    The SDK's exceptions are told by their module and name, so that this module does not import the SDK.
    """
    if isinstance(error, Failure):
        return error
    module, name = type(error).__module__, type(error).__name__
    if name == "InvalidInput" and module == "contracts.errors":
        return Failure(str(error), code=Exit.USAGE)
    if name == "ClientError" and hasattr(error, "response"):
        return _service_refusal(error)
    return _sdk_failure(name, error) if module.startswith("botocore") else None


_NO_CREDENTIALS = ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "TokenRetrievalError", "SSOTokenLoadError")
_NO_CONNECTION = ("EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ConnectionClosedError", "HTTPClientError")
_SDK_HINTS: dict[str, tuple[str, str]] = {
    **dict.fromkeys(
        _NO_CREDENTIALS, ("no usable AWS credentials", "set AWS_PROFILE or log in; for the local cloud add --local (or RFT_TARGET=local)")
    ),
    **dict.fromkeys(_NO_CONNECTION, ("cannot reach the service", "check the network; for the local cloud: rft local status")),
    "NoRegionError": ("no AWS Region is set", "set AWS_REGION, or a region in your profile"),
    "ProfileNotFound": ("no such AWS profile", "aws configure list-profiles"),
}


def _sdk_failure(name: str, error: BaseException) -> Failure:
    if name == "ParamValidationError":
        return Failure(str(error), code=Exit.USAGE)
    what, hint = _SDK_HINTS.get(name, (name, ""))
    return Failure(what, where=str(error), hint=hint, code=Exit.CONNECTION)


_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403", "Forbidden", "KMS.AccessDeniedException")
_BAD_CREDENTIALS = (
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "SignatureDoesNotMatch",
    "InvalidAccessKeyId",
    "InvalidSignatureException",
)


def _service_refusal(error: BaseException) -> Failure:
    response = getattr(error, "response", {}).get("Error", {})
    code, message = str(response.get("Code", "")), str(response.get("Message", "")) or str(error)
    operation = str(getattr(error, "operation_name", ""))
    if code in _DENIED:
        return Failure(
            message,
            where=operation,
            hint="ask for this permission, or use credentials that have it: aws sts get-caller-identity",
            code=Exit.CONNECTION,
        )
    if code in _BAD_CREDENTIALS:
        return Failure(message, where=operation, hint="log in again: aws sts get-caller-identity must succeed", code=Exit.CONNECTION)
    if code in ("Throttling", "ThrottlingException", "TooManyRequestsException", "SlowDown"):
        return Failure(message, where=operation, hint="wait a minute and try again", code=Exit.CONNECTION)
    if code in (
        "ExecutionDoesNotExist",
        "NoSuchKey",
        "NoSuchBucket",
        "ParameterNotFound",
        "ResourceNotFoundException",
        "StateMachineDoesNotExist",
    ):
        return Failure(message, where=operation, hint="rft run list", code=Exit.NOT_FOUND)
    return Failure(f"{code}: {message}", where=operation)
