# SPDX-License-Identifier: GPL-3.0-or-later
"""An on-premises Atmail site."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from .dovecot import Dovecot, DovecotSetup
from .layout import Layout
from .server import Server
from .state import Account, SiteState
from .tls import Authority

#: The uid and gid that Atmail gives its mail.
ATMAIL_OWNER = (3000, 3000)
PORTS = ("imap", "imaps", "pop3s", "database", "ssh")
MASTER_USER = "master"


class Site:
    """One customer's server: Dovecot with Maildir, MariaDB with the Atmail 7 tables, sshd that only tunnels."""

    def __init__(self, name: str, layout: Layout, state: SiteState, authority: Authority) -> None:
        self.name = name
        self.domain = f"{name}.example"
        self.state = state
        self.folder = layout.data / "sites" / name
        self.maildir_root = self.folder / "users"
        self._authority = authority
        self.owner = (os.geteuid(), os.getegid()) if os.geteuid() else state.options.owner or ATMAIL_OWNER
        self.dovecot = Dovecot(
            f"{name} dovecot",
            self.folder / "dovecot",
            layout.run / f"{name}-d",
            DovecotSetup(
                template="dovecot-site.conf.j2",
                ports={each: state.ports[each] for each in ("imap", "imaps", "pop3s")},
                owner=self.owner,
                master_user=MASTER_USER,
                master_password=state.secrets["master"],
                certificate=authority.issue_kind(state.options.certificate),
                mail_root=self.maildir_root,
                values={"prefix": state.options.prefix},
                rawlog=state.options.rawlog,
                extra=state.options.extra,
            ),
        )

    @property
    def servers(self) -> Sequence[Server]:
        """All servers of the site."""
        return [self.dovecot]

    def maildir(self, address: str) -> Path:
        """Where Atmail keeps the mail of an address: users/<first letter>/<second letter>/<address>/."""
        first, second = ((each if each.isalpha() and each.isascii() else "other") for each in (address + "  ")[:2])
        return self.maildir_root / first / second / address

    def add_account(self, address: str, password: str, *, stored: str = "plain", enabled: bool = True) -> Account:
        """Add an account with an empty mailbox, or change the one there is."""
        account = Account(address, password, stored, enabled)
        maildir = self.maildir(address)
        for folder in (maildir, maildir / "cur", maildir / "new", maildir / "tmp"):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
        self.give_to_owner(maildir)
        for folder in (maildir.parent, maildir.parent.parent):
            self.give_to_owner(folder, deep=False)
        self.state.accounts[address] = account
        lines = [
            f"{each.address}:{each.password}:{self.owner[0]}:{self.owner[1]}::{self.maildir(each.address)}::\n"
            for each in self.state.accounts.values()
        ]
        self.dovecot.users.write_text("".join(lines))
        return account

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
                os.lchown(os.path.join(root, each), *self.owner)

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
            "maildir_root": str(self.maildir_root),
            "log": str(self.dovecot.log),
            "rawlog": str(self.dovecot.rawlog) if self.state.options.rawlog else "",
            "accounts": [
                {
                    "address": each.address,
                    "password": each.password,
                    "stored": each.stored,
                    "enabled": each.enabled,
                    "messages": each.messages,
                    "folders": each.folders,
                }
                for each in self.state.accounts.values()
            ],
        }
