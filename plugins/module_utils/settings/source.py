# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The one seam between a customer and where it is read from: options in, a :class:`Reading` out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..errors import InputError
from ..platforms.options import overrides
from ..platforms.reach import reached
from ..transport.database import Database
from . import options
from .extract import Site, extract, recognise
from .files import read_files
from .left import left_findings
from .model import Customer, Finding
from .profiles import source_profile


@dataclass(frozen=True)
class Place:
    """A source's database, still open, and what it was recognised as."""

    database: Database
    site: Site


@dataclass(frozen=True)
class Reading:
    """A customer, and the database that it was read from; None where there is none."""

    customer: Customer
    place: Place | None = None


@contextlib.contextmanager
def reading(params: Mapping[str, Any], originals: Mapping[str, str | None] | None = None) -> Iterator[Reading]:
    """The customer that the options name, only the domains that are wanted.

    ``originals``: stored password → the one that stands behind it while an escrow is open.

    Raises the errors of connecting, of missing tables and columns, and InputError for options that do not fit.
    """
    files = options.csv_files(params)
    if files is not None:
        yield Reading(_only(read_files(files, params["customer"]), params["domains"]))
        return
    with contextlib.ExitStack() as stack:
        way = stack.enter_context(reached(params))
        database = stack.enter_context(way.connect())
        remarks = [Finding("", each.kind, each.message, each.level) for each in way.remarks]
        site = recognise(database, source_profile(params["profile"]), overrides(params))
        whole = extract(database, site, params["customer"], originals or {})
        whole = replace(whole, findings=(*whole.findings, *left_findings(database, site, whole.accounts)))
        customer = _only(whole, params["domains"])
        customer = replace(customer, findings=(*customer.findings, *remarks)).sorted()
        yield Reading(customer, Place(database, site))


def _only(customer: Customer, domains: Iterable[str]) -> Customer:
    """The part of these domains. Raises InputError for one that the source does not have."""
    there = {domain.name for domain in customer.domains}
    for name in domains:
        if name.strip().lower() not in there:
            raise InputError(f"the source has no domain {name}", option="domains")
    return customer.only(domains)
