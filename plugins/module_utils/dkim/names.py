# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Names of domains and selectors as DNS has them, and nothing that could be taken for a path or a second line. Pure."""

from __future__ import annotations

import re
from datetime import date

from ..domain_names import a_labels
from ..errors import InputError

#: A label of a host name (RFC 1123, 2.1), in lower case.
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
#: The longest name (RFC 1035, 2.3.4), as text without its last dot.
_LONGEST = 253


def signing_domain(text: str) -> str:
    """A domain in lower case, an internationalised one as A-labels (RFC 5890).

    Raises InputError, and MissingLibraryError.
    """
    try:
        name = a_labels(text)
    except ValueError as error:
        raise InputError(f"{text!r} is no domain: {error}", option="domain") from None
    if "." not in name or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise InputError(f"{text!r} is no domain that mail can be signed for", option="domain")
    return name


def selector_name(text: str, domain: str, option: str = "selector") -> str:
    """A selector in lower case: labels with dots between them (RFC 6376, 3.1). Raises InputError."""
    name = text.lower()
    if not all(_LABEL.fullmatch(label) for label in name.split(".")):
        said = f"{text!r} is no selector: letters, digits and hyphens, in labels with dots between them"
        raise InputError(said, option=option)
    if len(record_name(name, domain)) > _LONGEST:
        said = f"the name of the record of selector {text!r} would be longer than {_LONGEST} characters"
        raise InputError(said, option=option)
    return name


def record_name(selector: str, domain: str) -> str:
    """Where verifiers look for the key (RFC 6376, 3.6.2.1)."""
    return f"{selector}._domainkey.{domain}"


def fresh_selector(prefix: str, key_type: str, today: date, taken: frozenset[str]) -> str:
    """A selector that was never used: ``atmail-rsa-20261123``, with a number behind it when there is one already."""
    first = f"{prefix}-{key_type}-{today:%Y%m%d}"
    name, number = first, 1
    while name in taken:
        number += 1
        name = f"{first}-{number}"
    return name
