# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command from a small process and print what it used, as JSON.

A program of its own: the kernel counts the memory of the process that starts a command into that command's peak, so a
big one must not start it. ``launch.py LOG COMMAND [ARG ...]``; standard input goes to the command.
"""

import json
import os
import sys
import time

log = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
began = time.monotonic()
actions = [(os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)]
child = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ, file_actions=actions)
_pid, status, usage = os.wait4(child, 0)
figures = {
    "wall": time.monotonic() - began,
    "cpu": usage.ru_utime + usage.ru_stime,
    "memory": usage.ru_maxrss * 1024,
    "status": os.waitstatus_to_exitcode(status),
}
print(json.dumps(figures))
