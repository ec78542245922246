# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The whole check: everything is asked side by side, what needs an account afterwards, and all of it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from ..pgp.options import pgp_keys
from . import calendars, inventory, machine, options, pages, papers, source, target
from .items import Answer, asked, judged, summary
from .ways import SSH_ITEMS

Question = tuple[Sequence[str], Callable[[], Iterable[Answer]]]


def intake(params: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The result as a plain value. ``now`` is aware. Raises InputError for terms that make no sense, nothing else."""
    terms = options.terms(params)
    judged((), terms, now.date())  # a wrong term is told before anything is asked
    pgp = pgp_keys(params)
    ours, theirs = source.Seen(), source.Seen()
    first: list[Question] = [
        (inventory.ITEMS, lambda: inventory.check_inventory(params)),
        (
            ("source_files", *SSH_ITEMS, *source.DATABASE_ITEMS),
            lambda: source.check_settings_source(params, pgp, ours),
        ),
        (target.DATABASE_ITEMS, lambda: target.check_settings_target(params, theirs)),
        (("certificate",), lambda: papers.check_certificates(params, pgp, now)),
        (("pgp_recipient",), lambda: papers.check_recipients(params)),
        (("pgp_key",), lambda: papers.check_own_key(pgp)),
        (("space",), lambda: machine.check_space(params["folders"], params["min_free_bytes"])),
    ]
    answers = _all(first)
    clocks = {"source": ours.seconds_off, "target": theirs.seconds_off}
    second: list[Question] = [
        (source.MAIL_ITEMS, lambda: source.check_mail_source(params, ours.accounts)),
        (target.MAIL_ITEMS, lambda: target.check_mail_target(params, ours.accounts)),
        (calendars.ITEMS, lambda: calendars.check_calendars(params, ours.accounts)),
        (("clock",), lambda: machine.check_clock(clocks)),
    ]
    answers += _all(second)
    items = judged(answers, terms, now.date())
    counted = summary(items)
    customer, ticket = params["customer"], params.get("ticket") or ""
    return {
        "changed": False,
        "ready": counted["stopping"] == 0,
        "headline": pages.headline(customer, items),
        "summary": counted,
        "items": [{**asdict(item), "stops": item.stops} for item in items],
        "table": pages.table(customer, items),
        "open": pages.open_items(customer, items),
        "markdown": pages.markdown(customer, ticket, items, now.astimezone(UTC)),
        "html": pages.html_page(customer, ticket, items, now.astimezone(UTC)),
    }


def _all(questions: Sequence[Question]) -> list[Answer]:
    """All answers, in the order of the questions."""
    with ThreadPoolExecutor(max_workers=len(questions)) as pool:
        return [answer for found in pool.map(lambda one: asked(*one), questions) for answer in found]
