# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Connections to servers of which nothing is known: one time limit for all of a talk, and a bound on what is read."""

from __future__ import annotations

import contextlib
import os
import queue
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from ...errors import ConnectionLostError, ProtocolError, TimedOutError, UnknownHostError
from ...transport.tcp import in_turn
from .flight import Reply, read_flight
from .hello import RANDOM_BYTES, client_hello

#: Bytes of a line, and of everything that is read in a talk.
MAX_LINE = 16 * 1024
MAX_READ = 256 * 1024
#: Addresses of one name that are looked at.
MAX_ADDRESSES = 8
_CHUNK = 16 * 1024


class Talk:
    """A connection; whatever it does has to be done at ``end`` (of the monotonic clock).

    Raises ConnectionLostError, TimedOutError and ProtocolError. TLS is fed by hand: OpenSSL itself reads on as long as
    something comes, whatever time limit the socket has.
    """

    def __init__(self, connected: socket.socket, end: float) -> None:
        self._socket = connected
        self._end = end
        self._read = 0
        self._buffer = b""
        self._tls: ssl.SSLObject | None = None
        self._coming, self._going = ssl.MemoryBIO(), ssl.MemoryBIO()

    @classmethod
    def to(cls, address: str, port: int, timeout: float) -> Self:
        """A connection to there, with ``timeout`` seconds for all of it. Raises OSError."""
        end = time.monotonic() + timeout
        return cls(socket.create_connection((address, port), timeout), end)

    @property
    def own_address(self) -> str:
        """Our end of the connection as SMTP writes an address (RFC 5321 section 4.1.3)."""
        name = self._socket.getsockname()
        address = str(name[0]) if isinstance(name, tuple) else "127.0.0.1"
        return f"[IPv6:{address}]" if ":" in address else f"[{address}]"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._socket.close()

    def encrypt(self, context: ssl.SSLContext, name: str) -> bytes:
        """Go on in TLS; gives back the server's certificate (DER). Raises ssl.SSLError, too."""
        secure = context.wrap_bio(self._coming, self._going, server_hostname=name)
        while True:
            try:
                secure.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._feed()
            else:
                break
        self._flush()
        self._tls = secure
        return secure.getpeercert(binary_form=True) or b""

    def send(self, data: bytes) -> None:
        """Send all of it."""
        if self._tls is None:
            self._send(data)
            return
        try:
            self._tls.write(data)
        except ssl.SSLError as error:
            raise ConnectionLostError("the server ended the TLS connection") from error
        self._flush()

    def more(self) -> bytes:
        """What comes next; empty at the end of the connection."""
        if self._tls is None:
            return self._receive()
        while True:
            try:
                return self._tls.read(_CHUNK)
            except ssl.SSLWantReadError:
                self._flush()
                self._feed()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""
            except ssl.SSLError as error:
                raise ConnectionLostError("the server ended the TLS connection") from error

    def _feed(self) -> None:
        """Give TLS what comes next."""
        data = self._receive()
        if data:
            self._coming.write(data)
        else:
            self._coming.write_eof()

    def _flush(self) -> None:
        """Send what TLS has to say."""
        data = self._going.read()
        if data:
            self._send(data)

    def _send(self, data: bytes) -> None:
        try:
            self._socket.settimeout(self._left())
            self._socket.sendall(data)
        except OSError as error:
            raise _lost(error) from error

    def _receive(self) -> bytes:
        try:
            self._socket.settimeout(self._left())
            data = self._socket.recv(_CHUNK)
        except OSError as error:
            raise _lost(error) from error
        self._read += len(data)
        if self._read > MAX_READ:
            raise ProtocolError(f"the server said more than {MAX_READ} bytes")
        return data

    def line(self) -> bytes:
        """The next line, without its end (CRLF, or a bare LF as some have it)."""
        while b"\n" not in self._buffer:
            if len(self._buffer) > MAX_LINE:
                raise ProtocolError(f"the server said {self._buffer[:40]!r} and no end of a line")
            data = self.more()
            if not data:
                said = f" after {self._buffer[:40]!r}" if self._buffer else ""
                raise ConnectionLostError(f"the server closed the connection{said}")
            self._buffer += data
        line, _end, self._buffer = self._buffer.partition(b"\n")
        return line.removesuffix(b"\r")

    def ask(self, command: str) -> bytes:
        """Send a command and give back the next line."""
        self.send(command.encode() + b"\r\n")
        return self.line()

    def _left(self) -> float:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def _lost(error: OSError) -> TimedOutError | ConnectionLostError:
    if isinstance(error, TimeoutError):
        return TimedOutError("no answer within the time limit")
    return ConnectionLostError("the server closed the connection")


def addresses(name: str, timeout: float) -> list[str]:
    """The name's addresses as the system's resolver has them, each family's in turn, at most :data:`MAX_ADDRESSES`.

    :raises UnknownHostError: there are none.
    :raises TimedOutError: the resolver does not answer in ``timeout`` seconds; it is left to itself.
    """
    answers: queue.Queue[list[tuple[int, str]] | OSError | UnicodeError] = queue.Queue()

    def look() -> None:
        try:
            found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
            answers.put([(family, str(address[0])) for family, _type, _protocol, _name, address in found])
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=look, daemon=True, name=f"resolver {name[:40]}").start()
    try:
        found = answers.get(timeout=timeout)
    except queue.Empty:
        raise TimedOutError(f"the resolver does not say what {name} is within the time limit") from None
    if isinstance(found, OSError | UnicodeError) or not found:
        raise UnknownHostError(f"the host name {name} does not resolve")
    return [address for _family, address in in_turn(found)][:MAX_ADDRESSES]


def out_of_reach(address: str) -> bool:
    """Whether this machine has no way to such an address at all (no IPv6, say). Nothing is sent."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))
    except OSError:
        return True
    return False


def try_port(address: str, port: int, timeout: float) -> tuple[str, str]:
    """A verdict (open, closed, silent or unreachable) and what was seen."""
    try:
        with Talk.to(address, port, timeout):
            return "open", ""
    except ConnectionRefusedError:
        return "closed", "refused"
    except TimeoutError:
        return "silent", "no answer within the time limit"
    except ConnectionError:
        return "closed", "reset"
    except OSError as error:
        return "unreachable", os.strerror(error.errno) if error.errno else str(error)


def try_version(address: str, port: int, check: str, name: str, timeout: float) -> Reply:
    """Whether the server takes a version of TLS (a name of :data:`hello.VERSIONS`), and the chain it shows."""
    data = b""
    try:
        with Talk.to(address, port, timeout) as talk:
            talk.send(client_hello(check, name, os.urandom(RANDOM_BYTES)))
            while True:
                more = talk.more()
                data += more
                reply = read_flight(data, check, ended=not more)
                if reply:
                    return reply
    except ConnectionLostError:
        return read_flight(data, check, ended=True) or Reply("unclear")
    except (TimedOutError, TimeoutError):
        return Reply("silent", "no answer within the time limit")
    except (ProtocolError, OSError) as error:
        return Reply("unclear", str(error))


def words(lines: Sequence[bytes] | bytes, most: int = 160) -> str:
    """What a server said, for a table: no more than so many characters of it."""
    text = lines if isinstance(lines, bytes) else b" / ".join(lines)
    shown = text[: most * 4].decode("utf-8", "replace")
    return shown if len(shown) <= most else shown[: most - 1] + "…"
