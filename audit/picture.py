"""The two pictures: the architecture with its trust boundaries, and the data flow between roles and what they may touch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from audit.drawing import ROOM, Box, Column, Frame, Line, draw

Evidence = Mapping[str, Any]

_ORDER = ("Dataset", "Training", "Reward", "Evaluation", "Release", "Run")
"""Capabilities in the order of a run; others follow alphabetically."""

_SERVICE_NAMES = {"bedrock": "Amazon Bedrock", "ssm": "Parameter Store", "states": "Step Functions", "cloudwatch": "CloudWatch"}
_CHANNELS = {"queue", "topic", "event bus", "event archive"}
_FAMILIES = ("Stores", "Amazon Bedrock", "Functions", "Orchestration", "Messages and events")
"""What is reached, in this order; a bucket has a frame of its own where its prefixes are told apart."""

_UNDELIVERED = "events it could not deliver"
"""Every rule and asynchronous function has a queue for what fails; the lines would hide the others."""


def architecture(evidence: Evidence) -> str:
    """What starts things, what runs where, and what it reaches: one line for each pair of boxes and verb."""
    functions = [found["place"] for found in evidence["functions"]]
    starters = [*_starters(evidence)]
    middle = {place: f"capability {place.split('/')[0]}" for place in functions}
    for group, members in evidence["network"]["members"].items():
        middle |= {place: f"{group} {place.split('/')[0]}" for place in members}
    homes = {**{box.key: box.key for frame in starters for box in frame.boxes}, **middle}
    drawn = [flow for flow in evidence["flows"] if not _left_out(flow)]
    targets = sorted({_store(flow["target"]) for flow in drawn if flow["target"] not in homes})
    homes |= {flow["target"]: _store(flow["target"]) for flow in drawn if flow["target"] not in homes}
    columns = [
        Column(heading="WHAT STARTS THINGS", frames=starters),
        Column(heading="WHAT RUNS", frames=_runs(evidence, middle)),
        Column(heading="WHAT IT REACHES", frames=_reached(targets, evidence)),
    ]
    return draw(
        identity="architecture",
        title=f"Architecture of {evidence['environment']}",
        description="Three columns: rules, state machine and jobs that start things; functions by security group in the private network; "
        "and the stores and services they reach. Lines are permissions. The same facts are in the tables of this page.",
        columns=columns,
        lines=_joined(drawn, homes),
    )


def data_flow(evidence: Evidence) -> str:
    """Every role beside every store prefix, model and channel it may read, write or invoke."""
    started = {rule["place"] for rule in evidence["rules_of_events"]}
    drawn = [flow for flow in evidence["flows"] if not _left_out(flow) and flow["source"] not in started]
    functions = {found["place"] for found in evidence["functions"]}
    # Who invokes which function is the architecture's subject; here it would hide who touches what.
    drawn = [flow for flow in drawn if not (flow["source"].endswith("StateMachine") and flow["target"] in functions)]
    sources = sorted({flow["source"] for flow in drawn}, key=_in_run_order)
    targets = sorted({flow["target"] for flow in drawn})
    columns = [
        Column(heading="WHO", frames=_by_capability(sources)),
        Column(heading="MAY TOUCH WHAT", frames=_by_store(targets, evidence)),
    ]
    order = {target: number for number, target in enumerate(targets)}
    drawn.sort(key=lambda flow: (sources.index(flow["source"]), order[flow["target"]], flow["verb"]))
    lines = [
        Line(source=flow["source"], target=f"→{flow['target']}", kind=flow["verb"], title=_said(flow["source"], flow)) for flow in drawn
    ]
    return draw(
        identity="flow",
        title=f"Data flow of {evidence['environment']}",
        description="Roles on the left; on the right what their policies let them read, write, invoke or pass. "
        "The inventory of roles says the same in words.",
        columns=columns,
        lines=lines,
    )


def _starters(evidence: Evidence) -> Iterable[Frame]:
    rules = [Box(key=rule["place"], name=rule["place"], lines=[rule["what"]]) for rule in evidence["rules_of_events"]]
    if rules:
        yield Frame(caption="Events and schedules", boxes=rules)
    machines = [Box(key=place, name=place, lines=["one execution is one run"]) for place in evidence["state_machines"]]
    if machines:
        yield Frame(caption="Orchestration", boxes=machines)
    services = [
        Box(key=role["actor"], name=role["place"], lines=[role["description"], f"assumed by {', '.join(_trusted(role))}"])
        for role in evidence["roles"]
        if not any(used.split(" ")[0] in {"Lambda", "StepFunctions", "EC2"} for used in role["used_by"])
        and any(flow["source"] == role["actor"] for flow in evidence["flows"])
    ]
    if services:
        yield Frame(caption="Roles that services assume", boxes=services)


def _trusted(role: Mapping[str, Any]) -> list[str]:
    return sorted({principal for statement in role["trust"] for principal in statement["principals"]})


def _runs(evidence: Evidence, middle: Mapping[str, str]) -> list[Frame]:
    frames = []
    zones = len(evidence["network"]["subnets"])
    groups = [*evidence["network"]["members"].items(), ("", evidence["network"]["outside"])]
    for group, members in groups:
        if not members:
            continue
        homes = sorted({middle[place] for place in members}, key=lambda home: _in_run_order(home.split(" ")[1]))
        boxes = [
            Box(
                key=home,
                name=f"{home.split(' ')[1]}",
                lines=_wrapped([place.split("/", 1)[-1] for place in members if middle[place] == home]),
            )
            for home in homes
        ]
        where = f"Group {group.split('/')[-1]}, {zones} private subnet{'s' if zones != 1 else ''}" if group else "Outside the network"
        frames.append(Frame(caption=where, boxes=boxes))
    return frames


def _reached(targets: Sequence[str], evidence: Evidence) -> list[Frame]:
    keys = {store["place"]: store["at_rest"] for store in evidence["stores"]}
    grouped: dict[str, list[Box]] = {}
    for target in targets:
        lines = [f"at rest: {keys[target].strip('{}')}"] if target in keys else []
        grouped.setdefault(_family(target, evidence), []).append(Box(key=target, name=target, lines=lines))
    return _in_order(grouped)


def _by_capability(sources: Sequence[str]) -> list[Frame]:
    grouped: dict[str, list[Box]] = {}
    for source in sources:
        capability, _, rest = source.partition("/")
        grouped.setdefault(capability, []).append(Box(key=source, name=rest or capability))
    return [Frame(caption=capability, boxes=boxes) for capability, boxes in grouped.items()]


def _by_store(targets: Sequence[str], evidence: Evidence) -> list[Frame]:
    grouped: dict[str, list[Box]] = {}
    for target in targets:
        store = _store(target)
        # A bucket is the frame of its prefixes.
        family = store if _family(store, evidence) == "Stores" else _family(store, evidence)
        grouped.setdefault(family, []).append(Box(key=f"→{target}", name=target.removeprefix(f"{store} ") if family == store else target))
    return _in_order(grouped)


def _in_order(grouped: Mapping[str, list[Box]]) -> list[Frame]:
    known = {family: number for number, family in enumerate(_FAMILIES)}
    # A frame that is no family is a bucket, and stands where the stores do.
    ranked = sorted(grouped, key=lambda family: (known.get(family, 0 if "/" in family else len(known)), family))
    return [Frame(caption=family, boxes=grouped[family]) for family in ranked]


def _store(target: str) -> str:
    """The store of a target: a bucket without the prefix of its keys, a service's kind of object without its name."""
    first, _, rest = target.partition(" ")
    return f"{first} {rest.split(' ')[0]}" if rest and _is_service(first) else first


def _is_service(name: str) -> bool:
    """Whether it is the prefix of a service and not a place: places begin with a capital."""
    return name.islower()


def _family(store: str, evidence: Evidence) -> str:
    first = store.split(" ", maxsplit=1)[0]
    kinds = {found["place"]: found["kind"] for found in evidence["stores"] if found["kind"] in {*_CHANNELS, "bucket", "table"}}
    if _is_service(first):
        return _SERVICE_NAMES.get(first, first)
    if first in kinds:
        return "Messages and events" if kinds[first] in _CHANNELS else "Stores"
    if first in evidence["state_machines"]:
        return "Orchestration"
    places = {"Functions": evidence["functions"], "Roles passed to services": evidence["roles"], "Keys": evidence["keys"]}
    return next((family for family, rows in places.items() if any(row["place"] == first for row in rows)), "Other")


def _left_out(flow: Mapping[str, Any]) -> bool:
    return bool(flow["target"].startswith("any ") or flow["actions"] in ([_UNDELIVERED], ["sqs:SendMessage"]))


def _joined(flows: Sequence[Mapping[str, Any]], homes: Mapping[str, str]) -> list[Line]:
    merged: dict[tuple[str, str, str], list[str]] = {}
    for flow in flows:
        source, target = homes.get(flow["source"]), homes.get(flow["target"])
        if source and target and source != target:
            merged.setdefault((source, target, flow["verb"]), []).append(_said(flow["source"], flow))
    return [Line(source=source, target=target, kind=kind, title="\n".join(said)) for (source, target, kind), said in sorted(merged.items())]


def _said(source: str, flow: Mapping[str, Any]) -> str:
    return f"{source} → {flow['target']}: {', '.join(flow['actions'])}"


def _in_run_order(place: str) -> tuple[int, str]:
    capability = place.split("/", maxsplit=1)[0]
    return (_ORDER.index(capability) if capability in _ORDER else len(_ORDER), place)


def _wrapped(names: Sequence[str], most: int = ROOM) -> list[str]:
    lines: list[str] = []
    for name in names:
        if lines and len(lines[-1]) + len(name) + 2 <= most:
            lines[-1] = f"{lines[-1]}, {name}"
        else:
            lines.append(name)
    return lines
