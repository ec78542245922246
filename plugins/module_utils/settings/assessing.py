# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""An assessment: read the source, measure its mailboxes, look how fast they come, and estimate (H39, H40)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import InputError, MigrationError
from ..estimate import Load, Plan, estimate
from ..pace import pace_from_options
from ..platforms.texts import shown
from ..rates import Figure, choose, of_earlier_run
from ..transport.imap import ImapServer
from . import options
from .assess import assess, not_migrated
from .assess_options import estimate_target
from .model import Customer, Finding
from .probe import Sample, further, probe_source, probe_target
from .profiles.other_extras import CSV_EXTRAS
from .profiles.shape import SourceProfile
from .sizes import MailboxSize, Refusal, measure
from .source import Place, reading
from .tally import tally


def assessment(params: Mapping[str, Any]) -> dict[str, Any]:
    """The assessment, its findings as values; reads only.

    Raises the errors of connecting, of missing tables and columns, and InputError for options that do not fit.
    """
    imap = options.imap_server(params)
    asked = params.get("estimate") or {}
    pace = pace_from_options(params.get("pace"))
    choose(asked.get("rates"))  # what is wrong there is said before anything is asked of a server
    target, sample = estimate_target(asked), _sample(asked)
    with reading(params) as source:
        customer = source.customer
        result = _assessed(source.place, params, customer)
    findings = list(customer.findings)
    if imap is None:
        return {**result, "estimate": None, "findings": findings}
    sizes = measure(imap, [account.source_user for account in customer.accounts])
    findings += add_sizes(result, sizes)
    measured: Mapping[str, Figure] = {}
    if asked.get("measure"):
        measured, remarks = _probed(imap, target, _fullest(sizes), sample)
        findings += remarks
    rates = choose(asked.get("rates"), _earlier(asked.get("earlier") or ()), measured)
    plan = Plan(list(_loads(result["accounts"])), rates, pace, _connections(imap, asked))
    result["estimate"] = {**estimate(plan), "not_measured": len(customer.accounts) - result["counts"]["mailboxes"]}
    return {**result, "findings": findings}


def add_sizes(result: dict[str, Any], sizes: Mapping[str, MailboxSize | Refusal]) -> list[Finding]:
    """Put what each mailbox holds, and the sums, into the assessment; the findings that come of it."""
    findings = []
    measured = []
    for account in result["accounts"]:
        size = sizes[account["source_user"]]
        if isinstance(size, Refusal):
            message = f"the IMAP server opens no mailbox for the account: {size.message}"
            findings.append(Finding(account["address"], size.kind, message, "warning"))
        else:
            account |= {"folders": size.folders, "messages": size.messages, "bytes": size.bytes}
            measured.append(size)
    result["counts"] |= {
        "mailboxes": len(measured),
        "folders": sum(size.folders for size in measured),
        "messages": sum(size.messages for size in measured),
        "bytes": sum(size.bytes or 0 for size in measured),
    }
    return findings


def left_behind(place: Place | None, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What does not migrate, for whoever reads a source: the same as in its assessment."""
    profile = _profile(place, params)
    found = tally(place.database, place.site.schema, place.site.extras) if place else {}
    return not_migrated(profile, found, _domains(params))


def _assessed(place: Place | None, params: Mapping[str, Any], customer: Customer) -> dict[str, Any]:
    return assess(place, _profile(place, params), customer, _domains(params))


def _profile(place: Place | None, params: Mapping[str, Any]) -> SourceProfile:
    """Files have no tables, and nothing can be seen but what is in them."""
    return place.site.profile if place else SourceProfile(params["profile"], {}, 1, {}, extras=CSV_EXTRAS)


def _domains(params: Mapping[str, Any]) -> list[str]:
    return [name.strip().lower() for name in params["domains"]]


def _loads(accounts: Iterable[Mapping[str, Any]]) -> Iterable[Load]:
    """The mailboxes that were measured."""
    for account in accounts:
        if "messages" in account:
            yield Load(account["address"], account["messages"], account["bytes"], account["folders"])


def _connections(imap: ImapServer, asked: Mapping[str, Any]) -> int:
    """The most connections to both sides at once; those that mailboxes are measured by are fewer."""
    return int(asked.get("connections") or imap.max_connections)


def _sample(asked: Mapping[str, Any]) -> Sample:
    """The bounds of what is read to measure. Raises InputError."""
    usual = Sample()
    octets, seconds = asked.get("measure_bytes"), asked.get("measure_seconds")
    sample = Sample(
        usual.most_bytes if octets is None else int(octets), usual.most_seconds if seconds is None else float(seconds)
    )
    if sample.most_bytes < 0 or sample.most_seconds < 0:
        raise InputError("a limit can't be negative", option="estimate.measure_bytes")
    return sample


def _fullest(sizes: Mapping[str, MailboxSize | Refusal]) -> str:
    """The user with the largest mailbox; empty when there is none."""
    known = {user: size for user, size in sizes.items() if isinstance(size, MailboxSize)}
    return max(sorted(known), key=lambda user: (known[user].bytes or 0, known[user].messages), default="")


def _probed(
    imap: ImapServer, target: ImapServer | None, user: str, sample: Sample
) -> tuple[Mapping[str, Figure], list[Finding]]:
    """The rates that could be measured; an assessment does not fail because they can't."""
    found: list[Mapping[str, Figure]] = [{}, {}]
    findings = []
    for side, server in enumerate((imap if user else None, target)):
        try:
            if server is not None:
                found[side] = probe_target(server) if side else probe_source(server, user, sample)
        except MigrationError as error:
            name = ("source", "target")[side]
            message = f"how fast the {name} is could not be measured: {shown(error.message)}"
            findings.append(Finding("", "not_measured", message, "note"))
    return further(*found), findings


def _earlier(paths: Iterable[str]) -> dict[str, Figure]:
    """What the first of these records tells that tells anything. A record that is not there is none yet."""
    for path in paths:
        try:
            record = json.loads(Path(path).expanduser().read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise InputError(f"{path} is no record of an earlier run", option="estimate.earlier") from error
        found = of_earlier_run(record)
        if found:
            return found
    return {}
