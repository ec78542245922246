# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""GnuPG's home: the operator's keyring folder, or a throw-away one that holds given key files.

Nothing of ours stays: a throw-away home is in memory where the system has such a place (``/dev/shm``), and an agent
that was started for us is ended. Passphrases go through a pipe (``--passphrase-fd``), never as an argument.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InputError, MissingLibraryError, PgpError, PgpKeyError

GNUPG_WANTED = "0.5.2"

#: The longest path of a home: the agent's sockets are in it, and their paths have 107 characters at most (unix(7)).
_LONGEST_HOME = 80
#: No file of the operator's (``gpg.conf``) decides for us, no key server is asked, nobody is asked for a passphrase.
_OPTIONS = (
    "--no-options",
    "--no-auto-key-locate",
    "--no-auto-key-retrieve",
    "--no-encrypt-to",
    "--no-auto-check-trustdb",
    "--pinentry-mode",
    "loopback",
)
_MAX_KEY_FILE = 4 * 1024 * 1024
_PATIENCE = 10.0


@dataclass(frozen=True)
class PgpKeys:
    """The keys to use: a keyring folder, or key files that are put into a throw-away home; a passphrase for them."""

    keyring: str | None = None
    key_files: tuple[str, ...] = ()
    passphrase: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Status:
    """What GnuPG said on its status channel (doc/DETAILS of GnuPG): keywords with their arguments."""

    lines: tuple[tuple[str, str], ...]

    def has(self, *keywords: str) -> bool:
        """Is one of the keywords among them?"""
        return any(keyword in keywords for keyword, _rest in self.lines)

    def values(self, keyword: str) -> list[str]:
        """The arguments of every line with this keyword."""
        return [rest for found, rest in self.lines if found == keyword]


def status_of(result: Any) -> Status:
    """The status lines in a result of python-gnupg."""
    found = re.findall(r"^\[GNUPG:\] (\S+) ?(.*)$", result.stderr or "", re.MULTILINE)
    return Status(tuple((keyword, rest.rstrip("\r")) for keyword, rest in found))


@contextlib.contextmanager
def gnupg_home(keys: PgpKeys) -> Iterator[Any]:
    """GnuPG with these keys, for as long as the context lasts.

    Raises InputError (folder or file can't be read), PgpKeyError (a file without a key), PgpError, MissingLibraryError.
    """
    library = _library()
    if keys.passphrase is not None and re.search(r"[\n\r\0]", keys.passphrase):
        raise InputError("a passphrase has no line end and no NUL", option="pgp.passphrase")
    if keys.keyring and keys.key_files:
        raise InputError("give a keyring folder or key files, not both", option="pgp.keyring")
    with _operators_home(keys.keyring) if keys.keyring else _throw_away_home() as home:
        gpg = _open(library, home)
        try:
            for file in keys.key_files:
                import_file(gpg, file)
            yield gpg
        finally:
            gpg.on_data = None


def import_file(gpg: Any, file: str) -> list[str]:
    """Put a file's keys into the home; the fingerprints of its primary keys. Raises InputError, PgpKeyError."""
    path = Path(file).expanduser()
    try:
        with path.open("rb") as stream:
            content = stream.read(_MAX_KEY_FILE + 1)
    except OSError as error:
        raise InputError(f"the key file {path} cannot be read: {error.strerror}", option="key_file") from error
    if len(content) > _MAX_KEY_FILE:
        raise PgpKeyError(f"{path} is no key file: it has more than {_MAX_KEY_FILE} bytes", key_file=str(path))
    result = gpg.import_keys(content)
    found = list(dict.fromkeys(fingerprint for fingerprint in result.fingerprints if fingerprint))
    if not found:
        raise PgpKeyError(f"there is no PGP key in {path}, or it is damaged", key_file=str(path))
    return found


@contextlib.contextmanager
def _throw_away_home() -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix="atmail-pgp-", dir=_short_place()))
    try:
        yield home
    finally:
        _end_agent(home)
        _remove(home)


@contextlib.contextmanager
def _operators_home(keyring: str) -> Iterator[Path]:
    """The operator's folder. One of us at a time, so that nobody ends an agent that another run has started."""
    home = Path(keyring).expanduser().absolute()
    try:
        handle = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise InputError(f"the keyring folder {home} cannot be read: {error.strerror}", option="pgp.keyring") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        running = _agent_runs(home)
        try:
            yield home
        finally:
            if not running:
                _end_agent(home)
    finally:
        os.close(handle)


def _open(library: Any, home: Path) -> Any:
    program = shutil.which("gpg")
    if program is None:
        raise PgpError(
            "the program gpg is not there",
            safe_next="Install GnuPG (Debian: gnupg) where the task runs, then run again; nothing has been changed.",
        )
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    try:
        gpg = library.GPG(program, gnupghome=str(home), options=list(_OPTIONS), env=environment)
    except (OSError, ValueError) as error:
        raise PgpError(f"gpg does not start: {type(error).__name__}") from error
    gpg.encoding = "utf-8"
    gpg.decode_errors = "replace"
    return gpg


def _short_place() -> str | None:
    """Where a throw-away home goes: in memory if possible, else in the usual place unless its path is too long."""
    memory = Path("/dev/shm")  # noqa: S108 -- the home in it is made by mkdtemp, for its owner alone
    if memory.is_dir() and os.access(memory, os.W_OK | os.X_OK):
        return str(memory)
    return "/tmp" if len(tempfile.gettempdir()) > _LONGEST_HOME else None  # noqa: S108 -- likewise


def _agent_runs(home: Path) -> bool:
    return _tell(["gpg-connect-agent", "--no-autostart", "--homedir", str(home), "GETINFO pid", "/bye"]).startswith(
        "D "
    )


def _end_agent(home: Path) -> None:
    _tell(["gpgconf", "--homedir", str(home), "--kill", "gpg-agent"])
    end = time.monotonic() + _PATIENCE
    while (home / "S.gpg-agent").exists() and time.monotonic() < end:
        time.sleep(0.02)


def _tell(command: Sequence[str]) -> str:
    """Run one of GnuPG's helpers; what it says. One that is not there, or does not answer, says nothing."""
    try:
        done = subprocess.run(command, capture_output=True, timeout=_PATIENCE, check=False)  # noqa: S603 -- no shell
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace")


def _remove(home: Path) -> None:
    """Remove the folder, while an agent that is ending removes its own files from it."""
    for _attempt in range(20):
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(home)
        if not home.exists():
            return


def _library() -> Any:
    try:
        import gnupg
    except ImportError as error:
        raise MissingLibraryError(
            f"the Python library python-gnupg (>= {GNUPG_WANTED}) is missing: {error}", library="python-gnupg"
        ) from error
    if not hasattr(gnupg.GPG, "is_valid_passphrase"):
        raise MissingLibraryError(
            f"python-gnupg (>= {GNUPG_WANTED}) is wanted; found {gnupg.__version__} in {gnupg.__file__}",
            library="python-gnupg",
        )
    # Its own log would hold pieces of what is decrypted.
    logging.getLogger("gnupg").disabled = True
    return gnupg
