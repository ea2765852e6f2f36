"""The access matrix in the words of the evidence: each question, who was asked about, and whether the answer is the expected one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit.access_matrix import Answer, evaluate
from audit.assembly import Assembly
from audit.concrete import load
from audit.words import ACCOUNT

Row = dict[str, Any]


def answers(assembly: Assembly) -> list[Row]:
    """Every question of the matrix, answered from the policies of this environment, in the matrix's order."""
    environment = load(assembly)
    known = {"{account}": ACCOUNT, "{region}": environment.region, "{environment}": environment.name}
    return [_row(answer, environment.account, known) for answer in evaluate(environment)]


def _row(answer: Answer, account: str, known: Mapping[str, str]) -> Row:
    row = answer.row

    def filled(text: object) -> str:
        written = str(text)
        for name, value in known.items():
            written = written.replace(name, value)
        return written

    conditions = [f"{key} is {filled(value)}" for key, value in row.context.items()]
    asked = [
        *conditions,
        *([f"through the endpoint {row.through}"] if row.through else []),
        *(["if a policy that allows everything were attached"] if row.granted else []),
        *([f"in an account of the {row.owner}"] if row.owner != "own" else []),
    ]
    return {
        "question": row.question,
        "principals": list(row.principals),
        "actions": list(row.actions),
        "resources": [filled(resource) for resource in row.resources],
        "context": asked,
        "expected": row.expect,
        "answer": answer.computed,
        "as_expected": answer.holds,
        "asked": answer.asked,
        # What is allowed is the answer to a question expected to be denied, and says too much otherwise.
        "allowed": [line.replace(account, ACCOUNT) for line in answer.allowances] if not answer.holds else [],
    }
