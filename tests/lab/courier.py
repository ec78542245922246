# SPDX-License-Identifier: GPL-3.0-or-later
"""Courier IMAP as a source: Maildir++ with its own lists of UIDs and keywords.

Source: Courier's maildir/README.imapkeywords.html and imapd(8) (courierimapuiddb, courierimapkeywords/:list).
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from . import maildir, ports
from .server import Server, write_private
from .unpacked import environment, unpacked

#: Courier's own default, but for IDLE's companion IMAP_ENHANCEDIDLE, which needs a daemon.
_CAPABILITY = "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE"


class Courier(Server):
    """Courier IMAP on a port of loopback, in clear text. Accounts are given as user → password before it starts."""

    def __init__(self, name: str, folder: Path, users: dict[str, str]) -> None:
        super().__init__(name, folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.users = users
        self.place = unpacked("courier-imap", "courier-", "gamin_")
        (self.port,) = ports.claim(folder, 1)
        self.homes = folder / "homes"
        self._configuration = folder / "listener.json"

    def listens_on(self) -> Sequence[int]:
        return [self.port]

    def command(self) -> Sequence[str]:
        listener = Path(__file__).with_name("courier_listener.py")
        return [sys.executable, "-I", str(listener), str(self._configuration)]

    def prepare(self) -> None:
        for user in self.users:
            _make_folder(self.mailbox(user), ())
        settings = {
            "IMAP_CAPABILITY": _CAPABILITY,
            "IMAP_KEYWORDS": "1",
            "IMAP_ACL": "1",
            "IMAP_IDLE_TIMEOUT": "60",
            "IMAP_USELOCKS": "1",
            "IMAP_ENHANCEDIDLE": "0",
            # without gamin's daemon, which tells of changes, every SELECT waits for it for a second
            "GAM_CLIENT_ID": f"lab-{self.port}",
            "IMAP_MAILBOX_SANITY_CHECK": "0",
            "PROTOCOL": "IMAP",
            "TCPREMOTEIP": "127.0.0.1",
            "TCPREMOTEPORT": "1",
            "HOME": str(self.homes),
        }
        configuration = {
            "port": self.port,
            "imapd": str(self.place / "usr/bin/imapd"),
            "watcher": str(self.place / "usr/libexec/gam_server"),
            "homes": str(self.homes),
            "users": self.users,
            "environment": environment(self.place) | settings,
        }
        write_private(self._configuration, json.dumps(configuration))

    def greets(self) -> bool:
        """Whether the listener greets."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5.0) as connection:
                return connection.recv(512).startswith(b"* OK")
        except OSError:
            return False

    def stop(self) -> None:
        super().stop()
        ports.release(self.folder)

    def mailbox(self, user: str) -> Path:
        """A user's Maildir."""
        return self.homes / user / "Maildir"

    def write(self, user: str, folders: Iterable[maildir.Folder]) -> None:
        """Write folders into a Maildir that no IMAP client has opened yet."""
        subscribed = []
        for folder in folders:
            _write_folder(self.mailbox(user), folder)
            if folder.subscribed:
                subscribed.append(".".join(("INBOX", *folder.path)))
        text = "".join(f"{name}\n" for name in sorted(subscribed))
        (self.mailbox(user) / "courierimapsubscribed").write_text(text)


def _make_folder(place: Path, path: tuple[str, ...]) -> Path:
    """A folder's own folder. Since version 5 its name on disk is UTF-8, not modified UTF-7."""
    current = place / ".".join(("", *path))
    for part in ("cur", "new", "tmp"):
        (current / part).mkdir(parents=True, exist_ok=True)
    if path:
        (current / "maildirfolder").touch()
    return current


def _write_folder(place: Path, folder: maildir.Folder) -> None:
    """A folder with Courier's list of UIDs (`1 UIDVALIDITY UIDNEXT`, then `UID name`) and of keywords."""
    current = _make_folder(place, folder.path)
    lines = [f"1 {folder.uidvalidity} {folder.uidnext}\n"]
    keywords = sorted({keyword for _uid, mail in folder.messages for keyword in mail.keywords})
    marks = []
    for uid, mail in folder.messages:
        name = f"{mail.date}.M{uid % 1000000:06d}P{1000 + uid // 1000000}.mail"
        letters = "".join(sorted(maildir.FLAG_LETTERS[flag] for flag in mail.flags))
        file = current / "cur" / f"{name}:2,{letters}"
        file.write_bytes(b"".join(mail.parts))
        os.utime(file, (mail.date, mail.date))
        lines.append(f"{uid} {name}\n")
        if mail.keywords:
            numbers = " ".join(str(keywords.index(keyword)) for keyword in sorted(mail.keywords))
            marks.append(f"{name}:{numbers}\n")
    (current / "courierimapuiddb").write_text("".join(lines))
    if keywords:
        (current / "courierimapkeywords").mkdir()
        names = "".join(f"{keyword}\n" for keyword in keywords)
        (current / "courierimapkeywords" / ":list").write_text(f"{names}\n{''.join(marks)}")
