# SPDX-License-Identifier: GPL-3.0-or-later
"""What all servers of the lab have in common: a folder, a configuration, a process, a log, and when they are ready."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jinja2

from . import ports, process
from .errors import StartError

_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
    undefined=jinja2.StrictUndefined,
    keep_trailing_newline=True,
    trim_blocks=True,
    lstrip_blocks=True,
    autoescape=False,  # noqa: S701 (these are configuration files, not HTML)
)

#: Log lines shown when a server does not start.
TAIL_LINES = 25


#: Files and sockets that a server may have open at once.
OPEN_FILES = 8192


class Server(ABC):
    """One server program of the lab. Its files are in `folder`; `name` ("acme dovecot") is what messages call it."""

    #: Seconds until a started server has to answer on all its ports.
    patience = 30.0

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.log = folder / "server.log"
        self.pid_file = folder / "server.pid"
        self._child: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def prepare(self) -> None:
        """Write the configuration, and whatever data the program needs to start at all; safe to do again."""

    @abstractmethod
    def command(self) -> Sequence[str]:
        """The program and its arguments; it has to stay in the foreground."""

    @abstractmethod
    def listens_on(self) -> Sequence[int]:
        """All TCP ports that it answers on when it is ready."""

    def greets(self) -> bool:
        """Whether a client is greeted, once the ports are open; servers with more to check say so here."""
        return True

    def populate(self) -> None:  # noqa: B027 (most servers have nothing to do here)
        """What can only be done once it runs, and may be done again."""

    def environment(self) -> dict[str, str]:
        """The environment of the program: nothing of ours that could change what it does."""
        return {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
        }

    def running(self) -> bool:
        """Whether the process that we started last is alive."""
        known = process.load(self.pid_file)
        return known is not None and known.alive()

    @property
    def started_here(self) -> bool:
        """Whether this object has started it."""
        return self._child is not None

    def start(self) -> bool:
        """Start it and wait until it is ready; gives back False when it ran already. Raises StartError."""
        if self.running():
            return False
        self.stop()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._refuse_taken_ports()
        self.prepare()
        began = self.log.stat().st_size if self.log.exists() else 0
        self._child = process.spawn(_with_open_files(self.command()), self.log, self.environment())
        identity = process.ProcessId.of(self._child.pid)
        if identity is not None:
            identity.save(self.pid_file)
        try:
            self._wait_until_ready(began)
            self.populate()
        except BaseException:
            self.stop()
            raise
        return True

    def stop(self) -> None:
        """Stop it and everything it started, however it is doing; nothing happens when it does not run."""
        known = process.load(self.pid_file)
        if known is not None:
            process.stop(known, patience=10.0)
        if self._child is not None:
            self._child.wait()
            self._child = None
        self.pid_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """End it as a crash would (SIGKILL), with all it started; `start` has to cope with what is left."""
        known = process.load(self.pid_file)
        if known is not None:
            process.stop(known, patience=0.0)
        if self._child is not None:
            self._child.wait()
            self._child = None

    def log_tail(self, since: int = 0) -> str:
        """The last lines of the log, from byte `since` on."""
        try:
            with self.log.open("rb") as file:
                file.seek(since)
                return tail(file.read())
        except OSError:
            return ""

    def render(self, template: str, target: Path, mode: int = 0o644, **values: object) -> None:
        """Fill a template of tests/lab/templates and write it, with its mode set before the text is in it."""
        text = _TEMPLATES.get_template(template).render(**values)
        write_private(target, text, mode)

    def _refuse_taken_ports(self) -> None:
        taken = [port for port in self.listens_on() if not ports.is_free(port)]
        if taken:
            shown = ", ".join(str(port) for port in taken)
            raise StartError(self.name, f"another program listens on port {shown} of 127.0.0.1", "")

    def _wait_until_ready(self, began: int) -> None:
        end = time.monotonic() + self.patience
        waiting = list(self.listens_on())
        while True:
            waiting = [port for port in waiting if not answers(port)]
            if not waiting and self.greets():
                return
            if self._child is not None and self._child.poll() is not None:
                raise StartError(self.name, f"it ended with status {self._child.returncode}", self.log_tail(began))
            if time.monotonic() > end:
                silent = f"no answer on port {waiting[0]}" if waiting else "it does not greet its clients"
                raise StartError(self.name, f"{silent} after {self.patience:.0f} s", self.log_tail(began))
            time.sleep(0.02)


def _with_open_files(command: Sequence[str]) -> list[str]:
    """The command with a soft limit of open files that servers need, where the hard limit allows it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    limit = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    return ["prlimit", f"--nofile={limit}:", *command]


def tail(text: bytes) -> str:
    """The last lines of a program's output."""
    return "\n".join(text.decode(errors="replace").splitlines()[-TAIL_LINES:])


def answers(port: int) -> bool:
    """Whether a TCP connection to 127.0.0.1 is taken."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0):
            return True
    except OSError:
        return False


def write_private(path: Path, text: str, mode: int = 0o600) -> None:
    """Write a file whole or not at all; it never has wider rights than `mode`, not for a moment."""
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)
    temporary.replace(path)


def start_all(servers: Sequence[Server]) -> None:
    """Start servers at the same time. Raises the first StartError; the others that were started then still run."""
    with ThreadPoolExecutor(max_workers=max(1, len(servers))) as pool:
        futures = [pool.submit(server.start) for server in servers]
    for future in futures:
        future.result()


def stop_all(servers: Sequence[Server]) -> None:
    """Stop servers at the same time."""
    with ThreadPoolExecutor(max_workers=max(1, len(servers))) as pool:
        list(pool.map(lambda server: server.stop(), servers))
