# SPDX-License-Identifier: GPL-3.0-or-later
"""Which source folder becomes which target folder."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Iterable

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.errors import InputError
from ansible_collections.atmail.migration.plugins.module_utils.mail import utf7
from ansible_collections.atmail.migration.plugins.module_utils.mail.folders import FolderRules, Path, show, unshow
from ansible_collections.atmail.migration.plugins.module_utils.mail.mapping import (
    FolderMap,
    fit,
    map_folders,
    special_places,
)
from ansible_collections.atmail.migration.plugins.module_utils.mail.namespaces import SHARED, Namespace, Space
from hypothesis import assume, given, settings
from hypothesis import strategies as st

SLASH = Namespace()
DOT = Namespace(separator=b".")
BACKSLASH = Namespace(separator=b"\\")
FLAT = Namespace(separator=b"")
INBOX_DOT = Namespace(prefix=b"INBOX.", separator=b".")
MAIL = Namespace(prefix=b"mail/", separator=b"/")
SERVERS = [SLASH, DOT, BACKSLASH, FLAT, INBOX_DOT, MAIL]


def _map(
    paths: Iterable[Path], target: Namespace = SLASH, rules: FolderRules | None = None, **more: object
) -> FolderMap:
    return map_folders(paths, target, rules or FolderRules(), **more)  # type: ignore[arg-type] # passed on as they are


def _shown(folder_map: FolderMap) -> dict[str, str]:
    return {show(old): show(new) for old, new in folder_map.paths.items()}


@pytest.mark.case(51, 52, 53)
@pytest.mark.parametrize(
    ("source", "target", "name", "becomes"),
    [
        (DOT, SLASH, b"Work.2019.Offers", b"Work/2019/Offers"),
        (SLASH, DOT, b"Work/2019/Offers", b"Work.2019.Offers"),
        (BACKSLASH, SLASH, b"Work\\2019", b"Work/2019"),
        (SLASH, BACKSLASH, b"Work/2019", b"Work\\2019"),
        (FLAT, SLASH, b"Work", b"Work"),
        (FLAT, SLASH, b"a/b", b"a_b"),
        (SLASH, FLAT, b"Work/2019", b"Work_2019"),
        (INBOX_DOT, SLASH, b"INBOX.Sent", b"Sent"),
        (INBOX_DOT, MAIL, b"INBOX.Sent", b"mail/Sent"),
        (MAIL, INBOX_DOT, b"mail/Sent", b"INBOX.Sent"),
        (SLASH, INBOX_DOT, b"Sent", b"INBOX.Sent"),
        (INBOX_DOT, SLASH, b"INBOX", b"INBOX"),
        (SLASH, INBOX_DOT, b"INBOX/Old", b"INBOX.Old"),
        (DOT, SLASH, b"inbox.Old", b"INBOX/Old"),
        (INBOX_DOT, SLASH, b"INBOX.INBOX.Old", b"INBOX/INBOX/Old"),
        (INBOX_DOT, SLASH, b"INBOX.INBOX", b"INBOX/INBOX"),
        (INBOX_DOT, INBOX_DOT, b"INBOX.INBOX", b"INBOX.INBOX"),
        (SLASH, DOT, b"v1.2/notes", b"v1_2.notes"),
        (DOT, SLASH, b"Arbeit &- Plan.&APw-ber", b"Arbeit &- Plan/&APw-ber"),
        (DOT, SLASH, b"a/b.c", b"a_b/c"),
    ],
)
def test_separators_and_prefixes(source: Namespace, target: Namespace, name: bytes, becomes: bytes) -> None:
    path = source.path(name)
    assert target.name(_map([path], target).paths[path]) == becomes


@pytest.mark.parametrize(
    ("level", "becomes", "why"),
    [
        pytest.param(b"plain", b"plain", "", marks=pytest.mark.case(55)),
        pytest.param(b" two  blanks ", b" two  blanks ", "", marks=pytest.mark.case(54)),
        pytest.param(b"*%\"\\&-~#'(){}[]", b"*%\"\\&-~#'(){}[]", "", marks=pytest.mark.case(55)),
        pytest.param(b"NIL", b"NIL", "", marks=pytest.mark.case(59)),
        pytest.param(b"&2DzfiQ-", b"&2DzfiQ-", "", marks=pytest.mark.case(58)),
        pytest.param(b"e&AwE-", b"e&AwE-", "", marks=pytest.mark.case(57)),
        pytest.param("Größe".encode(), b"Gr&APYA3w-e", "UTF-7", marks=pytest.mark.case(56)),
        pytest.param("R&D – ü".encode(), b"R&-D &IBM- &APw-", "UTF-7", marks=pytest.mark.case(56)),
        pytest.param(b"Gr\xf6\xdfe", b"Gr&APYA3w-e", "UTF-7", marks=pytest.mark.case(56)),
        pytest.param(b"&", b"&-", "UTF-7", marks=pytest.mark.case(56)),
        pytest.param(b"&AAk", b"&-AAk", "UTF-7", marks=pytest.mark.case(56)),
        pytest.param(b"&AGE-", b"&-AGE-", "UTF-7", marks=pytest.mark.case(56)),
        pytest.param(b"&2Dw-", b"&-2Dw-", "UTF-7", marks=pytest.mark.case(56)),
        pytest.param(b"tab\there", b"tab_here", "control", marks=pytest.mark.case(56)),
        (b"&AAk-x", b"_x", "control"),
        (b"", b"_", "empty"),
        (b".", b"_", "itself"),
        (b"..", b"__", "itself"),
        (b"dbox-Mails", b"dbox-Mails_", "itself"),
        (b"~fred", b"_fred", "~"),
        pytest.param(b"x" * 255, b"x" * 255, "", marks=pytest.mark.case(63)),
    ],
)
def test_a_level_keeps_its_name_if_the_target_can_have_it(level: bytes, becomes: bytes, why: str) -> None:
    new, changes = fit((level,), SLASH)
    assert new == (becomes,)
    assert why in "; ".join(changes)
    assert bool(changes) == bool(why)


@pytest.mark.case(63)
@pytest.mark.parametrize("level", [b"x" * 256, b"y" * 5000, utf7.encode("ü" * 100), utf7.encode("🎉" * 60)])
def test_a_level_that_is_too_long_is_shortened_to_a_name_of_its_own(level: bytes) -> None:
    ((new,), changes), ((other,), _changes) = fit((level,), SLASH), fit((level + b"z",), SLASH)
    assert 240 <= len(new) <= 255
    assert utf7.decode(new) is not None
    assert "255" in changes[0]
    assert new != other


def test_two_folders_never_become_one() -> None:
    """case_53: one error names both, and what to set; what it advises works."""
    paths = [(b"a.b",), (b"a_b",), (b"c.d",), (b"c_d",)]
    with pytest.raises(InputError, match=r"a\.b and a_b would both become a_b on the target; 1 more") as raised:
        _map(paths, DOT)
    assert 'folders.rename, for instance {"a.b": "a_b (2)"}' in raised.value.safe_next
    renamed = _map(paths, DOT, FolderRules(rename={"a.b": "a_b (2)", "c_d": "c-d"}))
    assert _shown(renamed) == {"a.b": "a_b (2)", "a_b": "a_b", "c.d": "c_d", "c_d": "c-d"}


@pytest.mark.case(52)
def test_folders_below_inbox_and_beside_it_are_one_where_all_is_below_inbox() -> None:
    with pytest.raises(InputError, match="INBOX/Old and Old would both become Old"):
        _map([(b"INBOX",), (b"INBOX", b"Old"), (b"Old",)], INBOX_DOT)
    assert _shown(_map([(b"INBOX",), (b"INBOX", b"Old"), (b"Old",)], SLASH))["INBOX/Old"] == "INBOX/Old"


@pytest.mark.case(60)
def test_case_makes_folders_differ() -> None:
    names = ["Sent", "SENT", "sent", "INBOX"]
    assert _shown(_map([unshow(name) for name in names])) == {name: name for name in names}
    with pytest.raises(InputError, match="both become INBOX"):
        _map([(b"INBOX",), (b"Eingang",)], SLASH, FolderRules(rename={"Eingang": "inbox"}))


@pytest.mark.case(65)
def test_nothing_goes_to_other_users_on_the_target() -> None:
    target = Namespace(others=(Space(SHARED, b"shared/", b"/"),))
    with pytest.raises(InputError, match="not the user's own"):
        _map([(b"shared", b"team")], target)
    rules = FolderRules(rename={"shared": "Team"})
    assert _shown(_map([(b"shared", b"team")], target, rules)) == {"shared/team": "Team/team"}


def test_a_folder_keeps_the_name_it_once_got() -> None:
    pins = {(b"a.b",): (b"a_b",), (b"Spam",): (b"Junk",), (b"Old",): (b"Old",)}
    folder_map = _map([(b"a.b",), (b"Spam",), (b"Old",), (b"New",)], SLASH, pins=pins)
    assert _shown(folder_map) == {"a.b": "a_b", "Spam": "Junk", "Old": "Old", "New": "New"}
    assert not folder_map.moves
    with pytest.raises(InputError, match="Junk and Spam would both become Junk"):
        _map([(b"Spam",), (b"Junk",)], SLASH, pins=pins)


def test_only_a_rule_moves_a_folder_that_was_brought() -> None:
    pins = {(b"Spam",): (b"Junk",), (b"Spam", b"x"): (b"Junk", b"x")}
    rules = FolderRules(rename={"Spam": "Bulk"})
    folder_map = _map([(b"Spam",), (b"Spam", b"x")], SLASH, rules, pins=pins)
    assert _shown(folder_map) == {"Spam": "Bulk", "Spam/x": "Bulk/x"}
    assert folder_map.moves == pins
    assert _map(pins, SLASH, rules, pins=pins, moving=False).paths == pins
    back = _map([(b"Spam",)], SLASH, FolderRules(rename={"Spam": "Spam"}), pins=pins)
    assert (_shown(back), back.moves) == ({"Spam": "Spam"}, {(b"Spam",): (b"Junk",)})


def test_every_other_name_has_its_line() -> None:
    folder_map = _map([(b"a.b",), (b"Spam",), (b"x",)], DOT, FolderRules(rename={"Spam": "Junk"}))
    assert folder_map.lines() == ["Spam → Junk (folders.rename)", "a.b → a_b (its name holds the separator)"]
    assert folder_map.back() == {(b"a_b",): (b"a.b",), (b"Junk",): (b"Spam",), (b"x",): (b"x",)}


@pytest.mark.case(57)
def test_a_target_that_composes_characters_in_another_way() -> None:
    decomposed, composed = unshow("Cafe\u0301"), unshow("Caf\u00e9")
    assert _map([decomposed], SLASH, existing=[composed]).paths == {decomposed: composed}
    both = [decomposed, composed]
    assert _map(both, SLASH, existing=[composed]).paths == {path: path for path in both}
    assert _map([decomposed], SLASH, existing=[decomposed, composed]).paths == {decomposed: decomposed}


SENT, TRASH, JUNK = frozenset({b"\\sent"}), frozenset({b"\\trash"}), frozenset({b"\\junk"})
NONE: frozenset[bytes] = frozenset()


@pytest.mark.case(64)
@pytest.mark.parametrize(
    ("source", "target", "places"),
    [
        ({"Spam": NONE}, {}, {"Spam": "Junk"}),
        ({"Spam": NONE, "Junk": NONE}, {}, {}),
        ({"spam": NONE}, {"Bulk": JUNK}, {"spam": "Bulk"}),
        ({"Gesendet": NONE, "Papierkorb": NONE, "Entwürfe": NONE}, {"Sent": SENT},
         {"Gesendet": "Sent", "Papierkorb": "Trash", "Entwürfe": "Drafts"}),
        ({"Sent Items": NONE, "Sent Messages": NONE}, {}, {"Sent Items": "Sent"}),
        ({"Sent Items": NONE, "Mine": SENT}, {}, {"Mine": "Sent"}),
        ({"One": SENT, "Two": SENT}, {}, {"One": "Sent"}),
        ({"Sent": NONE, "Two": SENT}, {}, {}),
        ({"Sent": TRASH}, {}, {"Sent": "Trash"}),
        ({"Papierkorb": NONE}, {"Papierkorb": TRASH}, {}),
        ({"INBOX/Spam": NONE}, {}, {"INBOX/Spam": "Junk"}),
        ({"Work/Spam": NONE, "Work": NONE}, {}, {}),
        ({"送信済み": NONE}, {}, {"送信済み": "Sent"}),
    ],
)  # fmt: skip
def test_special_folders_find_their_place(
    source: dict[str, frozenset[bytes]], target: dict[str, frozenset[bytes]], places: dict[str, str]
) -> None:
    rules = FolderRules(special_use="map")
    here = {unshow(name): uses for name, uses in source.items()}
    there = {unshow(name): uses for name, uses in target.items()}
    assert {show(old): show(new) for old, new in special_places(here, there, rules).items()} == places
    assert special_places(here, there, FolderRules()) == {}


@pytest.mark.case(64)
def test_what_is_below_a_special_folder_goes_with_it_and_rename_wins() -> None:
    paths = [unshow(name) for name in ("Spam", "Spam/2019", "Gesendet")]
    source = dict.fromkeys(paths, NONE)
    rules = FolderRules(special_use="map", rename={"Gesendet": "Ausgang"})
    folder_map = _map(paths, SLASH, rules, uses=special_places(source, {}, rules))
    assert _shown(folder_map) == {"Spam": "Junk", "Spam/2019": "Junk/2019", "Gesendet": "Ausgang"}
    assert folder_map.why[(b"Spam",)] == "folders.special_use"


NAMES = st.one_of(
    st.text("abAB./\\_~&-é日🎉 \t", min_size=0, max_size=6).map(lambda text: text.encode()),
    st.text("aé日🎉&.", min_size=1, max_size=6).map(utf7.encode),
    st.binary(max_size=5),
    st.sampled_from([b"INBOX", b"inbox", b"..", b".", b"dbox-Mails", b"x" * 300]),
)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(tuple)


@given(st.lists(PATHS, max_size=10, unique=True), st.sampled_from(SERVERS), st.booleans())
@settings(max_examples=400)
def test_the_map_is_one_to_one_and_gives_names_the_target_can_have(
    paths: list[Path], target: Namespace, mapped: bool
) -> None:
    """case_51 to case_60: bijective, stable, and nothing illegal; or refused."""
    rules = FolderRules(special_use="map" if mapped else "keep")
    try:
        folder_map = _map(paths, target, rules)
    except InputError as error:
        assume("both become" in error.message)
        return
    assert folder_map.back() == {new: old for old, new in folder_map.paths.items()}
    assert len(folder_map.back()) == len(set(paths))
    names = {target.name(new) for new in folder_map.paths.values()}
    assert len(names) == len(set(paths))
    for new in folder_map.paths.values():
        assert target.path(target.name(new)) == new
        assert fit(new, target)[0] == new
        for level in target.levels(target.name(new)):
            text = utf7.decode(level)
            assert text
            assert len(level) <= 255
            assert min(text) >= " "
            assert text not in (".", "..")
    again = _map(reversed(paths), target, rules, pins=folder_map.paths)
    assert (again.paths, again.moves) == (folder_map.paths, {})


@given(st.lists(PATHS, max_size=8, unique=True), st.lists(PATHS, max_size=4, unique=True), st.sampled_from(SERVERS))
def test_new_folders_never_move_those_that_were_brought(paths: list[Path], more: list[Path], target: Namespace) -> None:
    try:
        before = _map(paths, target)
        after = _map([*paths, *more], target, pins=before.paths, existing=list(before.paths.values()))
    except InputError:
        return
    assert before.paths.items() <= after.paths.items()


@given(st.lists(st.text("abcü é", min_size=1, max_size=5), min_size=1, max_size=6, unique=True))
def test_names_that_any_server_can_have_stay_what_they_are(names: list[str]) -> None:
    paths = [(utf7.encode(unicodedata.normalize("NFC", name)),) for name in names]
    for target in SERVERS:
        assert _map(paths, target).paths == {path: path for path in paths}


@pytest.mark.case(63)
def test_ten_thousand_folders_are_mapped_in_a_moment() -> None:
    paths = [(b"F%d" % (number // 100), b"&APw-%d" % number, b"a.b") for number in range(10_000)]
    rules = FolderRules(exclude=("Trash", "*spam*"), rename={"F1": "G1"}, special_use="map")
    began = time.process_time()
    folder_map = _map(paths, SLASH, rules, existing=paths)
    assert time.process_time() - began < 4.0
    assert len(folder_map.paths) == 10_000
