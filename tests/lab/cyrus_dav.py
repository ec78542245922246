# SPDX-License-Identifier: GPL-3.0-or-later
"""Cyrus as a server of calendars and contacts that sends invitations. Sources: imapd.conf(5), httpd(8), RFC 6638.

What is for somebody outside goes out as mail (iMIP, RFC 6047) to the trap; what is for another account of it comes into
that one's scheduling inbox and calendar.
"""

from __future__ import annotations

import base64
import http.client
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from . import ports
from .cyrus import Cyrus
from .server import stop_all
from .throwaway import throw_away_folder
from .trap import Trap
from .unpacked import unpacked

#: The domain whose accounts it has; everybody else is outside.
DOMAIN = "acme.example"
_MORE = """\
virtdomains: userid
defaultdomain: internal
servername: dav.{domain}
httpmodules: caldav carddav
calendar_user_address_set: {domain}
caldav_allowscheduling: on
smtp_backend: host
smtp_host: 127.0.0.1:{smtp}
"""


class CyrusDav(Cyrus):
    """HTTP on `dav_port` of loopback, in clear text, and IMAP. It takes any password of an account.

    Nobody can log in for others: its httpd(8) heeds the header ``Authorize-As`` only where it is a backend of a Murder.
    """

    def __init__(self, name: str, folder: Path, trap: Trap) -> None:
        super().__init__(name, folder)
        self.imapd = self.place / "usr/lib/cyrus/bin/imapd"
        self.place = unpacked("cyrus-caldav", "cyrus-")
        (self.dav_port,) = ports.claim(folder, 1)
        self.trap = trap

    @classmethod
    @contextmanager
    def temporary(cls, *accounts: str) -> Iterator[CyrusDav]:
        """With a trap, in a throw-away folder; both are stopped and removed at the end."""
        with throw_away_folder("cyrus-dav") as folder:
            trap = Trap(folder / "trap")
            server = cls("cyrus", folder / "cyrus", trap)
            try:
                trap.start()
                server.start()
                for account in accounts:
                    server.add_account(account)
                yield server
            finally:
                stop_all([server, trap])

    @property
    def url(self) -> str:
        """Its root."""
        return f"http://127.0.0.1:{self.dav_port}/"

    def listens_on(self) -> Sequence[int]:
        return [*super().listens_on(), self.dav_port]

    def more(self) -> str:
        return _MORE.format(domain=DOMAIN, smtp=self.trap.setup.port)

    def services(self) -> Sequence[tuple[str, Path, int]]:
        return [
            ("imap", self.imapd, self.port),
            ("http", self.place / "usr/lib/cyrus/bin/httpd", self.dav_port),
        ]

    def greets(self) -> bool:
        """Whether both IMAP and HTTP are spoken."""
        try:
            with closing(self._connection()) as connection:
                connection.request("OPTIONS", "/dav/calendars/")
                return connection.getresponse().status == 401 and super().greets()
        except OSError:
            return False

    def add_account(self, user: str) -> None:
        """Make an account with its calendars, so that others' invitations find them."""
        super().add_account(user)
        with closing(self._connection()) as connection:
            connection.request("GET", self.calendars(user), headers=authorization(user, "any"))
            connection.getresponse().read()

    def calendars(self, user: str) -> str:
        """The path of a user's calendars; `Inbox` in it is where invitations of other accounts come."""
        return f"/dav/calendars/user/{quote(user)}/"

    def options(self, **changes: object) -> dict[str, object]:
        """The modules' options of this side; passwords are any."""
        return {"url": self.url, "allow_plaintext": True, **changes}

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.dav_port, timeout=10.0)


def authorization(user: str, password: str) -> dict[str, str]:
    """The header of a request by Basic authentication (RFC 7617)."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}
