# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Files that only their owner may read, put in place at once: a crash leaves the old file or the new one.

And names for them, made of names that come from elsewhere.
"""

from __future__ import annotations

import os
import re
import tempfile
from hashlib import blake2b
from pathlib import Path

from .errors import InputError

#: What mkstemp gives.
_PRIVATE = 0o600
#: A file's name may have 255 bytes (ext4, XFS); the rest is for what is added to it.
_NAME_MAX = 200
_DIGEST_SIZE = 16
_UNSAFE = re.compile(rb"[^A-Za-z0-9@+=_-]")


def write_private(path: Path, content: bytes, *, option: str) -> None:
    """Write with mode 0600, as :func:`write_file` does. Raises InputError."""
    write_file(path, content, option=option)


def write_file(
    path: Path, content: bytes, *, option: str, mode: int = _PRIVATE, owner: tuple[int, int] | None = None
) -> None:
    """Write by a temporary file in the same folder, fsync, rename, fsync of the folder.

    Until it has its name it is for its writer alone, then it has its mode and its owner (uid and gid) from the first
    moment on. A missing folder is made (0700). Raises InputError, which names the option, when it can't be written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)  # mode 0600
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
                stream.flush()
                if owner is not None:
                    os.fchown(stream.fileno(), *owner)
                if mode != _PRIVATE:
                    os.fchmod(stream.fileno(), mode)
                os.fsync(stream.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}", option=option) from error


def safe_name(name: bytes) -> str:
    """A name of a mailbox, a folder or an object as a file's name.

    What could mean something to a file system is written as ``%XX``. Different names stay different; one that is too
    long is cut and gets a digest of the whole.
    """
    text = b"".join(
        part if position % 2 == 0 else b"%%%02X" % part[0]
        for position, part in enumerate(re.split(b"(" + _UNSAFE.pattern + b")", name))
    )
    # a dot is harmless within a name, and makes addresses readable; at the start it would hide the file
    shown = re.sub(rb"(?<!^)%2E", b".", text).decode("ascii") or "%"
    if len(shown) <= _NAME_MAX:
        return shown
    return f"{shown[: _NAME_MAX - 33]}~{blake2b(name, digest_size=_DIGEST_SIZE).hexdigest()}"
