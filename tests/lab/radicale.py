# SPDX-License-Identifier: GPL-3.0-or-later
"""Radicale: CalDAV and CardDAV (RFC 4791, RFC 6352, RFC 6578) behind the edge of a region, or alone in a test.

It schedules nothing: invitations are what the servers of `cyrus_dav.py` and `sabre.py` are for. The plugins that it
loads are `radicale_auth.py` and `radicale_storage.py`.
"""

from __future__ import annotations

import ast
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from . import ports
from .haproxy import SERVICES, HAProxy, HAProxySetup
from .layout import Layout
from .objects import CALENDAR, Thing
from .radicale_auth import SEPARATOR
from .server import Server, start_all, stop_all, write_private
from .throwaway import fast_folder
from .tls import Authority

ADMIN = "migration"
_ROOT = Path(__file__).resolve().parents[2]
#: First the administrator; then everybody sees the root, and has all rights on what is below his own name.
_RIGHTS = """\
[admin]
user = {admin}
collection = .*
permissions = RrWw

[root]
user = .+
collection =
permissions = R

[principal]
user = .+
collection = {{user}}
permissions = RW

[collections]
user = .+
collection = {{user}}/[^/]+
permissions = rw
"""
# The path stands there as Python writes a string.
_REQUEST = re.compile(r""" ([A-Z]+) request for ('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*").* received from """)


@dataclass(frozen=True)
class RadicaleSetup:
    """Who may log in: those whom the IMAP server on `imap_port` knows (in clear), or, where it is 0, those added here.

    The administrator is a user with all rights (`migration`), and is Ann as `ann*migration`.
    """

    port: int
    admin_password: str
    imap_port: int = 0
    admin_user: str = ADMIN
    max_resource_size: int = 10_000_000


class Radicale(Server):
    """HTTP on a port of loopback, in clear text, with Basic authentication."""

    def __init__(self, name: str, folder: Path, setup: RadicaleSetup) -> None:
        super().__init__(name, folder)
        self.setup = setup
        self.configuration = folder / "radicale.conf"
        self.rights = folder / "rights"
        self.people = folder / "people.json"
        self.data = folder / "collections"
        self._users: dict[str, str] = {}

    def listens_on(self) -> Sequence[int]:
        return [self.setup.port]

    def command(self) -> Sequence[str]:
        return [sys.executable, "-B", "-m", "radicale", "--config", str(self.configuration)]

    def environment(self) -> dict[str, str]:
        # where its plugins are, and where our own libraries are if somebody had to say so
        paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        return {**super().environment(), "PYTHONPATH": os.pathsep.join(paths)}

    def prepare(self) -> None:
        self.data.mkdir(exist_ok=True)
        self._write_people()
        write_private(self.rights, _RIGHTS.format(admin=re.escape(self.setup.admin_user)))
        self.render(
            "radicale.conf.j2",
            self.configuration,
            0o600,
            name=self.name,
            port=self.setup.port,
            imap_port=self.setup.imap_port or 143,
            max_resource_size=self.setup.max_resource_size,
            people=self.people,
            rights=self.rights,
            data=self.data,
        )

    def add_account(self, user: str, password: str = "") -> None:
        """Make a user's place, as the first log-in would, so that the administrator finds it; with accounts of its
        own also let the user in. Counts at once.
        """
        self.place(user).mkdir(parents=True, exist_ok=True)
        if not self.setup.imap_port:
            self._users[user] = password
            self._write_people()

    def place(self, user: str) -> Path:
        """The folder of a user's collections; a collection is a folder in it, an object a file in that."""
        return self.data / "collection-root" / user

    def write(self, user: str, slug: str, things: Iterable[Thing], **properties: str) -> Path:
        """Make a collection with these objects on the disk, where Radicale finds them at once: also those that it
        would not take from a client. `properties` are named as in its files, with `__` for a colon (`D__displayname`).
        """
        folder = self.place(user) / slug
        folder.mkdir(parents=True, exist_ok=True)
        tag = "VCALENDAR"
        for thing in things:
            tag = "VCALENDAR" if thing.kind == CALENDAR else "VADDRESSBOOK"
            (folder / thing.name).write_bytes(thing.data)
        told = {"tag": tag, **{name.replace("__", ":"): value for name, value in properties.items()}}
        write_private(folder / ".Radicale.props", json.dumps(told))
        return folder

    def path(self, user: str) -> str:
        """The path of a user's principal, which is also the home of all collections."""
        return f"/{quote(user)}/"

    def requests(self, since: int = 0) -> list[tuple[str, str]]:
        """Method and path (decoded) of all requests, oldest first; from an offset in the log (bytes) on."""
        with self.log.open("rb") as file:
            file.seek(since)
            found = _REQUEST.findall(file.read().decode(errors="replace"))
        return [(method, str(ast.literal_eval(path))) for method, path in found]

    def log_size(self) -> int:
        """Where the log ends now, for :meth:`requests`."""
        return self.log.stat().st_size

    def _write_people(self) -> None:
        told = {
            "imap": bool(self.setup.imap_port),
            "admin_user": self.setup.admin_user,
            "admin_password": self.setup.admin_password,
            "users": self._users,
        }
        write_private(self.people, json.dumps(told))


@dataclass(frozen=True)
class DavCloud:
    """A running Radicale with accounts of its own, and HAProxy in front of it with TLS, as in a region.

    `url` is HTTPS, `plain_url` what is behind it; `ca` is whom clients have to trust.
    """

    radicale: Radicale
    edge: HAProxy
    ca: Path
    admin_user: str = ADMIN
    admin_password: str = field(default="secret-of-the-lab", repr=False)

    @classmethod
    @contextmanager
    def temporary(cls, accounts: Mapping[str, str] | None = None) -> Iterator[DavCloud]:
        """In a throw-away folder, with these accounts (address: password), stopped and removed at the end."""
        folder = Path(tempfile.mkdtemp(prefix="dav-", dir=fast_folder()))
        folder.chmod(0o755)
        layout = Layout.of(folder)
        layout.make()
        made = cls._made(layout)
        servers: list[Server] = [made.radicale, made.edge]
        try:
            start_all(servers)
            for user, password in (accounts or {}).items():
                made.add_account(user, password)
            yield made
        finally:
            stop_all(servers)
            ports.release(layout.directory)
            layout.remove()

    @classmethod
    def _made(cls, layout: Layout) -> DavCloud:
        port, *edge_ports = ports.claim(layout.directory, 1 + len(SERVICES))
        authority = Authority(layout.data / "tls")
        radicale = Radicale("radicale", layout.data / "radicale", RadicaleSetup(port, cls.admin_password))
        setup = HAProxySetup(dict(zip(SERVICES, edge_ports, strict=True)), {"dav": port}, authority.issue_kind("good"))
        return cls(radicale, HAProxy("edge", layout.data / "edge", layout.run / "e", setup), authority.ca_file)

    @property
    def url(self) -> str:
        """Its root, by HTTPS."""
        return f"https://127.0.0.1:{self.edge.setup.ports['dav']}/"

    @property
    def plain_url(self) -> str:
        """Its root, in clear text and without HAProxy."""
        return f"http://127.0.0.1:{self.radicale.setup.port}/"

    def add_account(self, user: str, password: str) -> None:
        """Let somebody in from now on."""
        self.radicale.add_account(user, password)

    def options(self, **changes: object) -> dict[str, object]:
        """The modules' options of this side, for the administrator: `ann*migration` is Ann."""
        return {
            "url": self.url,
            "ca_path": str(self.ca),
            "admin_user": self.admin_user,
            "admin_password": self.admin_password,
            "admin_method": "separator",
            "admin_separator": SEPARATOR,
            **changes,
        }
