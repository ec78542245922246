# SPDX-License-Identifier: GPL-3.0-or-later
"""Other signers than Exim: OpenDKIM and rspamd, each with the tables that it is given. No part of a lab.

Their packages are unpacked, not installed, so that no service of theirs is ever started.
"""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from .errors import LabError
from .server import Server, write_private
from .unpacked import environment, unpacked


class OpenDkim:
    """OpenDKIM's filter and its checker, with the tables of a folder; it asks one name server about one zone."""

    def __init__(self, folder: Path, tables: Path, zone: str, name_server_port: int) -> None:
        self.folder = folder
        self.configuration = folder / "opendkim.conf"
        unbound = folder / "unbound.conf"
        write_private(
            unbound,
            "server:\n  do-not-query-localhost: no\n"
            f'stub-zone:\n  name: "{zone}"\n  stub-addr: 127.0.0.1@{name_server_port}\n',
        )
        write_private(
            self.configuration,
            f"Mode s\nCanonicalization relaxed/relaxed\nSigningTable refile:{tables}/signing.table\n"
            f"KeyTable file:{tables}/key.table\nResolverConfiguration {unbound}\nInternalHosts 127.0.0.1\n"
            # It refuses keys below folders that others may write to, as /tmp is.
            "RequireSafeKeys no\nSocket inet:0@127.0.0.1\n",
        )

    def check_keys(self) -> str:
        """What opendkim-testkey says of all keys of the table: whether DNS has their other halves."""
        done = self._run("opendkim-tools", "usr/sbin/opendkim-testkey", "-vvv")
        return done.stdout + done.stderr

    def sign(self, message: bytes) -> bytes:
        """The message with the signatures that the filter adds. Raises LabError when it does not take the message."""
        file = self.folder / "message.eml"
        file.write_bytes(message)
        done = self._run("opendkim", "usr/sbin/opendkim", "-v", "-v", "-t", str(file))
        if "returned SMFIS_ACCEPT" not in done.stderr:
            raise LabError(f"OpenDKIM does not take the message: {done.stdout}{done.stderr}")
        headers = ""
        for part in done.stdout.split("### INSHEADER: ")[1:]:
            value = part.partition("hvalue='")[2].rpartition("'")[0]
            headers += f"DKIM-Signature: {value}\n"
        return headers.replace("\r", "").replace("\n", "\r\n").encode() + message

    def _run(self, package: str, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        place = unpacked(package, "opendkim")
        return subprocess.run(
            [str(place / program), "-x", str(self.configuration), *arguments],
            env=environment(place),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


class Rspamd(Server):
    """rspamd with its module dkim_signing alone: it signs what an authenticated user sends, by the maps of a folder."""

    def __init__(self, folder: Path, tables: Path, port: int) -> None:
        super().__init__("rspamd", folder)
        self.tables = tables
        self.port = port
        self._configuration = folder / "rspamd.conf"

    def listens_on(self) -> Sequence[int]:
        return [self.port]

    def command(self) -> Sequence[str]:
        as_root = ["--insecure"] if os.geteuid() == 0 else []
        return [str(self._place / "usr/bin/rspamd"), "-f", *as_root, "-c", str(self._configuration)]

    def environment(self) -> dict[str, str]:
        share = self._place / "usr/share/rspamd"
        found = {**super().environment(), **environment(self._place)}
        found["LD_LIBRARY_PATH"] += f":{self._place}/usr/lib/rspamd"
        own = dict.fromkeys(("CONFDIR", "DBDIR", "LOGDIR", "RUNDIR", "WWWDIR"), str(self.folder))
        places = {"LUALIBDIR": "lualib", "PLUGINSDIR": "plugins", "RULESDIR": "rules", "SHAREDIR": "."}
        return {**found, **own, **{name: str(share / path) for name, path in places.items()}}

    def prepare(self) -> None:
        # All of the real list would take it half a minute to compile.
        write_private(self.folder / "suffixes", "example\n")
        self.render(
            "rspamd.conf.j2",
            self._configuration,
            0o600,
            name=self.name,
            folder=self.folder,
            tables=self.tables,
            port=self.port,
            share=self._place / "usr/share/rspamd",
        )

    def checks_configuration(self) -> str:
        """What rspamadm says of the configuration and its maps."""
        done = subprocess.run(
            [str(self._place / "usr/bin/rspamadm"), "configtest", "-c", str(self._configuration)],
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.stdout.strip()

    def sign(self, message: bytes, user: str) -> bytes:
        """The message of a user with the signature that rspamd gives, if it gives one."""
        headers = {"User": user, "From": user, "IP": "127.0.0.1", "Rcpt": "joe@far.example"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/checkv2", message, headers)
        with urllib.request.urlopen(request, timeout=30) as response:
            found = json.loads(response.read()).get("dkim-signature")
        if not found:
            return message
        return f"DKIM-Signature: {found}\r\n".encode() + message

    @property
    def _place(self) -> Path:
        return unpacked("rspamd")
