# SPDX-License-Identifier: GPL-3.0-or-later
"""mailbox_audit: what mail clients would download again, by IMAP and by POP3, and gates that depend on it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.maildir import Mail
from tests.lab.state import SiteOptions

from .checks.module import Result
from .checks.picture import look
from .checks.world import Pair, World, plain, small_mails, with_gaps

DEPTHS = ("counts", "headers", "full")


def ports(world: World) -> dict[str, Any]:
    """The options `source` and `target` with their POP3 ports."""
    described = world.lab.describe()
    return {
        "source": {"pop3_port": described["sites"]["acme"]["pop3"]["port"]},
        "target": {"pop3_port": described["regions"]["eu"]["pop3"]["port"]},
    }


def made(world: World, count: int = 12, **options: Any) -> Pair:
    """A mailbox with equal-size neighbours, on both sides."""
    pair = world.pair()
    pair.write([with_gaps(small_mails(count, "same size"), (), {3: 4}), with_gaps(small_mails(5), ("Sent",), {})])
    pair.done(**options)
    return pair


def downloads(result: Result) -> list[tuple[str, str, str, int]]:
    return sorted((one["client"], one["folder"], one["cause"], one["messages"]) for one in result["downloads"])


def found(result: Result) -> set[str]:
    return {one["what"] for one in result["differences"]}


@pytest.mark.case(103)
@pytest.mark.parametrize("depth", DEPTHS)
def test_nothing_to_download(world: World, depth: str) -> None:
    """UIDL lists, their order, UIDs and UIDVALIDITY are the same: every gate is open, and nothing is marked as seen."""
    pair = made(world)
    with pair.at_source() as source:
        source.store("INBOX", [1, 2], "-FLAGS", "\\Seen")
    pair.done()
    before = look(pair.source), look(pair.target)
    gates = ["differences", "content", "imap_downloads", "pop_downloads"]
    result = pair.audit(depth=depth, fail_on=gates, **ports(world))
    assert not result.failed, result.text[:2000]
    assert (result["identical"], result["downloads"], result["passed"]) == (True, [], gates)
    assert (look(pair.source), look(pair.target)) == before


@pytest.mark.case(103)
def test_a_mapped_mailbox(world: World) -> None:
    """Other UIDVALIDITYs: every client downloads everything again, although the content is the same."""
    pair = made(world, fidelity="mapped")
    result = pair.audit(depth="counts", **ports(world))
    assert downloads(result) == [
        ("imap", "INBOX", "uidvalidity", 12),
        ("imap", "Sent", "uidvalidity", 5),
        ("pop", "INBOX", "uidvalidity", 12),
    ]
    inbox = look(pair.target).folders["INBOX"].messages.values()
    assert [one["bytes"] for one in result["downloads"] if one["client"] == "pop"] == [sum(one.size for one in inbox)]
    assert result["passed"] == ["content"]
    refused = pair.audit(depth="counts", fail_on=["content", "imap_downloads"], **ports(world))
    assert refused.failed
    assert refused["kind"] == "downloads_needed"
    assert downloads(refused) == downloads(result)
    assert not pair.audit(depth="counts", fail_on=["content"]).failed
    assert pair.audit(depth="counts", fail_on=["differences"])["kind"] == "not_identical"


def test_a_message_with_another_uid(world: World) -> None:
    pair = made(world)
    with pair.at_target() as target:
        (uid,) = sorted(look(pair.target).folders["INBOX"].messages)[4:5]
        target.expunge("INBOX", [uid])
        target.append("INBOX", plain("same size-4"), "\\Seen", "13-Sep-2020 12:26:44 +0000")
    result = pair.audit(**ports(world))
    assert downloads(result) == [("imap", "INBOX", "uid", 1), ("pop", "INBOX", "uid", 1)]


def test_a_renamed_folder(world: World) -> None:
    pair = made(world, folders={"rename": {"Sent": "Sent Items"}})
    result = pair.audit(folders={"rename": {"Sent": "Sent Items"}}, fail_on=["pop_downloads"], **ports(world))
    assert not result.failed, result.text[:2000]
    assert downloads(result) == [("imap", "Sent", "folder", 5)]


def test_new_mail_on_the_target_is_no_download(world: World) -> None:
    pair = made(world)
    with pair.at_target() as target:
        target.append("INBOX", plain("delivered there"))
    result = pair.audit(**ports(world))
    assert (result["identical"], result["downloads"]) == (False, [])


@pytest.mark.case(103)
def test_another_uidl_format_is_named_with_what_helps(world: World) -> None:
    with world.changed(site=SiteOptions(extra="pop3_uidl_format = UID%u-%v\n")):
        pair = made(world)
        result = pair.audit(fail_on=["pop_downloads"], **ports(world))
        assert result["kind"] == "downloads_needed"
        assert downloads(result) == [("pop", "INBOX", "uidl_format", 12)]
        assert "set pop3_uidl_format to UID%u-%v" in result["downloads"][0]["advice"]
        assert result["content_identical"] is True
        assert pair.audit()["identical"] is True  # UIDLs are compared only where there are POP3 ports


@pytest.mark.case(103)
@pytest.mark.parametrize(("depth", "told"), [("counts", False), ("headers", True)])
def test_neighbours_of_equal_size_that_changed_places(world: World, depth: str, told: bool) -> None:
    """The same UIDLs and sizes in the same order: only their headers tell that two messages are each other's."""
    one, other = small_mails(2, "swapped")
    assert one.virtual_size == other.virtual_size
    first, second = world.pair(), world.pair()
    first.write([with_gaps([one, Mail(other.parts, one.date, other.flags)], (), {})])
    second.write([with_gaps([Mail(other.parts, one.date, one.flags), one], (), {})])
    second.done()
    entry = [{"source_user": first.address, "target_user": second.address}]
    result = second.audit(depth=depth, mailboxes=entry, **ports(world))
    assert ("uidl_content" in found(result)) is told


@pytest.mark.case(103)
def test_pop_order_and_saved_uidls(world: World) -> None:
    """A source whose POP3 lists messages in another order than IMAP, two of them under one UIDL of its own."""
    pair = world.pair()
    pair.write([with_gaps(small_mails(4, "ordered"), (), {})])
    uidlist = world.site.maildir(pair.address) / "dovecot-uidlist"
    extras = {1: "O4", 2: "O3", 3: "O2 Pold-uidl", 4: "O1 Pold-uidl"}
    lines = uidlist.read_text().splitlines()
    lines[1:] = [line.replace(" :", f" {extras[number]} :") for number, line in enumerate(lines[1:], 1)]
    uidlist.write_text("\n".join(lines) + "\n")
    names = [name for name, _size in pair.source.uidl()]
    assert names[:2] == ["old-uidl", "old-uidl"]
    assert names[2:] == sorted(names[2:], reverse=True)
    pair.done()
    result = pair.audit(**ports(world))
    assert found(result) == {"uidl", "uidl_order"}
    assert downloads(result) == [("pop", "INBOX", "uidl", 2), ("pop", "INBOX", "uidl_order", 2)]
    assert result["passed"] == ["content", "imap_downloads"]


@pytest.mark.case(103)
def test_a_message_that_pop3_does_not_show(world: World) -> None:
    """Gone for POP3 clients and still there for IMAP; on the target POP3 shows it."""
    with world.changed(site=SiteOptions(extra='pop3_deleted_flag = "$POP3Deleted"\npop3_delete_type = flag\n')):
        pair = made(world)
        with pair.at_source() as source:
            source.store("INBOX", [2], "+FLAGS", "$POP3Deleted")
        pair.done()
        result = pair.audit(**ports(world))
        assert found(result) == {"uidl", "pop3_count"}
        (count,) = [one for one in result["differences"] if one["what"] == "pop3_count"]
        assert (count["source"], count["target"]) == ("11 by POP3, 12 by IMAP", "12 by POP3, 12 by IMAP")
        assert result["downloads"] == []


def test_a_gate_without_pop3_ports_is_refused(world: World) -> None:
    pair = made(world, 1)
    assert pair.audit(fail_on=["pop_downloads"])["kind"] == "invalid_input"


# a source that has POP3 only


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_pop3_source(world: World, depth: str) -> None:
    pair = world.pair()
    pair.write([with_gaps(small_mails(9, "pop only"), (), {2: 5})])
    sides = ports(world)
    pair.options = {"source": {"protocol": "pop3", "port": sides["source"]["pop3_port"]}, "target": sides["target"]}
    pair.done()
    result = pair.audit(depth=depth, fail_on=["differences", "imap_downloads", "pop_downloads"])
    assert not result.failed, result.text[:2000]
    assert result.mailbox(pair.address)["messages"] == 9
    with pair.at_target() as target:
        target.store("INBOX", [1], "-FLAGS", "\\Seen")
        target.expunge("INBOX", [2])
        target.append("INBOX", plain("another"))
    result = pair.audit(depth=depth)
    assert {"message_missing", "message_extra", "uidl"} <= found(result)
    assert result["content_identical"] is False
