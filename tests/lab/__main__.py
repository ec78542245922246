# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.lab install|up|status|down`: the lab from the command line."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from . import packages
from .errors import LabError
from .lab import Lab
from .state import RegionOptions

#: In the checkout, and ignored by git.
DEFAULT_DIRECTORY = Path(__file__).resolve().parents[2] / ".lab"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives back the exit status."""
    options = _parser().parse_args(arguments)
    actions = {"install": _install, "up": _up, "status": _status, "down": _down}
    try:
        return actions[options.command](options)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lab: interrupted; nothing that this command started is left running", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    install = commands.add_parser("install", help="install the Debian or Ubuntu packages that the lab needs")
    install.add_argument("packages", nargs="*", help="these instead, as root")
    up = commands.add_parser("up", help="start the lab, or what of it does not run")
    up.add_argument("--sites", default="acme,globex", help="names, comma between (default: %(default)s)")
    up.add_argument("--regions", default="eu,us", help="names, comma between (default: %(default)s)")
    up.add_argument(
        "--scale", choices=("none", "test", "demo"), default="demo", help="how much mail (default: %(default)s)"
    )
    down = commands.add_parser("down", help="stop the lab and remove its folder")
    down.add_argument("--keep", action="store_true", help="leave the folder with all data")
    status = commands.add_parser("status", help="say what runs where")
    for command in (up, down, status):
        command.add_argument("--dir", type=Path, default=DEFAULT_DIRECTORY, help="folder (default: %(default)s)")
    return parser


def _install(options: argparse.Namespace) -> int:
    if options.packages:
        packages.install_as_root(options.packages)
        return 0
    print("lab: packages installed" if packages.install() else "lab: all packages are there")
    return 0


def _up(options: argparse.Namespace) -> int:
    began = time.monotonic()
    scale = "" if options.scale == "none" else options.scale
    regions = _names(options.regions)
    dav = {region: RegionOptions(dav=True) for region in regions}
    lab = Lab.up(options.dir, _names(options.sites), regions, scale=scale, region_options=dav, say=_say)
    print(f"lab: up in {time.monotonic() - began:.1f} s; see {lab.directory}/lab.json")
    return 0


def _status(options: argparse.Namespace) -> int:
    lab = Lab.open(options.dir)
    for server in lab.servers:
        ports = ", ".join(str(port) for port in server.listens_on())
        print(f"{server.name:20} {'running' if server.running() else 'stopped':8} ports {ports}; log {server.log}")
    return 0 if all(server.running() for server in lab.servers) else 3


def _down(options: argparse.Namespace) -> int:
    lab = Lab.open(options.dir)
    lab.down(keep=options.keep)
    print(f"lab: down; {lab.directory} {'kept' if options.keep else 'removed'}")
    return 0


def _say(line: str) -> None:
    print(f"lab: {line}", flush=True)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


if __name__ == "__main__":
    sys.exit(main())
