# SPDX-License-Identifier: GPL-3.0-or-later
"""An on-premises Atmail site."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from . import atmail, maildir
from .atmail import AtmailAccount
from .dovecot import Dovecot, DovecotSetup
from .generations import generation
from .layout import Layout
from .mariadb import DatabaseUser, MariaDb, MariaDbSetup
from .server import Server
from .sshd import Sshd, SshdSetup
from .state import Account, SiteState
from .tls import Authority

#: The uid and gid that Atmail gives its mail.
ATMAIL_OWNER = (3000, 3000)
PORTS = ("imap", "imaps", "pop3s", "database", "ssh")
SECRETS = ("master", "dovecot_database", "migration_database")
MASTER_USER = "master"
DATABASE = "atmail"
DATABASE_USER = "migration"


class Site:
    """One customer's server: Dovecot with Maildir, MariaDB with the tables of its Atmail, sshd that only tunnels."""

    def __init__(self, name: str, layout: Layout, state: SiteState, authority: Authority) -> None:
        self.name = name
        self.domain = f"{name}.example"
        self.generation = generation(state.options.generation)
        self.state = state
        self.folder = layout.data / "sites" / name
        self.maildir_root = self.folder / "users"
        self.owner = (os.geteuid(), os.getegid()) if os.geteuid() else state.options.owner or ATMAIL_OWNER
        self.database = MariaDb(f"{name} mariadb", self.folder / "mariadb", layout.run / f"{name}-m", self._database())
        setup = self._dovecot(self.database.socket, authority)
        self.dovecot = Dovecot(f"{name} dovecot", self.folder / "dovecot", layout.run / f"{name}-d", setup)
        ports = state.ports
        tunnels = SshdSetup(ports["ssh"], tunnels=[ports["database"], ports["imap"], ports["imaps"]])
        self.sshd = Sshd(f"{name} sshd", self.folder / "sshd", tunnels)

    @property
    def file_owner(self) -> tuple[int, int] | None:
        """Whom files have to be given to; None for an ordinary user, whose they are anyway."""
        return self.owner if os.geteuid() == 0 else None

    @property
    def databases(self) -> Sequence[Server]:
        """The servers that others ask as soon as they start."""
        return [self.database]

    @property
    def servers(self) -> Sequence[Server]:
        """All servers of the site."""
        return [self.database, self.dovecot, self.sshd]

    @property
    def sharing(self) -> Path:
        """Where Dovecot keeps who has shared what, and the Maildir of the public folders in `public`."""
        return self.folder / "sharing"

    @property
    def public(self) -> Path:
        """The Maildir of the public folders; made and given to the mail's owner when it is asked for."""
        place = self.sharing / "public"
        place.mkdir(parents=True, exist_ok=True)
        self.give_to_owner(self.sharing)
        return place

    def maildir(self, address: str) -> Path:
        """Where Atmail keeps the mail of an address: users/<first letter>/<second letter>/<address>."""
        first, second = ((each if each.isalpha() and each.isascii() else "other") for each in (address + "  ")[:2])
        return self.maildir_root / first / second / address

    def add_account(
        self,
        address: str,
        password: str,
        *,
        stored: str = "plain",
        enabled: bool = True,
        details: AtmailAccount | None = None,
    ) -> Account:
        """Add an account with an empty mailbox to the running site, or replace the rows of the one there is.

        `details` gives all that Atmail knows besides; its address, password and state are then those given here.
        """
        rows = replace(
            details or AtmailAccount(address, password),
            address=address,
            password=password,
            stored=stored,
            enabled=enabled,
        )
        place = self.maildir(address)
        self._make_maildir(place)
        with self.database.session() as cursor:
            atmail.put_account(cursor, rows, str(place), self.generation)
        account = Account(address, password, stored, enabled)
        self.state.accounts[address] = account
        return account

    def deliver(self, address: str, data: bytes, date: int) -> Path:
        """Put a message (lines end in LF) into an account's INBOX, as the site's mail server does; INTERNALDATE is
        `date`, in seconds since 1970.
        """
        return maildir.deliver(self.maildir(address), data, date, owner=self.file_owner)

    def count(self, address: str, messages: int, folders: int) -> None:
        """Remember how much mail an account has, for lab.json."""
        self.state.accounts[address] = replace(self.state.accounts[address], messages=messages, folders=folders)

    def give_to_owner(self, path: Path, *, deep: bool = True) -> None:
        """Make a folder (and all in it) belong to the owner of the mail; nothing to do for an ordinary user."""
        if os.geteuid() != 0:
            return
        os.chown(path, *self.owner)
        for root, folders, files in os.walk(path) if deep else ():
            for each in (*folders, *files):
                os.lchown(Path(root) / each, *self.owner)

    def shown(self) -> dict[str, Any]:
        """The site's part of lab.json."""
        ports = self.state.ports
        return {
            "domain": self.domain,
            "region": self.state.region,
            "imap": {"host": "127.0.0.1", "port": ports["imaps"], "security": "tls"},
            "imap_plain_port": ports["imap"],
            "pop3": {"host": "127.0.0.1", "port": ports["pop3s"], "security": "tls"},
            "master_user": MASTER_USER,
            "master_password": self.state.secrets["master"],
            "master_separator": "*",
            "database": {
                "host": "127.0.0.1",
                "port": ports["database"],
                "name": DATABASE,
                "user": DATABASE_USER,
                "password": self.state.secrets["migration_database"],
                "socket": str(self.database.socket),
            },
            "ssh": {
                "host": "127.0.0.1",
                "port": ports["ssh"],
                "user": self.sshd.user,
                "key_file": str(self.sshd.key_file),
                "known_hosts": str(self.sshd.known_hosts),
            },
            "maildir_root": str(self.maildir_root),
            "log": str(self.dovecot.log),
            "rawlog": str(self.dovecot.rawlog) if self.state.options.rawlog else "",
            "accounts": [asdict(each) for each in self.state.accounts.values()],
        }

    def _make_maildir(self, place: Path) -> None:
        for folder in (place, place / "cur", place / "new", place / "tmp"):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
            self.give_to_owner(folder, deep=False)
        for folder in (place.parent, place.parent.parent):
            self.give_to_owner(folder, deep=False)

    def _database(self) -> MariaDbSetup:
        """Dovecot asks through the socket; the migration comes out of the tunnel and only reads."""
        secrets = self.state.secrets
        users = (
            DatabaseUser("dovecot", secrets["dovecot_database"], "localhost", "SELECT"),
            DatabaseUser(DATABASE_USER, secrets["migration_database"], "127.0.0.1", "SELECT"),
        )
        return MariaDbSetup(self.state.ports["database"], DATABASE, "", users, fill=self.generation.make)

    def _dovecot(self, socket: Path, authority: Authority) -> DovecotSetup:
        state = self.state
        return DovecotSetup(
            kind="site",
            ports={each: state.ports[each] for each in ("imap", "imaps", "pop3s")},
            owner=self.owner,
            master_user=MASTER_USER,
            master_password=state.secrets["master"],
            certificate=authority.issue_kind(state.options.certificate),
            mail_root=self.maildir_root,
            socket=socket,
            database=DATABASE,
            database_password=state.secrets["dovecot_database"],
            values={"prefix": state.options.prefix, "sharing": self.sharing if state.options.sharing else ""},
            rawlog=state.options.rawlog,
            extra=state.options.extra,
            old_tls=state.options.old_tls,
        )
