# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""HAProxy's runtime API, as far as certificates go (HAProxy management guide, 9.3; HAProxy 2.4 and later).

A certificate is replaced in the running process: connections that are there keep what they were opened with, new ones
get the new one. HAProxy has one transaction for all certificates, and takes a ``set`` for another certificate as one
for that which is open; so what it answers is looked at for the name.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import BalancerBusyError, BalancerError, ConnectError, TimedOutError
from ..findings import shown

#: Bytes of a command with what comes with it: ``tune.bufsize`` by default.
BUFFER = 16384
_LINE = re.compile(r"(?P<file>\S+?):(?P<line>\d+)(?:\s+\[(?P<options>[^\]]*)\])?\s*(?P<names>.*)")


@dataclass(frozen=True)
class Loaded:
    """A certificate in the running process; ``sha1`` of the certificate in upper case, empty when there is none."""

    sha1: str
    intermediates: int
    names: tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """A line of the list of certificates as the process has it."""

    file: str
    line: int
    names: tuple[str, ...]


class Runtime:
    """The API on a UNIX socket; a connection for each command. ``timeout`` is in seconds."""

    def __init__(self, path: str, timeout: float = 10.0) -> None:
        self.path = path
        self._timeout = timeout

    def files(self) -> list[str]:
        """The files of all certificates."""
        return [line for line in self._lines("show ssl cert") if not line.startswith("*")]

    def underway(self) -> str:
        """The file of the certificate that somebody has set and not committed, or nothing."""
        return next((line[1:] for line in self._lines("show ssl cert") if line.startswith("*")), "")

    def loaded(self, file: str) -> Loaded | None:
        """The certificate of a file; None when the process does not know the file."""
        if file not in self.files():
            return None
        said = self._ask(f"show ssl cert {file}")
        values = dict(line.partition(": ")[::2] for line in said.splitlines())
        intermediates = sum(line.startswith("Chain Subject:") for line in said.splitlines())
        alternative = values.get("Subject Alternative Name", "").split(",")
        names = tuple(each.strip()[4:].lower() for each in alternative if each.strip().startswith("DNS:"))
        return Loaded(values.get("SHA1 FingerPrint", "").strip().upper(), intermediates, names)

    def lists(self) -> list[str]:
        """The files of all lists of certificates."""
        return self._lines("show ssl crt-list")

    def entries(self, crt_list: str) -> list[Entry]:
        """The lines of a list."""
        found = []
        for line in self._lines(f"show ssl crt-list -n {crt_list}"):
            match = _LINE.fullmatch(line)
            if match:
                found.append(Entry(match["file"], int(match["line"]), tuple(match["names"].lower().split())))
        return found

    def new(self, file: str) -> None:
        """Make room for a certificate that the process does not know yet."""
        self._do(f"new ssl cert {file}", "New empty certificate store")

    def set(self, file: str, content: bytes) -> None:
        """Open a transaction with a new content. Raises BalancerBusyError when another one was open."""
        command = f"set ssl cert {file} <<\n".encode() + content.rstrip() + b"\n\n"
        if len(command) >= BUFFER:
            said = f"the bundle is too large for HAProxy's runtime API: {len(command)} bytes of {BUFFER}"
            raise BalancerError(said, safe_next="Ask for a shorter chain or an EC key; nothing has been changed.")
        said = self._send(command)
        if f" for certificate {file}!" in said and "Transaction " in said:
            return
        other = re.search(r"Transaction \w+ for certificate (\S+)!", said)
        if other:
            # What it holds now would be the wrong key for that certificate.
            self.abort(other[1])
            raise BalancerBusyError(f"somebody else is replacing {other[1]}, which had to be given up")
        raise BalancerError(f"HAProxy does not take the certificate: {_brief(said)}")

    def commit(self, file: str) -> None:
        """Let new connections have the new content."""
        self._do(f"commit ssl cert {file}", "Success!")

    def abort(self, file: str) -> None:
        """Give a transaction up; nothing happens when there is none."""
        self._ask(f"abort ssl cert {file}")

    def add_entry(self, crt_list: str, file: str, names: Sequence[str]) -> None:
        """Let names have a certificate that is known."""
        command = f"add ssl crt-list {crt_list} <<\n{file} {' '.join(names)}\n\n".encode()
        if len(command) >= BUFFER:
            raise BalancerError(f"{len(names)} names are too many for one line of HAProxy's list")
        said = self._send(command)
        if "Success!" not in said:
            raise BalancerError(f"HAProxy does not add {file} to {crt_list}: {_brief(said)}")

    def remove_entry(self, crt_list: str, entry: Entry) -> None:
        """Take a line away; names that no other line has get the first certificate."""
        self._do(f"del ssl crt-list {crt_list} {entry.file}:{entry.line}", "deleted in crtlist")

    def remove(self, file: str) -> None:
        """Forget a certificate that no line has."""
        self._do(f"del ssl cert {file}", "deleted!")

    def _do(self, command: str, success: str) -> None:
        said = self._ask(command)
        if success not in said:
            raise BalancerError(f"HAProxy does not carry out {command!r}: {_brief(said)}")

    def _lines(self, command: str) -> list[str]:
        return [line for line in self._ask(command).splitlines() if line and not line.startswith("#")]

    def _ask(self, command: str) -> str:
        said = self._send(command.encode() + b"\n")
        if "Permission denied" in said:
            step = "Give the socket the level admin in HAProxy's configuration (stats socket … level admin)."
            raise BalancerError("HAProxy's socket does not allow to change certificates", safe_next=step)
        return said

    def _send(self, command: bytes) -> str:
        """What is answered. Errors never hold what was sent: it may be a key."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(self._timeout)
                connection.connect(self.path)
                connection.sendall(command)
                return b"".join(iter(lambda: connection.recv(65536), b"")).decode(errors="replace")
        except TimeoutError as error:
            raise TimedOutError(f"HAProxy does not answer within {self._timeout:.0f} s", socket=self.path) from error
        except OSError as error:
            said = f"HAProxy's socket can't be reached: {error.strerror or type(error).__name__}"
            step = "Check that HAProxy runs, the socket's path, and who may use it; nothing has been changed."
            raise ConnectError(said, socket=self.path, safe_next=step) from error


def socket_fault(path: str) -> str | None:
    """Why a path can't be a UNIX socket's, or None (unix(7))."""
    return "it is longer than 107 bytes" if len(str(Path(path)).encode()) > 107 else None


def _brief(said: str) -> str:
    return shown("; ".join(line for line in said.splitlines() if line.strip())) or "it says nothing"
