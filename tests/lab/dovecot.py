# SPDX-License-Identifier: GPL-3.0-or-later
"""Dovecot on both sides: Maildir in the Atmail layout on a site, mdbox with a doveadm API in a region."""

from __future__ import annotations

import grp
import os
import pwd
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .server import Server, write_private
from .tls import Certificate

#: What OpenSSL 3 needs to speak TLS 1.0, and only that: Dovecot itself has no setting for the newest version.
_OLD_TLS = """\
openssl_conf = start
[start]
ssl_conf = contexts
[contexts]
system_default = old
[old]
MinProtocol = TLSv1
MaxProtocol = TLSv1
CipherString = ALL:@SECLEVEL=0
"""
#: Writes sessions to <rawlog>/<user>/: Dovecot logs only into folders that are there already.
_RAWLOG_SCRIPT = """\
#!/bin/sh
mkdir -p "{rawlog}/$USER" && chmod 0777 "{rawlog}/$USER"
exec "$@"
"""


@dataclass(frozen=True)
class DovecotSetup:
    """All that distinguishes one Dovecot of the lab from another.

    `kind` is site, region or virtual and chooses the templates; `owner` is the uid and gid of the mail; `socket` and
    `database` are where the accounts are (a virtual one has none); `values` is what the template asks for besides;
    `extra` is configuration text that comes last and so wins; `old_tls` leaves TLS 1.0 alone.
    """

    kind: str
    ports: Mapping[str, int]
    owner: tuple[int, int]
    master_user: str
    master_password: str
    certificate: Certificate
    mail_root: Path
    values: Mapping[str, object]
    socket: Path | None = None
    database: str = ""
    database_password: str = ""
    rawlog: bool = False
    extra: str = ""
    old_tls: bool = False


class Dovecot(Server):
    """IMAP, IMAPS, POP3S, and in a region the doveadm HTTP API. `run` is a folder with a short path for its sockets."""

    def __init__(self, name: str, folder: Path, run: Path, setup: DovecotSetup) -> None:
        super().__init__(name, folder)
        self.run = run
        self.setup = setup
        self.log = folder / "dovecot.log"
        self.configuration = folder / "dovecot.conf"
        self.masters = folder / "master-users"
        self.sql = folder / "dovecot-sql.conf"
        self.rawlog = folder / "rawlog"
        self.openssl = folder / "openssl.cnf"

    def environment(self) -> dict[str, str]:
        more = {"OPENSSL_CONF": str(self.openssl)} if self.setup.old_tls else {}
        return super().environment() | more

    def listens_on(self) -> Sequence[int]:
        return [port for port in self.setup.ports.values() if port]

    def command(self) -> Sequence[str]:
        return ["/usr/sbin/dovecot", "-F", "-c", str(self.configuration)]

    def prepare(self) -> None:
        uid, gid = self.setup.owner
        root = os.geteuid() == 0
        for path in (self.run, self.setup.mail_root):
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(0o755)
        if root:
            os.chown(self.setup.mail_root, uid, gid)
        write_private(self.masters, f"{self.setup.master_user}:{{PLAIN}}{self.setup.master_password}\n", 0o644)
        script = self.folder / "rawlog.sh"
        if self.setup.rawlog:
            self.rawlog.mkdir(exist_ok=True)
            self.rawlog.chmod(0o777)
            write_private(script, _RAWLOG_SCRIPT.format(rawlog=self.rawlog), 0o755)
        if self.setup.old_tls:
            write_private(self.openssl, _OLD_TLS, 0o644)
        if self.setup.database:
            self.render(
                f"dovecot-{self.setup.kind}-sql.conf.j2",
                self.sql,
                0o600,
                name=self.name,
                socket=self.setup.socket,
                database=self.setup.database,
                password=self.setup.database_password,
                mail_root=self.setup.mail_root,
            )
        self.render(
            f"dovecot-{self.setup.kind}.conf.j2",
            self.configuration,
            0o600,
            name=self.name,
            run=self.run,
            log=self.log,
            root=root,
            user=pwd.getpwuid(os.geteuid()).pw_name,
            group=grp.getgrgid(os.getegid()).gr_name,
            uid=uid,
            gid=gid,
            imap_port=self.setup.ports["imap"],
            imaps_port=self.setup.ports["imaps"],
            pop3_port=self.setup.ports.get("pop3", 0),
            pop3s_port=self.setup.ports["pop3s"],
            doveadm_port=self.setup.ports.get("doveadm", 0),
            rawlog=self.rawlog if self.setup.rawlog else "",
            rawlog_script=script,
            certificate=self.setup.certificate,
            masters=self.masters,
            sql=self.sql,
            old_tls=self.setup.old_tls,
            extra=self.setup.extra,
            **self.setup.values,
        )

    def greets(self) -> bool:
        """Whether both TLS and the process behind it work: an untagged OK on the IMAPS port."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self.setup.old_tls:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        # Some labs have a bad certificate on purpose; only whether anybody is there is asked here.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        try:
            with (
                socket.create_connection(("127.0.0.1", self.setup.ports["imaps"]), timeout=5.0) as plain,
                context.wrap_socket(plain) as secure,
            ):
                return secure.recv(512).startswith(b"* OK")
        except OSError:
            return False
