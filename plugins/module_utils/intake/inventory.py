# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What the inventory itself has to say: names, people, ticket, times (H21). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..errors import InputError
from ..pace import pace_from_options
from .items import Answer, invalid, missing, ok

ITEMS = (
    "inventory",
    "subscription",
    "region",
    "domains",
    "contact",
    "support_engineer",
    "deputy",
    "ticket",
    "time_zone",
    "off_peak",
    "vault_password",
)
_PEOPLE = {"contact": "customer", "support_engineer": "support_engineer", "deputy": "deputy"}
_SHORTEST = 12


def check_inventory(params: Mapping[str, Any]) -> Iterator[Answer]:
    """Answers for :data:`ITEMS`."""
    yield _undefined(params.get("undefined") or {})
    yield _word(params, "subscription", "migration_subscription")
    yield _word(params, "region", "migration_region")
    domains = params.get("domains") or []
    if domains:
        yield ok("domains", ", ".join(map(str, domains)))
    else:
        yield missing("domains", "all domains of the source are migrated", "List them in migration_domains.")
    for item, who in _PEOPLE.items():
        yield _person(item, who, (params.get("owners") or {}).get(who) or {})
    yield _word(params, "ticket", "migration_ticket")
    yield _time_zone(params.get("time_zone"))
    yield _off_peak(params.get("pace"))
    yield _vault_password(params.get("vault_password"))


def _undefined(undefined: Mapping[str, str]) -> Answer:
    if not undefined:
        return ok("inventory", "everything that it refers to is there")
    said = "; ".join(f"{name}: {message}" for name, message in sorted(undefined.items()))
    return missing("inventory", said, "Define what is named here, secrets in the customer's vault.yml.")


def _word(params: Mapping[str, Any], item: str, variable: str) -> Answer:
    value = str(params.get(item) or "").strip()
    return ok(item, value) if value else missing(item, f"{variable} is not given", f"Set {variable}.")


def _person(item: str, who: str, person: Mapping[str, Any]) -> Answer:
    name, email = (str(person.get(key) or "").strip() for key in ("name", "email"))
    place = f"migration_owners.{who}"
    if not name:
        return missing(item, f"{place}.name is not given", f"Set {place}: a name and an email address.")
    if not email:
        return missing(item, f"{place}.email is not given: {name} can't be told anything", f"Set {place}.email.")
    if email.count("@") != 1 or email.startswith("@") or email.endswith("@") or " " in email:
        return invalid(item, InputError(f"{email!r} is no email address", safe_next=f"Correct {place}.email."))
    return ok(item, f"{name} <{email}>")


def _time_zone(name: str | None) -> Answer:
    if not name:
        return missing("time_zone", "migration_timezone is not given", "Set migration_timezone, like Europe/Berlin.")
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        wrong = InputError(f"there is no time zone {name!r}", safe_next="Set migration_timezone, like Europe/Berlin.")
        return invalid("time_zone", wrong)
    return ok("time_zone", name)


def _off_peak(pace: Mapping[str, Any] | None) -> Answer:
    window = (pace or {}).get("off_peak")
    if not window:
        return missing(
            "off_peak",
            "there is no off-peak window: the source is read at one pace all day",
            "Set migration_pace.off_peak.",
        )
    try:
        pace_from_options(pace)
    except InputError as error:
        return invalid("off_peak", error)
    return ok("off_peak", f"{window['start']} to {window['end']}, {window.get('timezone') or 'UTC'}")


def _vault_password(password: str | None) -> Answer:
    if not password:
        return missing(
            "vault_password", "migration_vault_password is not given", "Set it, in the customer's vault.yml."
        )
    if len(password) < _SHORTEST:
        wrong = InputError(f"it has less than {_SHORTEST} characters", safe_next="Choose a longer one before extract.")
        return invalid("vault_password", wrong)
    return ok("vault_password", "it is given")
