# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The result of the intake check for people: lines for a screen, a page in Markdown, a page in HTML. Pure.

What stands in it comes from other people's inventories, servers and keys: nothing of it is ever markup.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from datetime import datetime

from ..progress import clean
from .items import OK, Item, summary

_HEAD = ("state", "item", "owner", "due")
_STYLE = (
    "body{font-family:sans-serif;margin:2em}table{border-collapse:collapse}"
    "th,td{border:1px solid #bbb;padding:.3em .6em;text-align:left;vertical-align:top}"
    ".ok{background:#e3f4e3}.missing,.invalid{background:#f9dcdc}.unchecked{background:#fdf3d3}"
)
_OWNERS = {"customer": "customer", "support_engineer": "support engineer", "us": "cloud operator"}


def headline(customer: str, items: Sequence[Item]) -> str:
    """How the customer stands, in a sentence."""
    counted = summary(items)
    if not counted["stopping"]:
        return f"{clean(customer)}: the migration can start"
    owners = {owner: number for owner, number in counted["stopping_by_owner"].items() if number}
    who = ", ".join(f"{number} of the {_OWNERS[owner]}" for owner, number in owners.items())
    number = counted["stopping"]
    items_are = "1 item is" if number == 1 else f"{number} items are"
    return f"{clean(customer)}: the migration can't start yet, {items_are} open ({who})"


def table(customer: str, items: Sequence[Item]) -> list[str]:
    """Lines: the headline, and a row for each item; under one that is not ok why, and what to do."""
    return [headline(customer, items), "", *_rows(items)]


def open_items(customer: str, items: Sequence[Item]) -> list[str]:
    """The same with rows for those only that are not ok, and how many are."""
    left = [item for item in items if item.state != OK]
    rows = ["", *_rows(left)] if left else []
    return [headline(customer, items), *rows, f"{len(items) - len(left)} items are ok"]


def _rows(items: Sequence[Item]) -> list[str]:
    rows = [_HEAD, *((item.state, _title(item), _owner(item), _due(item)) for item in items)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = []
    for row, item in zip(rows, [None, *items], strict=True):
        lines.append("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        if item is not None and item.state != OK:
            lines += [f"{'':{widths[0]}}    {text}" for text in (clean(item.reason), clean(item.next)) if text]
    return lines


def markdown(customer: str, ticket: str, items: Sequence[Item], now: datetime) -> str:
    """A page in Markdown."""
    lines = [
        f"# Intake check: {_md(customer)}",
        "",
        f"{_md(headline(customer, items))}. Ticket: {_md(ticket) or 'none'}. Checked at {now:%Y-%m-%d %H:%M} UTC.",
        "",
        "| state | item | owner | due | what was found | what to do |",
        "|---|---|---|---|---|---|",
    ]
    for item in items:
        cells = (item.state, _title(item), _owner(item), _due(item), item.reason, item.next)
        lines.append(f"| {' | '.join(map(_md, cells))} |")
    return "\n".join(lines) + "\n"


def html_page(customer: str, ticket: str, items: Sequence[Item], now: datetime) -> str:
    """A page in HTML that needs nothing else."""
    head = "".join(f"<th>{cell}</th>" for cell in (*_HEAD, "what was found", "what to do"))
    rows = []
    for item in items:
        cells = (item.state, _title(item), _owner(item), _due(item), item.reason, item.next)
        rows.append(f'<tr class="{item.state}">' + "".join(f"<td>{_html(cell)}</td>" for cell in cells) + "</tr>")
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f"<title>Intake check: {_html(customer)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>",
            f"<h1>Intake check: {_html(customer)}</h1>",
            f"<p>{_html(headline(customer, items))}.</p>",
            f"<p>Ticket: {_html(ticket) or 'none'}. Checked at {now:%Y-%m-%d %H:%M} UTC.</p>",
            f"<table>\n<tr>{head}</tr>",
            *rows,
            "</table>\n</body>\n</html>\n",
        ]
    )


def _title(item: Item) -> str:
    title = clean(f"{item.title} ({item.about})" if item.about else item.title)
    return title if item.required else f"{title}, if possible"


def _owner(item: Item) -> str:
    return clean(f"{_OWNERS[item.owner]}: {item.person}" if item.person else _OWNERS[item.owner])


def _due(item: Item) -> str:
    return f"{item.due} (overdue)" if item.overdue else item.due


def _md(text: str) -> str:
    """Text as itself in Markdown, in one line."""
    return re.sub(r"([\\`*_\[\]<>()#+!|~&$])", r"\\\1", clean(text))


def _html(text: str) -> str:
    return html.escape(clean(text))
