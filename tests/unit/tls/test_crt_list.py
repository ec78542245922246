# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""HAProxy's list of certificates edited as a text, and what is to be done on the load balancer. Both are pure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.filter.certificate_report import certificate_report
from ansible_collections.atmail.migration.plugins.module_utils.tls.balancer.crt_list import parse, with_names, without
from ansible_collections.atmail.migration.plugins.module_utils.tls.balancer.files import Kept, Place
from ansible_collections.atmail.migration.plugins.module_utils.tls.balancer.plan import (
    Plan,
    Survey,
    Wanted,
    plan_absent,
    plan_present,
)
from ansible_collections.atmail.migration.plugins.module_utils.tls.balancer.runtime import Entry, Loaded
from hypothesis import given
from hypothesis import strategies as st

OURS = "/c/acme.pem"
NAMES = st.lists(st.sampled_from(["a.example", "*.b.example", "!c.example"]), max_size=3)
LINES = st.one_of(
    st.builds(lambda names: " ".join([OURS, *names]), NAMES),
    st.builds(lambda names: " ".join(["/c/x.pem", "[alpn h2]", *names]), NAMES),
    st.sampled_from(["# a comment", "", "\t", "/c/acme.pem.old y", "#/c/acme.pem z", "\x85 \u2028 é", "/c/x.pem\r"]),
)
TEXTS = st.lists(st.tuples(LINES, st.sampled_from(["\n", "\n\n"]))).map(lambda each: "".join(a + b for a, b in each))


@given(TEXTS, NAMES, st.booleans())
def test_only_our_line_changes(text: str, names: list[str], ended: bool) -> None:
    text = text if ended else text.removesuffix("\n")
    edited = with_names(text, OURS, names)
    ours = [line for line in parse(edited) if line.file == OURS]
    assert [line.names for line in ours] == [tuple(names)]
    assert [line for line in parse(edited) if line.file != OURS] == [line for line in parse(text) if line.file != OURS]
    assert with_names(edited, OURS, names) == edited
    gone = without(edited, OURS)
    assert gone.rstrip("\n") == without(text, OURS).rstrip("\n")
    assert OURS not in {line.file for line in parse(gone)}


def test_options_of_our_line_stay() -> None:
    text = "/c/acme.pem [alpn h2 ssl-min-ver TLSv1.3] a.example\n/c/acme.pem b.example"
    assert with_names(text, OURS, ["c.example"]) == "/c/acme.pem [alpn h2 ssl-min-ver TLSv1.3] c.example\n"


KEPT = Kept("acme", ("a.example", "b.example"), b"SECRET")
WANTED = Wanted(KEPT, "AB", 1)
THERE = Survey(
    Place(Path("/c"), "acme"),
    current=KEPT,
    previous=None,
    undone=None,
    text=f"{OURS} b.example a.example\n",
    loaded=Loaded("AB", 1, ()),
    entries=(Entry(OURS, 3, ("b.example", "a.example")),),
)


def survey(**changes: object) -> Survey:
    return Survey(**{**THERE.__dict__, **changes})


@pytest.mark.parametrize(
    ("there", "plan"),
    [
        (THERE, Plan()),
        (survey(current=None), Plan(put=True, load=True)),
        (survey(current=Kept("acme", KEPT.names, b"two")), Plan(put=True, load=True)),
        (survey(current=Kept("acme", ("a.example",), b"SECRET")), Plan(put=True)),
        (survey(loaded=None), Plan(load=True)),
        (survey(loaded=Loaded("CD", 1, ())), Plan(load=True)),
        (survey(loaded=Loaded("AB", 0, ())), Plan(load=True)),
        (survey(text="# none\n"), Plan(text=f"# none\n{OURS} a.example b.example\n")),
        (survey(entries=()), Plan(add=True)),
        (survey(entries=(Entry(OURS, 3, ("a.example",)),)), Plan(add=True, drop=(Entry(OURS, 3, ("a.example",)),))),
        (survey(entries=(*THERE.entries, Entry(OURS, 9, ()))), Plan(drop=(Entry(OURS, 9, ()),))),
    ],
)
def test_only_what_is_not_so_is_done(there: Survey, plan: Plan) -> None:
    assert plan_present(there, WANTED) == plan
    assert plan.changed is (there is not THERE)


def test_nothing_is_left_when_a_bundle_goes() -> None:
    assert plan_absent(THERE) == Plan(text="", drop=THERE.entries, forget=True, remove=True)
    assert plan_absent(survey(current=None, text="", loaded=None, entries=())) == Plan()
    assert plan_absent(survey(current=None, previous=KEPT, text="", loaded=None, entries=())) == Plan(remove=True)


def test_a_file_shows_nothing_of_its_key() -> None:
    assert "SECRET" not in repr(KEPT) + repr(WANTED) + repr(THERE)


def test_what_was_said_of_certificates_is_put_together() -> None:
    finding = {"level": "error", "kind": "no_key", "message": "no\x1b key", "about": "", "next": "Ask."}
    judged: list[dict[str, Any]] = [
        {
            "item": 0,
            "usable": True,
            "names": ["a.example"],
            "certificate": {"not_after": "2027-01-02T00"},
            "findings": [],
        },
        {"item": 1, "usable": False, "msg": "acme: no key. Look at it", "findings": [finding]},
        {"item": 2, "failed": True, "msg": "there is no file x"},
        {"item": 3, "skipped": True},
    ]
    served: list[dict[str, Any]] = [
        {"item": [0, 0], "served": True, "changed": True},
        {"item": [0, 1], "failed": True, "msg": "HAProxy's socket can't be reached"},
        {"item": [1, 0], "skipped": True},
    ]
    found = certificate_report(judged, served, ["one", "two", "three", "four"], ["lb1", "lb2"])
    assert [bundle["usable"] for bundle in found["bundles"]] == [True, False, False]
    assert [(place["host"], place["changed"], place["error"]) for place in found["served"]] == [
        ("lb1", True, ""),
        ("lb2", False, "HAProxy's socket can't be reached"),
    ]
    assert len(found["problems"]) == 3
    assert found["lines"][0] == "one: usable until 2027-01-02 for a.example"
    assert all(line.isprintable() for line in found["lines"])
