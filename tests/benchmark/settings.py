# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A large customer's settings out of Atmail's database and onto the cloud: each step a whole module, timed."""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.integration.checks.customers import differences
from tests.integration.settings_lab import MODULES, SettingsLab
from tests.lab.lab import Lab

from .measure import Figures, timed

HEADER = "| step | wall s | client CPU s | peak memory MB |\n|---|---|---|---|"
_DOMAINS = tuple(f"d{number}.acme.example" for number in range(10))
_CHUNK = 2000


@dataclass(frozen=True)
class Step:
    """One module's run, what it said, and what it took."""

    name: str
    figures: Figures
    result: dict[str, Any]

    def line(self) -> str:
        """The row of a table."""
        figures = self.figures
        return f"| {self.name} | {figures.wall:.1f} | {figures.cpu:.1f} | {figures.memory / 1_000_000:,.0f} |"


def steps(accounts: int, aliases: int) -> Iterator[Step]:
    """Extract, apply, and both again; every step as it ends.

    :raises RuntimeError: a module failed, the cloud does not hold what the site does, or a second run changed it.
    """
    with (
        Lab.temporary(sites=("acme",), regions=("eu",)) as started,
        tempfile.TemporaryDirectory(prefix="atmail-bench-") as folder,
    ):
        lab = SettingsLab(started, Path(folder))
        lab.clear()
        fill(lab, accounts, aliases)
        yield _step(lab, "extract", "settings_snapshot", lab.extracting(), changed=True)
        first = _step(lab, "apply", "settings_apply", lab.applying(), changed=True)
        made = {name: first.result["summary"][f"{name}_created"] for name in ("accounts", "aliases")}
        if made != {"accounts": accounts, "aliases": aliases}:
            raise RuntimeError(f"made were {made}")
        wrong = differences(lab.customer(), lab.there())
        if wrong:
            raise RuntimeError(f"{len(wrong)} differences: {wrong[0]}")
        yield first
        yield _step(lab, "extract again", "settings_snapshot", lab.extracting(), changed=False)
        yield _step(lab, "apply again", "settings_apply", lab.applying(), changed=False)


def fill(lab: SettingsLab, accounts: int, aliases: int) -> None:
    """A site of ten domains. Of its accounts some forward, are away, have lists; a tenth of the aliases are lists."""
    with lab.source_sql() as cursor:
        cursor.executemany("INSERT INTO Domains (Hostname, Enable) VALUES (%s, '1')", [(each,) for each in _DOMAINS])
        for table, columns, rows in _rows(accounts, aliases):
            marks = ", ".join(["%s"] * (columns.count(",") + 1))
            for start in range(0, len(rows), _CHUNK):
                cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows[start : start + _CHUNK])


def _rows(accounts: int, aliases: int) -> Iterator[tuple[str, str, Sequence[tuple[object, ...]]]]:
    people = [f"user{number}@{_DOMAINS[number % 10]}" for number in range(accounts)]
    hashed = [hashlib.md5(address.encode(), usedforsecurity=False).hexdigest() for address in people]
    yield (
        "UserSession",
        "Account, Password",
        [(each, f"Pass-{n}-word" if n % 10 == 0 else hashed[n]) for n, each in enumerate(people)],
    )
    yield (
        "Users",
        "Account, FirstName, LastName, UserStatus, MailDir, Forward, AutoReply, UserQuota",
        [
            (
                each,
                f"First{n}",
                "M&uuml;ller",
                int(n % 50 == 1),
                f"/users/u/s/{each}/",
                f"someone{n}@phone.example.net" if n % 10 == 3 else "",
                f"I am away, {n}." if n % 10 == 4 else "",
                1048576,
            )
            for n, each in enumerate(people)
        ],
    )
    yield (
        "UserSettings",
        "Account, RealName, TimeZone, Language, Signature",
        [(each, f"First{n} Müller", "Europe/Berlin", "german", f"<p>{n}</p>") for n, each in enumerate(people)],
    )
    lists = [
        (each, name, f"sender{n}@{where}.example")
        for n, each in enumerate(people)
        if n % 5 == 0
        for name, where in (("whitelist_from", "good"), ("blacklist_from", "bad"))
    ]
    yield "SpamSettings", "username, preference, value", lists
    names = [f"alias{number}@{_DOMAINS[number % 10]}" for number in range(aliases)]
    targets = [(name, people[n % accounts], name.partition("@")[2]) for n, name in enumerate(names)]
    more = [(name, people[(n + 7) % accounts], name.partition("@")[2]) for n, name in enumerate(names) if n % 10 == 0]
    yield "MailAliases", "AliasName, AliasTo, Domain", targets + more


def _step(lab: SettingsLab, name: str, module: str, options: dict[str, Any], *, changed: bool) -> Step:
    log = lab.folder / "module.log"
    given = json.dumps({"ANSIBLE_MODULE_ARGS": options})
    figures = timed([sys.executable, "-m", f"{MODULES}.{module}"], given=given, log=log)
    result = json.loads(log.read_text(encoding="utf-8"))
    if result["changed"] is not changed:
        raise RuntimeError(f"{name}: changed is {result['changed']}")
    return Step(name, figures, result)
