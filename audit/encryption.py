"""The encryption of everything that holds or carries data, at rest and in transit, and the keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs
from contracts import names

from audit.assembly import Assembly
from audit.words import Statement, Words

SERVICE_OWNED = "key owned by AWS"
AWS_MANAGED = "AWS managed key"
TLS_OF_SERVICE = "TLS 1.2 or newer, which the AWS API requires"


@attrs.frozen(kw_only=True)
class Store:
    """Something that holds or carries data.

    Attributes:
        at_rest: the key, in braces where it is one of the templates'.
        ours: whether that key is a customer managed one.
        in_transit: what refuses plaintext.
    """

    kind: str
    place: str
    stack: str
    at_rest: str
    ours: bool
    in_transit: str


@attrs.frozen(kw_only=True)
class Key:
    """A customer managed key: its rotation, who its own policy lets in, and what is encrypted with it."""

    place: str
    stack: str
    description: str
    usage: str
    rotation: str
    waiting_days: int
    policy: list[Statement]
    encrypts: list[str]


def stores(assembly: Assembly) -> list[Store]:
    """Every store and channel of an environment, by kind and place."""
    words = Words(assembly)
    refusals = _refusals(assembly, words)
    found: list[Store] = []
    for stack, name, resource in assembly.resources(*_KINDS):
        kind, read = _KINDS[resource["Type"]]
        place = words.place(stack, name)
        at_rest = read(resource.get("Properties", {}))
        text = at_rest if isinstance(at_rest, str) and at_rest in _OTHERS else words.text(stack, at_rest)
        found.append(
            Store(
                kind=kind,
                place=place,
                stack=stack,
                at_rest=text,
                ours=text.startswith("{"),
                in_transit=refusals.get(f"{{{place}}}", TLS_OF_SERVICE),
            )
        )
    return sorted([*found, *_custom_models(assembly, words)], key=lambda store: (store.kind, store.place))


def _custom_models(assembly: Assembly, words: Words) -> Iterator[Store]:
    """Models are made by a job and not by a template; the key they get is what `start_training` is configured with."""
    for stack, name, resource in assembly.resources("AWS::Lambda::Function"):
        variables = resource["Properties"].get("Environment", {}).get("Variables", {})
        if resource["Properties"].get("Handler") == _STARTS_JOBS and names.ENV_MODEL_KEY in variables:
            key = words.text(stack, variables[names.ENV_MODEL_KEY])
            place = f"started by {words.place(stack, name)}"
            yield Store(kind="custom models", place=place, stack=stack, at_rest=key, ours=key.startswith("{"), in_transit=TLS_OF_SERVICE)


def keys(assembly: Assembly) -> list[Key]:
    """Every customer managed key, by place."""
    words = Words(assembly)
    held = stores(assembly)
    found = []
    for stack, name, resource in assembly.resources("AWS::KMS::Key"):
        properties = resource["Properties"]
        place = words.place(stack, name)
        symmetric = properties.get("KeySpec", "SYMMETRIC_DEFAULT") == "SYMMETRIC_DEFAULT"
        rotation = f"every {properties.get('RotationPeriodInDays', 365)} days" if properties.get("EnableKeyRotation") else "none"
        found.append(
            Key(
                place=place,
                stack=stack,
                description=str(properties.get("Description", "")),
                usage=f"{properties.get('KeyUsage', 'ENCRYPT_DECRYPT')} {properties.get('KeySpec', 'SYMMETRIC_DEFAULT')}",
                rotation=rotation if symmetric else "not possible for an asymmetric key",
                waiting_days=int(properties.get("PendingWindowInDays", 30)),
                policy=words.statements(stack, properties["KeyPolicy"]),
                encrypts=[f"{store.kind} {store.place}" for store in held if store.at_rest == f"{{{place}}}"],
            )
        )
    return sorted(found, key=lambda key: (key.stack, key.place))


def _bucket(properties: Mapping[str, Any]) -> Any:
    rules = properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", [])
    default = rules[0].get("ServerSideEncryptionByDefault", {}) if rules else {}
    return default.get("KMSMasterKeyID", AWS_MANAGED if default.get("SSEAlgorithm") == "aws:kms" else S3_MANAGED)


def _queue(properties: Mapping[str, Any]) -> Any:
    return properties.get("KmsMasterKeyId", SERVICE_OWNED if properties.get("SqsManagedSseEnabled", True) else NONE)


def _either(*names: str, otherwise: str) -> Callable[[Mapping[str, Any]], Any]:
    return lambda properties: next((properties[name] for name in names if name in properties), otherwise)


def _nested(outer: str, inner: str, otherwise: str) -> Callable[[Mapping[str, Any]], Any]:
    return lambda properties: properties.get(outer, {}).get(inner, otherwise)


S3_MANAGED = "keys of S3 (SSE-S3)"
NONE = "not encrypted"
PLAIN = "plain String: a name that people and systems look up, no secret"
_OTHERS = {SERVICE_OWNED, AWS_MANAGED, S3_MANAGED, NONE, PLAIN}
_STARTS_JOBS = "pipeline.start_training.handler"

_KINDS: dict[str, tuple[str, Callable[[Mapping[str, Any]], Any]]] = {
    "AWS::S3::Bucket": ("bucket", _bucket),
    "AWS::SNS::Topic": ("topic", _either("KmsMasterKeyId", otherwise=NONE)),
    "AWS::SQS::Queue": ("queue", _queue),
    "AWS::Logs::LogGroup": ("log group", _either("KmsKeyId", otherwise=SERVICE_OWNED)),
    "AWS::Lambda::Function": ("function environment", _either("KmsKeyArn", otherwise=AWS_MANAGED)),
    "AWS::StepFunctions::StateMachine": ("execution data", _nested("EncryptionConfiguration", "KmsKeyId", SERVICE_OWNED)),
    "AWS::Events::EventBus": ("event bus", _either("KmsKeyIdentifier", otherwise=SERVICE_OWNED)),
    "AWS::Events::Archive": ("event archive", _either("KmsKeyIdentifier", otherwise=SERVICE_OWNED)),
    "AWS::Scheduler::Schedule": ("schedule", _either("KmsKeyArn", otherwise=SERVICE_OWNED)),
    "AWS::DynamoDB::Table": ("table", _nested("SSESpecification", "KMSMasterKeyId", SERVICE_OWNED)),
    "AWS::CloudTrail::Trail": ("trail", _either("KMSKeyId", otherwise=S3_MANAGED)),
    "AWS::Backup::BackupVault": ("backup vault", _either("EncryptionKeyArn", otherwise=AWS_MANAGED)),
    # CloudFormation makes no SecureString, so whatever is in one of these is readable to who may read it.
    "AWS::SSM::Parameter": ("parameter", lambda _: PLAIN),
    "AWS::SecretsManager::Secret": ("secret", _either("KmsKeyId", otherwise=AWS_MANAGED)),
}


def _refusals(assembly: Assembly, words: Words) -> dict[str, str]:
    """Store -> what its own policy refuses, from the deny statements on transport."""
    found: dict[str, list[str]] = {}
    for stack, resource_key, document in _policies(assembly):
        store = words.text(stack, resource_key)
        for statement in words.statements(stack, document):
            if statement.effect == "Deny" and "anyone" in statement.principals:
                found.setdefault(store, []).extend(_transport(statement))
    return {store: "its policy refuses " + " and ".join(sorted(set(kinds))) for store, kinds in found.items() if kinds}


def _transport(statement: Statement) -> Iterator[str]:
    for condition in statement.conditions:
        if condition.startswith("aws:SecureTransport") and condition.endswith("false"):
            yield "plaintext"
        if condition.startswith("s3:TlsVersion"):
            yield f"TLS {condition.rpartition('below ')[2]}".replace("TLS ", "TLS below ")


def _policies(assembly: Assembly) -> Iterator[tuple[str, Any, Mapping[str, Any]]]:
    for stack, _, resource in assembly.resources("AWS::S3::BucketPolicy"):
        yield stack, resource["Properties"]["Bucket"], resource["Properties"]["PolicyDocument"]
    for stack, _, resource in assembly.resources("AWS::SQS::QueuePolicy"):
        for queue in resource["Properties"]["Queues"]:
            yield stack, queue, resource["Properties"]["PolicyDocument"]
    for stack, _, resource in assembly.resources("AWS::SNS::TopicPolicy"):
        for topic in resource["Properties"]["Topics"]:
            yield stack, topic, resource["Properties"]["PolicyDocument"]
