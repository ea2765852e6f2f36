"""What the stand-in needs from the local cloud it is mounted in."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol


class Cloud(Protocol):
    """The local cloud as the stand-in sees it; tests give a small one that lives in memory.

    Attributes:
        state_dir: an existing directory that outlives the process; the stand-in writes only below it.
    """

    state_dir: Path

    def account(self) -> str:
        """Account id of the request being served: 12 digits."""
        ...

    def region(self) -> str:
        """Region of the request being served."""
        ...

    def assume(self, role_arn: str, *, account: str, region: str) -> dict[str, str]:
        """STS credentials of the role, taken as the service principal bedrock.amazonaws.com.

        Raises:
            PermissionError: the role does not exist or its trust policy does not allow it.
        """
        ...

    def client(self, service: str, *, account: str, region: str, credentials: dict[str, str] | None = None) -> Any:
        """A botocore client to the local cloud: as the given credentials, or as the cloud itself."""
        ...

    def put_event(self, *, account: str, region: str, source: str, detail_type: str, detail: dict[str, Any], resources: list[str]) -> None:
        """Puts an event of an AWS service on the account's default bus."""
        ...

    def caller_may(self, action: str, resource: str, context: dict[str, str]) -> bool:
        """Whether the policies of the current request's caller allow the action."""
        ...
