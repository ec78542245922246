# SPDX-License-Identifier: GPL-3.0-or-later
"""Calendars from one CalDAV server to another beside vdirsyncer: the first copy, and again when nothing has changed."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab.objects import events
from tests.lab.radicale import DavCloud

from .measure import Figures, median, spread, timed

MODULE = "ansible_collections.atmail.migration.plugins.modules.dav_sync"
#: The peer's program, and the Debian package that brings it.
PEER = {"/usr/bin/vdirsyncer": "vdirsyncer"}
HEADER = (
    "| tool | round trip | first copy, s (min-max) | objects/s | client CPU s | peak memory MB | again, s (min-max) |\n"
    "|---|---|---|---|---|---|---|"
)
_USER, _PASSWORD = "ann@acme.example", "secret"
_CALENDARS = ("home", "work")
_SLOW = Path(__file__).with_name("slow.py")
_numbers = itertools.count(1)
# What servers write themselves and what has no meaning.
_NOT_COMPARED = re.compile(rb"PRODID|DTSTAMP|X-RADICALE")


@dataclass(frozen=True)
class Side:
    """How a tool reaches one account."""

    url: str
    user: str
    ca: Path


@dataclass(frozen=True)
class Row:
    """What one tool needed, over several runs."""

    tool: str
    milliseconds: int
    objects: int
    first: Sequence[Figures]
    again: Sequence[Figures]

    def line(self) -> str:
        """The row of a table."""
        one, two = median(self.first), median(self.again)
        return (
            f"| {self.tool} | {self.milliseconds} ms | {one.wall:.2f} ({spread(self.first)}) "
            f"| {self.objects / one.wall:,.0f} | {one.cpu:.2f} | {one.memory / 1_000_000:,.0f} "
            f"| {two.wall:.2f} ({spread(self.again)}) |"
        )


#: What a tool does with a source, a target and a folder of its own: how it is prepared, and the command that copies.
Tool = Callable[[Side, Side, Path], tuple[Sequence[str], str]]


def ours(source: Side, target: Side, folder: Path) -> tuple[Sequence[str], str]:
    """The module in a process of its own; it finds and makes the calendars itself."""
    sides = {
        name: {"url": side.url, "ca_path": str(side.ca)} for name, side in (("source", source), ("target", target))
    }
    account = {
        "source_user": source.user,
        "source_password": _PASSWORD,
        "target_user": target.user,
        "target_password": _PASSWORD,
    }
    options = {
        "source": {"protocol": "dav", **sides["source"]},
        "target": sides["target"],
        "accounts": [account],
        "ledger": str(folder / "ledger.sqlite3"),
        "quarantine": str(folder / "quarantine"),
    }
    return [sys.executable, "-m", MODULE], json.dumps({"ANSIBLE_MODULE_ARGS": options})


def vdirsyncer(source: Side, target: Side, folder: Path) -> tuple[Sequence[str], str]:
    """Its `sync`; finding the calendars and making them on the target (`discover`) comes before and is not counted."""
    configuration = folder / "config"
    storages = "".join(
        f'[storage {name}]\ntype = "caldav"\nurl = "{side.url}"\nusername = "{side.user}"\n'
        f'password = "{_PASSWORD}"\nverify = "{side.ca}"\n'
        for name, side in (("source", source), ("target", target))
    )
    pair = '[pair bench]\na = "source"\nb = "target"\ncollections = ["from a"]\nconflict_resolution = "a wins"\n'
    configuration.write_text(f'[general]\nstatus_path = "{folder}/status"\n{pair}{storages}')
    configuration.chmod(0o600)
    command = ["/usr/bin/vdirsyncer", "-v", "ERROR", "-c", str(configuration)]
    if not (folder / "status").exists():
        found = subprocess.run([*command, "discover"], input="y\n" * 20, capture_output=True, text=True, check=False)
        if found.returncode != 0:
            raise RuntimeError(f"vdirsyncer discover failed: {found.stdout[-1000:]}{found.stderr[-2000:]}")
    return [*command, "sync"], ""


def tools() -> Mapping[str, Tool]:
    """What can be measured here, by name."""
    peer: dict[str, Tool] = {"vdirsyncer": vdirsyncer} if Path("/usr/bin/vdirsyncer").exists() else {}
    return {"ours": ours, **peer}


def rows(events_each: int, runs: int, round_trips: Sequence[int], *, warm: bool = True) -> Iterator[Row]:
    """Two calendars of so many events each, by every tool in turn; every first copy is compared with its source.

    With ``warm`` a copy that is not counted comes first: Radicale reads its files when it is asked for them first.
    """
    with (
        DavCloud.temporary({_USER: _PASSWORD}) as source,
        DavCloud.temporary() as target,
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
    ):
        for slug in _CALENDARS:
            source.radicale.write(_USER, slug, events(events_each, slug), D__displayname=slug)
        if warm:
            _copy(ours, source, target, 0, Path(folder))
        for milliseconds in round_trips:
            found: dict[str, list[tuple[Figures, Figures]]] = {name: [] for name in tools()}
            for _run in range(runs):
                for name, tool in tools().items():
                    found[name].append(_copy(tool, source, target, milliseconds, Path(folder)))
            for name, figures in found.items():
                first, again = zip(*figures, strict=True)
                yield Row(name, milliseconds, events_each * len(_CALENDARS), first, again)


def _copy(tool: Tool, source: DavCloud, target: DavCloud, milliseconds: int, folder: Path) -> tuple[Figures, Figures]:
    """A first copy into a fresh account, and a run when nothing has changed, which must write nothing."""
    user = f"user{next(_numbers)}@acme.example"
    target.add_account(user, _PASSWORD)
    own = folder / user
    own.mkdir()
    log = own / "output"
    with ExitStack() as stack:
        near, far = (stack.enter_context(_way(cloud, milliseconds)) for cloud in (source, target))
        sides = (Side(near, _USER, source.ca), Side(far, user, target.ca))
        command, given = tool(*sides, own)
        first = timed(command, given=given, log=log)
        _verify(source, target, user)
        since = target.radicale.log_size()
        command, given = tool(*sides, own)
        again = timed(command, given=given, log=log)
    wrote = [method for method, _path in target.radicale.requests(since) if method in ("PUT", "DELETE")]
    if wrote:
        raise RuntimeError(f"nothing had changed, and {len(wrote)} objects were written: these runs are no result")
    return first, again


@contextmanager
def _way(cloud: DavCloud, milliseconds: int) -> Iterator[str]:
    """A server's address, with a round trip of so many milliseconds."""
    if not milliseconds:
        yield cloud.url
        return
    command = [sys.executable, "-I", str(_SLOW), str(cloud.edge.setup.ports["dav"]), str(milliseconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as relay:
        assert relay.stdout is not None
        try:
            yield f"https://127.0.0.1:{int(relay.stdout.readline())}/"
        finally:
            relay.terminate()


def _verify(source: DavCloud, target: DavCloud, user: str) -> None:
    """Compare what is on both servers' disks by other code than the engine's. A copy that is not right is no result."""
    for slug in _CALENDARS:
        before, after = (
            {_meaning(path.read_bytes()) for path in (cloud.radicale.place(who) / slug).glob("*.ics")}
            for cloud, who in ((source, _USER), (target, user))
        )
        if before != after:
            raise RuntimeError(f"{len(before - after)} of {len(before)} events are not as they were: no result")


def _meaning(data: bytes) -> bytes:
    """The content lines but those that servers write, in an order of their own (Radicale stores them in another)."""
    lines = re.sub(rb"\r?\n[ \t]", b"", data).splitlines()
    return b"\n".join(sorted(line for line in lines if line and not _NOT_COMPARED.match(line)))
