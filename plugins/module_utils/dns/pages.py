# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The result for people: lines for a screen, a page in Markdown, a page in HTML. Pure.

What stands in it comes from other people's zones: nothing of it is ever markup.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from datetime import UTC
from typing import Any

from ..progress import clean
from .finding import OK, STATES, Finding
from .options import Terms

_HEAD = ("state", "check", "name", "type")
_STYLE = (
    "body{font-family:sans-serif;margin:2em}table{border-collapse:collapse}"
    "th,td{border:1px solid #bbb;padding:.3em .6em;text-align:left;vertical-align:top}"
    "pre{background:#f4f4f4;padding:1em;overflow:auto}"
    ".ok{background:#e3f4e3}.missing,.wrong{background:#f9dcdc}.unchecked,.warning{background:#fdf3d3}"
    ".pending{background:#e3ecf9}"
)


def told(customer: str, findings: Sequence[Finding], zone: str, terms: Terms) -> dict[str, Any]:
    """Everything of the result that people read, and the rows themselves."""
    return {
        "ready": not any(one.stops for one in findings),
        "headline": headline(customer, findings),
        "summary": {
            **{state: sum(one.state == state for one in findings) for state in STATES},
            "stopping": sum(one.stops for one in findings),
        },
        "checks": [one.as_dict() for one in findings],
        "table": [headline(customer, findings), "", *_rows(findings)],
        "open": _open(customer, findings),
        "zone_lines": zone,
        "markdown": _markdown(customer, findings, zone, terms),
        "html": _page(customer, findings, zone, terms),
    }


def headline(customer: str, findings: Sequence[Finding]) -> str:
    """How the customer's names stand, in a sentence."""
    stopping = sum(one.stops for one in findings)
    if not stopping:
        return f"{clean(customer)}: the customer's DNS is ready"
    records = "1 record is" if stopping == 1 else f"{stopping} records are"
    return f"{clean(customer)}: the customer's DNS is not ready, {records} not as needed"


def _open(customer: str, findings: Sequence[Finding]) -> list[str]:
    left = [one for one in findings if one.state != OK]
    rows = ["", *_rows(left)] if left else []
    return [headline(customer, findings), *rows, f"{len(findings) - len(left)} checks are ok"]


def _rows(findings: Sequence[Finding]) -> list[str]:
    rows = [_HEAD, *((one.state, _check(one), one.name, one.kind) for one in findings)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = []
    for row, one in zip(rows, [None, *findings], strict=True):
        lines.append("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        if one is not None and one.state != OK:
            lines += [f"{'':{widths[0]}}    {text}" for text in _more(one)]
    return lines


def _more(one: Finding) -> list[str]:
    """What stands under a row that is not ok."""
    wanted = f"wanted: {' | '.join(one.wanted)}" if one.wanted else ""
    seen = f"seen: {' | '.join(one.seen)}" if one.seen else ""
    servers = [f"  {server}: {said}" for server, said in one.servers]
    return [clean(text) for text in (one.verdict, wanted, seen, *servers, one.next) if text]


def _check(one: Finding) -> str:
    return one.check if one.required else f"{one.check}, if possible"


def _cells(one: Finding) -> list[str]:
    seen = [*one.seen, *(f"{server}: {said}" for server, said in one.servers)]
    return [one.state, _check(one), one.name, one.kind, " | ".join(one.wanted), " | ".join(seen), one.verdict, one.next]


_COLUMNS = (*_HEAD, "wanted", "seen", "verdict", "what to do")


def _markdown(customer: str, findings: Sequence[Finding], zone: str, terms: Terms) -> str:
    lines = [
        f"# DNS readiness: {_md(customer)}",
        "",
        f"{_md(headline(customer, findings))}. Checked at {terms.now.astimezone(UTC):%Y-%m-%d %H:%M} UTC.",
        "",
        f"| {' | '.join(_COLUMNS)} |",
        "|---" * len(_COLUMNS) + "|",
        *(f"| {' | '.join(map(_md, _cells(one)))} |" for one in findings),
    ]
    if zone:
        lines += ["", "## Records to set", "", *(f"    {clean(line)}".rstrip() for line in zone.splitlines())]
    return "\n".join(lines) + "\n"


def _page(customer: str, findings: Sequence[Finding], zone: str, terms: Terms) -> str:
    head = "".join(f"<th>{cell}</th>" for cell in _COLUMNS)
    rows = [
        f'<tr class="{one.state}">' + "".join(f"<td>{_html(cell)}</td>" for cell in _cells(one)) + "</tr>"
        for one in findings
    ]
    text = "\n".join(_html(line) for line in zone.splitlines())
    records = [f"<h2>Records to set</h2>\n<pre>{text}</pre>"] if zone else []
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f"<title>DNS readiness: {_html(customer)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>",
            f"<h1>DNS readiness: {_html(customer)}</h1>",
            f"<p>{_html(headline(customer, findings))}.</p>",
            f"<p>Checked at {terms.now.astimezone(UTC):%Y-%m-%d %H:%M} UTC.</p>",
            f"<table>\n<tr>{head}</tr>",
            *rows,
            "</table>",
            *records,
            "</body>\n</html>\n",
        ]
    )


def _md(text: str) -> str:
    """Text as itself in Markdown, in one line."""
    return re.sub(r"([\\`*_\[\]<>()#+!|~&$])", r"\\\1", clean(text))


def _html(text: str) -> str:
    return html.escape(clean(text))
