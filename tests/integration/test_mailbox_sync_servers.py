# SPDX-License-Identifier: GPL-3.0-or-later
"""mailbox_sync: servers that lack what others have, and that name their folders in other ways."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab import mailgen
from tests.lab.state import RegionOptions, SiteOptions

from .checks import wire
from .checks.picture import look
from .checks.world import Pair, World, plain, small_mails, with_gaps

#: What Dovecot 2.3 offers after the log-in, as far as a client of this kind may ask for it.
EVERYTHING = (
    "IMAP4rev1 SASL-IR ID ENABLE IDLE MULTIAPPEND UNSELECT CHILDREN NAMESPACE UIDPLUS LIST-EXTENDED CONDSTORE QRESYNC"
    " ESEARCH WITHIN LIST-STATUS BINARY MOVE LITERAL+ SPECIAL-USE CREATE-SPECIAL-USE QUOTA"
)


def without(*names: str) -> str:
    """Dovecot configuration that hides capabilities."""
    return f"imap_capability = {' '.join(name for name in EVERYTHING.split() if name not in names)}\n"


def _mailbox(world: World) -> Pair:
    pair = world.pair()
    pair.write(
        [
            with_gaps(small_mails(120), (), {7: 3, 50: 20}),
            with_gaps(small_mails(40, "far"), ("Größe", "weit"), {20: 5000}),
            with_gaps([], ("Leer",), {}),
        ]
    )
    return pair


def _later(pair: Pair) -> None:
    """What happens on the source after the first copy."""
    with pair.at_source() as source:
        uids = source.uids("INBOX")
        source.append_many("INBOX", [plain(f"later {number}") for number in range(4)])
        source.store("INBOX", uids[:5], "+FLAGS", "\\Flagged later")
        source.store("INBOX", uids[5:7], "-FLAGS", "\\Seen")
        source.expunge("INBOX", uids[10:13])


@pytest.fixture(params=[("LITERAL+",), ("MULTIAPPEND",), ("LITERAL+", "MULTIAPPEND")], ids="-".join)
def lacking(world: World, request: pytest.FixtureRequest) -> Iterator[tuple[str, ...]]:
    """The target lacks some capabilities that speed needs."""
    with world.changed(region=RegionOptions(rawlog=True, extra=without(*request.param))):
        yield request.param


@pytest.mark.case(84)
def test_target_without_literal_plus_or_multiappend_is_faithful_all_the_same(
    world: World, lacking: tuple[str, ...]
) -> None:
    """case_84"""
    pair = _mailbox(world)
    result = pair.done()
    assert result.mailbox(pair.address)["fidelity"] == "faithful"
    waiting, free = wire.literal_kinds(world.rawlog(), pair.address)
    appends = [one for one in wire.commands(world.rawlog(), pair.address) if one.verb == "APPEND"]
    placeholders = 23
    if "LITERAL+" in lacking:
        assert free == 0
        assert waiting == 160 + placeholders
    else:
        assert waiting == 0
    assert len(appends) == 160 + placeholders if "MULTIAPPEND" in lacking else len(appends) <= 4
    pair.faithful()
    _later(pair)
    pair.done()
    pair.faithful()
    pair.settled()


@pytest.fixture(params=["UIDPLUS", "UIDPLUS LITERAL+ MULTIAPPEND", EVERYTHING])
def poor(world: World, request: pytest.FixtureRequest) -> Iterator[str]:
    """The target lacks what faithful mode needs: UIDPLUS, or everything but IMAP4rev1."""
    hidden = without(*request.param.split()) if request.param != EVERYTHING else "imap_capability = IMAP4rev1\n"
    with world.changed(region=RegionOptions(rawlog=True, extra=hidden)):
        yield str(request.param)


@pytest.mark.case(71, 84)
def test_target_without_uidplus_is_mapped_and_says_so(world: World, poor: str) -> None:
    """case_71, case_84"""
    pair = _mailbox(world)
    result = pair.done()
    entry = result.mailbox(pair.address)
    assert entry["fidelity"] == "mapped"
    assert set(entry["reasons"]) == {"INBOX", "Größe/weit", "Leer"}
    assert all("UIDPLUS" in " ".join(reasons) for reasons in entry["reasons"].values())
    pair.mapped()
    if "LITERAL+" in poor:
        assert wire.literal_kinds(world.rawlog(), pair.address)[1] == 0
    pair.settled()
    _later(pair)
    pair.done()
    pair.mapped()
    pair.settled()


@pytest.mark.case(84)
def test_source_with_nothing_but_imap4rev1(world: World) -> None:
    """case_84: no NAMESPACE, LIST-STATUS, CONDSTORE … on the source; its UIDs can be kept all the same."""
    with world.changed(site=SiteOptions(extra="imap_capability = IMAP4rev1\n")):
        pair = _mailbox(world)
        pair.done()
        with pair.at_source() as source:
            source.store("INBOX", source.uids("INBOX")[:3], "+FLAGS", "\\Flagged")
        assert pair.done().summary["flags_changed"] == 3
        _later(pair)
        pair.done()
        picture = look(pair.target)
        assert len(picture.folders["INBOX"].messages) == 121
        pair.settled()
        pair.faithful()


LEVELS = ["Projekte", "Projekte/Größe & Co", "a b", "Archiv/2019/01"]
PREFIXED_REGION = """
namespace inbox {
  separator = .
  prefix = INBOX.
}
"""
SLASHED_SITE = """
mail_location = maildir:~:LAYOUT=fs
namespace inbox {
  separator = /
}
"""


def _with_levels(world: World) -> Pair:
    """INBOX and some nested folders. Below INBOX there is one only where both sides can tell it from one beside it."""
    pair = world.pair()
    with pair.at_source() as source:
        for name in LEVELS:
            if name not in source.folders():
                source.create(name)
            source.append_many(name, [plain(number) for number in range(5)])
            source.subscribe(name)
        source.append("INBOX", plain("inbox"))
    return pair


@pytest.mark.case(51, 52)
@pytest.mark.parametrize("side", ["source", "target", "both"])
def test_prefixes_and_separators(world: World, side: str) -> None:
    """case_51, case_52: `INBOX.` and dots on either side against none and slashes; no INBOX within INBOX."""
    site = SiteOptions(prefix="INBOX.") if side != "target" else None
    region = RegionOptions(rawlog=True, extra=PREFIXED_REGION) if side != "source" else None
    with world.changed(site=site, region=region):
        pair = _with_levels(world)
        pair.done()
        there = pair.faithful()
        assert set(there.folders) >= {"INBOX", *LEVELS}
        pair.settled()


@pytest.mark.case(52)
def test_folders_below_inbox(pair: Pair) -> None:
    with pair.at_source() as source:
        source.create("INBOX/Below/Deeper")
        source.append("INBOX/Below/Deeper", plain("deep"))
        source.create("Below")
        source.append_many("Below", [plain("beside")] * 2)
    pair.done()
    pair.faithful()
    pair.settled()


@pytest.mark.case(53)
def test_a_level_that_holds_the_targets_separator(world: World) -> None:
    """case_53: `v1.2` on a server with slashes becomes `v1_2` on one with dots, and the result says so."""
    site = SiteOptions(extra=SLASHED_SITE)
    region = RegionOptions(rawlog=True, extra=PREFIXED_REGION)
    with world.changed(site=site, region=region):
        pair = world.pair()
        with pair.at_source() as source:
            source.create("Releases/v1.2")
            source.append_many("Releases/v1.2", [plain(number) for number in range(4)])
        result = pair.done()
        there = look(pair.target)
        assert sorted(there.folders) == ["INBOX", "Releases/v1_2"]
        assert len(there.folders["Releases/v1_2"].messages) == 4
        assert any("v1.2" in text and "v1_2" in text for text in result.mailbox(pair.address)["findings"])
        pair.settled()


def test_starttls_and_plain(world: World) -> None:
    described = world.lab.describe()
    source = {"security": "starttls", "port": described["sites"]["acme"]["imap_plain_port"]}
    target = {
        "security": "plain",
        "port": described["regions"]["eu"]["imap_plain_port"],
        "allow_plaintext": True,
        "ca_path": None,
    }
    pair = world.pair()
    pair.fill(mailgen.Plan("starttls", messages=30, folders=5, max_size=20_000))
    pair.done(source=source, target=target)
    pair.faithful()
