# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders on servers that spell their names, or understand them, as no server that can be installed here does."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.mail.folders import FolderRules
from imapclient import imap_utf7

from .scripted import Behaviour, Folder, Mailbox, serving
from .scripted.engine import USER, Trial

Between = Callable[..., Trial]


@pytest.fixture
def between(tmp_path: Path) -> Iterator[Between]:
    """Makes a trial of two mailboxes, with the behaviour of either server."""
    with ExitStack() as stack:

        def made(here: Mailbox, there: Mailbox | None = None, **behaviour: Behaviour) -> Trial:
            sides = [
                stack.enter_context(serving({USER: box}, behaviour.get(name, Behaviour())))
                for name, box in (("source", here), ("target", there or Mailbox()))
            ]
            return Trial(sides[0], sides[1], tmp_path / "ledger.sqlite3", faithful=True)

        yield made


def _filled(*names: bytes, **how: object) -> Mailbox:
    """A mailbox with these folders and a few messages in each."""
    mailbox = Mailbox(**how)  # type: ignore[arg-type] # passed on as they are
    for name in names:
        _fill(mailbox.create(name), name)
    _fill(mailbox.inbox, b"INBOX")
    return mailbox


def _fill(folder: Folder, name: bytes, count: int = 3) -> None:
    for number in range(count):
        folder.add(b"Subject: %d of %s\r\n\r\nbody\r\n" % (number, name.hex().encode()))


def _copied(trial: Trial, names: dict[bytes, bytes]) -> None:
    """Every folder has arrived under its name, nothing else is there, and a second run changes nothing."""
    assert set(trial.there.folders) == {b"INBOX", *names.values()}
    for old, new in {b"INBOX": b"INBOX", **names}.items():
        assert trial.here.folders[old].contents() == trial.there.folders[new].contents(), (old, new)
    again = trial.run()
    assert (again.failures, again.changed) == ([], False)
    assert trial.source.complaints == trial.target.complaints == []


@pytest.mark.case(51)
@pytest.mark.parametrize("theirs", [b"/", b".", b"\\", b""])
@pytest.mark.parametrize("ours", [b"/", b".", b"\\", b""])
def test_every_separator_to_every_other(between: Between, ours: bytes, theirs: bytes) -> None:
    levels = [(b"Work",), (b"Work", b"2019"), (b"Work", b"2019", b"a b")] if ours else [(b"Work",), (b"a b",)]
    names = {ours.join(one): theirs.join(one) if theirs else b"_".join(one) for one in levels}
    trial = between(_filled(*names, separator=ours), Mailbox(separator=theirs))
    assert trial.run().failures == []
    _copied(trial, names)


@pytest.mark.case(52)
def test_inbox_within_inbox(between: Between) -> None:
    """A migration that went wrong before has left all folders twice below INBOX: none of them is taken for another."""
    names = {
        b"INBOX.INBOX": b"INBOX/INBOX",
        b"INBOX.INBOX.Sent": b"INBOX/INBOX/Sent",
        b"INBOX.Sent": b"Sent",
        b"INBOX.Sent.2019": b"Sent/2019",
    }
    trial = between(_filled(*names, separator=b".", prefix=b"INBOX."))
    assert trial.run().failures == []
    _copied(trial, names)


@pytest.mark.case(56)
@pytest.mark.parametrize("literals", [False, True])
def test_names_that_are_no_legal_utf7_get_one(between: Between, literals: bool) -> None:
    names = {
        "Größe & Co".encode(): imap_utf7.encode("Größe & Co"),
        "日本語/深い".encode(): imap_utf7.encode("日本語") + b"/" + imap_utf7.encode("深い"),
        b"Entw\xfcrfe": imap_utf7.encode("Entwürfe"),
        b"R&D": b"R&-D",
        b"&AAk": b"&-AAk",
        b"&U,BTFw-&ZeVnLIqe-": b"&-U,BTFw-&-ZeVnLIqe-",
        b"&2Dw-": b"&-2Dw-",
        b"tab\there": b"tab_here",
        b"bell\x07": b"bell_",
        b"..": b"__",
        b"~root": b"_root",
        b"&2DzfiQ-": b"&2DzfiQ-",
    }
    trial = between(_filled(*names), source=Behaviour(literals=literals))
    outcome = trial.run()
    assert outcome.failures == []
    assert outcome.fidelity == "faithful"
    changed = {old for old, new in names.items() if old != new}
    assert sum("is called" in text for text in outcome.findings) == len(changed)
    assert sum(" → " in line for line in outcome.plan) == len(changed)
    _copied(trial, names)


@pytest.mark.case(56)
def test_two_spellings_of_one_name_are_refused_before_anything_is_written(between: Between) -> None:
    trial = between(_filled("Größe".encode(), imap_utf7.encode("Größe"), b"Other"))
    outcome = trial.run()
    (failure,) = outcome.failures
    assert failure["kind"] == "invalid_input"
    assert "Größe and Größe would both become Größe" in failure["message"]
    assert set(trial.there.folders) == {b"INBOX"}
    assert trial.there.count() == 0


@pytest.mark.case(55, 59)
@pytest.mark.parametrize("literals", [False, True])
def test_names_full_of_wildcards_and_quotes(between: Between, literals: bool) -> None:
    names = [
        b"*",
        b"%",
        b"a*b%c",
        b'q"uo"te',
        b"back\\slash\\",
        b"{5}",
        b"NIL",
        b"(x)",
        b"[y]",
        b" ",
        b"#news",
        b"a  b ",
    ]
    trial = between(
        _filled(*names), source=Behaviour(literals=literals), target=Behaviour(lacks=frozenset({"LITERAL+"}))
    )
    assert trial.run().failures == []
    _copied(trial, {name: name for name in names})


def _nfc(name: bytes) -> bytes:
    return imap_utf7.encode(unicodedata.normalize("NFC", imap_utf7.decode(name)))


@pytest.mark.case(57)
def test_a_target_that_composes_names(between: Between) -> None:
    """As Dovecot 2.4 does: what was made as one is listed as the other, and is the same folder all the same."""
    decomposed = imap_utf7.encode(unicodedata.normalize("NFD", "Entwürfe/Größe"))
    trial = between(_filled(decomposed), Mailbox(alike=_nfc, stored=_nfc))
    first = trial.run()
    assert first.failures == []
    # what the first run has made is found under its other name, and settled, by the second
    assert trial.run().messages_copied == 0
    _copied(trial, {decomposed: _nfc(decomposed)})


@pytest.mark.case(57)
def test_a_target_that_would_make_one_of_two(between: Between) -> None:
    names = [imap_utf7.encode(unicodedata.normalize(form, "Größe")) for form in ("NFC", "NFD")]
    trial = between(_filled(*names, b"Other"), Mailbox(alike=_nfc, stored=_nfc))
    outcome = trial.run()
    assert [failure["kind"] for failure in outcome.failures] == ["folder_failed"]
    assert trial.there.folders[names[0]].contents() in [trial.here.folders[name].contents() for name in names]
    assert trial.there.folders[b"Other"].contents() == trial.here.folders[b"Other"].contents()


@pytest.mark.case(60)
def test_a_target_that_makes_no_difference_of_case(between: Between) -> None:
    """Two folders are never mixed into one: one arrives, the other is named, and a rename settles it."""
    trial = between(_filled(b"Sent", b"SENT", b"Work"), Mailbox(alike=bytes.lower))
    for _again in range(2):
        outcome = trial.run()
        (failure,) = outcome.failures
        assert (failure["kind"], failure["folder"]) == ("folder_failed", "Sent")
        assert "upper and lower case" in failure["message"]
        assert set(trial.there.folders) == {b"INBOX", b"SENT", b"Work"}
        assert trial.there.folders[b"SENT"].contents() == trial.here.folders[b"SENT"].contents()
    trial.policy = {"rules": FolderRules(rename={"Sent": "Sent 2"})}
    assert trial.run().failures == []
    _copied(trial, {b"Sent": b"Sent 2", b"SENT": b"SENT", b"Work": b"Work"})


@pytest.mark.case(60)
def test_inbox_beside_inbox(between: Between) -> None:
    """Two names for INBOX are one; two folders below it that differ in its case alone are refused."""
    here = _filled(b"Inbox/a")
    trial = between(here)
    assert trial.run().failures == []
    _copied(trial, {b"Inbox/a": b"INBOX/a"})
    _fill(here.create(b"INBOX/a"), b"other")
    (failure,) = trial.run().failures
    assert "Inbox/a and INBOX/a would both become INBOX/a" in failure["message"]


@pytest.mark.case(61)
def test_parents_that_hold_nothing_or_take_nothing(between: Between) -> None:
    here = _filled(b"Up/One", b"Shut/Two")
    here.folders[b"Up"] = Folder(attributes=frozenset({b"\\Noselect"}))
    there = Mailbox({b"Shut": Folder(uidvalidity=7, attributes=frozenset({b"\\Noinferiors"}))})
    trial = between(here, there)
    outcome = trial.run()
    (failure,) = outcome.failures
    assert (failure["folder"], failure["kind"]) == ("Shut/Two", "server_error")
    assert "folders.rename" in failure["safe_next"]
    assert trial.there.folders[b"Up/One"].contents() == trial.here.folders[b"Up/One"].contents()
    trial.policy = {"rules": FolderRules(rename={"Shut": "Open"})}
    assert trial.run().failures == []
    assert trial.there.folders[b"Open/Two"].contents() == trial.here.folders[b"Shut/Two"].contents()


@pytest.mark.case(64)
@pytest.mark.parametrize("special_use", ["keep", "map"])
def test_xlist_and_two_folders_for_sent_mail(between: Between, special_use: str) -> None:
    here = _filled(b"[G]/Sent", b"Gesendet", b"[G]/Spam", b"Work")
    for name, use in ((b"[G]/Sent", b"\\Sent"), (b"Gesendet", b"\\Sent"), (b"[G]/Spam", b"\\Spam")):
        here.folders[name].attributes = frozenset({use})
    there = Mailbox({b"Sent": Folder(uidvalidity=5, attributes=frozenset({b"\\Sent"}))})
    old = Behaviour(lacks=frozenset({"LIST-EXTENDED", "LIST-STATUS", "SPECIAL-USE"}), announces=("XLIST",))
    trial = between(here, there, source=old)
    trial.policy = {"rules": FolderRules(special_use=special_use)}
    outcome = trial.run()
    assert outcome.failures == []
    names = {name: name for name in here.folders if name != b"INBOX"}
    if special_use == "map":
        names |= {b"Gesendet": b"Sent", b"[G]/Spam": b"Junk"}
    else:
        assert all(b"\\sent" in trial.there.folders[name].attributes for name in (b"Gesendet", b"[G]/Sent"))
        del trial.there.folders[b"Sent"]
    _copied(trial, names)


CYRUS = b'(("INBOX." ".")) (("user." ".")) (("" "."))'


@pytest.mark.case(65)
def test_other_peoples_folders_come_only_when_they_are_asked_for(between: Between) -> None:
    """On a server whose shared folders have no prefix at all."""
    names = {b"INBOX.Sent": b"Sent"}
    shared = {b"team": b"Shared Folders/team", b"team.plans": b"Shared Folders/team/plans"}
    others = {b"user.bob.Sent": b"user/bob/Sent"}
    trial = between(_filled(*names, *shared, *others, separator=b".", namespaces=CYRUS))
    assert trial.run().failures == []
    assert set(trial.there.folders) == {b"INBOX", *names.values()}
    for kinds, more in ((("personal", "shared"), shared), (("personal", "shared", "other_users"), others)):
        names |= more
        trial.policy = {"rules": FolderRules(namespaces=kinds)}
        assert trial.run().failures == []
        _copied(trial, names)


@pytest.mark.case(65)
def test_folders_that_are_not_asked_for_any_more_stay(between: Between) -> None:
    """What was brought from a shared namespace is not gone from there because nobody asks for it now."""
    trial = between(_filled(b"INBOX.Sent", b"team", separator=b".", namespaces=CYRUS))
    trial.policy = {"rules": FolderRules(namespaces=("personal", "shared"))}
    assert trial.run().failures == []
    trial.policy = {"allow_removals": 1.0}
    outcome = trial.run()
    assert (outcome.failures, outcome.changed) == ([], False)
    assert len(trial.there.folders[b"Shared Folders/team"].messages) == 3


@pytest.mark.case(68)
@pytest.mark.parametrize("side", ["source", "target"])
def test_a_locked_folder_costs_no_other(between: Between, side: str) -> None:
    trial = between(_filled(b"A", b"B", b"C"), **{side: Behaviour(locked=frozenset({b"B"}))})
    outcome = trial.run()
    assert {failure.get("folder") for failure in outcome.failures} == {"B"}
    for name in (b"INBOX", b"A", b"C"):
        assert trial.there.folders[name].contents() == trial.here.folders[name].contents()
    for server in (trial.source, trial.target):
        server.behaviour = Behaviour()
    assert trial.run().failures == []
    _copied(trial, {name: name for name in (b"A", b"B", b"C")})


@pytest.mark.case(69)
def test_folders_that_hold_no_mail_are_named(between: Between) -> None:
    here = _filled(b"Kalender", b"Contacts", b"Work/Notes", b"INBOX/Notes")
    here.create(b"Tasks")
    trial = between(here)
    (found,) = [text for text in trial.run().findings if "hold no mail" in text]
    assert "Contacts; Kalender; INBOX/Notes" in found
    assert "folders.exclude" in found
    assert not any("hold no mail" in text for text in trial.run().findings)
    left_out = between(here)
    left_out.ledger = trial.ledger.with_suffix(".other")
    left_out.policy = {"rules": FolderRules(exclude=("Kalender", "Contacts", "*Notes", "Tasks"))}
    outcome = left_out.run()
    assert (outcome.failures, set(left_out.there.folders)) == ([], {b"INBOX"})
    assert not any("hold no mail" in text for text in outcome.findings)


@pytest.mark.case(63)
def test_a_thousand_folders_of_which_hundreds_are_renamed(between: Between) -> None:
    """Made, settled by a few commands, and renamed without being copied again."""
    names = [b"Projects/P%02d/F%04d" % (number // 200, number) for number in range(1_000)]
    here = Mailbox()
    for number, name in enumerate(names):
        folder = here.create(name)
        if number % 100 == 0:
            _fill(folder, name, count=1)
    trial = between(here)
    trial.timeout = 60.0
    outcome = trial.run()
    assert (outcome.failures, outcome.folders_created, outcome.messages_copied) == ([], 1_000, 10)
    _copied(trial, {name: name for name in names})
    commands = len(trial.target.commands)
    assert trial.run().unchanged
    assert len(trial.target.commands) - commands < 10
    for name in names[:200]:
        here.folders[name.replace(b"P00", b"Old")] = here.folders.pop(name)
    outcome = trial.run()
    assert (outcome.failures, outcome.folders_renamed, outcome.messages_copied) == ([], 200, 0)
    _copied(trial, {name: name for name in here.folders if name != b"INBOX"})
