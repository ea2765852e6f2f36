"""JSONata forms of Succeed and Parallel that ministack's interpreter leaves out."""

from __future__ import annotations

import contextvars
import copy
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ministack.services import stepfunctions as upstream


def install() -> None:
    """Give Succeed its Output, and Parallel its Arguments, Output and Assign."""
    upstream_output_path = upstream._apply_output_path
    upstream_branches = upstream._run_parallel_branches

    def apply_output_path(state: dict[str, Any], data: Any, context: Any = None) -> Any:
        if state.get("Type") == "Succeed" and _is_jsonata(state, context):
            return upstream._apply_jsonata_output(state, data, context, default=data)
        return upstream_output_path(state, data, context)

    def run_branches(state: dict[str, Any], raw_input: Any, execution: Any, context: dict[str, Any]) -> Any:
        if _is_jsonata(state, context):
            return _parallel(state, raw_input, execution, context)
        return upstream_branches(state, raw_input, execution, context)

    upstream._apply_output_path = apply_output_path
    upstream._run_parallel_branches = run_branches


def _is_jsonata(state: dict[str, Any], context: Any) -> bool:
    return bool(upstream._state_query_language(state, context) == "JSONata")


def _parallel(state: dict[str, Any], raw_input: Any, execution: Any, context: dict[str, Any]) -> Any:
    """Run the branches at once. Variables a branch assigns stay in it, as on AWS."""
    arguments = upstream._apply_jsonata_arguments(state, raw_input, context)

    def run(branch: dict[str, Any]) -> Any:
        inner = copy.deepcopy(context)
        return upstream._run_sub_machine(branch["States"], branch["StartAt"], arguments, execution, inner)

    branches = state.get("Branches", [])
    with ThreadPoolExecutor(max_workers=max(1, len(branches))) as pool:
        running = [pool.submit(contextvars.copy_context().run, run, branch) for branch in branches]
    results = [each.result() for each in running]
    output = upstream._apply_jsonata_output(state, raw_input, context, result=results, default=results)
    upstream._apply_state_assign(state, raw_input, context, result=results)
    return output, state.get("Next")
