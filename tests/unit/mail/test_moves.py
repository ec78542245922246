# SPDX-License-Identifier: GPL-3.0-or-later
"""Which folders are renamed on the target, and in which order."""

from __future__ import annotations

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import InputError
from ansible_collections.atmail.migration.plugins.module_utils.mail.folders import INBOX, FolderRules, Path, unshow
from ansible_collections.atmail.migration.plugins.module_utils.mail.mapping import map_sides
from ansible_collections.atmail.migration.plugins.module_utils.mail.moves import (
    Move,
    as_if_done,
    asked_moves,
    below,
    candidates,
    ordered,
    refuse,
)
from ansible_collections.atmail.migration.plugins.module_utils.mail.namespaces import Namespace
from ansible_collections.atmail.migration.plugins.module_utils.mail.plan import Base
from ansible_collections.atmail.migration.plugins.module_utils.mail.survey import Folder, FolderState, Side
from hypothesis import given
from hypothesis import strategies as st

STATE = FolderState(3, 4, 700, 9)


def _side(*names: str, closed: tuple[str, ...] = (), other: dict[str, int] | None = None) -> Side:
    states = {name: FolderState(3, 4, (other or {}).get(name, 700), 9) for name in names}
    folders = {
        unshow(name): Folder(name.encode(), unshow(name), selectable=True, state=state)
        for name, state in states.items()
    }
    folders |= {unshow(name): Folder(name.encode(), unshow(name), selectable=False) for name in closed}
    return Side(Namespace(), folders)


def _bases(pins: dict[str, str], uidvalidity: int = 700) -> dict[Path, Base]:
    return {
        unshow(name): Base(STATE, STATE, uidvalidity, 700, "faithful", (), unshow(target))
        for name, target in pins.items()
    }


def _move(old: str, new: str, before: str = "", path: str = "") -> Move:
    return Move(unshow(before or old), unshow(path or before or old), unshow(old), unshow(new))


@pytest.mark.case(67)
@pytest.mark.parametrize(
    ("moves", "target", "commands", "blocked"),
    [
        ([("A", "B")], ["A"], [("A", "B")], []),
        ([("A", "B"), ("A/x", "B/x")], ["A", "A/x"], [("A", "B")], []),
        ([("A", "B"), ("A/x", "C")], ["A", "A/x"], [("A/x", "C"), ("A", "B")], []),
        ([("A/x", "B/x")], ["A", "A/x"], [("A/x", "B/x")], []),
        ([("A", "B")], ["A", "A/kept"], [], ["A"]),
        ([("A", "B")], ["A", "B"], [], ["A"]),
        ([("A", "B"), ("B", "C")], ["A", "B"], [("B", "C"), ("A", "B")], []),
        ([("A", "B"), ("B", "A")], ["A", "B"], [], ["A", "B"]),
        ([("A", "A/deeper")], ["A"], [], ["A"]),
        ([("INBOX", "Old")], ["INBOX"], [], ["INBOX"]),
        ([("A", "INBOX")], ["INBOX", "A"], [], ["A"]),
        ([("A", "A")], ["A"], [], []),
    ],
)
def test_the_order_of_renames(
    moves: list[tuple[str, str]], target: list[str], commands: list[tuple[str, str]], blocked: list[str]
) -> None:
    order = ordered([_move(old, new) for old, new in moves], _side(*target))
    assert list(order.commands) == [(unshow(old), unshow(new)) for old, new in commands]
    assert [move.old for move in order.blocked] == [unshow(name) for name in blocked]
    assert len(order.moves) + len(order.blocked) == len(moves)


@pytest.mark.case(61)
def test_what_holds_no_messages_moves_along() -> None:
    order = ordered([_move("A", "B"), _move("A/x/y", "B/x/y")], _side("A", "A/x/y", closed=("A/x",)))
    assert order.commands == ((unshow("A"), unshow("B")),)
    assert not ordered([_move("A", "B")], _side("A", closed=("B",))).moves


def test_what_was_asked_for_and_cant_be_is_refused() -> None:
    with pytest.raises(InputError, match="A is A on the target and can't become B there") as raised:
        refuse(ordered([_move("A", "B")], _side("A", "B")).blocked)
    assert '{"A": "A"}' in raised.value.safe_next
    refuse(ordered([_move("A", "B", before="A", path="C")], _side("A", "B")).blocked)


def test_only_what_is_still_there_moves() -> None:
    rules = FolderRules(rename={"Spam": "Bulk", "Other": "New"})
    bases = _bases({"Spam": "Junk", "Spam/x": "Junk/x", "Other": "Old"})
    pins = {path: base.target_path for path, base in bases.items() if base.target_path}
    source, target = _side("INBOX", "Spam", "Spam/x", "Other"), _side("INBOX", "Junk", "Old", other={"Old": 5})
    moves = asked_moves(map_sides(source, target, rules, pins), bases, target)
    assert moves == [Move(unshow("Spam"), unshow("Spam"), unshow("Junk"), unshow("Bulk"))]
    assert moves[0].line == "Junk: rename to Bulk (folders.rename)"


@pytest.mark.case(67)
def test_a_new_folder_with_the_uidvalidity_of_one_that_is_gone() -> None:
    bases = _bases({"INBOX": "INBOX", "Before": "Before", "Before/Below": "Before/Below", "Stays": "Stays"})
    source = _side("INBOX", "After", "After/Below", "Stays", "Else", other={"Else": 701})
    target = _side("INBOX", "Before", "Before/Below", "Stays")
    found = dict(candidates(source, target, map_sides(source, target, FolderRules()), bases))
    assert set(found) == {unshow("After"), unshow("After/Below")}
    assert [move.before for move in found[unshow("After/Below")]] == [unshow("Before/Below"), unshow("Before")]
    assert found[unshow("After")][0].line == "Before: rename to After (Before became After on the source)"


@pytest.mark.case(67)
@pytest.mark.parametrize("what", ["fewer UIDs", "target made anew", "excluded", "new name taken", "no UIDVALIDITY"])
def test_a_folder_that_can_not_be_the_one_that_is_gone(what: str) -> None:
    bases = _bases({"Before": "Before"}, uidvalidity=0 if what == "no UIDVALIDITY" else 700)
    source = _side("After", other={"After": 0 if what == "no UIDVALIDITY" else 700})
    target = _side("Before", other={"Before": 5} if what == "target made anew" else {})
    rules = FolderRules(exclude=("After",)) if what == "excluded" else FolderRules()
    if what == "fewer UIDs":
        bases = {path: Base(FolderState(9, 10, 700), STATE, 700, 700, "", (), path) for path in bases}
    if what == "new name taken":
        target = _side("Before", "After")
    assert list(candidates(source, target, map_sides(source, target, rules), bases)) == []


def test_a_plan_sees_the_target_as_it_will_be() -> None:
    side = as_if_done(_side("A", "B"), [_move("A", "C"), _move("B", "A")])
    assert {path: folder.name for path, folder in side.folders.items()} == {unshow("C"): b"A", unshow("A"): b"B"}


NAMES = st.lists(st.sampled_from(["A", "B", "C", "x", "y"]), min_size=1, max_size=3).map("/".join)


@given(
    st.lists(NAMES, min_size=1, max_size=8, unique=True),
    st.lists(st.tuples(NAMES, NAMES), max_size=6, unique_by=(lambda pair: pair[0], lambda pair: pair[1])),
)
def test_renames_carried_out_in_their_order_do_what_was_wanted_and_nothing_else(
    target: list[str], moves: list[tuple[str, str]]
) -> None:
    """A file system of names stands for the server: nothing is overwritten, nothing moves that was not to move."""
    wanted = [_move(old, new) for old, new in moves if old in target]
    order = ordered(wanted, _side("INBOX", *target))
    folders = {unshow(name): name for name in ("INBOX", *target)}
    for old, new in order.commands:
        assert old in folders
        assert new not in folders
        folders = {below(path, old, new): first for path, first in folders.items()}
    now = {first: path for path, first in folders.items()}
    assert now["INBOX"] == INBOX
    done = {"/".join(level.decode() for level in move.old): move.new for move in order.moves}
    assert now == {name: done.get(name, unshow(name)) for name in ("INBOX", *target)}
