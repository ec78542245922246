# SPDX-License-Identifier: GPL-3.0-or-later
"""`make demo`: two customers move from on-premises sites to a cloud, all of it on this machine.

Installs what the lab needs, starts it, writes the part of ``inventory/demo`` that only the running lab knows, runs the
playbook ``atmail.migration.migrate``, and says what came out. Run again, it changes nothing and says so.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from .inventory import export
from .report import result_lines, where_to_look

CHECKOUT = Path(__file__).resolve().parents[2]
INVENTORY = CHECKOUT / "inventory" / "demo"
BIN = Path(sys.executable).parent


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; 0 when both customers were migrated and proved."""
    parser = argparse.ArgumentParser(prog="python -m tests.demo", description=__doc__)
    parser.add_argument("--dir", type=Path, default=CHECKOUT / ".lab", help="the lab's folder (default: %(default)s)")
    parser.add_argument("--scale", choices=("test", "demo"), default="demo", help="how much mail")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    for command in (["install"], ["up", "--dir", str(options.dir), "--scale", options.scale]):
        code = subprocess.run([sys.executable, "-m", "tests.lab", *command], cwd=CHECKOUT, check=False).returncode
        if code:
            return code
    lab = json.loads((options.dir / "lab.json").read_text())
    password_file = export(lab, INVENTORY)
    command = [
        "ansible-playbook",
        "atmail.migration.migrate",
        "-i",
        shown(INVENTORY),
        "--vault-password-file",
        shown(password_file),
    ]
    log = options.dir / "migrate.log"
    log.unlink(missing_ok=True)
    print(f"\n$ .venv/bin/{' '.join(command)}", flush=True)
    environment = {**os.environ, "ANSIBLE_LOG_PATH": str(log)}
    program = [str(BIN / command[0]), *command[1:]]
    code = subprocess.run(program, cwd=CHECKOUT, env=environment, check=False).returncode
    changed = tasks_changed(log.read_text()) if log.exists() else None
    print("\n".join(["", *result_lines(lab, options.dir / "state"), ""]))
    print("\n".join(where_to_look(lab, shown(options.dir), command)))
    return tell_end(code, changed, time.monotonic() - began)


def tell_end(code: int, changed: int | None, seconds: float) -> int:
    """Say in the last line how the demo ended; gives back the exit status."""
    if code or changed is None:
        print(f"\nThe migration FAILED (exit status {code}); what happened is said above.")
        return code or 1
    what = "nothing to do, nothing was written" if changed == 0 else "run it again: it will change nothing"
    print(f"\nBoth customers are on the cloud and proved identical. changed={changed}: {what}. ({seconds:.0f} s)")
    return 0


def tasks_changed(log: str) -> int | None:
    """The sum of ``changed=`` over the hosts of the last play recap; None when there is none."""
    start = log.rfind("PLAY RECAP")
    if start < 0:
        return None
    return sum(int(number) for number in re.findall(r"\bchanged=(\d+)", log[start:]))


def shown(path: Path) -> str:
    """The path as one would type it in the checkout."""
    try:
        return str(path.resolve().relative_to(CHECKOUT))
    except ValueError:
        return str(path)


if __name__ == "__main__":
    sys.exit(main())
