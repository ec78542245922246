# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of an assessment: all numbers, and nothing of a server's that does anything in it."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.estimate import Load, Plan, estimate
from ansible_collections.atmail.migration.plugins.module_utils.pace import pace_from_options
from ansible_collections.atmail.migration.plugins.module_utils.rates import ASSUMED
from ansible_collections.atmail.migration.plugins.module_utils.settings.page import LARGEST, page
from ansible_collections.atmail.migration.plugins.module_utils.settings.sections import MOST_ROWS
from ansible_collections.atmail.migration.plugins.module_utils.settings.words import approximately, between
from ansible_collections.atmail.migration.plugins.plugin_utils.rendering import markdown, rendered
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import UndefinedError

TEMPLATES = Path(__file__).resolve().parents[3] / "roles" / "assess" / "templates"
HOSTILE = "<script>alert(1)</script> {{ 7 * 7 }} | `x` [y](http://evil.example) \x1b[2J\n# not a title\r\n\" ' & 😀"


def account(number: int, size: int | None = 10**9) -> dict[str, Any]:
    address = f"u{number:02}@acme.example"
    return {"address": address, "messages": 100 * number, "bytes": size, "folders": 5, "counts": {}}


ACCOUNTS = [account(number, number * 10**9) for number in range(30)] + [account(99, None)]
ESTIMATE = estimate(
    Plan(
        [Load(each["address"], each["messages"], each["bytes"], 5) for each in ACCOUNTS],
        ASSUMED,
        pace_from_options({"off_peak": {"start": "22:00", "end": "06:00", "connections": 16}}),
        20,
    )
)


def result(**changes: Any) -> dict[str, Any]:
    value = {
        "platform": {
            "profile": "atmail",
            "version": "6.20",
            "generation": "6",
            "database_version": "5.5",
            "password_type": "",
            "auth_type": "sql",
        },
        "domains": [{"name": "acme.example", "enabled": True}, {"name": "old.example", "enabled": False}],
        "support": {"settings": "tried", "supported_from": "7.8", "tried": ["users"], "not_read": ["Abook.Global"]},
        "capabilities": ["spam_lists"],
        "counts": {
            "domains": 2,
            "accounts": 31,
            "left_out": 1,
            "contacts": 4711,
            "mailboxes": 31,
            "folders": 155,
            "messages": 53400,
            "bytes": 435 * 10**9,
        },
        "password_schemes": {"none": 1, "MD5-CRYPT": 30},
        "accounts": ACCOUNTS,
        "not_migrated": [
            {"what": "tasks", "label": "tasks", "count": 17, "accounts": 3, "reason": "no tasks", "ask": ""},
            {"what": "plugins", "label": "plug-ins", "count": None, "accounts": 0, "reason": "r", "ask": "Which?"},
        ],
        "read_only_enforced": True,
        "estimate": {**ESTIMATE, "not_measured": 1},
        "findings": [
            {"account": "x", "kind": "duplicate", "level": "error", "message": "twice"},
            {"account": "", "kind": "tasks", "level": "note", "message": "17 tasks are not migrated: no tasks"},
            *({"account": f"u{n}", "kind": "password_empty", "level": "warning", "message": "m"} for n in range(5)),
        ],
    }
    return {**value, **changes}


def section(made: dict[str, Any], title: str) -> dict[str, Any]:
    (found,) = (each for each in made["sections"] if each["title"] == title)
    assert isinstance(found, dict)
    return found


def test_the_page_holds_what_was_found() -> None:
    made = page("acme", result())
    assert made["title"] == "Assessment of acme"
    assert section(made, "In short")["lines"][:2] == [
        "31 accounts in 2 domains.",
        "53,400 messages with 435 GB in 155 folders of 31 mailboxes.",
    ]
    assert section(made, "Domains")["tables"][0]["rows"] == [
        ["acme.example", "31", "53,400", "435 GB"],
        ["old.example (disabled)", "0", "", ""],
    ]
    largest, spread = (table["rows"] for table in section(made, "Accounts by size")["tables"])
    assert len(largest) == LARGEST
    assert largest[0] == ["u29@acme.example", "2,900", "29.0 GB", "5", "6.7 %"]
    assert sum(int(row[1]) for row in spread) == 31
    assert [row[0] for row in spread] == ["empty", "to 1 GB", "to 5 GB", "to 20 GB", "more than 20 GB"]
    assert section(made, "What does not migrate, and why")["tables"][0]["rows"] == [
        ["tasks", "17", "3", "no tasks"],
        ["plug-ins", "not visible from here: ask", "", "r"],
    ]
    findings = section(made, "Findings")["tables"][0]["rows"]
    assert [row[:3] for row in findings] == [
        ["duplicate", "error", "1"],
        ["password empty", "warning", "5"],
        ["tasks", "note", "1"],
    ]
    assert findings[1][3] == "u0: m; u1: m; u2: m; and 2 more"
    decide = "\n".join(section(made, "What to decide next")["lines"])
    assert "1 accounts or other things are left out" in decide
    assert "Which?" in decide
    assert "does not come along: 17 tasks?" in decide
    assert "assumptions" in decide
    source = section(made, "The source")
    assert "supported from version 7.8" in source["lines"][1]
    assert "Abook.Global" in source["lines"][2]
    assert ["contacts", "4,711"] in section(made, "What migrates")["tables"][0]["rows"]
    times = section(made, "How long it takes")["tables"][0]["rows"]
    assert [row[:2] for row in times] == [
        ["the first copy", "around the clock"],
        ["the first copy", "off peak only"],
        ["an incremental run (1 % of the messages are new)", "around the clock"],
        ["an incremental run (1 % of the messages are new)", "off peak only"],
    ]
    assert "between" in times[1][5]


def test_no_table_is_endless() -> None:
    domains = [{"name": f"d{number}.example", "enabled": True} for number in range(5000)]
    rows = section(page("acme", result(domains=domains)), "Domains")["tables"][0]["rows"]
    assert len(rows) == MOST_ROWS + 1
    assert rows[-1] == ["and 4,900 more", "", "", ""]


def test_without_mail_there_is_no_estimate_and_the_page_says_so() -> None:
    counts = {"domains": 2, "accounts": 1, "left_out": 0}
    accounts = [{"address": "a@acme.example", "counts": {}}]
    made = page("acme", result(estimate=None, counts=counts, accounts=accounts, not_migrated=[], findings=[]))
    titles = [each["title"] for each in made["sections"]]
    assert titles == ["In short", "What to decide next", "The source", "Domains", "What migrates"]
    assert "not measured" in section(made, "In short")["lines"][1]


class Text(HTMLParser):
    """Tags and their attributes, and the text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(f"{tag} {attrs}" if attrs else tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def hostile(value: str) -> dict[str, Any]:
    changed = account(40, 10**12)
    changed["address"] = f"{value}@acme.example"
    found = [{"account": value, "kind": value, "level": "error", "message": value}]
    return page(value, result(accounts=[changed], findings=found))


ORDINARY = rendered(str(TEMPLATES / "assessment.html.j2"), {"page": hostile("ordinary")})


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=40) | st.just(HOSTILE))
def test_hostile_names_are_text_in_html_and_nothing_else(value: str) -> None:
    made = rendered(str(TEMPLATES / "assessment.html.j2"), {"page": hostile(value)})
    parsed, ordinary = Text(made), Text(ORDINARY)
    assert parsed.tags == ordinary.tags
    shown = section(hostile(value), "Findings")["tables"][0]["rows"][0][3]
    assert html.escape(shown).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in made
    assert shown in parsed.text


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=40) | st.just(HOSTILE))
def test_hostile_names_are_text_in_markdown_and_nothing_else(value: str) -> None:
    made = rendered(str(TEMPLATES / "assessment.md.j2"), {"page": hostile(value)})
    ordinary = rendered(str(TEMPLATES / "assessment.md.j2"), {"page": hostile("ordinary")})
    kinds = [re.match(r"# |## |\* |\||$", line) for line in made.splitlines()]
    assert None not in kinds
    assert len(kinds) == len(ordinary.splitlines())
    plain = re.sub(r"\\[!-/:-@\[-`{-~]", "", made)
    assert not re.search(r"[<>`\[\]]|https?://|www\.", plain.replace("---", ""))
    cells = [line.count("|") for line in plain.splitlines() if line.startswith("|")]
    wanted = [
        line.count("|") for line in re.sub(r"\\[!-/:-@\[-`{-~]", "", ordinary).splitlines() if line.startswith("|")
    ]
    assert cells == wanted


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("plain words", "plain words"),
        ("- not a list", r"\- not a list"),
        ("1. nor this", r"1\. nor this"),
        ("7.8.0", "7.8.0"),
        ("    no code", "no code"),
        ("ann@acme.example", "ann&#64;acme.example"),
        ("WWW.x.example http://x", r"WWW\.x.example http\://x"),
        ("<b>*x*</b>\n", "&lt;b&gt;\\*x\\*&lt;/b&gt;\\\\u000a"),
        (17, 17),
    ],
)
def test_markdown(value: Any, shown: Any) -> None:
    assert markdown(value) == shown


def test_a_page_of_an_unknown_kind_or_with_an_unknown_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="escape"):
        rendered(str(tmp_path / "page.txt.j2"), {})
    (tmp_path / "page.md.j2").write_text("{{ pgae.title }}")
    with pytest.raises(UndefinedError):
        rendered(str(tmp_path / "page.md.j2"), {"page": {}})


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (0.2, "less than a second"),
        (40, "40 s"),
        (1500, "25 min"),
        (25_000, "6.9 h"),
        (10**6, "12 days"),
        (None, "more than two years"),
    ],
)
def test_times_in_words(seconds: float | None, words: str) -> None:
    assert approximately(seconds) == words


def test_a_range_in_words() -> None:
    assert between({"low": 60, "likely": 600, "high": None}) == "10 min (between 60 s and more than two years)"
    assert between({"low": 0, "likely": 0, "high": 0}) == "0 s"
