"""Where the server keeps its files, and the environment ministack reads when it is imported."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
"""The only interface the server ever listens on."""

DEFAULT_REGION = "us-east-1"

_INHERITED_NAMES = (
    "AWS_ENDPOINT_URL",
    "AWS_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_ACCESS_KEY_ID",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CA_BUNDLE",
    "EDGE_PORT",
    "SERVICES",
    "USE_SSL",
    "LOCALSTACK_HOSTNAME",
    "LOCALSTACK_PERSISTENCE",
    "LAMBDA_EXECUTOR",
    "LAMBDA_STRICT",
    "MINISTACK_ACCOUNT_ID",
    "SFN_MOCK_CONFIG",
    "LOCALSTACK_SFN_MOCK_CONFIG",
    "MINISTACK_BEDROCK_PROXY_URL",
)
"""Variables of the caller's shell that would change how ministack behaves."""


_FUNCTION_BYTES = 64 << 20
"""What a function's process takes once it has loaded the SDK."""

_LEAST_CONCURRENCY, _MOST_CONCURRENCY = 16, 1000
"""The most is an AWS account's own limit, unless it was raised (Lambda developer guide, gettingstarted-limits)."""


def account_concurrency(memory: int) -> int:
    """How many functions may run at once: as many as fit into a quarter of the machine's memory. Calls beyond it are throttled.

    Args:
        memory: bytes.
    """
    return max(_LEAST_CONCURRENCY, min(_MOST_CONCURRENCY, memory // 4 // _FUNCTION_BYTES))


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What one server process was started with.

    Attributes:
        state_dir: the directory everything the cloud remembers lives under.
        port: the loopback port.
        clock: seconds that one second of a Wait state, a retry interval or a callback timeout lasts.
        secret: the secret key of every account's root user, and the token of the admin endpoints.
    """

    state_dir: Path
    port: int
    clock: float
    secret: str

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def services_dir(self) -> Path:
        """One JSON file per service, written by ministack."""
        return self.state_dir / "services"

    @property
    def objects_dir(self) -> Path:
        """The S3 objects."""
        return self.state_dir / "objects"

    @property
    def temporary_dir(self) -> Path:
        """Extracted functions and layers; emptied at each start, so that a killed process leaves nothing for good."""
        return self.state_dir / "tmp"

    @property
    def bedrock_dir(self) -> Path:
        """The Bedrock stand-in's own stores."""
        return self.state_dir / "bedrock"


_CURRENT: list[Settings] = []


def use(settings: Settings) -> None:
    """Make `settings` those of this process."""
    _CURRENT[:] = [settings]


def current() -> Settings:
    """The settings of this process.

    Raises:
        RuntimeError: outside a server process.
    """
    if not _CURRENT:
        raise RuntimeError("local.emulator modules work only inside the server that `python -m local.emulator` starts")
    return _CURRENT[0]


def secret_of(state_dir: Path) -> str:
    """The root secret of this state directory, made once and readable only by its owner."""
    path = state_dir / "secret"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(20))
    return path.read_text()


def listen(state_dir: Path, port: int) -> socket.socket:
    """A listening loopback socket: the asked port, else the one used last (queue URLs carry it), else any free one.

    Raises:
        OSError: the asked port is taken.
    """
    remembered = state_dir / "port"
    wanted = [port] if port else [*([int(remembered.read_text())] if remembered.exists() else []), 0]
    error: OSError | None = None
    for candidate in wanted:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, candidate))
        except OSError as problem:
            listener.close()
            error = problem
            continue
        listener.listen(256)
        remembered.write_text(str(listener.getsockname()[1]))
        return listener
    raise OSError(f"cannot listen on {HOST}:{port}: {error}. Choose another port, or leave it out to take a free one.")


def enter(settings: Settings) -> None:
    """Prepare the directories and this process's environment. Must run before anything of ministack is imported."""
    use(settings)
    shutil.rmtree(settings.temporary_dir, ignore_errors=True)
    for directory in (settings.services_dir, settings.objects_dir, settings.temporary_dir, settings.bedrock_dir):
        directory.mkdir(parents=True, exist_ok=True)
    for name in _INHERITED_NAMES:
        os.environ.pop(name, None)
    os.environ.update(
        AUTH="true",
        BIND_HOST=HOST,
        MINISTACK_HOST=HOST,
        GATEWAY_PORT=str(settings.port),
        MINISTACK_REGION=DEFAULT_REGION,
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        PERSIST_STATE="1",
        STATE_DIR=str(settings.services_dir),
        S3_PERSIST="1",
        S3_DATA_DIR=str(settings.objects_dir),
        SFN_WAIT_SCALE=repr(settings.clock),
        LAMBDA_ACCOUNT_CONCURRENCY=str(account_concurrency(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))),
        AWS_SECRET_ACCESS_KEY=settings.secret,
        AWS_EC2_METADATA_DISABLED="true",
        DOCKER_HOST="unix:///nonexistent/no-docker-here.sock",
        LOG_LEVEL=os.environ.get("RFT_LOCAL_LOG_LEVEL", "WARNING"),
        TMPDIR=str(settings.temporary_dir),
    )
    tempfile.tempdir = str(settings.temporary_dir)
