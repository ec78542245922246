# SPDX-License-Identifier: GPL-3.0-or-later
"""Two accounts on real servers: what their users do, and the runs between them."""

from __future__ import annotations

import base64
import contextlib
import imaplib
import itertools
import json
import shutil
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.atmail.migration.plugins.module_utils.mail.sync import sync

from tests.faults.interruptions import engine, taps
from tests.faults.interruptions.taps import Stopped, Tap, listening
from tests.integration.checks.mail import Mailbox, Place
from tests.integration.checks.picture import Picture, look
from tests.lab.virtual import PASSWORD, VirtualPair

_numbers = itertools.count(1)
#: How long a server may need to be done with a connection that was closed, in seconds.
_SETTLES = 0.05


@dataclass
class Tally:
    """What has happened so far."""

    counts: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        names = ("accounts", "actions", "runs", "kills", "messages brought", "flags merged", "ledgers lost")
        return ", ".join(f"{self.counts[name]:,} {name}" for name in names)


class Stage:
    """A fresh account on either side. Both users keep a connection open, as mail clients do."""

    def __init__(self, servers: VirtualPair, folder: Path, tally: Tally) -> None:
        number = next(_numbers)
        self.servers, self.tally = servers, tally
        self.users = {"source": f"source{number}", "target": f"target{number}"}
        self.folder = folder / f"account-{number}"
        self.folder.mkdir()
        self.ledger = self.folder / "ledger.sqlite3"
        self._open: dict[str, Mailbox] = {}
        tally.counts["accounts"] += 1

    def close(self) -> None:
        """Log out, and remove everything."""
        for side in ("source", "target"):
            self.leave(side)
            shutil.rmtree(self.servers.home(side, self.users[side]), ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    # users

    def place(self, side: str) -> Place:
        """Where a side is read by raw IMAP."""
        dovecot = self.servers.source if side == "source" else self.servers.target
        return Place(0, 0, "", self.users[side], PASSWORD, imap=dovecot.setup.ports["imap"])

    def at(self, side: str) -> Mailbox:
        """A user's mailbox, open."""
        if side in self._open:
            try:
                self._open[side]._do("noop")
            except (OSError, imaplib.IMAP4.abort):
                del self._open[side]  # a server hangs up on those who look at a folder that is no more
        if side not in self._open:
            self._open[side] = Mailbox(self.place(side))
        return self._open[side]

    def leave(self, side: str) -> None:
        """A user closes her mail client."""
        if side in self._open:
            with contextlib.suppress(OSError, imaplib.IMAP4.abort):
                self._open.pop(side).close()

    def look(self, side: str) -> Picture:
        """Everything that is there."""
        return look(self.place(side))

    def renumber(self, folder: str, *, same_uidvalidity: bool = False) -> None:
        """The source forgets a folder's index: UIDs begin at 1 again, under another UIDVALIDITY as a rule."""
        self.leave("source")
        home = self.servers.home("source", self.users["source"])
        with self.place("source").open() as mailbox:
            place = home if folder == "INBOX" else home / f".{mailbox.name(folder).decode()}"
            before = mailbox.status(folder)["UIDVALIDITY"]
        for path in (*place.glob("dovecot.index*"), *place.glob("dovecot-uidlist")):
            path.unlink()
        head = f"3 V{before if same_uidvalidity else before + 1000 + next(_numbers)} N1 G{next(_numbers):032x}\n"
        (place / "dovecot-uidlist").write_text(head)
        self.servers.give(home)

    def set_uidvalidity(self, folder: str, value: int) -> None:
        """Give a folder of the target this UIDVALIDITY, as a restored backup or a clock that was set back can do."""
        side = self.servers.side("target")
        arguments = {"user": self.users["target"], "mailbox": folder, "uidValidity": str(value)}
        key = base64.b64encode(str(side["doveadm_api_key"]).encode()).decode()
        request = urllib.request.Request(
            str(side["doveadm_url"]),
            json.dumps([["mailboxUpdate", arguments, "tag"]]).encode(),
            {"Content-Type": "application/json", "Authorization": f"X-Dovecot-API {key}"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert json.load(answer)[0][0] == "doveadmResponse"

    # runs

    def options(self, **changes: Any) -> dict[str, Any]:
        """The module's options."""
        return {
            "source": self.servers.side("source"),
            "target": self.servers.side("target"),
            "mailboxes": [
                {
                    "source_user": self.users["source"],
                    "source_password": PASSWORD,
                    "target_user": self.users["target"],
                    "target_password": PASSWORD,
                }
            ],
            "ledger": str(self.ledger),
            "allow_removals": 1.0,
            **changes,
        }

    def run(self, **changes: Any) -> engine.Ran:
        """A run to its end."""
        ran = engine.run(self.options(**changes))
        summary = ran.result.get("summary", {})
        self.tally.counts["runs"] += 1
        self.tally.counts["messages brought"] += summary.get("messages_copied", 0)
        self.tally.counts["flags merged"] += summary.get("flags_changed", 0)
        return ran

    def check(self, **changes: Any) -> Mapping[str, Any]:
        """What a run in check mode says."""
        options = self.options(**changes, ignore_mailbox_errors=True)
        return sync(options, check_mode=True)

    def killed_run(self, step: int, **changes: Any) -> bool:
        """A run that is killed at a step; whether it had not ended before. Its ledger is the one it left behind."""
        tap = Tap(self.ledger, lambda number, _name: number == step)
        with listening(tap):
            try:
                self.run(**changes)
            except Stopped:
                pass
            else:
                return False
        self.tally.counts["kills"] += 1
        after = self.folder / f"after-{next(_numbers)}"
        after.mkdir()
        for suffix in ("", "-wal"):
            with contextlib.suppress(FileNotFoundError):
                Path(f"{tap.crashed_ledger}{suffix}").rename(after / f"ledger.sqlite3{suffix}")
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(f"{self.ledger}.phase", after / "ledger.sqlite3.phase")
        self.ledger = after / "ledger.sqlite3"
        time.sleep(_SETTLES)
        return True

    def lose_ledger(self) -> None:
        """The ledger is gone; what stands beside it is not."""
        self.tally.counts["ledgers lost"] += 1
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.ledger}{suffix}").unlink(missing_ok=True)


@contextmanager
def opened(folder: Path) -> Iterator[tuple[VirtualPair, Path]]:
    """The servers and a folder for ledgers, with the taps in place, for a while."""
    with VirtualPair.temporary() as servers, taps.installed(), engine.inline():
        yield servers, folder
