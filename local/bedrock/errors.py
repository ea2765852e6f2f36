"""Errors as the service answers them, and the ones that end a job."""

from __future__ import annotations


class ServiceError(Exception):
    """Becomes an HTTP error answer.

    Args:
        code: an error shape of the service model, such as ``ValidationException``; its status comes from the model.
        message: for the caller; holds no prompt and no answer.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def invalid(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)


def not_found(message: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", message)


def conflict(message: str) -> ServiceError:
    return ServiceError("ConflictException", message)


class JobFailed(Exception):
    """Ends a job as Failed; the text becomes its `failureMessage` (the API allows 2048 characters)."""


class JobStopped(Exception):
    """A caller asked for the job to stop."""


class ShuttingDown(Exception):
    """The local cloud is going down; the job is left as it is and is found Failed at the next start."""
