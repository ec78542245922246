# SPDX-License-Identifier: GPL-3.0-or-later
"""The way into a site: an OpenSSH server that lets one key in and allows nothing but tunnels."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from .server import Server, write_private

#: Who the server is, and whom it lets in, when the lab runs as root: an account that every Debian has and that owns
#: nothing. (`nobody` will not do: systemd's name service calls it locked, and sshd then lets it in by no key.)
UNPRIVILEGED = "daemon"


@dataclass(frozen=True)
class SshdSetup:
    """The port it listens on, and the ports of 127.0.0.1 that it tunnels to."""

    port: int
    tunnels: Sequence[int]


class Sshd(Server):
    """One sshd. It runs without privileges, so that the only account it can serve is its own."""

    def __init__(self, name: str, folder: Path, setup: SshdSetup) -> None:
        super().__init__(name, folder)
        self.setup = setup
        self.log = folder / "sshd.log"
        self.user = UNPRIVILEGED if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self.key_file = folder / "client_key"
        self.known_hosts = folder / "known_hosts"
        self._configuration = folder / "sshd_config"
        self._host_key = folder / "host_key"
        self._authorized_keys = folder / "authorized_keys"

    def listens_on(self) -> Sequence[int]:
        return [self.setup.port]

    def command(self) -> Sequence[str]:
        drop: list[str] = []
        if os.geteuid() == 0:
            account = pwd.getpwnam(self.user)
            drop = ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups", "--"]
        return [*drop, "/usr/sbin/sshd", "-D", "-e", "-f", str(self._configuration)]

    def prepare(self) -> None:
        if not self.key_file.exists():
            write_private(self._authorized_keys, _make_key(self.key_file) + "\n", 0o644)
        if not self._host_key.exists():
            self.trust(_make_key(self._host_key))
        self._give_to_server(self._host_key)
        self.render(
            "sshd_config.j2",
            self._configuration,
            name=self.name,
            port=self.setup.port,
            tunnels=self.setup.tunnels,
            user=self.user,
            host_key=self._host_key,
            authorized_keys=self._authorized_keys,
        )

    def greets(self) -> bool:
        """Whether the identification string comes (RFC 4253 section 4.2)."""
        try:
            with socket.create_connection(("127.0.0.1", self.setup.port), timeout=5.0) as connection:
                return connection.recv(64).startswith(b"SSH-2.0-")
        except OSError:
            return False

    def trust(self, public_key: str) -> None:
        """Make this the host key that the known_hosts file expects."""
        write_private(self.known_hosts, f"[127.0.0.1]:{self.setup.port} {public_key}\n", 0o644)

    def change_host_key(self) -> str:
        """Start again with a new host key, as after a reinstallation or with somebody in between; gives back its
        public half. The known_hosts file goes on expecting the old one until `trust` is told the new.
        """
        self.stop()
        public_key = _make_key(self._host_key)
        self.start()
        return public_key

    def _give_to_server(self, path: Path) -> None:
        if os.geteuid() == 0:
            shutil.chown(path, self.user)


def _make_key(path: Path) -> str:
    """Write a new Ed25519 key in OpenSSH's format; gives back the public half in one line."""
    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    write_private(path, private.decode("ascii"))
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return public.decode("ascii")
