"""Switches the local cloud's faults on and off from outside: for tests and for trying things out.

endpoint = local.cloud.require()
set_fault(endpoint, "throttle", operation="CreateModelCustomizationJob", count=2)
"""

from __future__ import annotations

from typing import Any, Protocol


class Admin(Protocol):
    """What reaches the local cloud's admin paths: `local.cloud.Endpoint`."""

    def admin(self, method: str, name: str, body: dict[str, Any] | None = None) -> dict[str, Any]: ...


def set_fault(endpoint: Admin, name: str, **params: Any) -> dict[str, Any]:
    """Switches a fault on; names and parameters are those of `faults.KNOWN`.

    Raises:
        CloudError: the stand-in refused it; the text lists what is allowed.
    """
    return endpoint.admin("POST", "faults", {"name": name, **params})


def clear(endpoint: Admin, name: str | None = None, **params: Any) -> dict[str, Any]:
    """Switches off all faults, those of a name, or those of a name that were set with these parameters."""
    return endpoint.admin("DELETE", f"faults/{name}" if name else "faults", params or None)


def faults(endpoint: Admin) -> dict[str, Any]:
    """The faults that are on, those that exist, and under `met` the calls that were struck: name, operation, caller, run."""
    return endpoint.admin("GET", "faults")


def set_pace(endpoint: Admin, seconds_per_step: float) -> dict[str, Any]:
    """Sets the least time a training step takes, 0 to 60 seconds."""
    return endpoint.admin("POST", "pace", {"seconds_per_step": seconds_per_step})
