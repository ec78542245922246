# SPDX-License-Identifier: GPL-3.0-or-later
"""mailbox_sync: folders of other users and of everybody, on a real server that has them."""

from __future__ import annotations

import imaplib
from collections.abc import Iterator

import pytest

from tests.lab.maildir import Folder, write_folder
from tests.lab.state import SiteOptions

from .checks.picture import look
from .checks.world import Pair, World, plain, small_mails


@pytest.fixture
def sharing(world: World) -> Iterator[World]:
    """A site whose users share folders, with a public folder that all may read."""
    with world.changed(site=SiteOptions(sharing=True)):
        team = Folder(("team",), 4711, 9, list(enumerate(small_mails(5, "team"), 3)))
        write_folder(world.site.public, team, owner=world.site.file_owner)
        (world.site.public / ".team" / "dovecot-acl").write_text("authenticated lrs\n")
        world.site.give_to_owner(world.site.public)
        yield world


def _share(owner: Pair, folder: str, other: Pair) -> None:
    place = owner.source
    imap = imaplib.IMAP4_SSL("127.0.0.1", place.imaps, ssl_context=place.tls(), timeout=60)
    try:
        imap.login(owner.address, owner.source_password)
        assert imap.setacl(folder, other.address, "lrs")[0] == "OK"
    finally:
        imap.logout()


@pytest.mark.case(65)
def test_other_peoples_folders(sharing: World) -> None:
    """By default nobody gets what is not his own; asked for, it comes to the place that its prefix names."""
    bob, ann = sharing.pair(), sharing.pair()
    for pair in (bob, ann):
        with pair.at_source() as source:
            source.create("Plans")
            source.append_many("Plans", [plain(f"{number} of {pair.address}") for number in range(4)])
            source.append("INBOX", plain("inbox"))
    _share(bob, "Plans", ann)

    shared_by = bob.done().mailbox(bob.address)
    assert any(
        "access rights are not copied" in text and f"Plans: {ann.address} (lrs)" in text
        for text in shared_by["findings"]
    )
    assert not any("access rights" in text for text in bob.done().mailbox(bob.address)["findings"])

    assert ann.done().mailbox(ann.address)["findings"] == []
    assert set(look(ann.target).folders) == {"INBOX", "Plans"}
    ann.settled()

    name = bob.address.partition("@")[0]
    ann.options = {"folders": {"namespaces": ["personal", "shared", "other_users"]}}
    planned = ann.sync(check=True)
    assert "Public/team: create, copy 5 [faithful]" in planned["diff"]["prepared"]
    result = ann.done()
    there = look(ann.target)
    assert set(there.folders) == {"INBOX", "Plans", "Public/team", f"shared/{name}/Plans"}
    with bob.at_source() as source:
        assert there.folders[f"shared/{name}/Plans"].uidvalidity == source.status("Plans")["UIDVALIDITY"]
    assert (there.folders["Public/team"].uidvalidity, sorted(there.folders["Public/team"].messages)) == (
        4711, [3, 4, 5, 6, 7],
    )  # fmt: skip
    assert there.folders[f"shared/{name}/Plans"].contents() == look(bob.target).folders["Plans"].contents()
    assert result.summary["messages_copied"] == 9
    ann.settled()
    assert ann.audit()["identical"] is True

    ann.options = {"folders": {"namespaces": ["personal", "shared"], "rename": {"Public": "Everybody"}}}
    result = ann.done(allow_removals=1.0)
    entry = result.mailbox(ann.address)
    assert (entry["folders_renamed"], entry["folders_removed"], entry["messages_copied"]) == (1, 0, 0)
    assert set(look(ann.target).folders) == {"INBOX", "Plans", "Everybody/team", f"shared/{name}/Plans"}
