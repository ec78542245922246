# SPDX-License-Identifier: GPL-3.0-or-later
"""First copies between the lab's servers: many small messages beside a peer, and memory against message size."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.integration.checks.mail import Place
from tests.integration.checks.picture import differences, look
from tests.lab import maildir, mailgen
from tests.lab.lab import Lab
from tests.lab.maildir import Folder, Mail

from . import tools
from .measure import Figures, median, spread

_numbers = itertools.count(1)
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Row:
    """What one tool needed for one job, over several runs."""

    tool: str
    messages: int
    size: int
    runs: Sequence[Figures]

    def line(self) -> str:
        """The row of a table."""
        middle = median(self.runs)
        return (
            f"| {self.tool} | {middle.wall:.2f} ({spread(self.runs)}) | {self.messages / middle.wall:,.0f} "
            f"| {self.size / middle.wall / MEGABYTE:,.1f} | {middle.cpu:.2f} | {middle.memory / MEGABYTE:,.0f} "
            f"| {f'{middle.working:.2f} s, {self.messages / middle.working:,.0f}/s' if middle.working else '-'} |"
        )


HEADER = (
    "| tool | wall s (min-max) | messages/s | MB/s | client CPU s | peak memory MB | from log-in to log-out |\n"
    "|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Bench:
    """A throw-away lab and a folder for what the tools keep."""

    lab: Lab
    folder: Path

    def side(self, name: str) -> dict[str, Any]:
        """The module's option ``source`` or ``target``."""
        known = self._known(name)
        options = {
            "host": "127.0.0.1",
            "port": known["imap"]["port"],
            "ca_path": self.lab.describe()["ca"],
            "admin_user": known["master_user"],
            "admin_password": known["master_password"],
        }
        return options | {key: known[key] for key in ("doveadm_url", "doveadm_api_key") if key in known}

    def place(self, name: str, user: str) -> Place:
        """A mailbox, for a look that is independent of any tool."""
        known = self._known(name)
        ports = (known["imap"]["port"], known["pop3"]["port"])
        master = (known["master_user"], known["master_password"])
        return Place(*ports, self.lab.describe()["ca"], user, "", *master)

    def _known(self, name: str) -> dict[str, Any]:
        described = self.lab.describe()
        known: dict[str, Any] = described["sites"]["acme"] if name == "source" else described["regions"]["eu"]
        return known

    def fill(self, mails: Sequence[Mail]) -> str:
        """A new account on the source with these messages; its address."""
        site = self.lab.site("acme")
        address = f"user{next(_numbers)}@{site.domain}"
        site.add_account(address, "secret")
        inbox = Folder((), 4711, len(mails) + 1, list(enumerate(mails, 1)))
        maildir.write_mailbox(site.maildir(address), [inbox], owner=site.file_owner)
        return address

    def empty(self) -> str:
        """A new account on the target; its address."""
        address = f"user{next(_numbers)}@{self.lab.site('acme').domain}"
        self.lab.region("eu").add_account(address, "secret")
        return address


@contextmanager
def bench() -> Iterator[Bench]:
    """A lab for a benchmark, stopped and removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, Lab.temporary() as lab:
        yield Bench(lab, Path(folder))


def small_messages(where: Bench, count: int, runs: int) -> list[Row]:
    """First copy of ``count`` messages of 2 to 4 KB, the tools in turn, every copy compared with its source."""
    return _copies(where, mailgen.make_small(count, "bench"), runs)


def _copies(where: Bench, mails: Sequence[Mail], runs: int) -> list[Row]:
    source = where.fill(mails)
    size = sum(mail.virtual_size for mail in mails)
    found: dict[str, list[Figures]] = {name: [] for name in tools.peers()}
    for _run in range(runs + 1):
        for name, tool in tools.peers().items():
            found[name].append(_one(where, tool, source, len(mails), exact=name == "ours"))
    # the first turn of each only warms the servers up
    return [Row(name, len(mails), size, figures[1:]) for name, figures in found.items()]


def big_message(where: Bench, sizes: Sequence[int]) -> list[Row]:
    """One message of each size, by our engine: its memory must not follow the size."""
    rows: list[Row] = []
    for size in sizes:
        mail = mailgen.make_huge(size, "bench")
        source = where.fill([mail])
        figures = _one(where, tools.ours, source, 1, exact=True)
        rows.append(
            Row(f"ours, one message of {mail.virtual_size / MEGABYTE:,.3f} MB", 1, mail.virtual_size, [figures])
        )
    return rows


def _one(where: Bench, tool: Any, source: str, messages: int, *, exact: bool) -> Figures:
    """One copy into a fresh account by one tool. A copy that is not right is no result."""
    target = where.empty()
    folder = where.folder / target
    folder.mkdir()
    figures: Figures = tool(tools.Job(where.side("source"), where.side("target"), source, target, folder))
    _verify(where, source, target, messages, exact=exact)
    return figures


def _verify(where: Bench, source: str, target: str, messages: int, *, exact: bool) -> None:
    """Compare by other code than the engine's; of a tool that adds headers only the number of messages."""
    copy = look(where.place("target", target))
    if copy.count != messages:
        raise RuntimeError(f"{copy.count} of {messages} messages came: this copy is no result")
    found = differences(look(where.place("source", source)), copy) if exact else []
    if found:
        raise RuntimeError(f"the copy is not the same: {found[:3]}")
