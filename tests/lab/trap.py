# SPDX-License-Identifier: GPL-3.0-or-later
"""A trap for mail: all that a server of calendars sends ends here and can be counted.

It is the Exim that stands for everybody outside (`exim.py`), for servers that speak SMTP, and a `sendmail` for those
that start one: this hands the message to that same Exim.
"""

from __future__ import annotations

import os
import smtplib
import sys
from collections.abc import Sequence
from pathlib import Path

from . import ports
from .exim import Arrived, Exim, EximSetup
from .region import CLOUD_OWNER
from .server import write_private

_SENDMAIL = """\
#!{python} -I
import email, email.utils, smtplib, sys
message = sys.stdin.buffer.read()
headers = email.message_from_bytes(message)
named = [address for name in ("To", "Cc", "Bcc") for address in headers.get_all(name, [])]
recipients = [address for _name, address in email.utils.getaddresses(named)]
sender = email.utils.parseaddr(headers.get("From", ""))[1]
with smtplib.SMTP("127.0.0.1", {port}) as server:
    server.sendmail(sender, recipients, message.replace(b"\\r\\n", b"\\n").replace(b"\\n", b"\\r\\n"))
"""


class Trap(Exim):
    """Mail on a port of loopback, for anybody, kept."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (port,) = ports.claim(folder, 1)
        owner = CLOUD_OWNER if os.geteuid() == 0 else (os.geteuid(), os.getegid())
        super().__init__("trap", folder, EximSetup("outside", port, "trap.example", owner, {}))
        self.sendmail = folder / "sendmail"

    def prepare(self) -> None:
        super().prepare()
        write_private(self.sendmail, _SENDMAIL.format(python=sys.executable, port=self.setup.port), 0o755)

    def stop(self) -> None:
        super().stop()
        ports.release(self.folder)

    def caught(self) -> Sequence[Arrived]:
        """All messages, once everything has been delivered. One more, sent now, proves that the trap still works."""
        with smtplib.SMTP("127.0.0.1", self.setup.port) as server:
            server.sendmail("probe@trap.example", ["probe@trap.example"], b"Subject: probe\r\n\r\n")
        self.settle()
        everything = self.arrived()
        probes = [each for each in everything if each.recipient == "probe@trap.example"]
        assert probes, f"the trap does not catch: {self.said()}"
        return [each for each in everything if each not in probes]
