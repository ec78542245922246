# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Objects that no calendar should hold: from a server that gives them as they are to three that are not so patient.

Of each it is told what became of it: it is there and says the same, it was repaired, or it is in the quarantine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
import requests
from ansible_collections.atmail.migration.plugins.module_utils.dav.compare import same

from tests.integration.settings_lab import Outcome, run_here
from tests.lab.cyrus_dav import CyrusDav
from tests.lab.objects import Thing
from tests.lab.odd_objects import MEGABYTE, odd_contacts, odd_events
from tests.lab.radicale import DavCloud
from tests.lab.sabre import Sabre

ANN, BOB, CAROL = "ann@acme.example", "bob@acme.example", "carol@acme.example"
PASSWORDS = {ANN: "of-ann", BOB: "of-bob", CAROL: "of-carol"}
CALENDAR, BOOK = "odd", "odd-people"
#: What no server takes and nothing can be made of.
HOPELESS = {"empty", "no_calendar", "no_card", "bad_rule"}
#: What has to arrive everywhere, if only by a repair.
NEEDED = {
    *("big_attachment", "custom_zone", "floating", "all_day", "missing_uid", "override_without_master", "name"),
    *("duplicate_uid", "duplicate_uid_again", "override_alone", "master_of_override", "bare_line_feeds", "latin1"),
    *("version_21_quoted", "version_21_photo", "version_4", "photo_url", "big_photo", "apple_group", "agent"),
}


class Target:
    """A server to copy to, and its account."""

    def __init__(self, server: DavCloud | CyrusDav | Sabre, user: str) -> None:
        self.server, self.user = server, user
        options = dict(server.options())
        self.options = {name: value for name, value in options.items() if not name.startswith("admin_")}
        self.homes = {
            DavCloud: (f"/{user}/", f"/{user}/"),
            CyrusDav: (f"/dav/calendars/user/{user}/", f"/dav/addressbooks/user/{user}/"),
            Sabre: (f"/calendars/{user}/", f"/addressbooks/{user}/"),
        }[type(server)]

    def objects(self) -> dict[str, bytes]:
        """All objects of both collections by their names."""
        found: dict[str, bytes] = {}
        with requests.Session() as session:
            session.trust_env = False
            session.verify = str(self.options.get("ca_path", True))
            session.auth = (self.user, PASSWORDS[self.user])
            for home, slug in zip(self.homes, (CALENDAR, BOOK), strict=True):
                place = self.server.url.rstrip("/") + quote(f"{home}{slug}/")
                listed = session.request("PROPFIND", place, headers={"Depth": "1"}, timeout=30).text
                for href in re.findall(r"<(?:\w+:)?href>([^<]*[^/<])</(?:\w+:)?href>", listed):
                    name = unquote(href.replace("&amp;", "&").rpartition("/")[2])
                    # Cyrus makes 3.0 of every vCard unless it is asked for what this one is
                    four = {"Accept": "text/vcard; version=4.0"} if "version_4" in name else {}
                    answer = session.get(place + quote(name, safe=""), headers=four, timeout=30)
                    if answer.status_code == 200:
                        found[name] = answer.content
        return found


#: Radicale takes half a minute for an attachment of 5 MB.
SMALLER = 300_000


@cache
def odd(attachment: int) -> dict[str, Thing]:
    return {thing.name: thing for thing in [*odd_events(attachment), *odd_contacts(200_000)]}


@pytest.fixture(scope="module")
def source() -> Iterator[Sabre]:
    """Ann has all of them, and an attachment of 5 MB; Carol has all of them, and a smaller one."""
    with Sabre.temporary(PASSWORDS) as server:
        for user, things in ((ANN, odd(5 * MEGABYTE)), (CAROL, odd(SMALLER))):
            server.write(user, CALENDAR, [each for each in things.values() if each.kind == "calendar"], "Odd")
            server.write(user, BOOK, [each for each in things.values() if each.kind != "calendar"], "Odd people")
        yield server


def run(source: Sabre, target: Target, user: str, folder: Path) -> Outcome:
    account = {
        "source_user": user,
        "source_password": PASSWORDS[user],
        "target_user": target.user,
        "target_password": PASSWORDS[target.user],
    }
    return run_here(
        "dav_sync",
        {
            "source": {"protocol": "dav", **source.options()},
            "target": target.options,
            "accounts": [account],
            "ledger": str(folder / "ledger.sqlite3"),
            "quarantine": str(folder / "quarantine"),
            "ignore_account_errors": True,
        },
    )


def told(outcome: Outcome) -> tuple[dict[str, set[str]], set[str]]:
    """By the kind of finding which objects have one, and which could not be brought."""
    (account,) = outcome.result["accounts"]
    kinds: dict[str, set[str]] = {}
    for finding in account["findings"]:
        kinds.setdefault(finding["kind"], set()).add(finding["name"])
    left = {failure["object"] for failure in account["failures"]}
    joined = re.findall(r"joined to (\S+),", " ".join(each["message"] for each in account["findings"]))
    kinds["joined"] = set(joined)
    return kinds, left | kinds.get("component_not_supported", set())


def quarantined(outcome: Outcome) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for each in outcome.result["accounts"][0]["quarantined"]:
        found.setdefault(each["name"], []).append(Path(each["file"]).read_bytes())
    return found


@pytest.mark.case(104)
def test_radicale_gets_every_odd_object_or_it_is_told(source: Sabre, tmp_path: Path) -> None:
    with DavCloud.temporary({ANN: PASSWORDS[ANN]}) as cloud:
        check(source, CAROL, Target(cloud, ANN), odd(SMALLER), tmp_path)


@pytest.mark.case(104)
def test_cyrus_gets_every_odd_object_or_it_is_told(source: Sabre, tmp_path: Path) -> None:
    with CyrusDav.temporary(ANN) as cyrus:
        check(source, ANN, Target(cyrus, ANN), odd(5 * MEGABYTE), tmp_path)
        assert not cyrus.trap.caught()


@pytest.mark.case(104)
def test_sabre_gets_every_odd_object_or_it_is_told(source: Sabre, tmp_path: Path) -> None:
    things = odd(SMALLER)
    there = check(source, CAROL, Target(source, BOB), things, tmp_path)
    assert not source.trap.caught()
    # what it takes it stores byte for byte, if it is UTF-8
    assert sum(there.get(name) == thing.data for name, thing in things.items()) > 50


def check(source: Sabre, user: str, target: Target, things: Mapping[str, Thing], folder: Path) -> dict[str, bytes]:
    first = run(source, target, user, folder)
    kinds, left = told(first)
    there = target.objects()
    repaired, kept = kinds.get("repaired", set()), quarantined(first)
    wrong = {}
    for name, thing in things.items():
        if name in left:
            if thing.oddity in NEEDED:
                wrong[name] = "was not brought"
            elif thing.data not in kept.get(name, []) and name not in kinds.get("component_not_supported", set()):
                wrong[name] = "is not in the quarantine as it was"
        elif name in repaired:
            if thing.data not in kept.get(name, []):
                wrong[name] = "was repaired, and its original is not in the quarantine"
        elif name in kinds["joined"]:
            continue
        elif name not in there:
            wrong[name] = "is not there, and nothing is told of it"
        elif not same(thing.data, there[name]) and name not in kinds.get("altered_by_target", set()):
            wrong[name] = "says something else"
    assert not wrong
    assert {things[name].oddity for name in left} >= HOPELESS

    again = run(source, target, user, folder)
    assert again.result["changed"] is False
    assert told(again)[1] == left
    assert target.objects() == there
    return there
