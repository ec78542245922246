# SPDX-License-Identifier: GPL-3.0-or-later
"""A source that has POP3 only: UIDs out of UIDLs, incremental runs, a lost ledger, messages byte by byte."""

from __future__ import annotations

import poplib
import signal
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab import mailgen
from tests.lab.state import SiteOptions

from .checks.picture import Picture, look
from .checks.world import Pair, World, plain, small_mails, with_gaps


def pop(world: World, **changes: Any) -> dict[str, Any]:
    """The option `source` for the site's POP3 server."""
    return {"protocol": "pop3", "port": world.lab.describe()["sites"]["acme"]["pop3"]["port"], **changes}


def made(world: World, count: int = 60) -> Pair:
    """A mailbox with holes in its UIDs, and a folder that POP3 does not show, to be copied over POP3."""
    pair = world.pair()
    inbox = with_gaps(small_mails(count, pair.address), (), {0: 7, count // 3: 3, count // 2: 900})
    pair.write([inbox, with_gaps(small_mails(3, "sent"), ("Sent",), {})])
    pair.options = {"source": pop(world)}
    return pair


def digests(picture: Picture) -> list[tuple[str, int]]:
    """Content and size of the messages of INBOX, sorted; over POP3 there is no more."""
    return sorted((one.digest, one.size) for one in picture.folders["INBOX"].messages.values())


@pytest.fixture
def filled(world: World) -> Pair:
    return made(world)


@pytest.mark.case(103)
def test_uids_and_uidls_are_kept_and_the_source_is_left_as_it_is(filled: Pair) -> None:
    """Nothing but INBOX comes; nothing on the source is marked as seen; a second run has nothing to do."""
    with filled.at_source() as source:
        source.store("INBOX", [8, 9], "-FLAGS", "\\Seen")
    before = look(filled.source)
    check = filled.sync(check=True)
    assert (check["changed"], check.summary["messages_copied"]) == (True, 60)
    result = filled.done()
    entry = result.mailbox(filled.address)
    assert (entry["fidelity"], entry["findings"], entry["messages"]) == ("faithful", [], 60)
    assert look(filled.source) == before
    there = look(filled.target)
    assert there.uidl == before.uidl
    assert list(there.folders) == ["INBOX"]
    assert there.folders["INBOX"].messages.keys() == before.folders["INBOX"].messages.keys()
    assert digests(there) == digests(before)
    filled.settled()


def test_new_and_removed_messages_follow_and_flags_are_the_targets_own(filled: Pair) -> None:
    filled.done()
    with filled.at_target() as target:
        target.store("INBOX", [8], "+FLAGS", "\\Seen \\Flagged")
    with filled.at_source() as source:
        source.append_many("INBOX", [plain(f"new {n}") for n in range(5)])
        source.expunge("INBOX", [9, 10])
    result = filled.done()
    entry = result.mailbox(filled.address)
    assert (entry["messages_copied"], entry["messages_removed"], entry["flags_changed"]) == (5, 2, 0)
    there = look(filled.target)
    assert there.uidl == look(filled.source).uidl
    assert there.folders["INBOX"].messages[8].flags == {"\\seen", "\\flagged"}
    filled.settled()


def test_a_lost_ledger_doubles_nothing(filled: Pair) -> None:
    filled.done()
    filled.ledger.unlink()
    filled.settled()
    assert look(filled.target).uidl == look(filled.source).uidl


@pytest.mark.case(1, 5, 7, 12, 13, 15, 16, 17, 22, 23)
def test_strange_messages_are_the_same_bytes(world: World) -> None:
    """What IMAP shows of a message is what came over POP3, whatever the message is made of."""
    pair = world.pair()
    pair.options = {"source": pop(world)}
    strange = [
        b"no header at all\r\n",
        b"\r\nno header, but a body\r\n",
        b"Subject: header only\r\n",
        b"Subject: header only, no line end",
        b"Subject: no final line end\r\n\r\nbody\r\nlast",
        b"Subject: dots\r\n\r\n.\r\n..\r\n...x\r\n.end\r\n",
        b".Subject: a dot first\r\n\r\n.\r\n.\r\n",
        b"Subject: bare CR\r\n\r\na\rb\r\r\n.\rc\r\n",
        b"not a header line\r\nSubject: x\r\n\r\nbody\r\n",
        b"Subject: " + b"x" * 100_000 + b"\r\n\r\nbody\r\n",
        b"Subject: long line\r\n\r\n" + b"y" * 1_000_000 + b"\r\n",
        b"Subject: 8 bit\r\n\r\n" + bytes(range(128, 256)) * 40 + b"\r\n",
        *[plain("the same three times")] * 3,
    ]
    with pair.at_source() as source:
        for one in strange:
            source.append("INBOX", one)
    before = look(pair.source)
    pair.done()
    there = look(pair.target)
    assert {uid: one.digest for uid, one in there.folders["INBOX"].messages.items()} == {
        uid: one.digest for uid, one in before.folders["INBOX"].messages.items()
    }
    pair.ledger.unlink()
    pair.settled()


def test_dates_are_those_of_the_header(world: World) -> None:
    """The topmost Received field, else Date, else the time of the copy."""
    pair = world.pair()
    pair.options = {"source": pop(world)}
    received = (
        b"Received: from a by b; Tue, 2 Feb 2021 03:04:05 +0000\r\nDate: Sun, 31 Jan 2021 00:00:00 +0000\r\n\r\nx\r\n"
    )
    with pair.at_source() as source:
        for one in (received, plain("with a date"), b"Subject: no date\r\n\r\nx\r\n"):
            source.append("INBOX", one, date=" 1-Jan-2001 00:00:00 +0000")
    began = int(time.time())
    pair.done()
    first, second, third = (one.received for _uid, one in sorted(look(pair.target).folders["INBOX"].messages.items()))
    assert (first, second) == (1612235045, 1612321506)
    assert began - 5 <= third <= time.time() + 5
    pair.ledger.unlink()
    pair.settled()


@pytest.mark.case(75)
def test_killed_at_any_moment_and_run_again(world: World) -> None:
    pair = made(world, 900)
    expected = look(pair.source)
    for wait in (0.5, 0.9, 1.3):
        running = pair.start(pace={"messages_per_second": 400})
        time.sleep(wait)
        running.process.send_signal(signal.SIGKILL)
        running.process.communicate()
        time.sleep(0.2)
    pair.done()
    there = look(pair.target)
    assert there.uidl == expected.uidl
    assert digests(there) == digests(expected)
    pair.settled()


@pytest.mark.case(30)
def test_a_large_message(world: World) -> None:
    pair = world.pair()
    pair.write([with_gaps([mailgen.make_huge(50 << 20), *small_mails(3)], (), {})])
    pair.options = {"source": pop(world)}
    before = look(pair.source)
    pair.done()
    assert digests(look(pair.target)) == digests(before)


def test_a_wrong_password_is_tried_once(filled: Pair) -> None:
    log = filled.world.site.dovecot.log
    before = log.read_text().lower().count("password mismatch")
    result = filled.sync(
        source=pop(filled.world, admin_user=None, admin_password=None),
        mailboxes=[{"source_user": filled.address, "source_password": "wrong"}],
    )
    assert result.failed
    assert result.kinds(filled.address) == {"auth_failed"}
    time.sleep(0.5)
    assert log.read_text().lower().count("password mismatch") == before + 1


@pytest.mark.case(102)
@pytest.mark.parametrize("way", ["password", "sasl_plain", "strange"])
def test_ways_to_log_in(world: World, way: str) -> None:
    """USER and PASS as the user, AUTH PLAIN by a master user, AUTH PLAIN for what PASS can't take."""
    pair = made(world, 3)
    password = 'p "a\\s$s% & é漢' if way == "strange" else pair.source_password
    world.site.add_account(pair.address, password)
    own = {"admin_user": None, "admin_password": None}
    pair.done(
        source=pop(world, **({"admin_method": "sasl_plain"} if way == "sasl_plain" else own)),
        mailboxes=[{"source_user": pair.address, "source_password": password}],
    )
    assert digests(look(pair.target)) == digests(look(pair.source))


@pytest.mark.case(101)
def test_stls_and_clear_text(world: World) -> None:
    """STLS where it is offered, never clear text instead of it; clear text only when it is asked for twice."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    listener = f"service pop3-login {{\n  inet_listener pop3 {{\n    port = {port}\n  }}\n}}\n"
    with world.changed(site=SiteOptions(extra=listener)):
        pair = made(world, 3)
        pair.done(source=pop(world, port=port, security="starttls"))
        assert digests(look(pair.target)) == digests(look(pair.source))
        assert pair.sync(source=pop(world, port=port, security="plain"))["kind"] == "invalid_input"
        pair.done(source=pop(world, port=port, security="plain", allow_plaintext=True))
        wrong = pair.sync(source=pop(world, port=port, security="starttls", ca_path=None))
        assert wrong.kinds(pair.address) == {"certificate_untrusted"}


def test_after_the_cut_over(filled: Pair) -> None:
    """phase: catch_up brings what is new, and neither flags nor what was moved away on the target come back."""
    filled.done()
    with filled.at_target() as target:
        target.store("INBOX", [8], "+FLAGS", "\\Seen")
        target.expunge("INBOX", [9])
    with filled.at_source() as source:
        source.append("INBOX", plain("late"))
        source.expunge("INBOX", [10])
    result = filled.done(phase="catch_up")
    entry = result.mailbox(filled.address)
    assert (entry["messages_copied"], entry["messages_removed"], entry["flags_changed"]) == (1, 0, 0)
    messages = look(filled.target).folders["INBOX"].messages
    assert messages[8].flags == {"\\seen"}
    assert 9 not in messages
    assert 10 in messages
    assert len(messages) == 60
    again = filled.done(phase="catch_up")
    assert again["changed"] is False


def test_a_switch_from_imap_to_pop3_removes_no_folder(filled: Pair) -> None:
    """POP3 does not show the other folders: that does not mean that they are gone."""
    filled.options = {}
    filled.done()
    filled.options = {"source": pop(filled.world)}
    filled.done(allow_removals=1.0)
    filled.faithful()


# other UIDLs than Dovecot's own


#: Two halves the other way round, one with a text, one without a UIDVALIDITY; all are in the unit tests.
FORMATS = ["%08Xv%08Xu", "UID%u-%v", "%u"]


@pytest.fixture(params=["%f", "%g"])
def opaque(world: World, request: pytest.FixtureRequest) -> Iterator[str]:
    """A site whose UIDLs tell no UIDs."""
    with world.changed(site=SiteOptions(extra=f"pop3_uidl_format = {request.param}\n")):
        yield request.param


@pytest.mark.case(103)
@pytest.mark.parametrize("template", FORMATS)
def test_other_formats_that_tell_uids_are_kept_by_the_same_setting(world: World, template: str) -> None:
    """The finding says which value to set; with it the UIDLs are the same on both sides."""
    with world.changed(site=SiteOptions(extra=f"pop3_uidl_format = {template}\n")):
        pair = made(world, 20)
        expected = look(pair.source)
        result = pair.done()
        (finding,) = result.mailbox(pair.address)["findings"]
        assert f"set pop3_uidl_format to {template} for" in finding
        assert result.mailbox(pair.address)["fidelity"] == "faithful"
        pair.settled()
    address = pair.address
    rule = f"protocol pop3 {{\n  pop3_uidl_format = {template}\n}}\n"
    with world.changed(region=type(world.region.state.options)(rawlog=True, extra=rule)):
        assert look(world.place("target", address, "")).uidl == expected.uidl


def test_uidls_that_tell_nothing_are_remembered(world: World, opaque: str) -> None:
    """UIDs are given out in order; what came before is known by its UIDL, and without the ledger by what it is."""
    pair = made(world, 30)
    result = pair.done()
    entry = result.mailbox(pair.address)
    assert entry["fidelity"] == "mapped"
    assert "POP3 clients will download the messages again" in entry["findings"][0]
    assert entry["reasons"] == {"INBOX": ["the source tells no UIDs"]}
    assert digests(look(pair.target)) == digests(look(pair.source))
    pair.settled()
    with pair.at_source() as source:
        source.append_many("INBOX", [plain(f"{opaque} {n}") for n in range(4)])
        source.expunge("INBOX", [8, 9])
    entry = pair.done().mailbox(pair.address)
    assert (entry["messages_copied"], entry["messages_removed"]) == (4, 2)
    assert digests(look(pair.target)) == digests(look(pair.source))
    pair.ledger.unlink()
    pair.settled()
    assert digests(look(pair.target)) == digests(look(pair.source))
    other = made(world, 3)
    assert other.sync(fidelity="faithful").kinds(other.address) == {"not_faithful"}


def test_uidls_that_become_others_are_found_by_content(world: World) -> None:
    """As after a restored backup: all messages have other UIDLs, and none is copied twice or removed."""
    with world.changed(site=SiteOptions(extra="pop3_uidl_format = %g\n")):
        pair = made(world, 30)
        pair.done()
    with world.changed(site=SiteOptions(extra="pop3_uidl_format = %f\n")):
        before = look(pair.target)
        pair.settled()
        assert look(pair.target) == before
        pair.settled()


@pytest.mark.case(103)
def test_duplicate_uidls(world: World) -> None:
    """Messages that share a UIDL are told apart by what they are; when one goes, it is that one that goes."""
    with world.changed(site=SiteOptions(extra="pop3_reuse_xuidl = yes\n")):
        pair = world.pair()
        pair.options = {"source": pop(world)}
        with pair.at_source() as source:
            for n in range(4):
                source.append("INBOX", b"X-UIDL: twice\r\n" + plain(f"{n // 2} of two"))
            source.append("INBOX", b"X-UIDL: alone\r\n" + plain("alone"))
        assert len(set(pair.source.uidl())) < 5
        pair.done()
        assert digests(look(pair.target)) == digests(look(pair.source))
        pair.settled()
        for uids in ([1], [2], [4]):
            with pair.at_source() as source:
                source.expunge("INBOX", uids)
            pair.done(allow_removals=1.0)
            assert digests(look(pair.target)) == digests(look(pair.source))


@pytest.mark.case(92)
def test_a_maildrop_that_is_in_use_is_waited_for(world: World) -> None:
    """Another client holds the lock for a moment (RFC 2449 section 8.1.1)."""
    with world.changed(site=SiteOptions(extra="pop3_lock_session = yes\n")):
        pair = made(world, 5)
        other = poplib.POP3_SSL("127.0.0.1", pair.source.pop3s, context=pair.source.tls(), timeout=60)
        other.user(pair.source.login[0])
        other.pass_(pair.source.login[1])
        running = pair.start()
        time.sleep(1.5)
        other.quit()
        result = running.wait()
        assert not result.failed, result.text[:2000]
