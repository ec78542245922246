# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Names of domains and hosts in the form in which DNS has them, and in which two are the same."""

from __future__ import annotations

from .errors import MissingLibraryError


def a_labels(name: str) -> str:
    """The name in lower case and A-labels (RFC 5890, by way of UTS #46), without blanks around it and a last dot.

    What is ASCII is not judged. Raises ValueError for what can't be encoded, and MissingLibraryError.
    """
    lower = name.strip().rstrip(".").lower()
    if lower.isascii():
        return lower
    try:
        import idna
    except ImportError as error:
        raise MissingLibraryError("the Python library idna (3.7 or later) is not installed", library="idna") from error
    labels = (
        label if label.isascii() else idna.encode(label, uts46=True).decode("ascii") for label in lower.split(".")
    )
    return ".".join(labels)
