# SPDX-License-Identifier: GPL-3.0-or-later
"""A region of the cloud."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from . import passwords
from .dovecot import Dovecot, DovecotSetup
from .exim import Exim, EximSetup
from .haproxy import SERVICES, HAProxy, HAProxySetup
from .layout import Layout
from .mariadb import DatabaseUser, MariaDb, MariaDbSetup
from .radicale import Radicale, RadicaleSetup
from .radicale_auth import SEPARATOR
from .server import Server
from .state import Account, RegionState
from .tls import GOOD_NAMES, Authority

#: The uid and gid of all mail in the cloud.
CLOUD_OWNER = (3100, 3100)
EDGE_PORTS = tuple(f"edge_{service}" for service in SERVICES)
MAIL_PORTS = ("imap", "imaps", "pop3", "pop3s", "smtp", "outside", "smtps", "submission")
PORTS = (*MAIL_PORTS, "database", "doveadm", "dav", *EDGE_PORTS)
SECRETS = ("master", "doveadm", "dovecot_database", "exim_database", "migration_database")
MASTER_USER = "migration"
DATABASE = "cloud"
DATABASE_USER = "migration"
#: The tenant of accounts that tests add to a region directly.
TEST_TENANT = "lab"


class Region:
    """Dovecot with mdbox, SQL accounts and the doveadm HTTP API, and the MariaDB behind it.

    Where mail is delivered, `mx` takes it by SMTP, and `outside` is the server of everybody who is not in the region.
    `submission` takes it from users who log in: by TLS on the port smtps, and in clear for a proxy on submission.
    """

    def __init__(self, name: str, layout: Layout, state: RegionState, authority: Authority) -> None:
        self.name = name
        self.state = state
        self.folder = layout.data / "regions" / name
        self.mail_root = self.folder / "mail"
        #: Keys and tables that mail to the outside is signed by, once there are any.
        self.dkim = self.folder / "dkim"
        self.owner = (os.geteuid(), os.getegid()) if os.geteuid() else CLOUD_OWNER
        setup = self._database(authority)
        self.database = MariaDb(f"{name} mariadb", self.folder / "mariadb", layout.run / f"{name}-m", setup)
        self.dovecot = Dovecot(
            f"{name} dovecot",
            self.folder / "dovecot",
            layout.run / f"{name}-d",
            self._dovecot(self.database.socket, authority),
        )
        self.outside = Exim(f"{name} outside", self.folder / "outside", self._exim("outside", state.ports["outside"]))
        self.mx = Exim(f"{name} mx", self.folder / "mx", self._mx(authority))
        self.submission = Exim(f"{name} submission", self.folder / "submission", self._submission(authority))
        dav = RadicaleSetup(state.ports["dav"], state.secrets["master"], state.ports["imap"], MASTER_USER)
        self.dav = Radicale(f"{name} radicale", self.folder / "radicale", dav)
        self.edge = HAProxy(f"{name} edge", self.folder / "edge", layout.run / f"{name}-e", self._edge(authority))

    @property
    def databases(self) -> Sequence[Server]:
        """The servers that others ask as soon as they start."""
        return [self.database]

    @property
    def servers(self) -> Sequence[Server]:
        """All servers of the region."""
        servers: list[Server] = [self.database, self.dovecot]
        options = self.state.options
        if options.takes_mail:
            servers += [self.outside, self.mx]
        if options.submission:
            servers.append(self.submission)
        if options.dav:
            servers.append(self.dav)
        if options.has_edge:
            servers.append(self.edge)
        return servers

    def enable_tenant(self, subscription: str, display_name: str = "") -> None:
        """Add a tenant that customers may be migrated to; one that is there stays as it is."""
        with self.database.session() as cursor:
            cursor.execute(
                "INSERT IGNORE INTO tenants (subscription, region, display_name, migration_enabled)"
                " VALUES (%s, %s, %s, 1)",
                (subscription, self.name, display_name or subscription),
            )

    def add_account(self, address: str, password: str, *, quota_bytes: int = 0, enabled: bool = True) -> Account:
        """Add an account with an empty mailbox to the running region, or change the one there is. Quota 0 is none.

        A domain that is not there is added to a tenant of the tests' own.
        """
        account = Account(address, password, "ssha512", enabled)
        domain = address.rpartition("@")[2]
        self.enable_tenant(TEST_TENANT, "Accounts added by tests")
        with self.database.session() as cursor:
            cursor.execute("INSERT IGNORE INTO domains (name, subscription) VALUES (%s, %s)", (domain, TEST_TENANT))
            cursor.execute(
                "INSERT INTO accounts (address, domain, status, password, password_status, quota_bytes)"
                " VALUES (%s, %s, %s, %s, 'changed', %s) ON DUPLICATE KEY UPDATE status = VALUES(status),"
                " password = VALUES(password), quota_bytes = VALUES(quota_bytes)",
                (
                    address,
                    domain,
                    "active" if enabled else "disabled",
                    passwords.cloud(password),
                    quota_bytes or None,
                ),
            )
        self.state.accounts[address] = account
        if self.state.options.dav:
            self.dav.add_account(address)
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
            "database": {
                "host": "127.0.0.1",
                "port": ports["database"],
                "name": DATABASE,
                "user": DATABASE_USER,
                "password": self.state.secrets["migration_database"],
                "tls": True,
                "socket": str(self.database.socket),
            },
            "subscription": {site: site for site in sites},
            "mail_root": str(self.mail_root),
            "log": str(self.dovecot.log),
            "rawlog": str(self.dovecot.rawlog) if self.state.options.rawlog else "",
        }
        if self.state.options.submission:
            result["smtps"] = {"host": "127.0.0.1", "port": ports["smtps"], "security": "tls"}
        if self.state.options.takes_mail:
            result["smtp"] = {"host": "127.0.0.1", "port": ports["smtp"]}
        if self.state.options.dav:
            result["dav"] = {
                "url": f"https://127.0.0.1:{ports['edge_dav']}/",
                "admin_user": MASTER_USER,
                "admin_password": self.state.secrets["master"],
                "admin_method": "separator",
                "admin_separator": SEPARATOR,
                "log": str(self.dav.log),
            }
        if self.state.options.has_edge:
            result["edge"] = {
                "host": "127.0.0.1",
                "ports": dict(self.edge.setup.ports),
                "directory": str(self.edge.certificates),
                "crt_list": str(self.edge.crt_list),
                "socket": str(self.edge.socket),
            }
        if self.state.options.doveadm:
            result["doveadm_url"] = f"http://127.0.0.1:{ports['doveadm']}/doveadm/v1"
            result["doveadm_api_key"] = self.state.secrets["doveadm"]
        return result

    def _database(self, authority: Authority) -> MariaDbSetup:
        """Dovecot asks through the socket; the migration comes over TCP and has to use TLS."""
        secrets = self.state.secrets
        users = (
            DatabaseUser("dovecot", secrets["dovecot_database"], "localhost", "SELECT"),
            DatabaseUser("exim", secrets["exim_database"], "localhost", "SELECT"),
            DatabaseUser(
                DATABASE_USER, secrets["migration_database"], "127.0.0.1", "SELECT, INSERT, UPDATE, DELETE", tls=True
            ),
        )
        certificate = authority.issue_kind("good")
        return MariaDbSetup(self.state.ports["database"], DATABASE, "cloud.sql", users, certificate)

    def _dovecot(self, socket: Path, authority: Authority) -> DovecotSetup:
        state = self.state
        ports = {each: state.ports[each] for each in ("imap", "imaps", "pop3s")}
        ports["pop3"] = state.ports["pop3"] if state.options.has_edge else 0
        return DovecotSetup(
            kind="region",
            ports={**ports, "doveadm": state.ports["doveadm"] if state.options.doveadm else 0},
            owner=self.owner,
            master_user=MASTER_USER,
            master_password=state.secrets["master"],
            certificate=authority.issue_kind(state.options.certificate),
            mail_root=self.mail_root,
            socket=socket,
            database=DATABASE,
            database_password=state.secrets["dovecot_database"],
            values={
                "doveadm_api_key": state.secrets["doveadm"],
                "delivery": state.options.takes_mail,
                "submission": state.options.submission,
            },
            rawlog=state.options.rawlog,
            extra=state.options.extra,
        )

    def _edge(self, authority: Authority) -> HAProxySetup:
        """What is behind it speaks in clear text; it shows the cloud's own certificate to whom it has no other for."""
        ports = {service: self.state.ports[f"edge_{service}"] for service in SERVICES}
        backends = {each: self.state.ports[each] for each in ("imap", "pop3")}
        backends["submission"] = self.state.ports["submission"] if self.state.options.submission else 0
        backends["dav"] = self.state.ports["dav"] if self.state.options.dav else 0
        names = ("*.atmailcloud.example", "127.0.0.1", "localhost")
        return HAProxySetup(ports, backends, authority.issue("cloud", names))

    def _exim(self, kind: str, port: int) -> EximSetup:
        """Exim asks the database through its socket, too, and gives the mail to Dovecot through one."""
        values = {
            "socket": self.database.socket,
            "database": DATABASE,
            "password": self.state.secrets["exim_database"],
            "lmtp": self.dovecot.run / "lmtp",
            "outside_port": self.state.ports["outside"],
            "dkim": self.dkim,
        }
        host_name = f"mx1-{self.name}.atmailcloud.example" if kind == "mx" else "mail.outside.example"
        return EximSetup(kind, port, host_name, self.owner, values)

    def _mx(self, authority: Authority) -> EximSetup:
        """It offers TLS to other servers, and takes their mail without it, too."""
        setup = self._exim("mx", self.state.ports["smtp"])
        certificate = authority.issue("mx", (setup.host_name, *GOOD_NAMES))
        return replace(setup, values={**setup.values, "starttls": True}, certificate=certificate)

    def _submission(self, authority: Authority) -> EximSetup:
        """It knows nobody itself: Dovecot says who logs in, the database which domains are the cloud's."""
        certificate = authority.issue_kind(self.state.options.certificate)
        setup = self._exim("submission", self.state.ports["submission"])
        values = {
            **setup.values,
            "tls_port": self.state.ports["smtps"],
            "mx_port": self.state.ports["smtp"],
            "users": self.dovecot.run / "auth-submission",
        }
        host_name = f"smtp-{self.name}.atmailcloud.example"
        return EximSetup(setup.kind, setup.port, host_name, self.owner, values, certificate)
