"""The table of our own rules in docs/rules.md. `python -m stacks.rules.catalogue` prints it, a test holds the page to it."""

from __future__ import annotations

from stacks.rules.pack import RULES


def table() -> str:
    rows = [f"| `{rule.id}` | {rule.level} | {rule.checks} | {rule.why} | {rule.remedy} |" for rule in RULES]
    return "\n".join(["| rule | level | what must hold | why | what to do |", "|---|---|---|---|---|", *rows])


if __name__ == "__main__":
    print(table())
