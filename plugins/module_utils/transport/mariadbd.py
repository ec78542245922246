# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A MariaDB of our own that lives as long as we look at a customer's dump, and not a moment longer.

It answers on a Unix socket in a private folder, has no network, reads and writes no file outside of that folder, runs
no events and loads no plug-ins. Dumps are loaded by a user who may fill one database and nothing else, and read by one
who may only read.

A guardian (a few lines of shell, in a session of its own) starts it, and holds one end of a pipe whose other end is
ours: when we let go of it, or are killed in whatever way, it ends the server and removes the folder.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ..errors import DatabaseError, InputError, MigrationError, MissingProgramError
from .database import Database, DatabaseServer

#: The package that brings the server, as Debian and Red Hat name it.
PACKAGE = "mariadb-server"
#: The database that a dump is loaded into, whatever it was called.
NAME = "source"

_WHERE = ("/usr/sbin", "/usr/bin", "/usr/libexec", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin")
_SYSTEM_USER = "mysql"
_PATIENCE = 60.0  # seconds
_LONGEST_SOCKET = 100  # bytes: sun_path of unix(7) has 108
_LOADING = "SELECT, INSERT, CREATE, DROP, ALTER, INDEX, REFERENCES, LOCK TABLES"
_READING = "SELECT"

# $1 the folder, $2 the program that makes the system tables, $3 the server; the rest are options for both.
_GUARDIAN = r"""
folder=$1 install=$2 server=$3
shift 3
exec 3<&0 </dev/null
if "$install" --no-defaults "$@" --skip-test-db --auth-root-authentication-method=socket \
    "--auth-root-socket-user=$OWNER" >>"$folder/log" 2>&1; then
    # Its standard output is our owner's sign that it lives.
    "$server" --no-defaults "$@" 2>>"$folder/log" &
    child=$!
fi
exec >&-
cat <&3 >/dev/null
if [ -n "${child:-}" ]; then
    kill -KILL "$child"
    wait "$child"
fi
rm -rf -- "$folder"
"""


@dataclass(frozen=True)
class Programs:
    """Where the server is, and the program that makes its system tables."""

    server: str
    install: str


def find_programs() -> Programs:
    """MariaDB's programs on this machine. Raises MissingProgramError, which names the package."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *_WHERE])
    found = [shutil.which(name, path=path) for name in ("mariadbd", "mariadb-install-db")]
    for name, place in zip(("mariadbd", "mariadb-install-db"), found, strict=True):
        if place is None:
            message = f"the program {name} is not installed here; the package {PACKAGE} brings it"
            raise MissingProgramError(message, program=name)
    return Programs(str(found[0]), str(found[1]))


class ThrowAway:
    """The server. Use it as a context manager: it is gone, with all its data, when the block is left."""

    def __init__(self, workspace: Path | None = None) -> None:
        """Make its folder in ``workspace`` (by default the system's place for temporary files), start it and wait.

        Raises MissingProgramError, InputError for a workspace that can't be used, DatabaseError when it does not start.
        """
        programs = find_programs()
        owner = _owner()
        self.folder = _private_folder(workspace)
        self._socket = self.folder / "socket"
        self._guardian = _guard(self.folder, programs, owner)
        try:
            self._passwords = self._wait_until_ready()
        except BaseException:
            self.close()
            raise

    def loader(self) -> Database:
        """A session of the user who may fill the database."""
        return self._session("loader", read_only=False)

    def reader(self) -> Database:
        """A session of the user who may only read."""
        return self._session("reader", read_only=True)

    def close(self) -> None:
        """End it and remove its folder."""
        for stream in (self._guardian.stdin, self._guardian.stdout):
            if stream is not None:
                stream.close()
        self._guardian.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _session(self, user: str, *, read_only: bool) -> Database:
        server = DatabaseServer(
            "localhost", NAME, user, self._passwords[user], socket=str(self._socket), timeout=_STATEMENT_SECONDS + 30
        )
        return Database(server, read_only=read_only)

    def _wait_until_ready(self) -> dict[str, str]:
        """Wait for the first session, then make the database and its users; their passwords."""
        end = time.monotonic() + _PATIENCE
        while True:
            with contextlib.suppress(MigrationError), self._administrator() as session:
                return _make_users(session)
            if self._ended():
                raise DatabaseError(f"our own MariaDB did not start: {self._complaint()}", program="mariadbd")
            if time.monotonic() > end:
                message = f"our own MariaDB does not answer after {_PATIENCE:.0f} s: {self._complaint()}"
                raise DatabaseError(message, program="mariadbd")

    @contextlib.contextmanager
    def _administrator(self) -> Iterator[Database]:
        """A session of the operating system's user, who needs no password on the socket."""
        server = DatabaseServer("localhost", "mysql", _owner(), "", socket=str(self._socket), timeout=_PATIENCE)
        with Database(server, read_only=False) as session:
            yield session

    def _ended(self) -> bool:
        """Is nobody left who could write to the guardian's output? Waits a little, so that asking again is cheap."""
        output = self._guardian.stdout
        if output is None or not select.select([output], [], [], 0.05)[0]:
            return False
        return not output.read1(1024)  # type: ignore[attr-defined] # a pipe's reader is a BufferedReader

    def _complaint(self) -> str:
        try:
            lines = (self.folder / "log").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return "it has left no log"
        told = [line for line in lines if "[ERROR]" in line] or lines
        return " / ".join(line.strip() for line in told[-3:])


def _make_users(session: Database) -> dict[str, str]:
    passwords = {}
    session.execute(f"CREATE DATABASE {NAME} CHARACTER SET utf8mb4")
    for name, rights in (("loader", _LOADING), ("reader", _READING)):
        passwords[name] = secrets.token_urlsafe(24)
        session.execute(f"CREATE USER {name}@localhost IDENTIFIED BY %s", [passwords[name]])
        session.execute(f"GRANT {rights} ON {NAME}.* TO {name}@localhost")
    return passwords


def _private_folder(workspace: Path | None) -> Path:
    """A folder of mode 0700 that belongs to whom the server runs as."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="atmail-dump-", dir=workspace)).resolve()
    except OSError as error:
        raise InputError(f"no folder can be made in {workspace}: {error.strerror}", option="dump.workspace") from error
    if len(bytes(folder / "socket")) > _LONGEST_SOCKET:
        folder.rmdir()
        raise InputError(f"the path {folder.parent} is too long for a socket in it", option="dump.workspace")
    closed = _closed_to_server(folder)
    if closed is not None:
        folder.rmdir()
        raise InputError(
            f"the user {_SYSTEM_USER}, whom the server runs as, can't enter {closed}", option="dump.workspace"
        )
    for part in ("data", "tmp", "files", "plugins"):
        (folder / part).mkdir(mode=0o700)
        if _runs_as():
            shutil.chown(folder / part, _SYSTEM_USER)
    if _runs_as():
        shutil.chown(folder, _SYSTEM_USER)
    return folder


def _owner() -> str:
    """The operating system's user, who is the server's administrator. Raises InputError for one without a name."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise InputError(f"the user {os.geteuid()} has no name on this machine; MariaDB needs one") from None


def _closed_to_server(folder: Path) -> Path | None:
    """The first folder above ours that the server's user can't pass through, None when it can."""
    if not _runs_as():
        return None
    try:
        user = pwd.getpwnam(_SYSTEM_USER)
    except KeyError:
        raise MissingProgramError(f"there is no user {_SYSTEM_USER}; the package {PACKAGE} brings it") from None
    for parent in reversed(folder.parents):
        state = parent.stat()
        needed = 0o100 if state.st_uid == user.pw_uid else 0o010 if state.st_gid == user.pw_gid else 0o001
        if not state.st_mode & needed:
            return parent
    return None


def _runs_as() -> list[str]:
    """As root the server runs as its package's own user; as anybody else, as that user."""
    return [f"--user={_SYSTEM_USER}"] if os.geteuid() == 0 else []


def _guard(folder: Path, programs: Programs, owner: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 -- a fixed script; the rest are its arguments
        ["/bin/sh", "-c", _GUARDIAN, "guardian", str(folder), programs.install, programs.server, *_options(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL": "C.UTF-8",
            "OWNER": owner,
        },
        start_new_session=True,
    )


#: A statement of a dump, or a query of ours, may take so many seconds.
_STATEMENT_SECONDS = 600


def _options(folder: Path) -> Sequence[str]:
    return [
        *_runs_as(),
        f"--datadir={folder / 'data'}",
        f"--tmpdir={folder / 'tmp'}",
        f"--socket={folder / 'socket'}",
        f"--pid-file={folder / 'data' / 'pid'}",
        # Nothing from outside, nothing to outside.
        "--skip-networking",
        "--skip-name-resolve",
        "--skip-symbolic-links",
        "--skip-log-bin",
        "--event-scheduler=DISABLED",
        "--local-infile=0",
        f"--secure-file-priv={folder / 'files'}",
        f"--plugin-dir={folder / 'plugins'}",
        f"--max-statement-time={_STATEMENT_SECONDS}",
        # Small, and fast rather than safe: it never starts twice.
        "--performance-schema=0",
        "--innodb-data-file-path=ibdata1:2M:autoextend",
        "--innodb-log-file-size=16M",
        "--innodb-buffer-pool-size=32M",
        "--innodb-flush-method=nosync",
        "--innodb-flush-log-at-trx-commit=0",
        "--aria-pagecache-buffer-size=4M",
        "--key-buffer-size=4M",
        "--max-connections=8",
        "--max-allowed-packet=1G",
        # What an older server could hold has a place here; what has none must not be cut in silence.
        "--innodb-strict-mode=0",
        "--sql-mode=STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES",
        "--character-set-server=utf8mb4",
        "--lower-case-table-names=0",
    ]
