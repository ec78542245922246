# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The signer's folder: one folder for each domain with its keys and what is remembered of them, and the two tables.

``<folder>/<domain>/<selector>.key`` is for the signer's user alone (0600); ``<folder>/<domain>/state.json`` and the
tables hold nothing secret. Whoever changes anything holds ``<folder>/.lock``.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import DkimError, DkimKeyError, InputError
from ..private_file import write_file
from .keys import PublicKey, SigningKey, read_key
from .plan import Key
from .tables import LAYOUTS, Backend, Layout, signing_selectors

_FORMAT = 1
_STATE = "state.json"
_ENDING = ".key"
#: What mkstemp puts at the end of a name.
_RANDOM = "?" * 8
_PRIVATE = 0o600
_PUBLIC = 0o644
_PASSAGE = 0o711
#: Tables by hand may hold anything: what is no UTF-8 comes through as it is.
_ANYTHING = {"encoding": "utf-8", "errors": "surrogateescape"}


@dataclass(frozen=True)
class Place:
    """Where a signer's keys and tables are. ``owner`` is the uid and gid of the user that it runs as."""

    folder: Path
    backend: Backend
    signing_table: Path
    key_table: Path
    owner: tuple[int, int] | None

    @property
    def layout(self) -> Layout:
        """How its tables are written."""
        return LAYOUTS[self.backend]

    def domain(self, domain: str) -> Path:
        """The folder of a domain's keys."""
        return self.folder / domain

    def key_file(self, domain: str, selector: str) -> Path:
        """The file of a key."""
        return self.domain(domain) / f"{selector}{_ENDING}"


@contextmanager
def locked(place: Place) -> Iterator[None]:
    """Nobody else changes anything of this signer meanwhile; its folder is made. Raises InputError."""
    try:
        if not place.folder.exists():
            place.folder.mkdir(parents=True)
            # whatever the umask: the signer's user has to find its tables
            place.folder.chmod(0o755)
        handle = os.open(place.folder / ".lock", os.O_RDWR | os.O_CREAT, _PRIVATE)
    except OSError as error:
        raise InputError(f"{place.folder} cannot be used: {error.strerror}", option="directory") from error
    with os.fdopen(handle) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def table_text(path: Path) -> str:
    """A table as it stands; a missing one is empty. Raises InputError."""
    try:
        return path.read_bytes().decode(**_ANYTHING)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", option="directory") from error


def write_table(path: Path, text: str) -> None:
    """Put a table in place at once, readable by the signer all the time, with the owner and mode that it had."""
    path = path.resolve()
    mode, owner = _PUBLIC, None
    if path.exists():
        found = path.stat()
        mode, owner = stat.S_IMODE(found.st_mode), (found.st_uid, found.st_gid)
    write_file(path, text.encode(**_ANYTHING), option="directory", mode=mode, owner=owner)


def read_keys(place: Place, domain: str, now: int) -> list[Key]:
    """All keys of a domain: what is remembered, what files there are, and what the signing table says.

    The table has the last word on who signs. A file that nobody remembers is a prepared key. Times that nobody
    remembers, since a run was killed before it wrote them, are ``now``: an overlap is rather too long than too short.
    Raises DkimError for a memory that can't be read, and InputError.
    """
    found = {key.selector: key for key in _remembered(place.domain(domain) / _STATE)}
    signing = signing_selectors(table_text(place.signing_table), place.layout, domain)
    for path in sorted(_key_files(place.domain(domain))):
        selector = path.name.removesuffix(_ENDING)
        known = found.get(selector)
        found[selector] = _with_file(known, selector, path)
    for selector, key in found.items():
        if selector in signing and key.stage != "retired":
            found[selector] = replace(key, stage="signing", signed_from=key.signed_from or now, signed_until=0)
        elif key.stage == "signing":
            found[selector] = replace(key, stage="overlap", signed_until=now)
    return sorted(found.values(), key=lambda key: (key.made_at, key.selector))


def foreign_selectors(place: Place, domain: str, keys: Sequence[Key]) -> list[str]:
    """What the signing table says of the domain that is not about its keys here."""
    ours = {key.selector for key in keys if key.stage != "retired"}
    found = signing_selectors(table_text(place.signing_table), place.layout, domain)
    return [selector for selector in found if selector not in ours]


def _remembered(path: Path) -> list[Key]:
    try:
        content = json.loads(path.read_bytes())
        if content["format"] != _FORMAT:
            raise DkimError(f"{path} was written by another version (format {content['format']})")
        return [_key(each) for each in content["keys"]]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        said = f"{path} cannot be read: {error.__class__.__name__}"
        raise DkimError(said, safe_next="Remove that file: the keys themselves and the tables say the rest.") from None


def _key(content: dict[str, Any]) -> Key:
    public = content.pop("public")
    return Key(**content, public=PublicKey(**public) if public else None)


def _key_files(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.name.endswith(_ENDING) and not path.name.startswith(".")]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(f"{folder} cannot be read: {error.strerror}", option="directory") from error


def _with_file(known: Key | None, selector: str, path: Path) -> Key:
    """What is remembered of a key, with what its file says now."""
    if known is None or known.stage == "retired":
        known = Key(selector, "rsa", None, "prepared", made_at=int(path.stat().st_mtime))
    try:
        public = read_key(path.read_bytes()).public
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", option="directory") from error
    except DkimKeyError as error:
        return replace(known, public=None, problem=f"{path}: {error.message}")
    return replace(known, type=public.type, public=public)


def write_key(place: Place, domain: str, selector: str, key: SigningKey) -> None:
    """Write a private key for the signer's user alone, whole or not at all. Raises InputError."""
    folder = place.domain(domain)
    try:
        if not folder.exists():
            folder.mkdir()
            # The signer's user finds its key there, and can put nothing else in its place.
            folder.chmod(_PASSAGE)
    except OSError as error:
        raise InputError(f"{folder} cannot be made: {error.strerror}", option="directory") from error
    content = key.content("seed" if place.backend == "rspamd" else "pem")
    path = place.key_file(domain, selector)
    write_file(path, content, option="directory", mode=_PRIVATE, owner=place.owner)


def loose_files(place: Place, domain: str, keys: Sequence[Key]) -> list[Path]:
    """Key files that others than the signer's user may read, or that are somebody else's."""
    found = []
    for key in keys:
        path = place.key_file(domain, key.selector)
        if not path.exists():
            continue
        about = path.lstat()
        owner = (about.st_uid, about.st_gid)
        if stat.S_IMODE(about.st_mode) != _PRIVATE or (place.owner and owner != place.owner):
            found.append(path)
    return found


def tighten(place: Place, paths: Sequence[Path]) -> None:
    """Give key files the mode and the owner that they should have. Raises InputError."""
    for path in paths:
        try:
            # never through a link, which could lead to any file of the machine
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                os.fchmod(handle, _PRIVATE)
                if place.owner:
                    os.fchown(handle, *place.owner)
            finally:
                os.close(handle)
        except OSError as error:
            said = f"{path} cannot be given to the signer's user: {error.strerror}"
            raise InputError(said, option="owner") from error


def left_behind(place: Place, domain: str) -> list[Path]:
    """Halves of files that a run left behind which was killed; whoever holds the lock may remove them."""
    tables = [path.resolve() for path in (place.signing_table, place.key_table)]
    halves = [(path.parent, f".{path.name}.{_RANDOM}") for path in tables]
    halves += [(place.domain(domain), f".*{ending}.{_RANDOM}") for ending in (_ENDING, _STATE)]
    return sorted({path for folder, pattern in halves if folder.is_dir() for path in folder.glob(pattern)})


def write_state(place: Place, domain: str, keys: Sequence[Key]) -> None:
    """Remember the keys; without any, forget the domain. Nothing secret is in it."""
    path = place.domain(domain) / _STATE
    if not keys:
        path.unlink(missing_ok=True)
        if place.domain(domain).is_dir() and not any(place.domain(domain).iterdir()):
            place.domain(domain).rmdir()
        return
    content = {"format": _FORMAT, "domain": domain, "keys": [_remember(key) for key in keys]}
    text = json.dumps(content, indent=1) + "\n"
    if not path.exists() or path.read_text() != text:
        write_file(path, text.encode(), option="directory", mode=_PUBLIC)


def _remember(key: Key) -> dict[str, Any]:
    content = asdict(key)
    del content["problem"]
    return content
