"""The page of a pack: one self-contained HTML file, drawn from the evidence alone, without script."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from audit import controls, picture
from audit.sections import SECTIONS

Evidence = Mapping[str, Any]

TEMPLATES = Path(__file__).with_name("templates")


def render(evidence: Evidence, *, changes: Mapping[str, Any] | None = None, promotion: Mapping[str, str] | None = None) -> str:
    """The page; everything from the evidence is escaped, only the pictures are put in as they are drawn.

    Args:
        changes: `audit.comparison.compare` with an earlier pack.
        promotion: label and value of what a promotion adds: when, which commit, who.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["code"] = _code
    common, functions = _shared_statements(evidence["roles"])
    page = environment.get_template("page.html.j2").render(
        e=evidence,
        sections=[(key, title) for key, title in SECTIONS.items() if key != "changes" or changes],
        changes=changes,
        promotion=promotion or {},
        figures=_figures(evidence),
        # Names in the pictures are escaped where they are drawn.
        architecture=Markup(picture.architecture(evidence)),  # noqa: S704
        flow=Markup(picture.data_flow(evidence)),  # noqa: S704
        shared=[_own_logs_named(statement) for statement in common],
        shared_by=functions,
        own={role["place"]: _not_shared(role["statements"], common) for role in evidence["roles"]},
        wildcards=_wildcards(evidence["roles"]),
        stores=_grouped(evidence["stores"], ("kind", "at_rest", "in_transit")),
        kept=_grouped(evidence["retention"], ("kind", "how_long", "versions", "lock", "when_deleted")),
        open_findings=_grouped(evidence["findings"]["open"], ("rule", "says")),
        frameworks=controls.frameworks(),
        titles=SECTIONS,
        facts=evidence["facts"],
    )
    # Template tags leave lines of spaces; without them a change of the page shows as a change of its text.
    return re.sub(r"\n\s*\n+", "\n", page)


Figure = tuple[str, str, str, str]
"""Label, value, note and tone of one figure of the summary."""


def _figures(evidence: Evidence) -> list[Figure]:
    return [*_figures_of_checks(evidence), *_figures_of_design(evidence), *_figures_of_judgement(evidence)]


def _figures_of_checks(evidence: Evidence) -> Iterator[Figure]:
    facts = list(evidence["facts"].values())
    holding = sum(fact["holds"] for fact in facts)
    yield "statements that hold", f"{holding} of {len(facts)}", "computed from the templates", _tone(holding == len(facts), "warn")
    found = evidence["findings"]
    unanswered = len(found["open"]) + len(found["crashed"])
    every = sum(pack["found"] for pack in found["packs"])
    yield "open findings", str(unanswered), f"of {every} in {len(found['packs'])} rule packs", _tone(not unanswered)
    answered = sum(len(known["answers"]) for known in found["acknowledgements"])
    yield "acknowledgements", str(answered), f"for {len(found['acknowledgements'])} reasons, each with owner and date", ""
    access = evidence["access"]
    wrong = sum(not row["as_expected"] for row in access)
    asked = sum(row["asked"] for row in access)
    yield "access questions", str(len(access)), f"{wrong} answered wrong, of {asked} requests", _tone(not wrong)


def _figures_of_design(evidence: Evidence) -> Iterator[Figure]:
    roles = evidence["roles"]
    yield "roles", str(len(roles)), f"{sum(bool(role['boundary']) for role in roles)} with a permissions boundary", ""
    wild = [wildcard for role in roles for wildcard in role["wildcards"]]
    unexplained = sum(not wildcard["reason"] for wildcard in wild)
    yield "wildcards", str(len(wild)), f"{unexplained} without a written reason", _tone(not unexplained, "warn")
    stores = [store for store in evidence["stores"] if store["kind"] != "parameter"]
    yield "stores and channels", str(len(stores)), f"{sum(store['ours'] for store in stores)} under customer managed keys", ""
    ways_out, endpoints = evidence["network"]["ways_out"], evidence["network"]["endpoints"]
    yield "ways out of the network", str(len(ways_out)), f"{len(endpoints)} private endpoints", _tone(not ways_out)


def _figures_of_judgement(evidence: Evidence) -> Iterator[Figure]:
    status = Counter(control["status"] for control in evidence["controls"])
    shares = f"{status['met']} met, {status['partly']} partly, {status['customer']} the customer's"
    yield "controls", str(sum(status.values())), shares, ""
    ratings = Counter(risk["rating"] for risk in evidence["risks"])
    rated = ", ".join(f"{ratings[rating]} {rating}" for rating in ("high", "medium", "low") if ratings[rating])
    yield "residual risks", str(sum(ratings.values())), rated, ""


def _tone(good: bool, otherwise: str = "bad") -> str:
    return "good" if good else otherwise


def _own_logs_named(statement: Mapping[str, Any]) -> dict[str, Any]:
    """The statement with a role's own log group put as such, so that the same line of two roles is seen to be the same."""
    resources = [_OWN_LOGS if re.fullmatch(r"\{[^}]+/Logs\}", resource) else resource for resource in statement["resources"]]
    return {**statement, "resources": resources}


_OWN_LOGS = "its own log group"


def _signature(statement: Mapping[str, Any]) -> str:
    named = _own_logs_named(statement)
    return repr([named[key] for key in ("effect", "actions", "resources", "conditions")])


def _shared_statements(roles: Sequence[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], int]:
    """What every function's role holds, to be said once; and how many roles that are."""
    functions = [role for role in roles if any(used.startswith("Lambda function") for used in role["used_by"])]
    if not functions:
        return [], 0
    common = set.intersection(*({_signature(statement) for statement in role["statements"]} for role in functions))
    return [statement for statement in functions[0]["statements"] if _signature(statement) in common], len(functions)


def _not_shared(statements: Sequence[Mapping[str, Any]], shared: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    known = {_signature(statement) for statement in shared}
    return [statement for statement in statements if _signature(statement) not in known]


def _wildcards(roles: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Wildcards with the roles that share them and their reason."""
    rows = [{**wildcard, "place": role["place"]} for role in roles for wildcard in role["wildcards"]]
    return sorted(_grouped(rows, ("what", "actions", "reason", "conditions")), key=lambda row: (-len(row["places"]), row["actions"]))


def _grouped(rows: Sequence[Mapping[str, Any]], keys: tuple[str, ...]) -> list[dict[str, Any]]:
    """Rows that are alike but for their place, as one."""
    gathered: dict[str, dict[str, Any]] = {}
    for row in rows:
        entry = gathered.setdefault(repr([row[key] for key in keys]), {**row, "places": []})
        entry["places"].append(row["place"])
    return list(gathered.values())


def _code(text: object) -> Markup:
    """An identifier that may break at slashes, and an ARN at its colons too."""
    marks = "/:" if str(text).startswith("arn:") else "/"
    parts = (escape(part) for part in re.split(rf"(?<=[{marks}])", str(text)))
    return Markup("<code>{}</code>").format(Markup("<wbr>").join(parts))
