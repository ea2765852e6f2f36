"""What differs between two packs, in the terms a reviewer thinks in: settings, roles and their statements, keys, network, answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

Evidence = Mapping[str, Any]
Row = Mapping[str, Any]
Items = dict[str, list[str]]
"""What an area holds: each thing by name, and everything said about it, one line each."""


def compare(before: Evidence, after: Evidence, *, before_name: str, after_name: str) -> dict[str, Any]:
    """The differences, area by area; an area without one is left out.

    Of each thing only the lines that differ are shown. The environment's own name within names is not a difference.
    """
    areas = []
    for title, old, new in zip(_AREAS, _all(before), _all(after), strict=True):
        changes = [
            {"what": what, "before": gone, "after": come}
            for what in sorted({*old, *new})
            for gone, come in [_lines(old.get(what), new.get(what))]
            if gone or come
        ]
        if changes:
            areas.append({"title": title, "changes": changes})
    return {"before": before_name, "after": after_name, "areas": areas}


def count(compared: Mapping[str, Any]) -> int:
    """How many things differ."""
    return sum(len(area["changes"]) for area in compared["areas"])


def in_text(compared: Mapping[str, Any]) -> str:
    """The differences for a terminal: what is gone after a minus, what has come after a plus."""
    lines = []
    for area in compared["areas"]:
        lines.append(area["title"])
        for change in area["changes"]:
            lines.append(f"  {change['what']}")
            lines += [f"    - {line}" for line in change["before"]]
            lines += [f"    + {line}" for line in change["after"]]
    return "\n".join(lines) or "no difference"


def _lines(old: list[str] | None, new: list[str] | None) -> tuple[list[str], list[str]]:
    if old is None or new is None:
        return old or [], new or []
    return [line for line in old if line not in new], [line for line in new if line not in old]


def _all(evidence: Evidence) -> Iterator[Items]:
    plain = json.loads(_without_name(json.dumps(evidence), evidence["environment"]))
    for read in _AREAS.values():
        yield read(plain)


def _without_name(text: str, environment: str) -> str:
    for pattern in (f"rft-{environment}", f"rft/{environment}"):
        text = text.replace(pattern, pattern.removesuffix(environment) + "<environment>")
    return text


def _settings(evidence: Evidence) -> Items:
    return {key: [json.dumps(value)] for key, value in evidence["settings"].items() if key != "name"}


def _said(statement: Row) -> str:
    parts = [
        statement["effect"],
        ", ".join(statement["principals"]),
        ", ".join(statement["actions"]),
        "on",
        ", ".join(statement["resources"]),
    ]
    return " ".join(part for part in parts if part) + (f" if {' and '.join(statement['conditions'])}" if statement["conditions"] else "")


def _roles(evidence: Evidence) -> Items:
    return {
        f"{role['stack']}/{role['place']}": [
            *(f"assumed: {_said(statement)}" for statement in role["trust"]),
            f"boundary: {role['boundary'] or 'none'}",
            *(f"also {policy}" for policy in role["managed"]),
            *(_said(statement) for statement in role["statements"]),
        ]
        for role in evidence["roles"]
    }


def _policies(evidence: Evidence) -> Items:
    return {f"{policy['kind']} {policy['place']}": [_said(one) for one in policy["statements"]] for policy in evidence["resource_policies"]}


def _keys(evidence: Evidence) -> Items:
    return {
        f"{key['stack']}/{key['place']}": [
            f"usage: {key['usage']}",
            f"rotation: {key['rotation']}",
            *(_said(statement) for statement in key["policy"]),
        ]
        for key in evidence["keys"]
    }


def _stores(evidence: Evidence) -> Items:
    return {f"{store['kind']} {store['place']}": [f"at rest: {store['at_rest']}", store["in_transit"]] for store in evidence["stores"]}


def _network(evidence: Evidence) -> Items:
    network = evidence["network"]
    items: Items = {f"subnet {subnet['place']}": [f"routes: {', '.join(subnet['routes'])}"] for subnet in network["subnets"]}
    items |= {
        f"endpoint {endpoint['service']}": [f"private DNS: {endpoint['private_dns']}", *(_said(one) for one in endpoint["policy"])]
        for endpoint in network["endpoints"]
    }
    for rule in network["rules"]:
        items.setdefault(f"group {rule['group']}", []).append(f"{rule['direction']} {rule['other']} {rule['ports']}")
    items["ways out"] = list(network["ways_out"])
    return items


def _retention(evidence: Evidence) -> Items:
    items: Items = {
        f"{kept['kind']} {kept['place']}": [
            *kept["how_long"],
            f"versions: {kept['versions']}",
            f"lock: {kept['lock'] or 'none'}",
            f"when its stack goes: {kept['when_deleted']}",
        ]
        for kept in evidence["retention"]
    }
    return {**items, "backup": list(evidence["backups"])}


def _protection(evidence: Evidence) -> Items:
    return {f"stack {stack['name']}": [f"termination protection: {stack['termination_protection']}"] for stack in evidence["stacks"]}


def _functions(evidence: Evidence) -> Items:
    keys = ("handler", "runtime", "architecture", "memory_mb", "timeout_seconds", "reserved_concurrency", "groups")
    return {found["place"]: [f"{key}: {found[key]}" for key in keys] for found in evidence["functions"]}


def _events(evidence: Evidence) -> Items:
    return {
        rule["place"]: [f"waits for {rule['what']}", f"starts {', '.join(rule['starts'])}", f"enabled: {rule['enabled']}"]
        for rule in evidence["rules_of_events"]
    }


def _alarms(evidence: Evidence) -> Items:
    return {alarm["place"]: [f"watches {alarm['watches']}", f"tells {', '.join(alarm['tells'])}"] for alarm in evidence["alarms"]}


def _trails(evidence: Evidence) -> Items:
    return {trail["place"]: [f"{key}: {value}" for key, value in trail.items() if key != "place"] for trail in evidence["trails"]}


def _acknowledgements(evidence: Evidence) -> Items:
    return {
        f"{answer['finding']} on {answer['place']}": [known["reason"], f"{known['owner']}, {known['review']}"]
        for known in evidence["findings"]["acknowledgements"]
        for answer in known["answers"]
    }


def _open_findings(evidence: Evidence) -> Items:
    return {f"{found['rule']} on {found['place']}": [found["says"]] for found in evidence["findings"]["open"]}


def _access(evidence: Evidence) -> Items:
    return {
        row["question"]: [f"{row['answer']}, expected {row['expected']}", f"asked of {', '.join(row['principals'])}"]
        for row in evidence["access"]
    }


def _facts(evidence: Evidence) -> Items:
    return {
        fact["says"]: ["holds" if fact["holds"] else f"does not hold: {'; '.join(fact['exceptions'])}"]
        for fact in evidence["facts"].values()
    }


def _software(evidence: Evidence) -> Items:
    return {library["name"]: [f"{library['version']}, {', '.join(library['licences'])}"] for library in evidence["software"]}


def _resources(evidence: Evidence) -> Items:
    return {f"{row['stack']}/{row['place']}": [row["type"]] for row in evidence["resources"]}


_AREAS = {
    "Settings": _settings,
    "Statements that hold": _facts,
    "Roles": _roles,
    "Resource policies": _policies,
    "Access": _access,
    "Keys": _keys,
    "Stores": _stores,
    "Network": _network,
    "Retention": _retention,
    "Protection": _protection,
    "Audit trail": _trails,
    "Events and schedules": _events,
    "Functions": _functions,
    "Alarms": _alarms,
    "Open findings": _open_findings,
    "Acknowledgements": _acknowledgements,
    "Software": _software,
    "Resources": _resources,
}
