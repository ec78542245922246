# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Keeping the bytes of what the target does not take, and of what somebody else wrote there before it is overwritten.

``<quarantine>/<account>/<collection>/<name>.<what>.ics`` (or ``.vcf``): folders are 0700, files 0600, and a file gets
its name when it is complete and on the disk.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..private_file import safe_name, write_private
from .identity import ENDINGS, raw_digest
from .model import Kind

_SOURCE = "source"


@dataclass(frozen=True)
class Spot:
    """Which object it is: the account as the target calls it, the collection, the object's name."""

    account: str
    kind: Kind
    collection: str
    name: str

    def file(self, what: str) -> Path:
        """Its file, relative to the quarantine's folder."""
        parts = (safe_name(part.encode("utf-8", "surrogatepass")) for part in (self.account, self.collection))
        ending = ENDINGS[self.kind]
        name = safe_name(self.name.removesuffix(ending).encode("utf-8", "surrogatepass"))
        return Path(*parts, f"{name}.{what}{ending}")


@dataclass(frozen=True)
class Quarantine:
    """The folder that objects are kept in."""

    folder: Path

    def keep_source(self, spot: Spot, data: bytes) -> Path:
        """Keep what the target refused. Raises InputError when it can't be written."""
        return self._write(self.folder / spot.file(_SOURCE), data)

    def keep_target(self, spot: Spot, data: bytes) -> Path:
        """Keep what is about to be overwritten or removed, each text once. Raises InputError when that fails."""
        return self._write(self.folder / spot.file(f"target-{raw_digest(data).hex()[:12]}"), data)

    def release(self, spot: Spot) -> None:
        """Remove what the target has taken at last."""
        (self.folder / spot.file(_SOURCE)).unlink(missing_ok=True)

    def _write(self, path: Path, data: bytes) -> Path:
        if not (path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.parent.parent.mkdir(mode=0o700, exist_ok=True)
            write_private(path, data, option="quarantine")
        return path
