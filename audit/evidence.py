"""Everything a pack says about one environment, as plain data: what the page shows and what two packs are compared by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs

from audit import components, controls, encryption, sbom
from audit.answers import answers
from audit.assembly import Assembly
from audit.facts import facts
from audit.findings import findings, reasons
from audit.flows import actor, flows
from audit.inventory import roles
from audit.network import network
from audit.register import Register
from audit.resource_policies import resource_policies
from audit.retention import backups, retention
from audit.risks import risks

FORMAT = 1
"""Raised when a key of the evidence changes its meaning, so that packs of different formats are not compared silently."""

Evidence = dict[str, Any]


def gather(assembly: Assembly, register: Register) -> Evidence:
    """The evidence of one environment: the same templates and documents give the same data, whatever machine asks.

    Args:
        register: of the synthesis that `assembly` is part of.
    """
    found = findings(register, assembly.environment)
    found_roles = roles(assembly, reasons(found))
    evidence: Evidence = {
        "format": FORMAT,
        "environment": assembly.environment,
        "region": assembly.settings.region,
        "settings": components.settings(assembly),
        "stacks": components.stacks(assembly),
        "resources": components.resources(assembly),
        "functions": components.functions(assembly),
        "rules_of_events": components.starters(assembly),
        "state_machines": components.state_machines(assembly),
        "roles": [{**_plain(role), "actor": actor(role)} for role in found_roles],
        "flows": [_plain(flow) for flow in flows(assembly)],
        "stores": [_plain(store) for store in encryption.stores(assembly)],
        "keys": [_plain(key) for key in encryption.keys(assembly)],
        "resource_policies": [_plain(policy) for policy in resource_policies(assembly)],
        "network": _plain(network(assembly)),
        "retention": [_plain(kept) for kept in retention(assembly)],
        "backups": backups(assembly),
        "trails": components.trails(assembly),
        "alarms": components.alarms(assembly),
        "findings": found,
        "software": _software(sbom.shipped(assembly)),
        "access": answers(assembly),
        "risks": [_plain(risk) for risk in risks()],
    }
    evidence["facts"] = {name: _plain(fact) for name, fact in facts(evidence).items()}
    evidence["controls"] = controls.mapped(evidence)
    return evidence


def as_text(document: Mapping[str, Any]) -> str:
    """JSON as it is stored: one order, a line for each row, so that a difference shows as the row it is in."""
    return "{\n" + ",\n".join(f"{_json(key)}: {_rows(value)}" for key, value in document.items()) + "\n}\n"


def _rows(value: Any) -> str:
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(map(_json, value)) + "\n]"
    if isinstance(value, dict) and value:
        return "{\n" + ",\n".join(f"{_json(key)}: {_json(item)}" for key, item in value.items()) + "\n}"
    return _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(attrs.asdict(value)))


def _software(bill: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The libraries of the bill of materials, for the page's table; the bill itself has the hashes."""
    return [
        {
            "name": found["name"],
            "version": found["version"],
            "licences": [entry.get("expression") or entry["license"].get("name") or entry["license"]["id"] for entry in found["licenses"]],
            "purl": found["purl"],
        }
        for found in bill["components"]
        if found["type"] == "library"
    ]
