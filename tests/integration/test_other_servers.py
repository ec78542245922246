# SPDX-License-Identifier: GPL-3.0-or-later
"""Sources that are no Dovecot: Courier (no UIDNEXT on SELECT, no LITERAL+, no CONDSTORE) and Cyrus (everything)."""

from __future__ import annotations

import hashlib
import imaplib
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.lab import mailgen
from tests.lab.courier import Courier
from tests.lab.cyrus import ADMIN, Cyrus
from tests.lab.errors import LabError

from .checks.picture import look
from .checks.world import Pair, World

USER, PASSWORD = "ann", "courier secret"
_PLAN = mailgen.Plan("other servers", messages=250, folders=12, max_size=300_000)
_UID = re.compile(rb"UID (\d+)")


@dataclass
class Origin:
    """A running server with one filled mailbox: the module's options for it, and how its user gets in."""

    source: dict[str, Any]
    entry: dict[str, str]
    session: Callable[[], AbstractContextManager[imaplib.IMAP4]]
    below_inbox: str

    def pair(self, world: World) -> Pair:
        """Its mailbox and a fresh one on the target."""
        pair = world.pair(on_source=False)
        pair.options = {"source": self.source, "mailboxes": [{**self.entry, "target_user": pair.address}]}
        return pair

    def contents(self) -> dict[int, str]:
        """UID → SHA-256 of every message in INBOX, read with nothing of ours."""
        with self.session() as imap:
            assert imap.select("INBOX", readonly=True)[0] == "OK"
            parts = [part for part in imap.uid("FETCH", "1:*", "(UID BODY.PEEK[])")[1] if isinstance(part, tuple)]
            uids = [match for head, _body in parts if (match := _UID.search(head))]
            bodies = (hashlib.sha256(body).hexdigest() for _head, body in parts)
            return {int(match[1]): digest for match, digest in zip(uids, bodies, strict=True)}


def _plain(port: int) -> dict[str, Any]:
    without = dict.fromkeys(("ca_path", "admin_user", "admin_password", "doveadm_url", "doveadm_api_key"))
    return {**without, "port": port, "security": "plain", "allow_plaintext": True}


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that an unprivileged account can look into, unlike pytest's own."""
    made = Path(tempfile.mkdtemp(prefix="atmail-other-", dir="/var/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@contextmanager
def _courier(folder: Path) -> Iterator[Origin]:
    server = Courier("courier", folder, {USER: PASSWORD})
    server.write(USER, mailgen.make_mailbox(_PLAN))
    server.start()

    @contextmanager
    def session() -> Iterator[imaplib.IMAP4]:
        imap = imaplib.IMAP4("127.0.0.1", server.port, timeout=60)
        imap.login(USER, PASSWORD)
        yield imap
        imap.logout()

    try:
        yield Origin(_plain(server.port), {"source_user": USER, "source_password": PASSWORD}, session, "INBOX.")
    finally:
        server.stop()


@contextmanager
def _cyrus(folder: Path) -> Iterator[Origin]:
    """As an administrator of Cyrus does it: logged in as `cyrus` on behalf of the user (RFC 4616)."""
    server = Cyrus("cyrus", folder)
    server.start()
    try:
        server.add_account(USER)
        server.write(USER, mailgen.make_mailbox(_PLAN))
        admin = {"admin_user": ADMIN, "admin_password": "any", "admin_method": "sasl_plain"}
        yield Origin(_plain(server.port) | admin, {"source_user": USER}, lambda: server.session(USER), "INBOX/")
    finally:
        server.stop()


@pytest.fixture(scope="module", params=[_courier, _cyrus], ids=["courier", "cyrus"])
def origin(request: pytest.FixtureRequest, folder: Path) -> Iterator[Origin]:
    try:
        with request.param(folder / request.node.name.replace("/", "-")) as made:
            yield made
    except LabError as error:
        pytest.skip(f"the server can't be had here: {error}")


@pytest.mark.case(70, 84)
@pytest.mark.parametrize("fidelity", ["faithful", "mapped"])
def test_a_mailbox_is_copied_and_followed(world: World, origin: Origin, fidelity: str) -> None:
    pair = origin.pair(world)
    result = pair.done(fidelity=fidelity)
    before = result.summary["messages_copied"]
    assert before > 200
    _audited(pair, fidelity)
    there = {uid: message.digest for uid, message in look(pair.target).folders["INBOX"].messages.items()}
    if fidelity == "faithful":
        assert there == origin.contents()
    else:
        assert Counter(there.values()) == Counter(origin.contents().values())
    assert pair.done(fidelity=fidelity)["changed"] is False
    _later(origin, fidelity)
    result = pair.done(fidelity=fidelity)
    assert result.summary["messages_copied"] == 3
    assert result.summary["messages_removed"] == 2
    assert result.summary["flags_changed"] == 2
    _audited(pair, fidelity)
    assert pair.done(fidelity=fidelity)["changed"] is False


def _audited(pair: Pair, fidelity: str) -> None:
    audit = pair.audit(depth="full")
    assert not audit.failed, audit.text[:2000]
    assert audit["content_identical"], audit["differences"][:10]
    assert fidelity == "mapped" or audit["identical"], audit["differences"][:10]


def _later(origin: Origin, name: str) -> None:
    """What the user does after the first copy."""
    with origin.session() as imap:
        imap.create(f'"{origin.below_inbox}later {name}"')
        for target in ("INBOX", "INBOX", f'"{origin.below_inbox}later {name}"'):
            date = imaplib.Time2Internaldate(1_600_000_000)
            assert imap.append(target, "(\\Seen Wichtig)", date, b"Subject: later\r\n\r\nlater\r\n")[0] == "OK"
        imap.select("INBOX")
        uids = imap.uid("SEARCH", "UNFLAGGED", "UNDELETED", "UNKEYWORD", "Wichtig")[1][0].decode().split()
        imap.uid("STORE", ",".join(uids[:2]), "+FLAGS", "(\\Flagged)")
        imap.uid("STORE", ",".join(uids[2:4]), "+FLAGS", "(\\Deleted)")
        imap.uid("EXPUNGE", ",".join(uids[2:4]))
