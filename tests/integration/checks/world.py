# SPDX-License-Identifier: GPL-3.0-or-later
"""Where tests take place: a lab with one site and one region, and accounts of their own for each test."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.lab import maildir, mailgen
from tests.lab.lab import Lab
from tests.lab.region import Region
from tests.lab.site import Site
from tests.lab.state import RegionOptions, SiteOptions

from . import module
from .mail import Mailbox, Place
from .module import Result, Running
from .picture import Picture, differences, look, placeholders

SITE, REGION = "acme", "eu"
ORDINARY_SITE, ORDINARY_REGION = SiteOptions(), RegionOptions(rawlog=True)
_numbers = itertools.count(1)


@dataclass
class World:
    """A lab, looked at as a test needs it. The region writes down what is said to it."""

    lab: Lab
    folder: Path

    @classmethod
    @contextmanager
    def made(cls, folder: Path) -> Iterator[World]:
        """A lab that is there for a while."""
        with Lab.temporary((SITE,), (REGION,), region_options={REGION: ORDINARY_REGION}) as lab:
            yield cls(lab, folder)

    @property
    def site(self) -> Site:
        """The source's side."""
        return self.lab.site(SITE)

    @property
    def region(self) -> Region:
        """The target's side."""
        return self.lab.region(REGION)

    @contextmanager
    def changed(self, *, site: SiteOptions | None = None, region: RegionOptions | None = None) -> Iterator[None]:
        """For a while the servers are started with other options. Those of the site come without rawlog."""
        try:
            self._restart(site, region)
            yield
        finally:
            self._restart(ORDINARY_SITE if site else None, ORDINARY_REGION if region else None)

    def _restart(self, site: SiteOptions | None, region: RegionOptions | None) -> None:
        if site:
            self.site.dovecot.stop()
        if region:
            self.region.dovecot.stop()
        self.lab = Lab.up(
            self.lab.directory,
            (SITE,),
            (REGION,),
            site_options={SITE: site} if site else None,
            region_options={REGION: region} if region else None,
        )

    def pair(
        self, *, on_source: bool = True, on_target: bool = True, quota_bytes: int = 0, origin: Pair | None = None
    ) -> Pair:
        """A fresh account on either side (or on one alone), with empty mailboxes, and a ledger that is not there.

        `origin` is a pair whose source mailbox is this one's, too.
        """
        number = next(_numbers)
        address = f"user{number}@{self.site.domain}"
        pair = Pair(self, address, self.folder / f"ledger-{number}.sqlite3", origin=origin)
        if on_source and not origin:
            self.site.add_account(address, pair.source_password)
        if on_target:
            self.region.add_account(address, pair.target_password, quota_bytes=quota_bytes)
        return pair

    def place(self, side: str, user: str, password: str) -> Place:
        """Where a mailbox is read; by the master user."""
        described = self.lab.describe()
        known = described["sites"][SITE] if side == "source" else described["regions"][REGION]
        return Place(
            known["imap"]["port"],
            known["pop3"]["port"],
            described["ca"],
            user,
            password,
            known["master_user"],
            known["master_password"],
        )

    def side(self, name: str) -> dict[str, Any]:
        """The module's option `source` or `target`."""
        described = self.lab.describe()
        known = described["sites"][SITE] if name == "source" else described["regions"][REGION]
        options = {
            "host": "127.0.0.1",
            "port": known["imap"]["port"],
            "ca_path": described["ca"],
            "admin_user": known["master_user"],
            "admin_password": known["master_password"],
            "timeout": 30,
            # what is said is read in the server's own record, also on a busy machine, whose answers come late
            "compress": "never",
        }
        api = {key: known[key] for key in ("doveadm_url", "doveadm_api_key") if key in known}
        return options | api

    def secrets(self) -> list[str]:
        """What must never be told: the servers' passwords and the API's key."""
        sides = (self.side("source"), self.side("target"))
        return [side[key] for side in sides for key in ("admin_password", "doveadm_api_key") if key in side]

    def rawlog(self) -> Path:
        """Where the region writes down what clients say."""
        return self.region.dovecot.rawlog


@dataclass
class Pair:
    """A mailbox on both sides: under one address, unless its source is another pair's."""

    world: World
    address: str
    ledger: Path
    options: dict[str, Any] = field(default_factory=dict)
    origin: Pair | None = None

    @property
    def entry(self) -> dict[str, str]:
        """The module's entry in `mailboxes`."""
        if self.origin:
            return {"source_user": self.origin.address, "target_user": self.address}
        return {"source_user": self.address}

    @property
    def source_password(self) -> str:
        """The account's password on the source."""
        return f"source-secret-of-{self.address}"

    @property
    def target_password(self) -> str:
        """The account's password on the target."""
        return f"target-secret-of-{self.address}"

    @property
    def source(self) -> Place:
        """The mailbox on the source."""
        if self.origin:
            return self.origin.source
        return self.world.place("source", self.address, self.source_password)

    @property
    def target(self) -> Place:
        """The mailbox on the target."""
        return self.world.place("target", self.address, self.target_password)

    @contextmanager
    def at_source(self) -> Iterator[Mailbox]:
        """The source mailbox, open."""
        with self.source.open() as mailbox:
            yield mailbox

    @contextmanager
    def at_target(self) -> Iterator[Mailbox]:
        """The target mailbox, open."""
        with self.target.open() as mailbox:
            yield mailbox

    def fill(self, plan: mailgen.Plan) -> None:
        """Write a generated mailbox to the source."""
        maildir.write_mailbox(
            self.world.site.maildir(self.address),
            mailgen.make_mailbox(plan),
            owner=self.world.site.owner,
            subscribed_but_missing=mailgen.MISSING,
        )

    def write(self, folders: Sequence[maildir.Folder]) -> None:
        """Write folders to the source."""
        maildir.write_mailbox(self.world.site.maildir(self.address), folders, owner=self.world.site.owner)

    def write_more(self, folder: maildir.Folder) -> None:
        """Write another folder to a source that has mail already."""
        maildir.write_folder(self.world.site.maildir(self.address), folder, owner=self.world.site.owner)

    def arguments(self, *, check: bool = False, others: Sequence[Pair] = (), **changes: Any) -> dict[str, Any]:
        """The module's options; `source` and `target` in `changes` are laid over the usual ones, None takes one out."""
        values: dict[str, Any] = {
            "source": self.world.side("source"),
            "target": self.world.side("target"),
            "mailboxes": [pair.entry for pair in (self, *others)],
            "ledger": str(self.ledger),
        }
        for name, value in {**self.options, **changes}.items():
            values[name] = _without_none(values[name] | value) if name in ("source", "target") else value
        flags = {"_ansible_check_mode": True, "_ansible_diff": True} if check else {}
        return values | flags

    def start(self, *, check: bool = False, others: Sequence[Pair] = (), **changes: Any) -> Running:
        """Begin a run of mailbox_sync."""
        secrets = [*self.world.secrets(), *(pair.source_password for pair in (self, *others))]
        return Running("mailbox_sync", self.arguments(check=check, others=others, **changes), secrets)

    def sync(self, *, check: bool = False, others: Sequence[Pair] = (), **changes: Any) -> Result:
        """Run mailbox_sync and give its result, whatever it is."""
        return self.start(check=check, others=others, **changes).wait()

    def done(self, *, others: Sequence[Pair] = (), **changes: Any) -> Result:
        """Run mailbox_sync; it must succeed."""
        result = self.sync(others=others, **changes)
        assert not result.failed, result.text[:3000]
        return result

    def audit(self, **changes: Any) -> Result:
        """Run mailbox_audit."""
        options = self.arguments(**changes)
        if "ledger" not in changes:
            del options["ledger"]
        return module.run("mailbox_audit", options, self.world.secrets())

    def faithful(self) -> Picture:
        """The target's picture, which must be the source's to the last detail."""
        return self._compared(faithful=True)

    def mapped(self) -> Picture:
        """The target's picture, which must be the source's but for UIDs and what comes from them."""
        return self._compared(faithful=False)

    def _compared(self, *, faithful: bool) -> Picture:
        target = look(self.target)
        assert placeholders(target) == []
        assert differences(look(self.source), target, faithful=faithful) == []
        return target

    def settled(self) -> Result:
        """Run again: nothing may change, and nothing may be written."""
        result = self.done()
        assert result["changed"] is False, result.text[:2000]
        return result


def _without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def with_gaps(mails: Sequence[maildir.Mail], path: tuple[str, ...], gaps: Mapping[int, int]) -> maildir.Folder:
    """A folder whose UIDs leave out `gaps[n]` numbers before message n."""
    uids: list[int] = []
    uid = 0
    for number in range(len(mails)):
        uid += 1 + gaps.get(number, 0)
        uids.append(uid)
    return maildir.Folder(path, 1234567, uid + 1 if mails else 1, list(zip(uids, mails, strict=True)))


def small_mails(count: int, seed: object = 0) -> list[maildir.Mail]:
    """Messages of a few hundred bytes, each different."""
    date = 1_600_000_000
    return [
        maildir.Mail((plain(f"{seed}-{number}").replace(b"\r\n", b"\n"),), date + number, ("\\Seen",))
        for number in range(count)
    ]


def plain(name: object, body: str = "hello") -> bytes:
    """A short message of its own."""
    return (
        f"From: ann@example.com\r\nTo: bob@example.net\r\nSubject: {name}\r\nMessage-ID: <{name}@example.com>\r\n"
        f"Date: Wed, 3 Feb 2021 04:05:06 +0100\r\n\r\n{body} {name}\r\n"
    ).encode()
