# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The items of the intake check: what each is, who has to bring it, and what was found. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from ..errors import InputError, InternalError, MigrationError

State = Literal["ok", "missing", "invalid", "unchecked"]
Owner = Literal["customer", "support_engineer", "us"]
OK: State = "ok"
MISSING: State = "missing"
INVALID: State = "invalid"
UNCHECKED: State = "unchecked"


@dataclass(frozen=True)
class Need:
    """What a migration needs: a title for people, who brings it, and whether nothing may start without it."""

    title: str
    owner: Owner
    required: bool = True


#: Every item, in the order of the table.
NEEDS: Mapping[str, Need] = {
    "inventory": Need("every value that the inventory refers to", "us"),
    "subscription": Need("name of the subscription on the cloud", "us"),
    "region": Need("region of the cloud", "us"),
    "domains": Need("list of the domains to migrate", "customer", required=False),
    "contact": Need("person at the customer", "customer"),
    "support_engineer": Need("designated support engineer", "us"),
    "deputy": Need("the support engineer's deputy", "us"),
    "ticket": Need("ticket for the whole migration", "support_engineer"),
    "time_zone": Need("the customer's time zone", "customer"),
    "off_peak": Need("off-peak window", "customer", required=False),
    "ssh_reachable": Need("SSH server reachable", "customer"),
    "ssh_host_key": Need("SSH host key known", "support_engineer"),
    "ssh_login": Need("SSH log-in", "customer"),
    "source_files": Need("files that the accounts are read from", "customer"),
    "database_login": Need("database log-in", "customer"),
    "database_tables": Need("tables of the source's profile", "support_engineer"),
    "database_rights": Need("database rights that are needed", "customer"),
    "database_least_rights": Need("no more database rights than needed", "customer", required=False),
    "imap_tls": Need("IMAP server reachable, with a valid certificate", "customer"),
    "imap_login": Need("way into every mailbox", "customer"),
    "pop_login": Need("POP3 server", "customer"),
    "calendars": Need("way to calendars and contacts", "customer"),
    "certificate": Need("certificate for the customer's own host names", "customer"),
    "pgp_recipient": Need("public PGP key to hand things over to", "customer"),
    "pgp_key": Need("our own PGP key, to open what was received", "us"),
    "tenant": Need("subscription enabled for migration", "us"),
    "target_database": Need("database of the cloud", "us"),
    "target_imap": Need("IMAP server of the cloud", "us"),
    "target_doveadm": Need("doveadm HTTP API of the cloud", "us", required=False),
    "target_login": Need("way into every mailbox of the cloud", "us", required=False),
    "target_dav": Need("CalDAV and CardDAV server of the cloud", "us", required=False),
    "vault_password": Need("password for the secrets in the snapshot", "us"),
    "space": Need("disk space for ledger, snapshot and evidence", "us"),
    "clock": Need("clocks that agree", "us", required=False),
}


@dataclass(frozen=True)
class Answer:
    """What was found about an item; ``about`` tells several of one kind apart (a file, a key)."""

    item: str
    state: State
    reason: str
    next: str = ""
    kind: str = ""
    about: str = ""


@dataclass(frozen=True)
class Terms:
    """What an operator says about the items: who owners are by name, dates, and which items are not insisted on."""

    people: Mapping[str, str] = field(default_factory=dict)
    due: str = ""
    due_dates: Mapping[str, str] = field(default_factory=dict)
    optional: Sequence[str] = ()


@dataclass(frozen=True)
class Item:
    """A row of the result."""

    item: str
    title: str
    about: str
    state: State
    owner: Owner
    person: str
    required: bool
    reason: str
    next: str
    due: str
    overdue: bool
    kind: str

    @property
    def stops(self) -> bool:
        """Whether the migration can't start because of it."""
        return self.required and self.state != OK


def ok(item: str, reason: str, about: str = "") -> Answer:
    """The item is there."""
    return Answer(item, OK, reason, about=about)


def missing(item: str, reason: str, next_step: str, about: str = "") -> Answer:
    """The item was not given."""
    return Answer(item, MISSING, reason, next_step, "missing", about)


def invalid(item: str, error: MigrationError, about: str = "") -> Answer:
    """The item was given and is not what it should be."""
    return Answer(item, INVALID, error.message, error.safe_next, error.kind, about)


def unchecked(items: Iterable[str], reason: str, next_step: str = "") -> list[Answer]:
    """Items that could not be looked at."""
    return [Answer(item, UNCHECKED, reason, next_step) for item in items]


def asked(items: Sequence[str], question: Callable[[], Iterable[Answer]]) -> list[Answer]:
    """The answers to a question about these items. One that ends in an error answers for all that it left open."""
    found: list[Answer] = []
    try:
        found.extend(question())
    except MigrationError as error:
        left = [item for item in items if item not in {answer.item for answer in found}]
        found += [invalid(item, error) for item in left[:1]]
        found += unchecked(left[1:], f"not looked at: {error.message}")
    except Exception as error:  # noqa: BLE001 -- one item's trouble must not hide the others
        left = [item for item in items if item not in {answer.item for answer in found}]
        found += unchecked(left, InternalError.of(error).message, InternalError.safe_next)
    return found


def judged(answers: Iterable[Answer], terms: Terms, today: date) -> list[Item]:
    """Every item of :data:`NEEDS` in its order, with all that was said about it; one without an answer is unchecked.

    Raises InputError for terms about items that there are not, and for what is no date.
    """
    for name in (*terms.optional, *terms.due_dates):
        if name not in NEEDS:
            raise InputError(f"the intake check has no item {name!r}, only {', '.join(NEEDS)}", option="terms")
    dates = {name: _day(terms.due_dates.get(name) or terms.due) for name in NEEDS}
    by_item: dict[str, list[Answer]] = {name: [] for name in NEEDS}
    for answer in answers:
        by_item[answer.item].append(answer)
    found = []
    for name, said in by_item.items():
        heard = said or [Answer(name, UNCHECKED, "nothing was found out about it")]
        found += [_item(answer, terms, dates[name], today) for answer in heard]
    return found


def summary(items: Sequence[Item]) -> dict[str, Any]:
    """Numbers of items by state, and of those that stop the start, in all and by owner."""
    states: tuple[State, ...] = (OK, MISSING, INVALID, UNCHECKED)
    stopping = [item for item in items if item.stops]
    owners = {need.owner for need in NEEDS.values()}
    return {
        **{state: sum(item.state == state for item in items) for state in states},
        "stopping": len(stopping),
        "overdue": sum(item.overdue for item in items),
        "stopping_by_owner": {owner: sum(item.owner == owner for item in stopping) for owner in sorted(owners)},
    }


def _item(answer: Answer, terms: Terms, due: date | None, today: date) -> Item:
    need = NEEDS[answer.item]
    required = need.required and answer.item not in terms.optional
    return Item(
        item=answer.item,
        title=need.title,
        about=answer.about,
        state=answer.state,
        owner=need.owner,
        person=terms.people.get(need.owner, ""),
        required=required,
        reason=answer.reason,
        next=answer.next,
        due=due.isoformat() if due else "",
        overdue=required and due is not None and answer.state != OK and due < today,
        kind=answer.kind,
    )


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text!r} is no date (YYYY-MM-DD)", option="terms.due") from None
