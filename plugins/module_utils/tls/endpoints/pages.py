# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What the endpoints answer, for people: lines for a screen, a page in Markdown, a page in HTML. Pure.

What stands in it comes from servers and inventories: nothing of it is ever markup.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from ...progress import clean
from .verdicts import STATES, WANTED, Place, Row, worst

_HEAD = ("state", "name", "service", "port", "address", "found")
_PAGE_HEAD = ("state", "name", "service", "port", "address", "check", "wanted", "verdict", "seen", "what to do")
_STYLE = (
    "body{font-family:sans-serif;margin:2em}table{border-collapse:collapse}"
    "th,td{border:1px solid #bbb;padding:.3em .6em;text-align:left;vertical-align:top}"
    ".ok{background:#e3f4e3}.wrong{background:#f9dcdc}.warning,.unchecked{background:#fdf3d3}"
)


def summary(rows: Sequence[Row]) -> dict[str, int]:
    """Numbers of checks by state, and of those that stop the cut-over."""
    counted = {str(state): sum(row.meaning.state == state for row in rows) for state in STATES}
    return {**counted, "stopping": sum(row.stops for row in rows)}


def ready(rows: Sequence[Row]) -> bool:
    """Whether the cut-over may start."""
    return not any(row.stops for row in rows)


def headline(customer: str, rows: Sequence[Row]) -> str:
    """How the endpoints stand, in a sentence."""
    counted = summary(rows)
    parts = [f"{counted[state]} {state}" for state in ("wrong", "unchecked", "warning") if counted[state]]
    how = "are not ready for the cut-over" if counted["stopping"] else "are ready for the cut-over"
    more = f" ({', '.join(parts)}, {counted['ok']} ok)" if parts else f" ({counted['ok']} checks)"
    return f"{clean(customer)}: the endpoints {how}{more}"


def table(customer: str, rows: Sequence[Row]) -> list[str]:
    """Lines: the headline, and a row for each port; under one that is not ok why, and what to do."""
    return [headline(customer, rows), "", *_lines(_by_place(rows))]


def open_rows(customer: str, rows: Sequence[Row]) -> list[str]:
    """The same for those ports only where something is not ok."""
    left = {place: found for place, found in _by_place(rows).items() if _state(found) != "ok"}
    return [headline(customer, rows), *(["", *_lines(left)] if left else [])]


def _by_place(rows: Sequence[Row]) -> dict[Place, list[Row]]:
    found: dict[Place, list[Row]] = {}
    for row in rows:
        found.setdefault(row.place, []).append(row)
    return found


def _state(rows: Sequence[Row]) -> str:
    return worst(row.meaning.state for row in rows)


def _lines(places: Mapping[Place, Sequence[Row]]) -> list[str]:
    cells = [(*(_state(rows), *_where(place)), _found(rows)) for place, rows in places.items()]
    widths = [max(len(row[column]) for row in (_HEAD, *cells)) for column in range(len(_HEAD))]
    lines = [_line(_HEAD, widths)]
    for row, rows in zip(cells, places.values(), strict=True):
        lines.append(_line(row, widths))
        for one in rows:
            if one.meaning.state != "ok" and not (one.found.verdict == "not_tried" and not one.found.seen):
                said = f": {clean(one.found.seen)}" if one.found.seen else ""
                lines.append(f"{'':{widths[0]}}    {one.found.check} {one.found.verdict}{said}")
                lines.append(f"{'':{widths[0]}}      {one.meaning.next}")
    return lines


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _where(place: Place) -> tuple[str, str, str, str]:
    return clean(place.name), place.service, str(place.port or ""), clean(place.address)


def _found(rows: Sequence[Row]) -> str:
    """What matters most in a few words: what is not ok, else the certificate's end or the answer."""
    wrong = [row for row in rows if row.meaning.state != "ok" and row.found.verdict != "not_tried"]
    if wrong:
        return ", ".join(f"{row.found.check} {row.found.verdict}" for row in wrong)
    dates = [row.found.seen for row in rows if row.found.check == "dates"]
    return f"as it should be, certificate {dates[0]}" if dates else ", ".join(row.found.verdict for row in rows[:1])


def _cells(row: Row) -> tuple[str, ...]:
    state, check = row.meaning.state, row.found.check
    return (state, *_where(row.place), check, WANTED[check], row.found.verdict, row.found.seen, row.meaning.next)


def markdown(customer: str, rows: Sequence[Row], now: datetime) -> str:
    """A page in Markdown with every check."""
    lines = [
        f"# Endpoints: {_md(customer)}",
        "",
        f"{_md(headline(customer, rows))}. Checked at {now:%Y-%m-%d %H:%M} UTC.",
        "",
        f"| {' | '.join(_PAGE_HEAD)} |",
        f"|{'---|' * len(_PAGE_HEAD)}",
        *(f"| {' | '.join(map(_md, _cells(row)))} |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def html_page(customer: str, rows: Sequence[Row], now: datetime) -> str:
    """A page in HTML with every check that needs nothing else."""
    head = "".join(f"<th>{cell}</th>" for cell in _PAGE_HEAD)
    body = [
        f'<tr class="{row.meaning.state}">' + "".join(f"<td>{_html(cell)}</td>" for cell in _cells(row)) + "</tr>"
        for row in rows
    ]
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f"<title>Endpoints: {_html(customer)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>",
            f"<h1>Endpoints: {_html(customer)}</h1>",
            f"<p>{_html(headline(customer, rows))}. Checked at {now:%Y-%m-%d %H:%M} UTC.</p>",
            f"<table>\n<tr>{head}</tr>",
            *body,
            "</table>\n</body>\n</html>\n",
        ]
    )


def _md(text: str) -> str:
    """Text as itself in Markdown, in one line."""
    return re.sub(r"([\\`*_\[\]<>()#+!|~&$])", r"\\\1", clean(text))


def _html(text: str) -> str:
    return html.escape(clean(text))
