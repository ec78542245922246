# SPDX-License-Identifier: GPL-3.0-or-later
"""When nothing may be removed because the source is suddenly empty, and when a few messages may always go."""

from __future__ import annotations

import multiprocessing

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.mail.folders import Path
from ansible_collections.atmail.migration.plugins.module_utils.mail.guards import (
    JUNK,
    TRASH,
    Allowance,
    Census,
    Drops,
    folder_trouble,
    mailbox_trouble,
    passing,
    take_census,
)
from ansible_collections.atmail.migration.plugins.module_utils.mail.namespaces import Namespace
from ansible_collections.atmail.migration.plugins.module_utils.mail.plan import Base, Policy
from ansible_collections.atmail.migration.plugins.module_utils.mail.survey import Folder, FolderState, Side

INBOX, WORK, BIN, SPAM = (b"INBOX",), (b"Work",), (b"Trash",), (b"Spam",)
USES: dict[Path, bytes] = {BIN: TRASH, SPAM: JUNK}
DEFAULT = Allowance(0.2, 10)


# one folder


@pytest.mark.parametrize(
    ("removed", "brought", "allowance", "refused"),
    [
        (2, 3, DEFAULT, False),  # a tiny folder
        (10, 10, DEFAULT, False),
        (11, 12, DEFAULT, True),
        (20, 100, DEFAULT, False),
        (21, 100, DEFAULT, True),
        (21, 100, Allowance(0.2, 10, moved=21), False),  # they are in another folder now
        (22, 100, Allowance(0.2, 10, moved=21), True),
        (1, 100, Allowance(0.0, 10, moved=50), True),  # nothing at all is to be removed
        (100, 100, Allowance(1.0, 0), False),
        (1, 2, Allowance(0.2, 0), True),
        (0, 0, Allowance(0.0, 0), False),
    ],
)
def test_what_a_folder_may_lose(removed: int, brought: int, allowance: Allowance, refused: bool) -> None:
    trouble = folder_trouble(removed, brought, allowance)
    assert (trouble is not None) == refused
    if trouble:
        assert f"{removed} of {brought} messages" in trouble.message
        assert "allow_removals" in trouble.message


@pytest.mark.parametrize(
    ("path", "uses", "expected"),
    [
        (BIN, (b"\\Trash",), TRASH),
        ((b"Whatever",), (b"\\trash", b"\\Important"), TRASH),
        ((b"Whatever",), (b"\\Junk",), JUNK),
        ((b"deleted items",), (), TRASH),
        ((b"Gel&APY-schte Elemente",), (), TRASH),
        ((b"INBOX", b"Spam"), (), JUNK),
        ((b"Trash",), (b"\\Archive",), b""),  # the server knows better
        ((b"Projects", b"Trash"), (), b""),
        ((b"INBOX", b"Trash", b"2019"), (), b""),
        (INBOX, (), b""),
        ((b"\xff\xfe",), (), b""),
    ],
)
def test_folders_that_mail_only_passes_through(path: Path, uses: tuple[bytes, ...], expected: bytes) -> None:
    assert passing(Folder(b"", path, selectable=True, special_uses=frozenset(uses))) == expected


def test_the_policy_lets_trash_be_emptied_unless_nothing_is_to_be_removed_at_all() -> None:
    trash, work = (Folder(path[0], path, selectable=True) for path in (BIN, WORK))
    policy = Policy(allow_removals=0.2, allow_removals_below=10, moved=3)
    assert policy.of(BIN, trash).allowance.share == 1.0
    assert policy.of(WORK, work).allowance == Allowance(0.2, 10, 3)
    assert Policy(allow_removals=0.0).of(BIN, trash).allowance.share == 0.0


# a whole mailbox


def census(known: dict[Path, int], now: dict[Path, int], *, same_inbox: bool = True) -> Census:
    return Census(known, now, before=dict.fromkeys(now, 0) | known, uses=USES, same_inbox=same_inbox)


@pytest.mark.parametrize(
    ("known", "now", "words"),
    [
        ({INBOX: 5000, WORK: 20000}, {INBOX: 0, WORK: 20000}, "INBOX is empty on the source, where 5000"),
        ({INBOX: 5000}, {INBOX: 0}, "is empty on the source, where 5000"),
        ({INBOX: 50, WORK: 5000}, {INBOX: 50}, "5000 of 5050 messages of the mailbox are gone"),
        ({(b"f%d" % n,): 8 for n in range(30)}, {INBOX: 3}, "237 of 240 messages"),
        ({INBOX: 11}, {INBOX: 0}, "is empty on the source, where 11"),
        ({INBOX: 5000, BIN: 900}, {INBOX: 0, BIN: 900}, "is empty on the source, where 5000"),
        ({INBOX: 5000}, {INBOX: 0, SPAM: 6000}, "is empty on the source"),  # new spam is not what was in INBOX
    ],
)
def test_a_big_drop_stops_the_mailbox(known: dict[Path, int], now: dict[Path, int], words: str) -> None:
    trouble = mailbox_trouble(census(known, now), DEFAULT)
    assert trouble is not None
    assert words in trouble.message
    assert "allow_removals: 1" in trouble.safe_next
    assert mailbox_trouble(census(known, now), Allowance(1.0, 10)) is None


@pytest.mark.parametrize(
    ("known", "now"),
    [
        ({}, {INBOX: 0}),
        ({INBOX: 5000, WORK: 20}, {INBOX: 5100, WORK: 20}),
        ({INBOX: 10}, {INBOX: 0}),  # a POP user who fetched his mail
        ({INBOX: 5000}, {INBOX: 3000}),  # the folder's own guard is about that
        ({INBOX: 5000}, {INBOX: 0, (b"Archive",): 5000}),
        ({INBOX: 5000}, {INBOX: 0, BIN: 4200}),
        ({WORK: 800, INBOX: 10}, {(b"Projects",): 800, INBOX: 10}),  # renamed
        ({INBOX: 100, BIN: 9000, SPAM: 9000}, {INBOX: 100}),
        ({INBOX: 200, WORK: 20000}, {INBOX: 150, WORK: 16000}),
    ],
)
def test_what_users_do_stops_nothing(known: dict[Path, int], now: dict[Path, int]) -> None:
    assert mailbox_trouble(census(known, now), DEFAULT) is None


def test_a_few_messages_are_believed_to_be_gone_only_where_inbox_is_still_the_same() -> None:
    """Somebody who removed his last messages leaves INBOX with its UIDVALIDITY and UIDNEXT; a wrong log-in does not."""
    assert mailbox_trouble(census({INBOX: 3}, {INBOX: 0}), DEFAULT) is None
    assert mailbox_trouble(census({INBOX: 3}, {INBOX: 0}, same_inbox=False), DEFAULT) is not None


def test_a_first_run_that_was_interrupted_does_not_make_up_for_what_is_lost() -> None:
    """What has not been copied yet is not what was moved."""
    state = FolderState(5000, 5001, 7)
    source = Side(
        Namespace(b"", b"/"),
        {
            INBOX: Folder(b"INBOX", INBOX, selectable=True, state=FolderState(0, 5001, 7)),
            WORK: Folder(b"Work", WORK, selectable=True, state=FolderState(8000, 8001, 7)),
        },
    )
    bases: dict[Path, Base] = {
        INBOX: Base(source=state, target=state, source_uidvalidity=7),
        WORK: Base(source_uidvalidity=7),
    }
    begun: dict[Path, Base] = {INBOX: bases[INBOX]}
    for some in (bases, begun):
        taken = take_census(source, some, {INBOX: 5000, WORK: 100}, complete=False)
        assert (taken.moved, taken.lost, taken.same_inbox) == (0, 5000, True)
        assert mailbox_trouble(taken, DEFAULT) is not None
    grown = take_census(source, {INBOX: bases[INBOX]}, {INBOX: 5000}, complete=True)
    assert (grown.moved, grown.lost) == (8000, 0)


@pytest.mark.parametrize(("uidvalidity", "uidnext", "same"), [(7, 5001, True), (8, 5001, False), (7, 1, False)])
def test_inbox_is_known_by_its_numbers(uidvalidity: int, uidnext: int, same: bool) -> None:
    inbox = Folder(b"INBOX", INBOX, selectable=True, state=FolderState(0, uidnext, uidvalidity))
    base = Base(source=FolderState(5000, 5001, 7), source_uidvalidity=7)
    taken = take_census(Side(Namespace(b"", b"/"), {INBOX: inbox}), {INBOX: base}, {INBOX: 5000}, complete=True)
    assert taken.same_inbox is same


def test_a_folder_that_can_not_be_opened_is_not_one_that_is_empty() -> None:
    closed = Folder(b"Work", WORK, selectable=True)
    inbox = Folder(b"INBOX", INBOX, selectable=True, state=FolderState(5, 6, 7))
    taken = take_census(
        Side(Namespace(b"", b"/"), {INBOX: inbox, WORK: closed}), {}, {INBOX: 5, WORK: 900}, complete=True
    )
    assert (taken.held, taken.lost) == (5, 0)


# many mailboxes


def test_mailbox_after_mailbox_empty_is_no_users_doing() -> None:
    drops = Drops()
    gone, there = census({INBOX: 5}, {INBOX: 0}), census({INBOX: 5}, {INBOX: 5})
    found = [drops.trouble(gone, DEFAULT) for _number in range(6)]
    assert [one is not None for one in found] == [False] * 4 + [True] * 2
    assert found[4] is not None
    assert "5 of 5 mailboxes" in found[4].message
    for _number in range(10):
        assert drops.trouble(there, DEFAULT) is None
    assert drops.trouble(gone, DEFAULT) is None, "seven of seventeen"
    assert Drops().trouble(census({}, {INBOX: 0}), DEFAULT) is None


def _look(drops: Drops, count: int) -> None:
    for _number in range(count):
        drops.trouble(census({INBOX: 5}, {INBOX: 0}), DEFAULT)


def test_all_processes_count_together() -> None:
    drops = Drops()
    children = [multiprocessing.get_context("fork").Process(target=_look, args=(drops, 2)) for _number in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join(30)
    trouble = drops.trouble(census({INBOX: 5}, {INBOX: 0}), DEFAULT)
    assert trouble is not None
    assert "7 of 7" in trouble.message
