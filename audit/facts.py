"""Statements about an environment that are computed from its evidence and either hold or do not; controls rest on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import attrs

Evidence = Mapping[str, Any]


@attrs.frozen(kw_only=True)
class Fact:
    """A statement and whether it holds.

    Attributes:
        says: what holds, in words.
        exceptions: what contradicts it; empty when it holds.
    """

    says: str
    holds: bool
    exceptions: list[str]


def facts(evidence: Evidence) -> dict[str, Fact]:
    """Every fact by name."""
    found = {}
    for name, (says, contradictions) in _FACTS.items():
        exceptions = sorted(set(contradictions(evidence)))
        found[name] = Fact(says=says, holds=not exceptions, exceptions=exceptions)
    return found


def _no_way_out(evidence: Evidence) -> Iterator[str]:
    yield from evidence["network"]["ways_out"]
    for subnet in evidence["network"]["subnets"]:
        if subnet["public"]:
            yield f"{subnet['place']} gives public addresses"
        yield from (f"{subnet['place']} routes {route}" for route in subnet["routes"] if " through " not in route)


def _functions_private(evidence: Evidence) -> Iterator[str]:
    yield from evidence["network"]["outside"]


def _endpoints_restricted(evidence: Evidence) -> Iterator[str]:
    for endpoint in evidence["network"]["endpoints"]:
        if not endpoint["policy"]:
            yield f"{endpoint['place']} has the default policy"
        for statement in endpoint["policy"]:
            if statement["effect"] == "Allow" and "anyone" in statement["principals"] and not statement["conditions"]:
                yield f"{endpoint['place']} lets anyone through"
        if endpoint["kind"] == "Interface" and not endpoint["private_dns"]:
            yield f"{endpoint['place']} has no private DNS"


def _traffic_logged(evidence: Evidence) -> Iterator[str]:
    if not evidence["network"]["flow_logs"]:
        yield "no flow log"


def _ingress_closed(evidence: Evidence) -> Iterator[str]:
    for rule in evidence["network"]["rules"]:
        if "0.0.0.0/0" in rule["other"] or "::/0" in rule["other"]:
            yield f"{rule['group']} {rule['direction']} {rule['other']}"


_OUR_KEY_KINDS = {"topic", "queue", "log group", "custom models", "trail", "table", "backup vault", "event archive"}


def _customer_keys(evidence: Evidence) -> Iterator[str]:
    for store in evidence["stores"]:
        log_bucket = store["kind"] == "bucket" and "Logs" in store["place"]
        if not store["ours"] and (store["kind"] in _OUR_KEY_KINDS or (store["kind"] == "bucket" and not log_bucket)):
            yield f"{store['kind']} {store['place']}: {store['at_rest']}"


def _tls_enforced(evidence: Evidence) -> Iterator[str]:
    for store in evidence["stores"]:
        if store["kind"] in {"bucket", "queue", "topic"} and "plaintext" not in store["in_transit"]:
            yield f"{store['kind']} {store['place']}"


def _keys_rotate(evidence: Evidence) -> Iterator[str]:
    for key in evidence["keys"]:
        if key["rotation"] == "none":
            yield key["place"]


def _logs_expire(evidence: Evidence) -> Iterator[str]:
    for kept in evidence["retention"]:
        if kept["kind"] == "log group" and kept["how_long"] == ["for ever"]:
            yield kept["place"]


def _versions_kept(evidence: Evidence) -> Iterator[str]:
    for kept in evidence["retention"]:
        if kept["kind"] == "bucket" and not kept["versions"]:
            yield kept["place"]


def _data_outlives_stack(evidence: Evidence) -> Iterator[str]:
    for kept in evidence["retention"]:
        if kept["kind"] in {"bucket", "key", "log group", "table", "backup vault"} and not kept["when_deleted"].startswith("kept"):
            yield f"{kept['kind']} {kept['place']} is {kept['when_deleted']}"


def _stateful_protected(evidence: Evidence) -> Iterator[str]:
    stateful = {kept["stack"] for kept in evidence["retention"] if kept["kind"] in {"bucket", "key"}}
    for stack in evidence["stacks"]:
        if stack["name"] in stateful and not stack["termination_protection"]:
            yield f"stack {stack['name']}"


def _roles_bounded(evidence: Evidence) -> Iterator[str]:
    yield from (role["place"] for role in evidence["roles"] if not role["boundary"])


def _trust_bound(evidence: Evidence) -> Iterator[str]:
    """Lambda does not support source keys in an execution role's trust policy."""
    for role in evidence["roles"]:
        for statement in role["trust"]:
            services = [principal for principal in statement["principals"] if principal.endswith(".amazonaws.com")]
            if (
                services
                and services != ["lambda.amazonaws.com"]
                and not any("aws:SourceAccount" in text for text in statement["conditions"])
            ):
                yield role["place"]


def _actions_spelt_out(evidence: Evidence) -> Iterator[str]:
    for role in evidence["roles"]:
        for statement in role["statements"]:
            if statement["effect"] == "Allow":
                yield from (f"{role['place']}: {action}" for action in statement["actions"] if "*" in action)


def _pass_role_exact(evidence: Evidence) -> Iterator[str]:
    for role in evidence["roles"]:
        for statement in role["statements"]:
            if statement["effect"] == "Allow" and "iam:PassRole" in statement["actions"]:
                vague = [resource for resource in statement["resources"] if not resource.startswith("{") or "*" in resource]
                if vague or not any("iam:PassedToService" in text for text in statement["conditions"]):
                    yield f"{role['place']} may pass {', '.join(statement['resources'])}"


def _one_starts_jobs(evidence: Evidence) -> Iterator[str]:
    able = [
        role["place"]
        for role in evidence["roles"]
        if any(s["effect"] == "Allow" and "bedrock:CreateModelCustomizationJob" in s["actions"] for s in role["statements"])
    ]
    if len(able) != 1:
        yield f"{len(able)} roles: {', '.join(able)}"


def _reward_isolated(evidence: Evidence) -> Iterator[str]:
    """The reward function touches no store: it may write its own log and, where a model judges, invoke that model."""
    graders = {found["place"] for found in evidence["functions"] if found["handler"].startswith("reward.")}
    for flow in evidence["flows"]:
        judging = flow["verb"] == "invoke" and flow["target"].startswith("bedrock ")
        if flow["source"] in graders and not judging:
            yield f"{flow['source']} may {flow['verb']} {flow['target']}"


def _heldout_apart(evidence: Evidence) -> Iterator[str]:
    jobs = [role["actor"] for role in evidence["roles"] if any("bedrock.amazonaws.com" in s["principals"] for s in role["trust"])]
    datasets = {store["place"] for store in evidence["stores"] if store["kind"] == "bucket" and store["place"].endswith("Datasets")}
    for flow in evidence["flows"]:
        if flow["source"] in jobs and flow["target"].split(" ")[0] in datasets:
            yield f"{flow['source']} may {flow['verb']} {flow['target']}"


def _alarms_tell(evidence: Evidence) -> Iterator[str]:
    if not evidence["alarms"]:
        yield "no alarm"
    yield from (alarm["place"] for alarm in evidence["alarms"] if not alarm["tells"])


def _trail_kept(evidence: Evidence) -> Iterator[str]:
    if not evidence["trails"]:
        yield "no trail in the templates"
    for trail in evidence["trails"]:
        if not trail["log_file_validation"]:
            yield f"{trail['place']} has no log file validation"
        if not trail["key"].startswith("{"):
            yield f"{trail['place']} is not encrypted with a customer managed key"


def _data_events(evidence: Evidence) -> Iterator[str]:
    if not any("AWS::S3::Object" in event or "resources.type" in event for trail in evidence["trails"] for event in trail["events"]):
        yield "no trail records data events"


def _outsiders_denied(evidence: Evidence) -> Iterator[str]:
    held = {(policy["kind"], policy["place"]): policy["statements"] for policy in evidence["resource_policies"]}
    for store in evidence["stores"]:
        if store["kind"] in {"bucket", "topic", "queue", "event bus"}:
            statements = held.get((store["kind"], store["place"]), [])
            if not any(_denies_outsiders(statement) for statement in statements):
                yield f"{store['kind']} {store['place']}"


def _denies_outsiders(statement: Mapping[str, Any]) -> bool:
    inside = ("aws:PrincipalAccount", "aws:PrincipalOrgID")
    return (
        statement["effect"] == "Deny"
        and "anyone" in statement["principals"]
        and any(text.startswith(inside) and " not " in text for text in statement["conditions"])
    )


def _records_signed(evidence: Evidence) -> Iterator[str]:
    signing = [f"{{{key['place']}}}" for key in evidence["keys"] if key["usage"].startswith("SIGN_VERIFY")]
    able = [
        role["place"]
        for role in evidence["roles"]
        if any(one["effect"] == "Allow" and "kms:Sign" in one["actions"] for one in role["statements"])
    ]
    if len(signing) != 1:
        yield f"{len(signing)} keys that sign"
    if len(able) != 1:
        yield f"{len(able)} roles that may sign: {', '.join(able)}"


def _copied_apart(evidence: Evidence) -> Iterator[str]:
    locked = {kept["place"] for kept in evidence["retention"] if kept["lock"]}
    if not evidence["backups"]:
        yield "no copy"
    yield from (copy for copy in evidence["backups"] if not any(f"{{{place}}}" in copy for place in locked))


def _trail_locked(evidence: Evidence) -> Iterator[str]:
    locked = {kept["place"] for kept in evidence["retention"] if kept["lock"]}
    if not evidence["trails"]:
        yield "no trail in the templates"
    yield from (trail["bucket"] for trail in evidence["trails"] if trail["bucket"] not in locked)


def _access_as_expected(evidence: Evidence) -> Iterator[str]:
    yield from (row["question"] for row in evidence["access"] if not row["as_expected"])


def _licences_known(evidence: Evidence) -> Iterator[str]:
    for library in evidence["software"]:
        if not library["licences"] or "not stated" in library["licences"]:
            yield library["name"]


def _runtime_current(evidence: Evidence) -> Iterator[str]:
    yield from (f"{found['place']}: {found['runtime']}" for found in evidence["functions"] if found["runtime"] not in _RUNTIMES)


_RUNTIMES = ("python3.14", "python3.13")

_FACTS: dict[str, tuple[str, Callable[[Evidence], Iterator[str] | Sequence[str]]]] = {
    "no_way_out": ("No gateway, peering or route leads out of the private network; only endpoints do", _no_way_out),
    "functions_private": ("Every function runs in private subnets", _functions_private),
    "endpoints_restricted": ("Every endpoint has private DNS and a policy that holds its callers to a condition", _endpoints_restricted),
    "traffic_logged": ("All traffic of the private network is recorded in flow logs", _traffic_logged),
    "ingress_closed": ("No security group rule names the whole internet, in or out", _ingress_closed),
    "customer_keys": ("Data, models, messages and logs are encrypted with customer managed keys", _customer_keys),
    "tls_enforced": ("Buckets, queues and topics refuse plaintext transport", _tls_enforced),
    "keys_rotate": ("Every symmetric key is rotated by KMS", _keys_rotate),
    "logs_expire": ("Every log group has a retention", _logs_expire),
    "versions_kept": ("Every bucket keeps versions of its objects", _versions_kept),
    "data_outlives_stack": ("Buckets, keys and logs are kept when their stack is deleted", _data_outlives_stack),
    "stateful_protected": ("Stacks that hold data have termination protection", _stateful_protected),
    "roles_bounded": ("Every role has a permissions boundary", _roles_bounded),
    "trust_bound": ("Every service but Lambda may assume a role for this account's own resources only", _trust_bound),
    "actions_spelt_out": ("No policy of a role allows an action by wildcard", _actions_spelt_out),
    "pass_role_exact": ("A role may be passed only by name and to one service", _pass_role_exact),
    "one_starts_jobs": ("Exactly one role may create customization jobs", _one_starts_jobs),
    "reward_isolated": ("The reward function can touch no store, message or parameter", _reward_isolated),
    "heldout_apart": ("The role of a training job cannot touch the datasets bucket, where held-out prompts stay", _heldout_apart),
    "alarms_tell": ("Every alarm tells somebody", _alarms_tell),
    "trail_kept": ("A trail records the account's API calls, validated and encrypted", _trail_kept),
    "data_events": ("Reads and writes of the data themselves are recorded", _data_events),
    "trail_locked": ("The trail's files are locked: nobody can delete or alter them before their time", _trail_locked),
    "outsiders_denied": ("Buckets, topics, queues and buses deny principals of other accounts or organisations", _outsiders_denied),
    "records_signed": ("One key signs records of a model's making, and one role may use it", _records_signed),
    "copied_apart": ("What cannot be made again is copied to a locked bucket", _copied_apart),
    "access_as_expected": ("Every question of the access matrix has the answer a reviewer expects", _access_as_expected),
    "licences_known": ("Every library that ships states its licence", _licences_known),
    "runtime_current": ("Every function runs on a Python that AWS supports", _runtime_current),
}
