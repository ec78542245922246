# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Host names, and whether a name in a certificate stands for one (RFC 9525, 6.3)."""

from __future__ import annotations

import ipaddress
import re

from ..domain_names import a_labels
from ..errors import InputError

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_LONGEST = 253  # RFC 1035, 2.3.4, without the root's own octets


def ascii_name(name: str) -> str:
    """The host name in lower case and A-labels (RFC 5890), without a dot at its end.

    ``*`` may be the whole first label. Raises InputError for what is no host name, and for an address.
    """
    try:
        whole = a_labels(name)
    except ValueError as error:
        raise InputError(f"{name!r} is no host name: {error}", option="names") from error
    star = "*." if whole.startswith("*.") else ""
    ascii_form = whole.removeprefix("*.")
    labels = ascii_form.split(".")
    if len(ascii_form) > _LONGEST or len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        raise InputError(f"{name!r} is no host name", option="names")
    if is_address(ascii_form):
        raise InputError(f"{name!r} is an address, not a host name", option="names")
    return star + ascii_form


def is_address(text: str) -> bool:
    """Whether it is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def covers(pattern: str, name: str) -> bool:
    """Whether a DNS name of a certificate (``pattern``) stands for the host ``name``.

    A wildcard is the whole first label and stands for exactly one label (RFC 9525, 6.3); letters' case does not count.
    Both are A-labels; what is not ASCII, or an address, matches nothing.
    """
    ours, theirs = name.removesuffix(".").lower(), pattern.removesuffix(".").lower()
    if not ours or not ours.isascii() or not theirs.isascii() or is_address(ours):
        return False
    if ours == theirs:
        return True
    first, dot, rest = ours.partition(".")
    return bool(dot and first and "." in rest) and theirs == f"*.{rest}"
