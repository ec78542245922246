# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What is worth knowing of where mail will go once a plan is carried out: nothing here is left out for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..addresses import domain_of
from .model import Finding
from .routes import Routes
from .things import ACCOUNTS, ALIASES, DOMAINS, Thing

#: Every domain has to take mail for the first (RFC 5321, 4.5.1) and should for the second (RFC 2142, 2).
RESERVED = ("postmaster", "abuse")
_SHOWN = 10

Final = Mapping[str, Mapping[str, Mapping[str, Any]]]


def after_all(things: Iterable[Thing], final: Final, routes: Routes) -> list[Finding]:
    """Targets that are elsewhere, unknown or disabled, and reserved names that nobody answers for."""
    found = []
    for thing in things:
        if thing.kind in (ACCOUNTS, ALIASES):
            targets = thing.fields.get("forwards" if thing.kind == ACCOUNTS else "targets", ())
            found += _targets(thing, targets, final, routes)
        elif thing.kind == DOMAINS:
            missing = [f"{name}@{thing.key}" for name in RESERVED if routes.known(f"{name}@{thing.key}") is None]
            if missing:
                message = f"nobody takes mail for {' and '.join(missing)} (RFC 5321, 4.5.1; RFC 2142)"
                found.append(Finding(f"@{thing.key}", "reserved_missing", message))
    return found


def _targets(thing: Thing, targets: Iterable[str], final: Final, routes: Routes) -> list[Finding]:
    remote, missing, disabled = [], [], []
    for target in targets:
        domain = domain_of(target)
        if domain not in final[DOMAINS]:
            remote.append(target)
            continue
        if target.startswith("@"):
            continue
        name = routes.known(target)
        if name is None:
            missing.append(target)
        elif not (final[ACCOUNTS].get(name) or final[ALIASES][name])["enabled"]:
            disabled.append(target)
    what = "forward" if thing.kind == ACCOUNTS else "alias"
    found = []
    if remote:
        found.append(
            Finding(thing.key, "remote_target", f"the {what} leaves the customer's domains: {_listed(remote)}")
        )
    if missing:
        message = f"nobody takes mail for what the {what} goes to: {_listed(missing)}"
        found.append(Finding(thing.key, "target_missing", message, "warning"))
    if disabled:
        message = f"the {what} goes to what is disabled: {_listed(disabled)}"
        found.append(Finding(thing.key, "target_disabled", message, "warning"))
    return found


def _listed(addresses: list[str]) -> str:
    more = f" and {len(addresses) - _SHOWN} more" if len(addresses) > _SHOWN else ""
    return ", ".join(addresses[:_SHOWN]) + more
