# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a lab keeps what: its folder, its data, and short paths for its sockets."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from .errors import LabError


@dataclass(frozen=True)
class Layout:
    """The folders of one lab.

    `directory` is what the user named; `data` holds the servers' files; `run` their sockets, whose paths may have no
    more than 108 bytes (unix(7)).
    """

    directory: Path
    data: Path
    run: Path

    @classmethod
    def of(cls, directory: Path) -> Layout:
        """The layout of the lab in this folder, whoever made it; nothing is made yet.

        As root the servers' own users must be able to reach their data. Where the folder is closed to them (a checkout
        in /root, say) the data lives in /var/tmp and `<directory>/data` is a link to it.
        """
        directory = directory.resolve()
        owner = directory.stat().st_uid if directory.exists() else os.geteuid()
        mark = hashlib.sha256(f"{owner}:{directory}".encode()).hexdigest()[:10]
        near = directory / "data"
        usable = owner != 0 or reachable_by_others(directory)
        return cls(directory, near if usable else Path(f"/var/tmp/atmail-lab-{mark}"), Path(f"/tmp/atmail-lab-{mark}"))

    def make(self) -> None:
        """Make all folders. Raises LabError where somebody else has put something in their place."""
        self.directory.mkdir(parents=True, exist_ok=True)
        for folder in (self.data, self.run):
            folder.mkdir(exist_ok=True)
            status = folder.lstat()
            if folder.is_symlink() or status.st_uid != os.geteuid():
                raise LabError(f"{folder} is not ours (owner {status.st_uid}); remove it or choose another --dir")
            folder.chmod(0o755)
        link = self.directory / "data"
        if self.data != link and not link.is_symlink():
            link.symlink_to(self.data)

    def remove(self) -> None:
        """Remove everything of the lab."""
        for folder in (self.run, self.data, self.directory):
            shutil.rmtree(folder, ignore_errors=True)

    def remove_sockets(self) -> None:
        """Remove what only running servers need."""
        shutil.rmtree(self.run, ignore_errors=True)


def reachable_by_others(folder: Path) -> bool:
    """Whether every folder on the way that exists (the last one aside, which is ours) lets all users pass."""
    return all(parent.stat().st_mode & 0o001 for parent in folder.parents if parent.exists())
