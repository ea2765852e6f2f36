"""The example policies as a platform team would fill them in, and the question whether one lets a call through."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from audit.policies import Document, Principal
from audit.policy_engine import Request, allowed

ROOT = Path(__file__).parents[2]
POLICIES = ROOT / "docs/policies"
FILES = sorted(POLICIES.glob("*.json"))

ORGANIZATION = "o-a1b2c3d4e5"
ACCOUNT = "333333333333"
REGION = "us-west-2"
PLACEHOLDERS = {"<environment>": "prod", "<organization-id>": ORGANIZATION, "<approved-region>": REGION}

EVERYTHING: Document = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}


def filled(name: str) -> Document:
    text = (POLICIES / f"{name}.json").read_text(encoding="utf-8")
    for placeholder, value in PLACEHOLDERS.items():
        text = text.replace(placeholder, value)
    document: Document = json.loads(text)
    return document


def statements(document: Document) -> list[Document]:
    found: list[Document] = document["Statement"]
    return found


def scp_lets(name: str, role: str, action: str, *, resource: str = "*", region: str = REGION, keys: dict[str, Any] | None = None) -> bool:
    """Whether a role that may do everything may still do this under the policy."""
    limits = [EVERYTHING, filled(name)]
    principal = Principal(
        place=role,
        arn=f"arn:aws:iam::{ACCOUNT}:role/{role}",
        account=ACCOUNT,
        identity=[EVERYTHING],
        # The engine reads a service control policy as it does a boundary: it allows nothing and takes away.
        boundary=limits,
        trust={"Statement": []},
    )

    asked = Request(principal=principal, action=action, resource=resource, region=region, owner=ACCOUNT, context=keys or {})
    return allowed(asked, resource_policy=EVERYTHING)


def rcp_lets(action: str, *, service: str = "", account: str = ACCOUNT, keys: dict[str, str] | None = None) -> bool:
    """Whether a resource that lets everybody in still lets this caller in under the resource control policy."""
    limits = statements(EVERYTHING) + statements(filled("rcp-identities"))
    principal = Principal(
        place="caller",
        arn=f"arn:aws:iam::{account}:role/administrator",
        account=account,
        identity=[EVERYTHING],
        boundary=None,
        trust={"Statement": []},
    )
    asked = Request(
        principal=None if service else principal,
        service=service,
        action=action,
        resource="*",
        region=REGION,
        owner=ACCOUNT,
        context=keys or {},
    )
    return allowed(asked, resource_policy={"Statement": limits})
