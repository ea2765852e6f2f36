"""IAM actions of Lambda requests that ministack takes for another: one alias is not the list of them."""

from __future__ import annotations

from ministack.core import iam_actions

_ONE_ALIAS = {"GET": "GetAlias", "PUT": "UpdateAlias", "DELETE": "DeleteAlias"}
_CONCURRENCY = {"GET": "GetFunctionConcurrency", "PUT": "PutFunctionConcurrency", "DELETE": "DeleteFunctionConcurrency"}


def install() -> None:
    """Answer for these paths, and leave the others to ministack."""
    upstream = iam_actions._lambda_action

    def action(method: str, path: str) -> str | None:
        parts = [part for part in path.split("/") if part]
        if "functions" in parts:
            # /<api date>/functions/<name>/<what>[/<which>]
            what = parts[parts.index("functions") + 2 :]
            if len(what) == 2 and what[0] == "aliases":
                return _ONE_ALIAS.get(method)
            if what == ["concurrency"]:
                return _CONCURRENCY.get(method)
        found: str | None = upstream(method, path)
        return found

    iam_actions._lambda_action = action
