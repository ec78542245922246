# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Files that only their owner may read, put in place at once: a crash leaves the old file or the new one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from .errors import InputError

#: What mkstemp gives.
_PRIVATE = 0o600


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
