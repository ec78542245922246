# SPDX-License-Identifier: GPL-3.0-or-later
"""Exim: the MX of a region, which routes by the cloud's tables, its server for users' own mail, and the outside world.

It conflicts with every other mail server, so its package is unpacked, not installed, and it runs with no privileges:
as the owner of the cloud's mail, or as the ordinary user whose lab it is. Deliveries are made at once or not at all;
there is no queue runner.
"""

from __future__ import annotations

import email
import email.policy
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from .errors import LabError
from .server import Server, write_private
from .tls import Certificate
from .unpacked import environment, unpacked

_PACKAGE = "exim4-daemon-heavy"
#: Debian's program asks for its own user before it reads its configuration; this library answers.
_NAMES = "libnss-wrapper"
_USERS = """\
Debian-exim:x:{other}:{other}:not used:/nonexistent:/bin/false
mail:x:{uid}:{gid}:the lab's mail:/nonexistent:/bin/false
"""
_GROUPS = "Debian-exim:x:{other}:\nmail:x:{gid}:\n"
#: Any that is not ours: Exim counts what its own user does as an attempt to get privileges.
_OTHER = 65000


@dataclass(frozen=True)
class EximSetup:
    """`kind` is mx, submission or outside and chooses the template; `owner` is whom it runs as; `values` is what that
    asks for; with a `certificate` it speaks TLS at once on `values["tls_port"]`.
    """

    kind: str
    port: int
    host_name: str
    owner: tuple[int, int]
    values: Mapping[str, object]
    certificate: Certificate | None = None


@dataclass(frozen=True)
class Arrived:
    """A message that has left the cloud: whom it was for, its envelope's sender (empty for a bounce), and itself."""

    recipient: str
    sender: str
    message: EmailMessage


class Exim(Server):
    """SMTP on a port of loopback, in clear text."""

    def __init__(self, name: str, folder: Path, setup: EximSetup) -> None:
        super().__init__(name, folder)
        self.setup = setup
        self.configuration = folder / "exim.conf"
        self.mail = folder / "mail"
        self._program = folder / "program"
        self._spool = folder / "spool"
        self._logs = folder / "log"

    def listens_on(self) -> Sequence[int]:
        tls_port = self.setup.values.get("tls_port")
        return [self.setup.port, tls_port] if isinstance(tls_port, int) else [self.setup.port]

    def command(self) -> Sequence[str]:
        uid, gid = self.setup.owner
        drop = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--"] if os.geteuid() == 0 else []
        return [*drop, str(self._program / "exim"), "-C", str(self.configuration), "-bdf"]

    def environment(self) -> dict[str, str]:
        return {
            **super().environment(),
            "LD_LIBRARY_PATH": str(self._program),
            "LD_PRELOAD": str(self._program / "libnss_wrapper.so"),
            "NSS_WRAPPER_PASSWD": str(self._program / "users"),
            "NSS_WRAPPER_GROUP": str(self._program / "groups"),
        }

    def prepare(self) -> None:
        uid, gid = self.setup.owner
        self._copy_program()
        names = {"uid": uid, "gid": gid, "other": _OTHER}
        write_private(self._program / "users", _USERS.format(**names), 0o644)
        write_private(self._program / "groups", _GROUPS.format(**names), 0o644)
        self.render(
            f"exim-{self.setup.kind}.conf.j2",
            self.configuration,
            0o600,
            name=self.name,
            folder=self.folder,
            program=self._program / "exim",
            port=self.setup.port,
            host_name=self.setup.host_name,
            uid=uid,
            gid=gid,
            **self.setup.values,
        )
        for path in (self._spool, self._logs, self.mail):
            path.mkdir(exist_ok=True)
        for path in (self._spool, self._logs, self.mail, self.configuration, *self._copy_certificate()):
            if os.geteuid() == 0:
                os.chown(path, uid, gid)

    def greets(self) -> bool:
        """Whether SMTP is spoken."""
        try:
            with socket.create_connection(("127.0.0.1", self.setup.port), timeout=5.0) as connection:
                return connection.recv(512).startswith(b"220 ")
        except OSError:
            return False

    def settle(self, seconds: float = 30.0) -> None:
        """Wait until everything that was taken has been delivered or given up. Raises LabError after `seconds`."""
        end = time.monotonic() + seconds
        while waiting := self._queue():
            if time.monotonic() > end:
                raise LabError(f"{self.name}: {', '.join(waiting)} not delivered:\n{self.said()}")
            time.sleep(0.02)

    def said(self) -> str:
        """Its own logs: what became of each message, what was refused, what went wrong."""
        return "".join(path.read_text(errors="replace") for path in sorted(self._logs.glob("*log")))

    def arrived(self) -> list[Arrived]:
        """All that the outside has got, oldest first."""
        found = []
        for path in sorted((self.mail / "new").glob("*"), key=lambda path: path.stat().st_mtime_ns):
            message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            assert isinstance(message, EmailMessage)
            found.append(Arrived(message["Envelope-to"], message["Return-path"].strip("<>"), message))
        return found

    def forget(self) -> None:
        """Throw away all that the outside has got."""
        shutil.rmtree(self.mail / "new", ignore_errors=True)

    def _queue(self) -> list[str]:
        """Messages that it has taken and not done with: those with a header file, and those whose data is there."""
        place = self._spool / "input"
        return sorted({path.name[:-2] for path in place.iterdir()}) if place.exists() else []

    def _copy_certificate(self) -> list[Path]:
        """Files of its own: it has no right to read other users' keys."""
        if self.setup.certificate is None:
            return []
        copies = [self.folder / "tls.pem", self.folder / "tls.key"]
        for copy, path in zip(copies, (self.setup.certificate.certificate, self.setup.certificate.key), strict=True):
            write_private(copy, path.read_text())
        return copies

    def _copy_program(self) -> None:
        """Put the program and its libraries where its user can read them, without the rights that its package gives."""
        if (self._program / "exim").exists():
            return
        half = self._program.with_name("program.new")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir()
        place, names = unpacked(_PACKAGE, _PACKAGE), unpacked(_NAMES, alone=True)
        libraries = [
            file
            for folder in environment(place)["LD_LIBRARY_PATH"].split(":")
            if folder
            for file in Path(folder).glob("*.so*")
        ]
        # By a program of its own: what is open for writing here is so in every server that another thread starts now,
        # and then the kernel runs it not ("text file busy").
        files = [place / "usr/sbin/exim4", *libraries, *names.glob("usr/lib/*/libnss_wrapper.so")]
        subprocess.run(["/bin/cp", "--no-preserve=all", "--", *map(str, files), str(half)], check=True)
        program = half / "exim"
        (half / "exim4").rename(program)
        program.chmod(0o755)
        half.rename(self._program)
