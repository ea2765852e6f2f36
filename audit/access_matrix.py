"""The access matrix: what a reviewer asks about who may do what, expected and computed from the templates' policies."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import attrs

from audit.concrete import OTHER_ACCOUNT, Environment
from audit.policies import Policies, Principal
from audit.policy_engine import Request, allowed
from stacks.constructs.network import ENDPOINTS

ROWS = Path(__file__).with_name("access_matrix.toml")

ALLOWED, DENIED, PARTLY = "allowed", "denied", "partly"
ABSENT = "no such role"
"""The answer where settings leave out what is asked about: a role made for people, a backup, a budget, an interface endpoint."""

_PLACE = re.compile(r"\{([^{}]+)\}")
_NEIGHBOUR = {"dev": "stage", "stage": "prod"}
_OPTIONAL = ("Access/", "Backup/", "Budget", "Chat")
_EVERYTHING = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@attrs.frozen(kw_only=True)
class Row:
    """One question. It stands for every combination of its principals, actions and resources.

    A resource may name a construct in braces, `{Buckets/Runs}`, for its ARN, and `{account}`, `{region}`, `{environment}`,
    `{neighbour}` (another environment).

    Attributes:
        principals: places of roles; `any`, `any but <place>`, `service:<service principal>`, or `stranger`, who may do everything
            in an account of their own.
        expect: `allowed`, of every combination, or `denied`, of every one.
        context: condition keys of the request.
        owner: whose the resource is: `own`, `neighbour` or `stranger`.
        through: the VPC endpoint passed, by its name.
        granted: `everything` asks what holds if a policy that allows all were attached to the role.
    """

    question: str = attrs.field(validator=attrs.validators.min_len(20))
    principals: list[str]
    actions: list[str]
    resources: list[str]
    expect: str = attrs.field(validator=attrs.validators.in_((ALLOWED, DENIED)))
    context: Mapping[str, Any] = attrs.field(factory=dict)
    owner: str = attrs.field(default="own", validator=attrs.validators.in_(("own", "neighbour", "stranger")))
    through: str = ""
    granted: str = attrs.field(default="", validator=attrs.validators.in_(("", "everything")))


@attrs.frozen(kw_only=True)
class Answer:
    """A row answered for one environment.

    Attributes:
        computed: `allowed`, `denied`, `partly` when the combinations differ, or `no such role`.
        allowances: the combinations that are allowed, as `principal action resource`.
        asked: combinations evaluated.
    """

    environment: str
    row: Row
    computed: str
    allowances: list[str]
    asked: int

    @property
    def holds(self) -> bool:
        return self.computed in (self.row.expect, ABSENT)


@cache
def rows() -> tuple[Row, ...]:
    """The rows of `access_matrix.toml`.

    Raises:
        TypeError, ValueError: for a row with an unknown key or value.
    """
    return tuple(Row(**row) for row in tomllib.loads(ROWS.read_text(encoding="utf-8"))["row"])


def evaluate(environment: Environment) -> list[Answer]:
    """Every row answered, in the file's order.

    Raises:
        KeyError: a row names a construct or an endpoint that the environment does not have.
    """
    asked = _Asked(environment)
    return [asked.answer(row) for row in rows()]


class _Asked:
    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._policies = Policies(environment)
        self._arns = {
            environment.place(stack, logical_id): (stack, logical_id) for stack, logical_id, _ in environment.assembly.resources()
        }

    def answer(self, row: Row) -> Answer:
        asked_in_vain = all(place.startswith(_OPTIONAL) and place not in self._policies.principals for place in row.principals)
        if asked_in_vain or not self._resources(row) or (row.through in ENDPOINTS and row.through not in self._policies.endpoints):
            return Answer(environment=self._environment.name, row=row, computed=ABSENT, allowances=[], asked=0)
        decided = dict(self._decide(row))
        allowances = [combination for combination, let in decided.items() if let]
        if not decided:
            raise KeyError(f"{row.question}: nobody is asked")
        computed = DENIED if not allowances else ALLOWED if len(allowances) == len(decided) else PARTLY
        return Answer(environment=self._environment.name, row=row, computed=computed, allowances=allowances, asked=len(decided))

    def _decide(self, row: Row) -> Iterator[tuple[str, bool]]:
        context = {key: self._filled(value) for key, value in row.context.items()}
        endpoint = self._policies.endpoints[row.through] if row.through else None
        owner = {"own": self._environment.account, "neighbour": "555555555555", "stranger": OTHER_ACCOUNT}[row.owner]
        for name, service, principal in self._principals(row):
            for action in row.actions:
                for resource in map(self._filled, self._resources(row)):
                    request = Request(
                        principal=principal,
                        service=service,
                        action=action,
                        resource=resource,
                        region=self._environment.region,
                        owner=owner,
                        context=context,
                    )
                    let = allowed(request, resource_policy=self._policies.of_resource(resource), endpoint=endpoint)
                    yield f"{name} {action} {resource}", let

    def _resources(self, row: Row) -> list[str]:
        """Without those of what settings leave out."""
        left_out = {place for text in row.resources for place in _PLACE.findall(text) if place.startswith(_OPTIONAL)} - self._arns.keys()
        return [text for text in row.resources if not left_out & set(_PLACE.findall(text))]

    def _principals(self, row: Row) -> Iterator[tuple[str, str, Principal | None]]:
        everyone = self._policies.principals
        for named in row.principals:
            if named.startswith("service:"):
                service = named.removeprefix("service:")
                yield service, service, None
            elif named == "stranger":
                yield named, "", _stranger()
            else:
                excepted = named.removeprefix("any but ").split(", ") if named.startswith("any but ") else []
                places = [place for place in everyone if place not in excepted] if named.startswith("any") else [named]
                for place in [*excepted, *places]:
                    if place not in everyone and not place.startswith(_OPTIONAL):
                        raise KeyError(f"{row.question}: {self._environment.name} has no role {place!r}, but {sorted(everyone)}")
                for place in filter(everyone.__contains__, places):
                    held = everyone[place]
                    yield place, "", attrs.evolve(held, identity=[*held.identity, _EVERYTHING]) if row.granted else held

    def _filled(self, text: Any) -> Any:
        if not isinstance(text, str):
            return text
        environment = self._environment
        words = {
            "account": environment.account,
            "region": environment.region,
            "environment": environment.name,
            "neighbour": _NEIGHBOUR.get(environment.name, "dev"),
        }

        def fill(found: re.Match[str]) -> str:
            name = found[1]
            return words[name] if name in words else environment.arn(*self._arns[name])

        return _PLACE.sub(fill, text)


def _stranger() -> Principal:
    return Principal(
        place="stranger",
        arn=f"arn:aws:iam::{OTHER_ACCOUNT}:role/administrator",
        account=OTHER_ACCOUNT,
        identity=[_EVERYTHING],
        boundary=None,
        trust={"Statement": []},
    )
