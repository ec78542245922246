# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's Courier and Cyrus: unpacked beside Dovecot, started and stopped like the others."""

from __future__ import annotations

import imaplib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import maildir, mailgen, ports
from tests.lab.courier import Courier
from tests.lab.cyrus import Cyrus
from tests.lab.errors import LabError
from tests.lab.server import Server


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="atmail-peers-", dir="/var/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def _mails() -> maildir.Folder:
    return maildir.Folder(("Müll",), 4711, 40, list(zip((3, 4, 9), mailgen.make_small(3), strict=True)))


def _stopped(server: Server) -> None:
    port = server.listens_on()[0]
    server.stop()
    assert not server.running()
    assert ports.is_free(port)


def test_courier_tells_the_uids_that_were_written(folder: Path) -> None:
    try:
        server = Courier("courier", folder / "courier", {"ann": "pass word"})
    except LabError as error:
        pytest.skip(str(error))
    server.write("ann", [_mails()])
    assert server.start()
    try:
        imap = imaplib.IMAP4("127.0.0.1", server.port)
        with pytest.raises(imaplib.IMAP4.error, match="Login failed"):
            imap.login("ann", "wrong")
        imap.login("ann", "pass word")
        assert imap.select('"INBOX.M&APw-ll"') == ("OK", [b"3"])
        assert imap.response("UIDVALIDITY") == ("UIDVALIDITY", [b"4711"])
        assert imap.uid("SEARCH", "ALL")[1] == [b"3 4 9"]
        assert b'(\\HasNoChildren) "." "INBOX.M&APw-ll"' in imap.lsub()[1]
        imap.logout()
    finally:
        _stopped(server)


@pytest.mark.parametrize(
    ("unix", "alternative", "name"),
    [(True, False, "INBOX/M&APw-ll"), (False, False, "INBOX.M&APw-ll"), (True, True, "M&APw-ll")],
)
def test_cyrus_names_folders_as_it_is_told(folder: Path, unix: bool, alternative: bool, name: str) -> None:
    try:
        server = Cyrus("cyrus", folder / "cyrus", unix=unix, alternative=alternative)
    except LabError as error:
        pytest.skip(str(error))
    assert server.start()
    try:
        server.add_account("ann")
        server.write("ann", [_mails()])
        with server.session("ann") as imap:
            assert imap.select(f'"{name}"') == ("OK", [b"3"])
            assert imap.uid("SEARCH", "ALL")[1] == [b"2 3 5"]
    finally:
        _stopped(server)
