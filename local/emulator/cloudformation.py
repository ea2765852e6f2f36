"""CloudFormation types ministack lacks, and corrections of some it has.

A handler is called again on every stack update, changed or not, so each one puts the resource into the wanted state rather
than creating it. Types that change nothing in this cloud are accepted and listed as recorded, never passed off as working.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services.cloudformation import provisioners, stacks

from local.emulator import cloudformation_buckets, cloudformation_custom, cloudformation_types, not_emulated
from local.emulator.clients import client, root

Properties = dict[str, Any]
Attributes = dict[str, Any]
Create = Callable[[str, Properties, str], tuple[str, Attributes]]

_ADDED: set[str] = set()


def install() -> None:
    """Register every added type."""
    cloudformation_types.register()
    cloudformation_buckets.register()
    cloudformation_custom.register()
    upstream_threaded = stacks._runs_on_worker_thread
    stacks._runs_on_worker_thread = lambda kind: kind in _ADDED or upstream_threaded(kind)


def add(kind: str, put: Create, delete: Callable[[str, Properties], None], replaced_by: tuple[str, ...] = ()) -> None:
    """Register a type whose `put(logical_id, properties, stack)` both creates and updates.

    Args:
        kind: the CloudFormation type.
        put: brings the resource into the wanted state; returns its physical id and attributes. Must be repeatable.
        delete: removes it; a resource that is gone already is not an error.
        replaced_by: properties whose change makes a new resource, so that the old one is deleted first.
    """

    def update(physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str | None = None) -> tuple[str, Attributes]:
        if any(old.get(name) != new.get(name) for name in replaced_by):
            delete(physical_id, old)
        return put(logical_id or physical_id.removeprefix(f"{stack}-"), new, stack)

    provisioners._RESOURCE_HANDLERS[kind] = {"create": put, "update": update, "delete": delete}
    _ADDED.add(kind)


def add_recorded(kind: str, why: str, attributes: Callable[[str, Properties], Attributes] | None = None) -> None:
    """Register a type this cloud accepts and does nothing with."""

    def put(logical_id: str, properties: Properties, stack: str) -> tuple[str, Attributes]:
        not_emulated.record(kind, why)
        physical_id = name_of(properties, "Name", logical_id, stack)
        return physical_id, attributes(physical_id, properties) if attributes else {}

    add(kind, put, lambda _id, _properties: None)


def amend(kind: str, extra: Callable[[str, Properties, Attributes], None]) -> None:
    """Let `extra(physical_id, properties, attributes)` complete what ministack's own handler of `kind` returns."""
    handler = provisioners._RESOURCE_HANDLERS[kind]
    upstream_create = handler["create"]

    def create(*arguments: Any, **named: Any) -> tuple[str, Attributes]:
        physical_id, attributes = upstream_create(*arguments, **named)
        attributes = dict(attributes or {})
        extra(physical_id, arguments[1], attributes)
        return physical_id, attributes

    provisioners._RESOURCE_HANDLERS[kind] = {**handler, "create": create}


def api(service: str) -> Any:
    """A client of the stack's account and Region, as its root user: CloudFormation's own rights are not the question here."""
    return client(service, region=get_region(), credentials=root(get_account_id()))


def name_of(properties: Properties, key: str, logical_id: str, stack: str, longest: int = 120) -> str:
    """The name the template gives, or one made from stack and logical id; the same at each call."""
    return str(properties.get(key) or f"{stack}-{logical_id}"[:longest])


def plain(value: Any) -> Any:
    """CloudFormation's text booleans as booleans, everywhere inside `value`."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value == "true" if value in ("true", "false") else value
