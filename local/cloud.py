"""Start, find, reset and end the local cloud.

    endpoint = cloud.up()                       # or: with cloud.running(state_dir=tmp) as endpoint:
    s3 = endpoint.client("s3")
    subprocess.run(["cdk", "deploy"], env={**os.environ, **endpoint.environ()})
    cloud.down()

One server process per state directory. It listens on loopback only and remembers everything in that directory.
"""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import boto3

ROOT = Path(__file__).resolve().parent.parent
STATE_VARIABLE = "RFT_LOCAL_STATE"
"""Names another state directory than the checkout's own `.local`, so that several local clouds can stand side by side."""

STATE_DIR = Path(os.environ.get(STATE_VARIABLE) or ROOT / ".local")
ACCOUNT = "000000000000"
REGION = "us-east-1"

CLOCK = 1 / 60
"""By default a minute of a Wait state, a retry interval or a callback timeout lasts one second."""

_START_SECONDS = 120.0
_END_SECONDS = 10.0
_BUSY_SECONDS = 30.0
"""How long a cloud that runs may take to say so while it does other things; one that does not run refuses at once."""


class CloudError(RuntimeError):
    """The local cloud could not do what was asked; the message says what to do next."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A running local cloud.

    Attributes:
        url: where it answers, `http://127.0.0.1:<port>`.
        pid: its process.
        secret: secret key of every account's root user and token of the admin endpoints.
        clock: how many seconds one second of a Wait state lasts in it.
        state_dir: where it keeps its state.
    """

    url: str
    pid: int
    secret: str
    clock: float
    state_dir: Path

    def environ(self, account: str = ACCOUNT, region: str = REGION) -> dict[str, str]:
        """Environment variables that point boto3 and the CDK command line at this cloud, as the account's root user.

        Args:
            account: 12 digits; every account exists.
            region: any Region name.

        Raises:
            ValueError: `account` is not 12 digits.
        """
        if len(account) != 12 or not account.isdigit():
            raise ValueError(f"account: {account!r} is not 12 digits")
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_SESSION_TOKEN": "",
            "AWS_PROFILE": "",
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def session(self, account: str = ACCOUNT, region: str = REGION) -> boto3.Session:
        """A session with the account's root credentials. Its clients need `endpoint_url`; `client` gives it."""
        return boto3.Session(aws_access_key_id=account, aws_secret_access_key=self.secret, region_name=region)

    def client(self, service: Any, account: str = ACCOUNT, region: str = REGION) -> Any:
        """A boto3 client of `service` against this cloud."""
        return self.session(account, region).client(service, endpoint_url=self.url)

    def admin(self, method: str, name: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Call `/_rft/<name>`: `status`, `reset`, `faults`, and what else the Bedrock stand-in offers.

        Raises:
            CloudError: the cloud does not answer, or refuses.
        """
        status, answer = _request(self.url, method, f"/_rft/{name}", body, token=self.secret)
        if status != 200:
            raise CloudError(f"{method} {name}: {answer.get('message', answer)}")
        return answer


def up(*, state_dir: Path = STATE_DIR, port: int | None = None, clock: float = CLOCK) -> Endpoint:
    """Start the local cloud in a process of its own, or find the one that runs already.

    Args:
        state_dir: where it keeps its state; one process per directory.
        port: loopback port. By default the one used last, else any free one.
        clock: seconds one second of a Wait state lasts; above 0.

    Raises:
        CloudError: it did not start; the message ends with its log's last lines.
    """
    return _up(state_dir=state_dir, port=port, clock=clock, owned=False)[0]


def _up(*, state_dir: Path, port: int | None, clock: float, owned: bool) -> tuple[Endpoint, IO[bytes] | None]:
    if not clock > 0:
        raise CloudError(f"clock: {clock} is not above 0")
    state_dir = state_dir.resolve()
    state_dir.mkdir(parents=True, exist_ok=True)
    with (state_dir / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = find(state_dir)
        if found:
            return found, None
        _end_stray(state_dir)
        (state_dir / "cloud.json").unlink(missing_ok=True)
        log = state_dir / "cloud.log"
        arguments = [
            sys.executable,
            "-m",
            "local.emulator",
            "--state-dir",
            str(state_dir),
            "--port",
            str(port or 0),
            "--clock",
            repr(clock),
        ]
        with log.open("ab") as output:
            process = subprocess.Popen(
                [*arguments, *(["--owned"] if owned else [])],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "lambda")])},
                stdin=subprocess.PIPE if owned else subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        return _wait_ready(process, state_dir, log), process.stdin


def _wait_ready(process: subprocess.Popen[bytes], state_dir: Path, log: Path) -> Endpoint:
    deadline = time.monotonic() + _START_SECONDS
    try:
        while time.monotonic() < deadline:
            found = find(state_dir)
            if found:
                return found
            if process.poll() is not None:
                break
            time.sleep(0.03)
    except BaseException:
        process.kill()
        raise
    process.kill()
    process.wait()
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
    raise CloudError(f"the local cloud did not start. See {log}; its last lines:\n{tail}\nIf the state is broken: rft local reset.")


def find(state_dir: Path = STATE_DIR) -> Endpoint | None:
    """The local cloud running on this state directory, or None."""
    path = state_dir / "cloud.json"
    try:
        record = json.loads(path.read_text())
        status, answer = _request(record["endpoint"], "GET", "/_rft/status", timeout=_BUSY_SECONDS)
    except (OSError, ValueError, KeyError, CloudError):
        return None
    if status != 200 or answer.get("pid") != record["pid"]:
        return None
    return Endpoint(url=record["endpoint"], pid=record["pid"], secret=record["secret"], clock=record["clock"], state_dir=state_dir)


def require(state_dir: Path = STATE_DIR) -> Endpoint:
    """The running local cloud.

    Raises:
        CloudError: none runs on this state directory.
    """
    found = find(state_dir)
    if found is None:
        raise CloudError(f"no local cloud is running on {state_dir}. Start it with: rft local up")
    return found


def status(*, state_dir: Path = STATE_DIR) -> dict[str, Any]:
    """What is running: `running`, and if so `endpoint`, `pid`, `clock`, `not_emulated` (`what` and `why` each), `alarms` that are on and
    `bedrock`."""
    found = find(state_dir)
    return {"running": True, **found.admin("GET", "status")} if found else {"running": False, "state_dir": str(state_dir)}


def down(*, state_dir: Path = STATE_DIR) -> bool:
    """End the local cloud, keeping its state; False when none was running.

    Raises:
        CloudError: the process could not be ended.
    """
    found = find(state_dir)
    pid = found.pid if found else _stray(state_dir)
    if pid is None:
        return False
    _end(pid)
    (state_dir / "cloud.json").unlink(missing_ok=True)
    return True


def reset(*, state_dir: Path = STATE_DIR) -> None:
    """Forget everything: in the running cloud if there is one, else the directory's content.

    Raises:
        CloudError: `state_dir` holds something that is not a local cloud's state.
    """
    found = find(state_dir)
    if found:
        found.admin("POST", "reset")
        return
    _end_stray(state_dir)
    for name in ("services", "objects", "bedrock", "tmp"):
        shutil.rmtree(state_dir / name, ignore_errors=True)
    for name in ("cloud.json", "cloud.log", "port"):
        (state_dir / name).unlink(missing_ok=True)


@contextlib.contextmanager
def running(*, state_dir: Path, port: int | None = None, clock: float = CLOCK) -> Iterator[Endpoint]:
    """A local cloud for the length of a `with` block. It ends with the block, and also when this process is killed.

    Raises:
        CloudError: it did not start, or one was running on this directory already.
    """
    if find(state_dir):
        raise CloudError(f"a local cloud is running on {state_dir} already. End it with: rft local down")
    endpoint, leash = _up(state_dir=state_dir, port=port, clock=clock, owned=True)
    try:
        yield endpoint
    finally:
        if leash is not None:
            leash.close()
        _end(endpoint.pid)


def _request(
    url: str, method: str, path: str, body: dict[str, Any] | None = None, *, token: str = "", timeout: float = 60
) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=timeout)
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None, {"x-rft-token": token})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"{}")
    except (OSError, http.client.HTTPException, ValueError) as problem:
        raise CloudError(f"the local cloud at {url} does not answer: {problem}. See rft local status.") from problem
    finally:
        connection.close()


def _stray(state_dir: Path) -> int | None:
    """A server process of this directory that no longer answers."""
    try:
        pid = int(json.loads((state_dir / "cloud.json").read_text())["pid"])
    except (OSError, ValueError, KeyError):
        return None
    shown = subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout  # noqa: S607
    return pid if "local.emulator" in shown and str(state_dir.resolve()) in shown else None


def _end_stray(state_dir: Path) -> None:
    pid = _stray(state_dir)
    if pid is not None:
        _end(pid)


def _end(pid: int) -> None:
    """Ask the process to end, then make it."""
    for number, patience in ((signal.SIGTERM, _END_SECONDS), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if _gone(pid):
                return
            time.sleep(0.02)
    raise CloudError(f"process {pid} does not end. End it yourself: kill -9 {pid}")


def _gone(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        # Our own child stays a zombie until it is waited for.
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False
