"""Many uploads at once: each is registered or refused with a report, once, under the version its content has."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache, partial

import attrs
from contracts import names
from contracts.events import RunEvent
from pipeline import dataset_reading
from pipeline.dataset_version import version_of

from benchmarks.load.environment import Environment, Result, spread, together
from stacks.settings import ENVIRONMENTS, load

PROMPTS = 140
"""Of an upload: a few more than Bedrock asks for, once validation and held-out prompts are taken off."""

PATIENCE_SECONDS = 600.0
SETTLE_SECONDS = 2.0
"""How long to listen on, for what should not come."""

FAULTY: tuple[Callable[[bytes], bytes], ...] = (
    lambda body: body + b"{not json\n",
    lambda body: body + body.splitlines(keepends=True)[0],
    lambda body: b"".join(body.splitlines(keepends=True)[:50]),
    lambda _body: b"",
    lambda body: body.replace(b'"answer"', b'"completion"'),
)
"""A broken line, a prompt twice, too few prompts, nothing, another field's name."""


@attrs.frozen(kw_only=True)
class Upload:
    """One file to upload."""

    dataset: str
    body: bytes
    good: bool = True

    @property
    def key(self) -> str:
        return f"{names.INCOMING}{self.dataset}/problems.jsonl"


@attrs.frozen(kw_only=True)
class Put:
    """An upload that S3 took, and when."""

    upload: Upload
    version_id: str
    at: float


def problems(first: int, count: int = PROMPTS) -> bytes:
    """`count` problems in GSM8K's form, with answers that begin at `first`."""
    lines = []
    for answer in range(first, first + count):
        work = f"{answer - 3} and 3 more is <<{answer - 3}+3={answer}>>{answer}."
        lines.append(json.dumps({"question": f"Ada has {answer - 3} beads and gets 3 more. How many?", "answer": f"{work}\n#### {answer}"}))
    return ("\n".join(lines) + "\n").encode()


def different(env: Environment, count: int, faulty: int) -> Result:
    """Each upload is another dataset; `faulty` of them are to be refused."""
    every = max(1, count // faulty) if faulty else count + 1
    uploads = []
    for number in range(count):
        body, good = problems(10_000 + 1000 * number), (number + 1) % every != 0
        spoil = FAULTY[number // every % len(FAULTY)]
        uploads.append(Upload(dataset=f"load-{number:03}", body=body if good else spoil(body), good=good))
    return _load(env, f"{count} datasets at once, {sum(not upload.good for upload in uploads)} of them faulty", uploads)


def equal(env: Environment, count: int) -> Result:
    """The same file, again and again."""
    return _load(env, f"the same dataset {count} times at once", [Upload(dataset="load-equal", body=problems(5000))] * count)


def versions(env: Environment, count: int) -> Result:
    """One dataset, another content each time: the last upload is to be the latest version."""
    uploads = [Upload(dataset="load-versions", body=problems(1_000_000 + 1000 * number)) for number in range(count)]
    return _load(env, f"{count} versions of one dataset at once", uploads)


def _load(env: Environment, title: str, uploads: Sequence[Upload]) -> Result:
    heard_before, stuck_before = len(env.events), env.dead_letters()
    began = time.time()
    puts = together([partial(_put, env, upload) for upload in uploads])
    took = time.time() - began
    keys = {put.version_id for put in puts}

    def answers() -> list[tuple[str, str, float]]:
        verdicts = (RunEvent.DATASET_REGISTERED, RunEvent.DATASET_REJECTED)
        return [
            (event["detail-type"], event["detail"]["source"]["version_id"], at)
            for event, at in env.events[heard_before:]
            if event["detail-type"] in verdicts and event["detail"]["source"]["version_id"] in keys
        ]

    env.until(lambda: len({version for _, version, _ in answers()}) == len(puts), PATIENCE_SECONDS)
    env.until(lambda: False, SETTLE_SECONDS)
    found = answers()
    told = Counter(version for _, version, _ in found)
    verdict = {version: kind for kind, version, _ in found}
    at = {version: sent for _, version, sent in reversed(found)}
    stuck = env.dead_letters() - stuck_before
    faults = [
        *(f"{put.upload.key}, version {put.version_id}: no verdict" for put in puts if put.version_id not in told),
        *(f"{put.upload.key}, version {put.version_id}: {told[put.version_id]} verdicts" for put in puts if told[put.version_id] > 1),
        *(f"{put.upload.key}: wrong verdict {verdict.get(put.version_id)}" for put in puts if _wrong(put, verdict.get(put.version_id))),
        *(f"{stuck} dead letters" for _ in range(1) if stuck),
        *_wrong_objects(env, puts),
    ]
    kinds = Counter(verdict.values())
    return Result(
        title,
        {
            "uploads": len(puts),
            "registered": kinds[RunEvent.DATASET_REGISTERED],
            "refused": kinds[RunEvent.DATASET_REJECTED],
            "versions": len({key.split("/")[2] for put in puts for key in _version_keys(env, put.upload.dataset)}),
            "S3 took them in, s": round(took, 1),
            "all had a verdict after, s": round(max(at.values(), default=0.0) - began, 1),
            "upload to verdict, s": spread([at[put.version_id] - put.at for put in puts if put.version_id in at]),
            "dead letters": stuck,
        },
        faults,
    )


def _put(env: Environment, upload: Upload) -> Put:
    version = env.s3.put_object(Bucket=env.datasets, Key=upload.key, Body=upload.body)["VersionId"]
    return Put(upload=upload, version_id=version, at=time.time())


def _wrong(put: Put, kind: str | None) -> bool:
    return kind is not None and kind != (RunEvent.DATASET_REGISTERED if put.upload.good else RunEvent.DATASET_REJECTED)


def _wrong_objects(env: Environment, puts: Sequence[Put]) -> list[str]:
    faults = []
    for dataset in {put.upload.dataset for put in puts}:
        own = [put for put in puts if put.upload.dataset == dataset]
        expected = {version(put.upload.body) for put in own if put.upload.good}
        files = Counter(key.split("/")[2] for key in _version_keys(env, dataset))
        if set(files) != expected or not all(count == 4 for count in files.values()):
            faults.append(f"{dataset}: versions {sorted(files.items())[:3]}, expected {sorted(expected)[:3]} with four files each")
        if not expected and len(env.keys(env.datasets, f"{names.REJECTED}{dataset}/")) != 1:
            faults.append(f"{dataset}: not exactly one report")
        if expected:
            last = next(put for put in own if put.version_id == _current(env, own[0].upload.key))
            latest = env.read(env.datasets, names.latest_key(dataset)) or {}
            if latest.get("version") != version(last.upload.body):
                faults.append(f"{dataset}: the latest version is {latest.get('version')}, expected {version(last.upload.body)}")
    return faults


def _version_keys(env: Environment, dataset: str) -> list[str]:
    return [key for key in env.keys(env.datasets, f"{names.DATASETS}{dataset}/") if key != names.latest_key(dataset)]


def _current(env: Environment, key: str) -> str:
    """The version S3 says was put last."""
    return str(env.s3.head_object(Bucket=env.datasets, Key=key)["VersionId"])


@lru_cache(maxsize=512)
def version(body: bytes) -> str:
    """What the content is to be called."""
    return version_of(dataset_reading.read(iter([body])).entries, load(ENVIRONMENTS / "dev.toml").pipeline.dataset).version
