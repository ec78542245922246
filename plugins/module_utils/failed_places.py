# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""How a run over many mailboxes or accounts ends: with its result, or failed with everything done so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .errors import MigrationError
from .progress import Words

_SHOWN = 5
Failure = Mapping[str, Any]


def failed_result(
    result: dict[str, Any],
    failures: Sequence[Sequence[Failure]],
    error: type[MigrationError],
    words: Words,
    line: Callable[[Failure], str],
    *,
    ignore: bool,
) -> dict[str, Any]:
    """The result, unless something failed and that is not to be ignored.

    ``failures`` are those of each mailbox or account, ``line`` is one of them in words.

    :raises MigrationError: of the class ``error``, with the result in ``done``; its kind is the failures' own when they
        share one.
    """
    bad = [some for some in failures if some]
    if not bad or ignore:
        return result
    entries = [entry for some in bad for entry in some]
    first = "; ".join(line(some[0]) for some in bad[:_SHOWN])
    more = f"; and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
    kinds = {entry["kind"] for entry in entries}
    failed = error(
        f"{len(bad)} of {len(failures)} {words.places} failed: {first}{more}.",
        safe_next=entries[0]["safe_next"] if len(kinds) == 1 else None,
        **{words.place: entries[0].get(words.place)},
    )
    if len(kinds) == 1:
        failed.kind = kinds.pop()
    failed.done = result
    raise failed
