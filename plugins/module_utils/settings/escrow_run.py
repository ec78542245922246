# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""`password_escrow` from its options to its result.

The order is the whole point. Swapping: originals are on disk before the first of them leaves the source. Reinstating:
an entry is closed only after every row was read again. Wherever a run ends, the next one finds in the source's rows
and in the escrow file what there is left to do.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .. import escrow_file
from ..addresses import canonical_address, domain_of
from ..errors import (
    EscrowForeignError,
    EscrowOpenError,
    EscrowUnprovedError,
    InputError,
    MigrationError,
    UnsupportedError,
)
from ..escrow_file import Book
from ..platforms.options import database_server, overrides, ssh_server
from ..transport.database import Database, text
from ..transport.ssh import maybe_tunnel
from .escrow_forms import companion, form_for, generate, marked
from .escrow_plan import (
    PASSWORD,
    Change,
    Row,
    Settled,
    address_of,
    originals,
    plan_back,
    plan_swap,
    settle,
    too_many_gone,
)
from .escrow_table import PasswordTable
from .extract import Site, recognise
from .model import Finding
from .profiles import source_profile
from .schemes import Remark, identify

ESCROWED, REINSTATED = "escrowed", "reinstated"
_SHOWN = 5

Random = Callable[[int], bytes]


@dataclass(frozen=True)
class _Work:
    """What a run works with."""

    params: Mapping[str, Any]
    path: Path
    table: PasswordTable
    site: Site
    source: str
    random: Random
    now: str
    check_mode: bool

    def keep(self, book: Book) -> None:
        """Have the escrow on disk."""
        password, label = self.params["vault_password"], self.params.get("vault_id")
        escrow_file.write(self.path, book, password, random=self.random, label=label)

    def chosen(self) -> Callable[[bytes], bool]:
        """Whether an account is one of those that are asked for."""
        accounts = {address_of(name.encode()) for name in self.params["accounts"]}
        domains = {name.strip().lower().encode() for name in self.params["domains"]}

        def is_chosen(account: bytes) -> bool:
            address = address_of(account)
            by_domain = not domains or address.rpartition(b"@")[2] in domains
            return by_domain and (not accounts or address in accounts)

        return is_chosen


def password_escrow(
    params: Mapping[str, Any],
    *,
    check_mode: bool,
    diff_mode: bool = False,
    random: Random,
    now: dt.datetime,
    warn: Callable[[str], None] = lambda _message: None,
) -> dict[str, Any]:
    """Swap passwords or put them back; ``random`` gives random bytes, ``now`` is the time with its zone.

    Raises EscrowError and its kinds, the errors of connecting, of missing tables and columns, and InputError.
    """
    run = {ESCROWED: _swap, REINSTATED: _reinstate}[params["state"]]
    path = Path(params["escrow"]).expanduser()
    moment = now.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    try:
        with contextlib.ExitStack() as stack:
            if not check_mode:
                stack.enter_context(escrow_file.locked(path))
            book = escrow_file.load(path, params["vault_password"], params["customer"])
            database = stack.enter_context(_source(params, check_mode=check_mode))
            profile = source_profile(params["profile"])
            names = overrides(params)
            table = PasswordTable(database, profile, names)
            if not check_mode:
                stack.enter_context(table.locked())
            work = _Work(
                params, path, table, recognise(database, profile, names), place(params), random, moment, check_mode
            )
            own = _own(work, book)
            if book is not None and own != book and not check_mode:
                work.keep(own)
            result, changes, book = run(work, own)
    except MigrationError as error:
        raise error.at(customer=params["customer"]) from error.__cause__
    if diff_mode:
        result["diff"] = _diff(changes, params["state"])
    result["state"] = _state(path, book)
    if book.open_entries:
        warn(warning(escrow_file.State(book.customer, book.source, len(book.open_entries), result["state"]["since"])))
    return result


def escrow_info(params: Mapping[str, Any], *, warn: Callable[[str], None]) -> dict[str, Any]:
    """What can be seen of an escrow without its password, with a warning as long as it is open. Raises EscrowError."""
    found = escrow_file.state(Path(params["escrow"]).expanduser())
    if found is None:
        return {"changed": False, "open": False, "accounts": 0, "since": "", "escrow_customer": ""}
    if found.accounts:
        warn(warning(found))
    return {
        "changed": False,
        "open": bool(found.accounts),
        "accounts": found.accounts,
        "since": found.since,
        "escrow_customer": found.customer,
    }


def warning(state: escrow_file.State) -> str:
    """What every run says as long as an escrow is open."""
    accounts = "1 account has" if state.accounts == 1 else f"{state.accounts} accounts have"
    return (
        f"{state.customer}: {accounts} a generated password on the source since {state.since}, instead of the user's"
        " own. Users can't log in there until the playbook atmail.migration.reinstate has put the originals back."
        " Keep the escrow file: it is the only place where they are"
    )


def place(params: Mapping[str, Any]) -> str:
    """Where a source's database is, in words: what tells one source from another."""
    database = params["database"]
    through = f" through {params['ssh']['host']}" if params.get("ssh") else ""
    return f"{database['host']}:{database['port']}/{database['name']}{through}"


@contextlib.contextmanager
def _source(params: Mapping[str, Any], *, check_mode: bool) -> Iterator[Database]:
    server = database_server(params)
    with (
        maybe_tunnel(ssh_server(params)) as tunnel,
        Database(server, tunnel, read_only=check_mode) as database,
    ):
        yield database


def _own(work: _Work, book: Book | None) -> Book:
    """The escrow of this source. Raises EscrowForeignError for another one's."""
    if book is None:
        return Book(work.params["customer"], work.source, work.params["profile"])
    if (book.source, book.profile) == (work.source, work.params["profile"]):
        return book
    if book.profile == work.params["profile"] and work.params["moved"]:
        return replace(book, source=work.source)
    message = f"it is the escrow of the source {book.source} ({book.profile}), not of {work.source}"
    raise EscrowForeignError(message, escrow=str(work.path))


# swapping


def _swap(work: _Work, book: Book) -> tuple[dict[str, Any], tuple[Change, ...], Book]:
    if work.site.passwords_elsewhere:
        raise UnsupportedError(
            "the site checks passwords in a directory (LDAP): there is nothing to swap in its database"
        )
    rows = work.table.rows()
    chosen = work.chosen()
    _check_asked(work.params["accounts"], rows)
    _refuse_strange(work, _strange(book, rows))
    domains = work.table.domains()
    findings = _outside(rows, chosen, domains)
    plan = plan_swap(book, rows, lambda each: chosen(each) and _inside(each, domains), _generator(work), work.now)
    changes, at_once = plan.changes, plan.book != book
    if not work.check_mode:
        if changes:
            work.table.check_rights()
        if at_once:
            work.keep(plan.book)
        work.table.write(changes)
        rows = work.table.rows() if changes else rows
    after = plan_swap(plan.book, rows, chosen, _nobody, work.now)
    held = {row.password for row in rows}
    result = {
        "changed": bool(changes or at_once),
        "summary": {
            "accounts": len(plan.book.open_entries),
            "escrowed": sum(change.column == PASSWORD for change in changes),
            "in_place": sum(entry.cells[0].stored in held for entry in book.open_entries),
            "left_out": len({finding.account for finding in (*findings, *plan.findings)}),
        },
        "findings": _plain({*findings, *plan.findings, *_of_kind(after.findings, "password_changed_on_source")}),
    }
    if not work.check_mode and after.changes:
        raise EscrowUnprovedError(f"{len(after.changes)} passwords could not be set", escrow=str(work.path))
    return result, changes, plan.book


def _generator(work: _Work) -> Callable[[Row], tuple[str, dict[str, bytes]] | Remark]:
    """What makes an entry's passwords. Raises InputError when a column can't hold what has to be stored."""
    table, site, stored_as = work.table, work.site.password_scheme, work.params.get("stored_as")

    def make(row: Row) -> tuple[str, dict[str, bytes]] | Remark:
        if not all(table.kinds[column].takes(value) for column, value in row.values.items()):
            message = "the stored password is not valid text of its column: it could not be put back byte by byte"
            return Remark("password_not_restorable", "warning", message)
        form = form_for(text(row.password), site, stored_as)
        if form is None:
            return Remark("password_unswappable", "warning", _UNKNOWN_FORM)
        made = generate(form, work.random)
        stored = {PASSWORD: made.stored}
        # A companion that is empty is not in use.
        stored |= {column: companion(made.stored) for column in table.columns[1:] if row.values[column]}
        for column, value in stored.items():
            if not table.kinds[column].takes(value):
                message = (
                    f"the column {column} of {table.name} is too short for a password stored as {form.name}"
                    f" ({len(value)} characters)"
                )
                safe = "Nothing has been changed. Choose a shorter form with stored_as, if the source takes it."
                raise InputError(message, option="stored_as", safe_next=safe, account=_name(row.account))
        return made.plain, stored

    return make


_UNKNOWN_FORM = (
    "nothing tells in which form the source would understand another password here; if you know, say so with stored_as"
)


def _nobody(_row: Row) -> Remark:
    return Remark("not_swapped", "note", "it came while this ran: the next run swaps it")


def _strange(book: Book, rows: Sequence[Row]) -> int:
    """How many rows hold a password that an escrow has set, but not this one: it is nobody's original."""
    known = originals(book)
    return marks(row.password for row in rows if row.password and (PASSWORD, row.password) not in known)


def _refuse_strange(work: _Work, number: int) -> None:
    if number:
        message = f"{number} accounts have passwords that an escrow has set, but not this one"
        raise EscrowOpenError(message, escrow=str(work.path))


def marks(stored: Iterable[bytes]) -> int:
    """How many of these stored passwords an escrow has set, whatever the site's setting is."""
    found = (identify(text(value), "MD5").password for value in stored)
    return marked(password for password in found if password is not None)


def _check_asked(accounts: Sequence[str], rows: Sequence[Row]) -> None:
    there = {row.address for row in rows}
    for name in accounts:
        if address_of(name.encode()) not in there:
            raise InputError(f"the source has no account {name}", option="accounts")


def _inside(account: bytes, domains: frozenset[str]) -> bool:
    return domain_of(canonical_address(text(account) or "")) in domains


def _outside(rows: Sequence[Row], chosen: Callable[[bytes], bool], domains: frozenset[str]) -> list[Finding]:
    message = "its domain is not among the site's own, so its mailbox is elsewhere; its password is left as it is"
    return [
        Finding(_name(row.account), "mailbox_external", message, "note")
        for row in rows
        if chosen(row.account) and not _inside(row.account, domains)
    ]


# putting back


def _reinstate(work: _Work, book: Book) -> tuple[dict[str, Any], tuple[Change, ...], Book]:
    rows = work.table.rows()
    chosen = work.chosen()
    strange = _strange(book, rows)
    if not book.entries:
        _refuse_strange(work, strange)
    changes = plan_back(book, rows, chosen)
    if work.check_mode:
        settled = settle(book, _as_if(rows, changes), chosen)
    else:
        work.table.write(changes)
        rows = work.table.rows() if changes else rows
        settled = settle(book, rows, chosen)
        if too_many_gone(settled, work.params["allow_missing"]):
            message = f"{settled.gone} of the accounts are not in this database any more: is it the right one?"
            safe = "Nothing is forgotten. If they were really removed, run again with a higher allow_missing."
            raise EscrowUnprovedError(message, safe_next=safe, escrow=str(work.path))
        if settled.book != book:
            work.keep(settled.book)
    result: dict[str, Any] = {
        "changed": bool(changes) or settled.book != book,
        "summary": {
            "accounts": len(settled.book.open_entries),
            "reinstated": sum(change.column == PASSWORD for change in changes),
            "proved": settled.back,
            "kept": settled.changed,
            "gone": settled.gone,
        },
        "findings": _plain([*settled.findings, *_of_others(strange)]),
    }
    if settled.unproved:
        raise _unproved(work, settled, result)
    if work.params["forget"] == "removed":
        result["changed"] |= _forget(work, settled.book, {row.account for row in rows})
    return result, changes, settled.book


def _of_others(number: int) -> list[Finding]:
    message = f"{number} accounts have passwords that an escrow has set, but not this one: another file must have them"
    return [Finding("", "escrow_open", message, "warning")] if number else []


def _as_if(rows: Sequence[Row], changes: Sequence[Change]) -> list[Row]:
    """The rows as they would be after these changes."""
    after = {(change.account, change.column, change.before): change.after for change in changes}
    return [
        Row(row.account, {key: after.get((row.account, key, value), value) for key, value in row.values.items()})
        for row in rows
    ]


def _unproved(work: _Work, settled: Settled, result: dict[str, Any]) -> EscrowUnprovedError:
    names = ", ".join(settled.unproved[:_SHOWN]) + (" …" if len(settled.unproved) > _SHOWN else "")
    error = EscrowUnprovedError(
        f"{len(settled.unproved)} accounts do not have their originals back: {names}", escrow=str(work.path)
    )
    error.done = result
    return error


def _forget(work: _Work, book: Book, there: set[bytes]) -> bool:
    """Remove the file when nothing in it can be needed any more: no account is open, and none is gone."""
    if not book.entries or book.open_entries or any(entry.account not in there for entry in book.entries):
        return False
    if not work.check_mode:
        escrow_file.remove(work.path)
    return True


# results


def _state(path: Path, book: Book) -> dict[str, Any]:
    entries = book.open_entries
    return {
        "escrow": str(path),
        "open": bool(entries),
        "accounts": len(entries),
        "since": min((entry.since for entry in entries), default=""),
    }


def _diff(changes: Sequence[Change], state: str) -> dict[str, Any]:
    """Whose password changes, and no more."""
    words = ("the user's own", "generated") if state == ESCROWED else ("generated", "the user's own")
    names = sorted({_name(change.account) for change in changes if change.column == PASSWORD})
    return {"before": dict.fromkeys(names, words[0]), "after": dict.fromkeys(names, words[1])}


def _of_kind(findings: Sequence[Finding], kind: str) -> list[Finding]:
    return [finding for finding in findings if finding.kind == kind]


def _plain(findings: Iterable[Finding]) -> list[dict[str, str]]:
    return [finding.as_dict() for finding in sorted(findings)]


def _name(account: bytes) -> str:
    shown = account.decode("utf-8", "backslashreplace")
    return shown if shown.isprintable() else ascii(shown)[1:-1]
