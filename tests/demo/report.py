# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demo says at its end: the result of each customer from the evidence, and where to look at it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_HEAD = (
    "customer",
    "region",
    "accounts",
    "aliases",
    "mailboxes",
    "folders",
    "messages",
    "size",
    "calendars",
    "events, tasks",
    "contacts",
    "identical",
    "this run copied",
)


def result_lines(lab: Mapping[str, Any], state: Path) -> list[str]:
    """A table of the customers, made from what the phases recorded."""
    rows: list[Sequence[str]] = [_HEAD]
    for name, site in lab["sites"].items():
        evidence = state / name / "evidence"
        names = ("proof", "seed", "extract", "provision")
        proof, seed, extract, provision = (_read(evidence / f"{what}.json") for what in names)
        boxes = proof.get("mailboxes", [])
        rows.append(
            (
                name,
                site["region"],
                str(extract.get("counts", {}).get("accounts", "-")),
                _aliases(provision),
                str(len(boxes)),
                f"{sum(box['folders'] for box in boxes):,}",
                f"{sum(box['messages'] for box in boxes):,}",
                f"{sum(box['bytes'] for box in boxes) / 1e6:,.1f} MB",
                *_calendars(proof),
                _verdict(proof),
                f"{seed.get('summary', {}).get('messages_copied', 0):,} messages",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def where_to_look(lab: Mapping[str, Any], directory: str, command: Sequence[str]) -> list[str]:
    """Commands with which to see for oneself."""
    lines = ["Log in to the cloud with an original password (this lists the folders of a mailbox):"]
    for site in lab["sites"].values():
        region = lab["regions"][site["region"]]
        account = next((one for one in site["accounts"] if one["enabled"]), None)
        if account:
            url = f"imaps://{region['imap']['host']}:{region['imap']['port']}/"
            lines.append(f"  curl -s --cacert {region['ca']} -u '{account['address']}:{account['password']}' {url}")
    return [
        *lines,
        "Look further:",
        f"  {directory}/state/<customer>/evidence/   what each phase found; assessment.html is a page to read",
        f"  {directory}/state/<customer>/snapshot.json   accounts and settings; secrets are vaulted",
        f"  {directory}/lab.json   addresses and passwords of every server; {directory}/migrate.log   the whole run",
        "  .venv/bin/python -m tests.lab status   what runs where",
        "Run it again, look before you leap, or take one customer:",
        f"  .venv/bin/{' '.join(command)} [--check --diff] [--limit acme]",
        "Stop the servers and remove their data:  make lab-down",
    ]


def _calendars(proof: Mapping[str, Any]) -> tuple[str, str, str]:
    """Calendars, what is in them, and contacts, as far as they were compared."""
    accounts = proof.get("calendars_and_contacts", {}).get("accounts")
    if accounts is None:
        return "-", "-", "-"
    counts = (sum(account[what] for account in accounts) for what in ("calendars", "events", "contacts"))
    calendars, events, contacts = (f"{count:,}" for count in counts)
    return calendars, events, contacts


def _verdict(proof: Mapping[str, Any]) -> str:
    if "identical" not in proof:
        return "not proved"
    dav = proof.get("calendars_and_contacts", {}).get("content_identical", True)
    return f"yes ({proof['depth']})" if proof["identical"] and dav else "NO"


def _aliases(provision: Mapping[str, Any]) -> str:
    """How many there are on the cloud by now that a migration wants there."""
    summary = provision.get("summary", {})
    counts = [summary.get(f"aliases_{what}") for what in ("created", "changed", "unchanged")]
    return "-" if None in counts else str(sum(counts))


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    return content if isinstance(content, dict) else {}
