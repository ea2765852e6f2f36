"""Process entry of the local cloud's server: `python -m local.emulator --state-dir DIR`. Started by `local.cloud.up`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from local.emulator import launcher


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.emulator", description=__doc__)
    parser.add_argument("--state-dir", type=Path, required=True, help="where the cloud keeps everything it remembers")
    parser.add_argument("--port", type=int, default=0, help="loopback port; 0 takes the one used last, or a free one")
    parser.add_argument("--clock", type=float, default=1.0, help="how long one second of a Wait state lasts, in seconds")
    parser.add_argument("--owned", action="store_true", help="end when standard input closes")
    arguments = parser.parse_args()
    return launcher.run(state_dir=arguments.state_dir, port=arguments.port, clock=arguments.clock, owned=arguments.owned)


if __name__ == "__main__":
    sys.exit(main())
