# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""MySQL and MariaDB: over a given channel, or directly with TLS.

Text comes back as the bytes that the server sends (UTF-8), so that nothing is lost in a wrong decoding; :func:`text`
makes strings of them. Values go in as parameters only; names of tables and columns go through :func:`quoted`.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeAlias

from ..errors import (
    AuthError,
    ConnectionLostError,
    DatabaseError,
    InputError,
    MigrationError,
    MissingColumnError,
    MissingLibraryError,
    MissingTableError,
    TimedOutError,
    TlsError,
)
from .ssh import Tunnel
from .tcp import connect, socket_error, tls_context

PYMYSQL_WANTED = "1.1"

# Server error numbers (mariadb.com/kb/en/mariadb-error-codes)
_WRONG_PASSWORD, _WRONG_DATABASE_USER = 1045, 1044
_UNKNOWN_CHARSET, _SYNTAX = 1115, 1064
_NO_TABLE, _NO_COLUMN = 1146, 1054
_LOST = (2006, 2013, 2014, 1927, 4031, 1053)
_NO_TLS = 2026
# Their texts hold names of tables, users and rights at most. Others may quote a value, which may be a secret.
_HARMLESS = (1040, 1049, 1129, 1130, 1142, 1143, 1203, 1205, 1213, 1227, 1290, 1698, 1792, 1820, 3118, 3159)

_NAME = re.compile(r"[A-Za-z0-9_$][A-Za-z0-9_$-]{0,63}")

Value: TypeAlias = "str | bytes | int | None"
Row = tuple[Any, ...]


@dataclass(frozen=True)
class DatabaseServer:
    """A database and who reads it. ``host`` is as the SSH server sees it when there is one; ``timeout`` in seconds.

    ``socket`` is the path of a Unix socket on this machine, which is taken instead of host and port.
    """

    host: str
    name: str
    user: str
    password: str = field(repr=False)
    port: int = 3306
    tls: bool | None = None
    ca_path: str | None = None
    timeout: float = 30
    socket: str | None = None

    @property
    def place(self) -> str:
        """Host, port and database for messages."""
        return self.name if self.socket else f"{self.host}:{self.port}/{self.name}"


def quoted(name: str) -> str:
    """``name`` as an identifier in backticks. Raises InputError for what is not a plain name."""
    if not _NAME.fullmatch(name):
        raise InputError(f"{name!r} is not a name for a table or a column", option="overrides")
    return f"`{name}`"


def text(value: Any) -> str | None:
    """A column's value as a string, None for NULL.

    Bytes are UTF-8 when they are valid UTF-8: also in a column declared as latin1 that a program filled with UTF-8.
    Otherwise they are what MySQL calls latin1: Windows-1252, and control characters where that has no letter.
    """
    if value is None:
        return None
    if not isinstance(value, bytes):
        return str(value)
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return "".join(_latin(byte) for byte in value)


def _latin(byte: int) -> str:
    try:
        return bytes((byte,)).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


class Database:
    """One session. Close it, or use it as a context manager."""

    def __init__(self, server: DatabaseServer, tunnel: Tunnel | None = None, *, read_only: bool) -> None:
        """Connect and log in, with UTF-8 (four-byte where the server has it).

        A read-only session refuses to write on the server's side too (MySQL 5.6, MariaDB 10.0 and later), and sees one
        consistent state of the tables that can do so. Raises the errors of :func:`tcp.connect` and
        :meth:`Tunnel.channel`, TlsError and its kinds, AuthError, DatabaseError, InputError, MissingLibraryError.
        """
        self._pymysql = _library()
        self._server = server
        use_tls = (tunnel is None and not server.socket) if server.tls is None else server.tls
        _refuse_plain_text(server, tunnel, use_tls)
        try:
            self._connection = self._connect(tunnel, use_tls, "utf8mb4")
        except self._pymysql.err.MySQLError as error:
            if error.args[:1] != (_UNKNOWN_CHARSET,):
                raise self._error(error) from error
            with self._errors():
                self._connection = self._connect(tunnel, use_tls, "utf8")
        self.enforced_read_only = read_only and self._set_read_only()

    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> Iterator[Row]:
        """The rows of a query one by one, as the server sends them: memory does not grow with their number.

        No other statement may run until the last row is read.
        """
        with self._errors(), self._connection.cursor(self._pymysql.cursors.SSCursor) as cursor:
            cursor.execute(sql, tuple(parameters))
            yield from cursor

    def all(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        """All rows of a query."""
        return list(self.rows(sql, parameters))

    def execute(self, sql: str, parameters: Sequence[Value] = ()) -> int:
        """Run one statement; the number of rows that it matched."""
        with self._errors(), self._connection.cursor() as cursor:
            return int(cursor.execute(sql, tuple(parameters)))

    def send(self, statement: bytes) -> None:
        """Run one statement as it stands in a file, in the session's character set."""
        with self._errors():
            self._connection.query(statement)

    def execute_many(self, sql: str, rows: Sequence[Sequence[Value]]) -> None:
        """Run one statement for every row; inserts of many rows travel together."""
        with self._errors(), self._connection.cursor() as cursor:
            cursor.executemany(sql, [tuple(row) for row in rows])

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is written at the end at once, or, after an exception, not at all."""
        with self._errors():
            self._connection.begin()
        try:
            yield
        except BaseException:
            with contextlib.suppress(self._pymysql.err.MySQLError, OSError):
                self._connection.rollback()
            raise
        with self._errors():
            self._connection.commit()

    def columns(self) -> dict[str, dict[str, str]]:
        """Table → column → character set (empty for what is not text), of all tables that our user may see."""
        found: dict[str, dict[str, str]] = {}
        for table, column, charset in self.rows(
            "SELECT TABLE_NAME, COLUMN_NAME, CHARACTER_SET_NAME FROM information_schema.COLUMNS"
            " WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME, ORDINAL_POSITION"
        ):
            found.setdefault(text(table) or "", {})[text(column) or ""] = text(charset) or ""
        return found

    def widths(self) -> dict[str, dict[str, int]]:
        """Table → column → how many characters it holds, of the columns that hold text."""
        found: dict[str, dict[str, int]] = {}
        for table, column, width in self.rows(
            "SELECT TABLE_NAME, COLUMN_NAME, CHARACTER_MAXIMUM_LENGTH FROM information_schema.COLUMNS"
            " WHERE TABLE_SCHEMA = DATABASE() AND CHARACTER_MAXIMUM_LENGTH IS NOT NULL"
        ):
            found.setdefault(text(table) or "", {})[text(column) or ""] = int(text(width) or 0)
        return found

    def refresh(self) -> None:
        """See the database as it is now: a session that may only read sees it as it was at its beginning."""
        self.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")

    def version(self) -> str:
        """The server's own word for its version."""
        return text(self.all("SELECT VERSION()")[0][0]) or ""

    def close(self) -> None:
        """End the session; what was not committed is not written."""
        with contextlib.suppress(self._pymysql.err.MySQLError, OSError):
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _connect(self, tunnel: Tunnel | None, use_tls: bool, charset: str) -> Any:
        server = self._server
        encryption: dict[str, Any] = {"ssl": tls_context(server.ca_path)} if use_tls else {"ssl_disabled": True}
        connection = self._pymysql.connections.Connection(
            host=server.host,
            port=server.port,
            user=server.user,
            password=server.password.encode(),
            database=server.name,
            charset=charset,
            use_unicode=False,
            read_timeout=server.timeout,
            write_timeout=server.timeout,
            autocommit=True,
            client_flag=self._pymysql.constants.CLIENT.FOUND_ROWS,
            defer_connect=True,
            **encryption,
        )
        # PyMySQL's own sockets would know nothing of our errors, and nothing of SSH channels.
        sock: Any = _reached(server, tunnel)
        try:
            connection.connect(sock)
        except BaseException:
            sock.close()
            raise
        return connection

    def _set_read_only(self) -> bool:
        """False when the server is too old to enforce it; we send no writing statement anyway."""
        try:
            self.execute("SET SESSION TRANSACTION READ ONLY")
        except DatabaseError as error:
            if error.where.get("code") != _SYNTAX:
                raise
            return False
        self.refresh()
        return True

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except self._pymysql.err.Error as error:
            raise self._error(error) from error
        except (OSError, EOFError) as error:
            raise socket_error(error, self._server.host, self._server.port) from error

    def _error(self, error: Exception) -> MigrationError:
        server = self._server
        original = getattr(error, "original_exception", None)
        if original is not None:
            return socket_error(original, server.host, server.port)
        code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
        message = str(error.args[1]) if len(error.args) > 1 else ""
        if code in (_WRONG_PASSWORD, _WRONG_DATABASE_USER):
            what = f"the database {server.name}" if code == _WRONG_DATABASE_USER else "a session"
            return AuthError(f"the database server refused user {server.user} {what}", server=server.place)
        if code in (_NO_TABLE, _NO_COLUMN):
            return _missing(code, message, server.place)
        if code in _LOST or (code == 0 and not message):
            return self._lost(message)
        if code == _NO_TLS:
            return TlsError("the database server speaks no TLS", server=server.place)
        said = message if code in _HARMLESS else _error_name(self._pymysql, code)
        return DatabaseError(f"the database refused: {said}", server=server.place, code=code)

    def _lost(self, message: str) -> MigrationError:
        if "timed out" in message:
            return TimedOutError("no answer within the time limit", server=self._server.place)
        return ConnectionLostError("the database closed the connection", server=self._server.place)


def _reached(server: DatabaseServer, tunnel: Tunnel | None) -> Any:
    """A connected socket, or an SSH channel, which is used like one."""
    if tunnel is not None:
        return tunnel.channel(server.host, server.port)
    if server.socket is None:
        return connect(server.host, server.port, server.timeout)
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(server.timeout)
    try:
        sock.connect(server.socket)
    except OSError as error:
        sock.close()
        raise socket_error(error, server.socket, 0) from error
    return sock


def _missing(code: int, message: str, place: str) -> MigrationError:
    """The name is quoted in the message: ``Table 'db.name' doesn't exist``, ``Unknown column 'name' in …``."""
    match = re.search(r"'([^']*)'", message)
    name = match.group(1).rpartition(".")[2] if match else ""
    if code == _NO_TABLE:
        return MissingTableError(f"there is no table {name}", server=place, table=name)
    return MissingColumnError(f"there is no column {name}", server=place, column=name)


def _error_name(pymysql: Any, code: int) -> str:
    for group in (pymysql.constants.ER, pymysql.constants.CR):
        for name, number in vars(group).items():
            if number == code and name.isupper():
                return f"{name} ({code})"
    return f"error {code}"


def _refuse_plain_text(server: DatabaseServer, tunnel: Tunnel | None, use_tls: bool) -> None:
    """Plain text travels inside an SSH tunnel or on the loopback, nowhere else (H08)."""
    if use_tls and tunnel is not None:
        raise InputError("TLS inside an SSH tunnel is not done: the tunnel encrypts already", option="database.tls")
    if use_tls or tunnel is not None or _is_loopback(server.host):
        return
    raise InputError("a database that is not on this machine is reached with TLS or through SSH", option="database.tls")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _library() -> Any:
    try:
        import pymysql
        import pymysql.connections
        import pymysql.constants.CLIENT
        import pymysql.constants.CR
        import pymysql.constants.ER
        import pymysql.cursors
    except ImportError as error:
        raise MissingLibraryError(
            f"the Python library PyMySQL (>= {PYMYSQL_WANTED}) is missing: {error}", library="pymysql"
        ) from error
    return pymysql
