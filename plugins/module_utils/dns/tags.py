# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Tag lists: ``v=DKIM1; k=rsa; p=…`` (RFC 6376 section 3.2), which DMARC has, too. Pure."""

from __future__ import annotations

import re

_TAG = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_FOLDING = " \t\r\n"


def parse_tags(text: str) -> tuple[dict[str, str], list[str]]:
    """The tags in their order, and what is wrong with the list."""
    found: dict[str, str] = {}
    problems: list[str] = []
    parts = text.split(";")
    if parts and not parts[-1].strip(_FOLDING):
        parts.pop()
    for part in parts:
        name, equals, value = part.partition("=")
        name = name.strip(_FOLDING)
        if not equals or not _TAG.fullmatch(name):
            problems.append(f"{part.strip(_FOLDING)[:40]!r} is no tag")
        elif name in found:
            problems.append(f"{name}= stands more than once")
        else:
            found[name] = value.strip(_FOLDING)
    return found, problems
