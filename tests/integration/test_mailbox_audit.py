# SPDX-License-Identifier: GPL-3.0-or-later
"""mailbox_audit: it says identical only when it is so, and names every message that is not the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.lab import mailgen

from .checks import wire
from .checks.module import Result
from .checks.picture import look
from .checks.world import Pair, World, plain

DEPTHS = ("counts", "headers", "full")


@pytest.fixture(scope="module")
def copied(world: World) -> Pair:
    """A mailbox that is the same on both sides."""
    pair = world.pair()
    pair.fill(mailgen.Plan("audited", messages=150, folders=9, max_size=60_000, huge_gap=True))
    pair.done()
    return pair


@pytest.fixture
def simple(world: World) -> Pair:
    """A small mailbox that is the same on both sides, to be spoilt."""
    pair = world.pair()
    with pair.at_source() as source:
        source.create("Größe")
        for name in ("INBOX", "Größe"):
            source.append_many(name, [plain(f"{number} {name.encode().hex()}") for number in range(10)], "\\Seen")
            source.subscribe(name)
    pair.done()
    assert pair.audit(depth="full")["identical"] is True
    return pair


@pytest.mark.parametrize("depth", DEPTHS)
def test_identical_mailboxes(copied: Pair, depth: str) -> None:
    before = look(copied.target)
    wire.forget(copied.world.rawlog(), copied.address)
    result = copied.audit(depth=depth)
    assert not result.failed
    assert (result["changed"], result["identical"], result["content_identical"]) == (False, True, True)
    assert result["differences"] == []
    (entry,) = result["mailboxes"]
    assert (entry["messages"], entry["folders"], entry["differences_total"]) == (150, 9, 0)
    assert entry["bytes"] == sum(m.size for f in before.folders.values() for m in f.messages.values())
    assert wire.writes(copied.world.rawlog(), copied.address) == []
    assert look(copied.target) == before


def _found(result: Result) -> list[tuple[str, Any, str]]:
    assert not result.failed, result.text[:2000]
    assert result["identical"] is False
    listed: list[Mapping[str, Any]] = result["differences"]
    return [(one["folder"], one.get("uid"), one["what"]) for one in listed]


@pytest.mark.parametrize("depth", DEPTHS)
def test_other_flags(simple: Pair, depth: str) -> None:
    with simple.at_target() as target:
        target.store("INBOX", [3], "+FLAGS", "keyword")
        target.store("Größe", [4], "-FLAGS", "\\Seen")
    assert sorted(_found(simple.audit(depth=depth))) == [("Größe", 4, "flags"), ("INBOX", 3, "flags")]


@pytest.mark.parametrize("depth", DEPTHS)
def test_missing_and_extra_messages(simple: Pair, depth: str) -> None:
    with simple.at_target() as target:
        target.expunge("INBOX", [5, 6])
        target.append("Größe", plain("extra"))
    result = simple.audit(depth=depth)
    assert {("INBOX", 5, "message_missing"), ("INBOX", 6, "message_missing"), ("Größe", 11, "message_extra")} <= set(
        _found(result)
    )
    assert result["content_identical"] is False


def test_a_message_replaced_by_itself_is_another_uid(simple: Pair) -> None:
    """Removed and appended again: the content is the same, the numbering is not."""
    message = plain(f"4 {b'INBOX'.hex()}")
    with simple.at_target() as target:
        target.expunge("INBOX", [5])
        target.append("INBOX", message, "\\Seen")
    result = simple.audit(depth="full")
    assert result["identical"] is False
    assert result["content_identical"] is True


def test_another_date(simple: Pair) -> None:
    message = plain(f"9 {b'INBOX'.hex()}")
    with simple.at_target() as target:
        target.expunge("INBOX", [10])
        target.append("INBOX", message, "\\Seen", " 3-Feb-2021 04:05:07 +0100")
    result = simple.audit(depth="counts")
    assert result["identical"] is False
    assert result["content_identical"] is False


def test_a_date_that_only_looks_different_is_the_same(simple: Pair) -> None:
    """The same instant in another zone is no difference; the UID is."""
    message = plain(f"9 {b'INBOX'.hex()}")
    with simple.at_target() as target:
        target.expunge("INBOX", [10])
        target.append("INBOX", message, "\\Seen", " 2-Feb-2021 19:05:06 -0800")
    assert simple.audit(depth="full")["content_identical"] is True


def test_other_bytes_under_the_same_uid(simple: Pair) -> None:
    """A bit turned over on the target's disk, in a body: only the full depth reads it; in a header: two depths do."""
    storage = simple.world.region.mail_root / simple.world.site.domain / simple.address.partition("@")[0]
    (file,) = (storage / "mdbox" / "storage").glob("m.1")
    data = file.read_bytes()
    body = f"hello 6 {b'INBOX'.hex()}".encode()
    assert data.count(body) == 1
    file.write_bytes(data.replace(body, body.replace(b"hello", b"hallo")))
    assert simple.audit(depth="counts")["identical"] is True
    assert simple.audit(depth="headers")["identical"] is True
    assert _found(simple.audit(depth="full")) == [("INBOX", 7, "content")]


def test_folders_and_subscriptions(simple: Pair) -> None:
    with simple.at_target() as target:
        target.subscribe("Größe", wanted=False)
        target.create("Extra")
        target.append("Extra", plain("extra"))
    with simple.at_source() as source:
        source.create("Only here")
    assert sorted(_found(simple.audit(depth="counts")), key=str) == [
        ("Extra", None, "folder_extra"),
        ("Größe", None, "subscription"),
        ("Only here", None, "folder_missing"),
    ]


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_mapped_mailbox_has_the_same_content(world: World, depth: str) -> None:
    pair = world.pair()
    pair.fill(mailgen.Plan("audited and mapped", messages=60, folders=6, max_size=30_000))
    pair.done(fidelity="mapped")
    result = pair.audit(depth=depth)
    assert result["identical"] is False
    assert result["content_identical"] is True
    assert {one["what"] for one in result["differences"]} <= {"uidvalidity", "uidnext", "uid"}


def test_a_mailbox_that_cannot_be_read_fails_and_the_other_is_compared(simple: Pair) -> None:
    entries = [
        {"source_user": simple.address, "target_user": f"nobody@{simple.world.site.domain}"},
        {"source_user": simple.address},
    ]
    result = simple.audit(mailboxes=entries)
    assert result.failed
    assert result["identical"] is False
    bad, good = result["mailboxes"]
    assert {one["kind"] for one in bad["failures"]} <= {"account_missing", "auth_failed"}
    assert (bad["identical"], good["identical"], good["failures"]) == (False, True, [])


def test_before_anything_was_copied(world: World) -> None:
    pair = world.pair()
    pair.fill(mailgen.Plan("not yet", messages=20, folders=5, max_size=5_000))
    found = _found(pair.audit(depth="counts"))
    assert sum(what == "folder_missing" for _folder, _uid, what in found) == 4
