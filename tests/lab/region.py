# SPDX-License-Identifier: GPL-3.0-or-later
"""A region of the cloud."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from .dovecot import Dovecot, DovecotSetup
from .layout import Layout
from .server import Server
from .state import Account, RegionState
from .tls import Authority

#: The uid and gid of all mail in the cloud.
CLOUD_OWNER = (3100, 3100)
PORTS = ("imap", "imaps", "pop3s", "database", "doveadm")
MASTER_USER = "migration"


class Region:
    """Dovecot with mdbox, SQL accounts and the doveadm HTTP API, and the MariaDB behind it."""

    def __init__(self, name: str, layout: Layout, state: RegionState, authority: Authority) -> None:
        self.name = name
        self.state = state
        self.folder = layout.data / "regions" / name
        self.mail_root = self.folder / "mail"
        self.owner = (os.geteuid(), os.getegid()) if os.geteuid() else CLOUD_OWNER
        self.dovecot = Dovecot(
            f"{name} dovecot",
            self.folder / "dovecot",
            layout.run / f"{name}-d",
            DovecotSetup(
                template="dovecot-region.conf.j2",
                ports={
                    "imap": state.ports["imap"],
                    "imaps": state.ports["imaps"],
                    "pop3s": state.ports["pop3s"],
                    "doveadm": state.ports["doveadm"] if state.options.doveadm else 0,
                },
                owner=self.owner,
                master_user=MASTER_USER,
                master_password=state.secrets["master"],
                certificate=authority.issue_kind(state.options.certificate),
                mail_root=self.mail_root,
                values={"doveadm_api_key": state.secrets["doveadm"]},
                rawlog=state.options.rawlog,
                extra=state.options.extra,
            ),
        )

    @property
    def servers(self) -> Sequence[Server]:
        """All servers of the region."""
        return [self.dovecot]

    def add_account(self, address: str, password: str, *, quota_bytes: int = 0, enabled: bool = True) -> Account:
        """Add an account with an empty mailbox, or change the one there is. A quota of 0 is none."""
        account = Account(address, password, "plain", enabled)
        self.state.accounts[address] = account
        local, _, domain = address.rpartition("@")
        rule = f"userdb_quota_rule=*:bytes={quota_bytes}" if quota_bytes else ""
        line = f"{address}:{password}:{self.owner[0]}:{self.owner[1]}::{self.mail_root / domain / local}::{rule}\n"
        with self.dovecot.users.open("a") as file:
            file.write(line)
        return account

    def shown(self, sites: Sequence[str]) -> dict[str, Any]:
        """The region's part of lab.json; `sites` are those whose customers move here."""
        ports = self.state.ports
        result: dict[str, Any] = {
            "imap": {"host": "127.0.0.1", "port": ports["imaps"], "security": "tls"},
            "imap_plain_port": ports["imap"],
            "pop3": {"host": "127.0.0.1", "port": ports["pop3s"], "security": "tls"},
            "master_user": MASTER_USER,
            "master_password": self.state.secrets["master"],
            "master_separator": "*",
            "subscription": {site: site for site in sites},
            "mail_root": str(self.mail_root),
            "log": str(self.dovecot.log),
            "rawlog": str(self.dovecot.rawlog) if self.state.options.rawlog else "",
        }
        if self.state.options.doveadm:
            result["doveadm_url"] = f"http://127.0.0.1:{ports['doveadm']}/doveadm/v1"
            result["doveadm_api_key"] = self.state.secrets["doveadm"]
        return result
