# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Modules as processes of their own that need not import anything any more: most of a small run is importing.

A process that has done nothing but import the modules forks a new one for each run, with the run's own environment and
its own standard input, output and error. ``python -m tests.integration.checks.prefork FD`` is that process; it ends
with the one that started it.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import json
import os
import selectors
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_MOST = 1024 * 1024
_NUMBER = struct.Struct("i")
_CHUNK = 65536
_ONE_AT_A_TIME = threading.Lock()


class Started:
    """A module on its way, with those methods of :class:`subprocess.Popen` that tests use."""

    def __init__(self, pid: int, given: int, out: int, err: int, status: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._given, self._out, self._err, self._status = given, out, err, status

    def give(self, text: str) -> None:
        """Write its standard input, whole."""
        with os.fdopen(self._given, "wb") as stream, contextlib.suppress(BrokenPipeError):
            stream.write(text.encode())

    def poll(self) -> int | None:
        """Its status, None as long as it runs; negative for a signal."""
        with selectors.DefaultSelector() as ready:
            if self.returncode is None:
                ready.register(self._status, selectors.EVENT_READ)
                if ready.select(0):
                    self._ended()
        return self.returncode

    def _ended(self) -> None:
        said = os.read(self._status, _NUMBER.size)
        os.close(self._status)
        self.returncode = os.waitstatus_to_exitcode(_NUMBER.unpack(said)[0])

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What it said on both, when it has ended. Raises subprocess.TimeoutExpired."""
        end = time.monotonic() + (timeout if timeout is not None else 3600.0)
        said: dict[int, list[bytes]] = {self._out: [], self._err: []}
        with selectors.DefaultSelector() as ready:
            for stream in (self._out, self._err, *([self._status] if self.returncode is None else [])):
                ready.register(stream, selectors.EVENT_READ)
            while ready.get_map():
                found = ready.select(max(0.0, end - time.monotonic()))
                if not found:
                    raise subprocess.TimeoutExpired("a module", timeout or 0.0)
                for key, _events in found:
                    self._read(key.fd, said, ready)
        out, err = (b"".join(said[stream]).decode() for stream in (self._out, self._err))
        return out, err

    def _read(self, stream: int, said: dict[int, list[bytes]], ready: selectors.BaseSelector) -> None:
        if stream == self._status:
            ready.unregister(stream)
            self._ended()
            return
        data = os.read(stream, _CHUNK)
        said[stream].append(data)
        if not data:
            ready.unregister(stream)
            os.close(stream)

    def send_signal(self, number: int) -> None:
        """Send it a signal, as long as it runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)


def start(module: str) -> Started:
    """Start a Python module whose ``main`` is to be run; it waits for its standard input."""
    pipes = [os.pipe() for _number in range(4)]
    (given_here, given), (out, out_there), (err, err_there), (status, status_there) = pipes
    theirs = (given_here, out_there, err_there, status_there)
    request = json.dumps({"module": module, "environment": dict(os.environ), "folder": str(Path.cwd())})
    with _ONE_AT_A_TIME:
        link = _forker()
        socket.send_fds(link, [request.encode()], theirs)
        (pid,) = _NUMBER.unpack(link.recv(_NUMBER.size))
    for one in theirs:
        os.close(one)
    return Started(pid, given, out, err, status)


@functools.cache
def _forker() -> socket.socket:
    """The way to this process's forker, which is started once."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _MOST)
    subprocess.Popen(
        [sys.executable, "-m", __spec__.name, str(theirs.fileno())],
        stdin=subprocess.DEVNULL,
        pass_fds=[theirs.fileno()],
    )
    theirs.close()
    return ours


# the forker


def serve(link: socket.socket) -> Callable[[], None] | None:
    """Fork a process for each request; gives, in that process, what it has to do, and None at the end."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that wait for the modules
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        data, streams, _flags, _address = socket.recv_fds(link, _MOST, 4)
        if not data:
            return None
        request = json.loads(data)
        main: Callable[[], None] = importlib.import_module(request["module"]).main
        if os.fork() == 0:
            return _waited_for(link, streams, request, main)
        for one in streams:
            os.close(one)


def _waited_for(
    link: socket.socket, streams: list[int], request: dict[str, Any], main: Callable[[], None]
) -> Callable[[], None]:
    """Fork the process that does the work, tell its number, and at its end its status."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    given, out, err, status = streams
    # Signals come only when the process is ready for them: it is not known before.
    ready_here, ready = os.pipe()
    pid = os.fork()
    if pid:
        os.close(ready)
        for one in (given, out, err):
            os.close(one)
        os.read(ready_here, 1)
        link.send(_NUMBER.pack(pid))
        link.close()
        _number, ended = os.waitpid(pid, 0)
        os.write(status, _NUMBER.pack(ended))
        os._exit(0)
    link.close()
    os.close(status)
    for stream, number in ((given, 0), (out, 1), (err, 2)):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w", buffering=1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = [request["module"]]
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    os.close(ready_here)
    os.close(ready)
    return main


if __name__ == "__main__":
    work = serve(socket.socket(fileno=int(sys.argv[1])))
    if work is not None:
        work()
