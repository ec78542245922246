# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A customer of an Atmail 7 site is extracted and applied; then mail goes where it went before."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.delivery_lab import Post, at
from tests.integration.settings_lab import SettingsLab
from tests.lab.lab import Lab
from tests.lab.state import RegionOptions


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    options = {"eu": RegionOptions(delivery=True)}
    with Lab.temporary(scale="test", region_options=options) as made:
        lab = SettingsLab(made, tmp_path_factory.mktemp("snapshots"))
        assert lab.extract().changed
        assert lab.apply().changed
        assert not lab.apply().changed
        yield Post(made.region("eu"))


PARTNER = "outside: partner@elsewhere.example.net"
BOBS_PHONE = "outside: o'brien&sons@phone.example.net"


@pytest.mark.parametrize(
    ("recipient", "places"),
    [
        ("info@acme.example", at("ann")),
        ("team@acme.example", at("ann", "bob", BOBS_PHONE, PARTNER)),
        ("bob@acme.example", at("bob", BOBS_PHONE)),
        ("7sales@acme.example", at("7sales", "ann")),
        ("abuse@acme.example", at("postmaster")),
        ("anything.else@acme.example", at("postmaster")),
        ("bob@mail.acme.example", at("bob", BOBS_PHONE)),
        ("anything.else@mail.acme.example", at("postmaster")),
        ("Chloe.Martin+lists@Acme.example", at("chloe.martin")),
    ],
)
def test_mail_goes_where_it_went_on_the_old_server(post: Post, recipient: str, places: dict[str, int]) -> None:
    sent = post.send(recipient)
    assert sent.refused == {}
    assert sent.places == places
    assert sent.answers == []


@pytest.mark.parametrize(
    ("sender", "recipient", "said"),
    [
        ("joe@far.example", "frank_former@acme.example", "account takes no mail"),
        ("x@spam-77.example", "ann@acme.example", "sender is not wanted"),
        ("x@spam-77.example", "info@acme.example", "sender is not wanted"),
        ("x@casino.example", "dieter@acme.example", "sender is not wanted"),
        ("x@spam-77.example", "bob@acme.example", ""),
        ("mum@example.org", "ann@acme.example", ""),
        ("x@partner.example", "ann@acme.example", ""),
    ],
)
def test_who_is_blocked_stays_out(post: Post, sender: str, recipient: str, said: str) -> None:
    sent = post.send(recipient, sender=sender)
    assert bool(sent.refused) == bool(said) == (sent.places == {})
    assert said in sent.refused.get(recipient, "")


def test_the_automatic_reply_of_a_user_is_still_sent(post: Post) -> None:
    assert post.send("erin@acme.example", sender="eva@far.example").places == at("erin")
    (reply,) = [each for each in post.outside() if each.recipient == "eva@far.example"]
    assert reply.message["From"] == "erin@acme.example"
    assert "Monday <the 30th> & read no mail. Grüße!\n" in reply.message.get_content()
