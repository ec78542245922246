# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The whole check, from options to a result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ...errors import MigrationError
from . import options, pages
from .plan import covering, plan
from .run import try_all
from .verdicts import Place, Row


def endpoints(params: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The result as a plain value. ``now`` is aware. Raises InputError, and MissingLibraryError; nothing else."""
    try:
        rows = _rows(params, now)
    except MigrationError as error:
        raise error.at(customer=params["customer"]) from error
    customer = params["customer"]
    return {
        "changed": False,
        "ready": pages.ready(rows),
        "headline": pages.headline(customer, rows),
        "summary": pages.summary(rows),
        "checks": [row.as_dict() for row in rows],
        "table": pages.table(customer, rows),
        "open": pages.open_rows(customer, rows),
        "markdown": pages.markdown(customer, rows, now.astimezone(UTC)),
        "html": pages.html_page(customer, rows, now.astimezone(UTC)),
    }


def _rows(params: Mapping[str, Any], now: datetime) -> list[Row]:
    place = options.cloud(params)
    names, exchangers = options.public_names(params, place), options.exchangers(params, place)
    ports, bundles, ways = options.ports(params), options.bundles(params), options.ways(params)
    wanted = plan(names, exchangers, place, ports, params["where"])
    planned = [] if bundles is None else covering(names, place, bundles)
    rows = [*(Row(Place(name, "", "", 0), said) for name, said in planned), *try_all(wanted, ways, now)]
    optional = set(params["optional"])
    return [replace(row, optional=bool(optional & {row.found.check, row.place.service})) for row in rows]
