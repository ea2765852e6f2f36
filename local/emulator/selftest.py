"""The private names of ministack this launcher replaces or calls, and the check that they are all there.

ministack promises none of them: the release is pinned, and a start with another one must fail with the names that are
missing rather than run with a rule silently not enforced.
"""

from __future__ import annotations

import importlib
import importlib.metadata

PINNED = "1.5.33"

PATCH_POINTS: dict[str, tuple[str, ...]] = {
    "ministack.app": ("app", "AUTH", "SERVICE_HANDLERS", "_reset_all_state", "_build_persistence_save_dict", "_load_persisted_state"),
    "ministack.core.concurrency": ("spawn_background",),
    "ministack.core.iam_actions": (
        "_lambda_action",
        "_s3_object_context",
        "extract_iam_action",
        "extract_resource_arn",
        "request_tag_context",
    ),
    "ministack.core.iam_evaluator": (
        "EvalContext",
        "_action_matches",
        "_conditions_met",
        "_gather_role_policies",
        "_gather_user_policies",
        "_is_root_key",
        "_principal_matches",
        "_resolve_condition_key",
        "_role_name_from_assumed_arn",
        "_service_principal_matches",
        "caller_arn",
        "evaluate",
        "evaluate_resource_policy",
    ),
    "ministack.core.lambda_runtime": (
        "ProvidedRuntimeError",
        "ProvidedWorker",
        "_worker_class_for",
        "execution_credentials",
        "reset",
    ),
    "ministack.core.persistence": ("json", "load_state", "save_all"),
    "ministack.core.responses": ("AccountRegionScopedDict", "get_account_id", "get_region", "request_scope"),
    "ministack.services.cloudformation.provisioners": ("_RESOURCE_HANDLERS", "_cw_metric_alarm_record"),
    "ministack.services.cloudformation": ("_stacks",),
    "ministack.services.cloudformation.stacks": ("_add_event", "_runs_on_worker_thread"),
    "ministack.services.cloudtrail": ("_account_trail_items",),
    "ministack.services.cloudwatch": (
        "_alarms",
        "_cbor_datapoint",
        "_cbor_metric_data_result",
        "_cbor_ok",
        "_calc_stats",
        "_composite_alarms",
        "_dispatch_alarm_actions",
        "_evaluate_alarm",
        "_evaluate_all_alarms",
        "_evaluate_parent_alarms",
        "_evict_old_metrics",
        "_metric_bucket",
        "_get_metric_data",
        "_get_metric_statistics",
        "_metrics",
        "_parse_ts",
        "_percentile",
        "_percentile_samples",
        "_put_metric_alarm",
        "_record_history",
        "_store_datum",
        "record_metric",
    ),
    "ministack.services.cloudwatch_logs": ("_compile_filter_pattern", "_fanout_to_subscription_filters", "_metric_filters"),
    "ministack.services.eventbridge": (
        "_SCHEDULER_TICK_INTERVAL",
        "_dispatch_event",
        "_dispatch_to_lambda",
        "_dispatch_to_sns",
        "_dispatch_to_sqs",
        "_dispatch_to_stepfunctions",
        "_event_bus_policies",
        "_invoke_target",
        "_pattern_event_view",
        "_put_events",
    ),
    "ministack.services.lambda_svc": (
        "_acquire_execution_slot",
        "_docker_extracted_dir",
        "_execute_function",
        "_execute_function_provided_warm",
        "_execute_function_warm",
        "_emit_lambda_metrics",
        "_event_invoke_config",
        "_functions",
        "_get_base_func_record_for_ref",
        "_get_func_record_for_ref",
        "_provided_code_lock",
        "_provided_runtime_code_dir",
        "_reserved_concurrency",
        "_resolve_layer_zip",
        "_runtime_env_vars",
        "executions_in_flight",
        "invoke_async_with_retry",
    ),
    "ministack.services.s3": ("_bucket_object_lock", "_buckets", "_fire_s3_event"),
    "ministack.services.scheduler": ("_SCHEDULE_TICK_INTERVAL",),
    "ministack.services.sns": ("_fanout", "_topics", "topic_policy_for_arn"),
    "ministack.services.sqs": ("_queue_by_arn", "_queues", "queue_policy_for_arn"),
    "ministack.services.stepfunctions": (
        "_ExecutionError",
        "_apply_jsonata_arguments",
        "_apply_jsonata_output",
        "_apply_output_path",
        "_apply_state_assign",
        "_emit_execution_status_event",
        "_execute_task",
        "_executions",
        "_fail_execution",
        "_invoke_resource",
        "_invoke_with_callback",
        "_jsonata_state_field",
        "_run_execution",
        "_run_parallel_branches",
        "_run_sub_machine",
        "_send_task_failure",
        "_send_task_heartbeat",
        "_send_task_success",
        "_start_execution",
        "_state_machines",
        "_state_query_language",
        "_task_tokens",
    ),
    "ministack.services.sts": ("register_session", "_sessions"),
}


class PatchPointMissing(RuntimeError):
    """The installed ministack is not the one this launcher was written for."""


def missing() -> list[str]:
    """Names of `PATCH_POINTS` the installed ministack does not have, as `module.name`."""
    lost = []
    for module_name, names in PATCH_POINTS.items():
        try:
            module = importlib.import_module(module_name)
        except ImportError:
            lost.append(module_name)
            continue
        lost += [f"{module_name}.{name}" for name in names if not hasattr(module, name)]
    return lost


def require() -> None:
    """Refuse to go on with a ministack that lacks a name this launcher builds on.

    Raises:
        PatchPointMissing: naming the release found, the release wanted and every missing name.
    """
    lost = missing()
    if lost:
        found = importlib.metadata.version("ministack")
        raise PatchPointMissing(
            f"ministack {found} lacks {', '.join(lost)}; the local cloud is written for ministack=={PINNED}. "
            "Run `make install` to get the pinned release."
        )
