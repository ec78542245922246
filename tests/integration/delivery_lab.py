# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Mail sent to a region by SMTP, and where it ended: in which mailboxes of the cloud, at whom outside."""

from __future__ import annotations

import base64
import itertools
import json
import smtplib
import urllib.request
from collections import Counter
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from typing import Any

from tests.lab.exim import Arrived
from tests.lab.region import Region

#: What makes each mail of the tests one of its own.
_NUMBERS = itertools.count(1)


def at(*names: str) -> dict[str, int]:
    """Once at each of these; a name without a domain is one of acme.example."""
    return {name if "@" in name else f"{name}@acme.example": 1 for name in names}


class Post:
    """Sends mail to a region from outside, and finds it again."""

    def __init__(self, region: Region) -> None:
        self.region = region

    def send(
        self,
        recipients: str | Sequence[str],
        *,
        sender: str = "joe@far.example",
        headers: Mapping[str, str] | None = None,
        text: str = "Hello",
    ) -> Sent:
        """Send one message in one session, and wait until all that comes of it has been delivered."""
        recipients = [recipients] if isinstance(recipients, str) else recipients
        message = EmailMessage()
        subject = message["Subject"] = f"mail {next(_NUMBERS)} of the tests"
        for name, value in {"From": sender or "robot@far.example", "To": recipients[0], **(headers or {})}.items():
            message[name] = value
        message.set_content(text)
        return Sent(self, subject, self._hand_over(sender, recipients, message.as_bytes()))

    def _hand_over(self, sender: str, recipients: Sequence[str], data: bytes) -> dict[str, str]:
        """What the MX said of those recipients that it refused."""
        with smtplib.SMTP("127.0.0.1", self.region.state.ports["smtp"], timeout=30) as client:
            client.ehlo()
            assert client.mail(f"<{sender}>")[0] == 250
            answers = {each: client.docmd("RCPT", f"TO:<{each}>") for each in recipients}
            if any(code == 250 for code, dummy in answers.values()):
                code, said = client.data(data)
                assert code == 250, said
        self.region.mx.settle()
        self.region.outside.settle()
        return {each: f"{code} {said.decode()}" for each, (code, said) in answers.items() if code != 250}

    def places(self, subject: str) -> Counter[str]:
        """Where mail with this subject is, and how many of it: `ann@…`, `ann@… Junk`, `outside: dan@…`."""
        query = {"allUsers": True, "field": ["user", "mailbox"], "query": ["HEADER", "Subject", subject]}
        found = Counter(
            each["user"] if each["mailbox"] == "INBOX" else f"{each['user']} {each['mailbox']}"
            for each in self._ask_dovecot("fetch", query)
        )
        found.update(f"outside: {each.recipient}" for each in self.outside() if each.message["Subject"] == subject)
        return found

    def _ask_dovecot(self, command: str, options: dict[str, Any]) -> list[dict[str, str]]:
        """Look into all folders of all mailboxes at once: one command of the region's doveadm API."""
        key = base64.b64encode(self.region.state.secrets["doveadm"].encode()).decode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.region.state.ports['doveadm']}/doveadm/v1",
            json.dumps([[command, options, "tag"]]).encode(),
            {"Authorization": f"X-Dovecot-API {key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            ((kind, rows, *_tag),) = json.load(answer)
        assert kind == "doveadmResponse", (kind, rows)
        return [dict(row) for row in rows]

    def outside(self) -> list[Arrived]:
        """All that has left the region."""
        return self.region.outside.arrived()


class Sent:
    """What became of one message."""

    def __init__(self, post: Post, subject: str, refused: dict[str, str]) -> None:
        self.subject = subject
        self.refused = refused
        self._post = post

    @property
    def places(self) -> dict[str, int]:
        """Where it is, with the number of copies."""
        return dict(self._post.places(self.subject))

    @property
    def answers(self) -> list[Arrived]:
        """What was sent back: mail with an empty envelope's sender that speaks of it."""
        return [each for each in self._post.outside() if not each.sender and self.subject in each.message.as_string()]
