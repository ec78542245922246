# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The file of accounts, and the ways of mail that it and others name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from ...addresses import address_fault, alias_fault, canonical_address, canonical_pattern, domain_fault, without_tag
from ..model import Account, Alias, AutoReply, Finding, Level
from ..schemes import identify
from .table import Row, Table
from .values import flag, moment, quota, several

Value = TypeVar("Value")
_WORDS = {
    "quota": "quota",
    "enabled": "status",
    "disabled": "status",
    "keep_copy": "word for keeping a copy",
    "auto_reply_enabled": "word for the automatic reply",
    "auto_reply_starts": "beginning of the automatic reply",
    "auto_reply_ends": "end of the automatic reply",
}


class BadCellError(ValueError):
    """A cell that can't be understood: the row is left out."""


@dataclass
class Found:
    """What the files have given so far; addresses are canonical. ``names`` are aliases out of the accounts' file."""

    accounts: dict[str, Account] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    names: list[tuple[Row, Alias]] = field(default_factory=list)

    def say(self, account: str, kind: str, message: str, level: Level = "warning") -> None:
        """Note something for the operator."""
        self.findings.append(Finding(account, kind, message, level))


def understood(row: Row, key: str, read: Callable[[str], Value]) -> Value:
    """A cell's value. Raises BadCellError, which names the row and the column, but not what is in it."""
    try:
        return read(row.get(key))
    except ValueError as error:
        raise BadCellError(row.says(f"the {_WORDS[key]} can't be understood: {error}; the row is left out")) from None


def read_accounts(table: Table, password_type: str) -> Found:
    """The accounts of the file. An address that is there twice is left out, unless the rows are the same."""
    found = Found()
    rows: dict[str, list[Row]] = {}
    for row in table.rows:
        address = canonical_address(row.get("address"))
        wrong = address_fault(address)
        if wrong is None:
            rows.setdefault(address, []).append(row)
        else:
            # What is there instead may be anything that a broken row has moved here, a password too.
            message = f"in the column of addresses is none: {wrong}; the row is left out"
            found.say("", "address_invalid", row.says(message), "error")
    for address, same in rows.items():
        first = same[0]
        others = ", ".join(row.place for row in same[1:])
        if any(row.cells != first.cells for row in same[1:]):
            message = first.says(f"the address is there again, with other values, in {others}; it is left out")
            found.say(address, "duplicate", message, "error")
            continue
        if others:
            found.say(address, "duplicate", first.says(f"the same row is there again in {others}"), "note")
        try:
            found.accounts[address] = _account(address, first, table, password_type, found)
        except BadCellError as error:
            found.say(address, "value_invalid", str(error), "error")
            continue
        found.places[address] = first.place
    return found


def enabled(row: Row) -> bool:
    """Is what the row describes in use? Yes where nothing is said. Raises BadCellError."""
    is_on = understood(row, "enabled", lambda cell: flag(cell, default=True))
    return is_on and not understood(row, "disabled", lambda cell: flag(cell, default=False))


def targets(address: str, row: Row, key: str, found: Found, *, whole_domains: bool = False) -> list[str]:
    """The addresses in a cell; a part that is none becomes a finding of the address."""
    good = []
    for part in several(row.get(key)):
        target = canonical_address(part.removeprefix("mailto:"))
        wrong = alias_fault(target) if whole_domains else address_fault(target)
        if wrong is None:
            good.append(target)
        else:
            kind = "forward_invalid" if key == "forwards" else "alias_target_invalid"
            found.say(address, kind, row.says(f"a target is left out: {wrong}"))
    return good


def with_forwards(account: Account, row: Row, found: Found) -> Account:
    """The account with the forwards of a row beside those that it has. Raises BadCellError.

    A forward to the account itself is how some say that a copy is kept.
    """
    forwards = targets(account.address, row, "forwards", found)
    others = {target for target in forwards if without_tag(target) != account.address}
    own = len(others) < len(set(forwards))
    keep = understood(row, "keep_copy", lambda cell: flag(cell, default=own or account.keep_copy))
    if others and keep and not own and not account.forwards and not row.get("keep_copy"):
        message = "nothing says whether forwarded mail stays in the mailbox, too; it does"
        found.say(account.address, "forward_copy_assumed", row.says(message), "note")
    if not keep and not others and not account.forwards:
        found.say(account.address, "copy_kept", row.says("without a forward mail stays in the mailbox"), "note")
        keep = True
    return replace(account, forwards=(*account.forwards, *others), keep_copy=keep)


def patterns(address: str, row: Row, cells: Iterable[str], found: Found) -> list[str]:
    """Canonical patterns of senders; what is none becomes a finding."""
    good = []
    for cell in cells:
        pattern = canonical_pattern(cell)
        if pattern is None:
            message = "this is no pattern of senders (an address, a domain, or either with * and ?); it is left out"
            found.say(address, "pattern_invalid", row.says(message), "error")
        else:
            good.append(pattern)
    return good


def _account(address: str, row: Row, table: Table, password_type: str, found: Found) -> Account:
    name = row.get("display_name") or " ".join(filter(None, (row.get("first_name"), row.get("last_name"))))
    account = Account(
        address=address,
        source_user=row.get("source_user") or row.get("address"),
        display_name=name,
        enabled=enabled(row),
        quota_bytes=understood(row, "quota", lambda cell: quota(cell, table.quota_unit)),
        auto_reply=_auto_reply(row),
        reply_to=_reply_to(address, row, found),
        signature=row.raw("signature").replace("\r\n", "\n").strip("\n"),
        time_zone=row.get("time_zone"),
        language=row.get("language"),
        allowed=tuple(patterns(address, row, several(row.get("allowed")), found)),
        blocked=tuple(patterns(address, row, several(row.get("blocked")), found)),
    )
    account = with_forwards(account, row, found)
    _add_aliases(account, row, found)
    return _with_password(account, row, table, password_type, found)


def _with_password(account: Account, row: Row, table: Table, password_type: str, found: Found) -> Account:
    if "password" not in table.keys:
        return account  # said once, for the whole file
    stored, scheme = row.raw("password"), row.get("scheme").strip("{}")
    if stored != stored.strip():
        message = "the password begins or ends with a blank; it is taken as it stands"
        found.say(account.address, "password_blank", row.says(message))
    identified = identify(
        f"{{{scheme}}}{stored}" if scheme and stored and not stored.startswith("{") else stored, password_type
    )
    found.findings += [Finding(account.address, each.kind, each.message, each.level) for each in identified.remarks]
    return replace(account, password=identified.password)


def _auto_reply(row: Row) -> AutoReply | None:
    text = row.raw("auto_reply").replace("\r\n", "\n").strip("\n")
    starts = understood(row, "auto_reply_starts", lambda cell: moment(cell, end=False))
    ends = understood(row, "auto_reply_ends", lambda cell: moment(cell, end=True))
    is_on = understood(row, "auto_reply_enabled", lambda cell: flag(cell, default=True))
    if not text.strip():
        return None
    return AutoReply(text=text, subject=row.get("auto_reply_subject"), enabled=is_on, starts=starts, ends=ends)


def _reply_to(address: str, row: Row, found: Found) -> str:
    given = row.get("reply_to")
    wrong = address_fault(canonical_address(given)) if given else None
    if wrong is not None:
        found.say(address, "value_invalid", row.says(f"the address for replies is left out: {wrong}"))
        return ""
    return canonical_address(given) if given else ""


def _add_aliases(account: Account, row: Row, found: Found) -> None:
    """Other names for the account, in a column of its own; ``smtp:`` stands before them in exports of Exchange."""
    for part in several(row.get("aliases")):
        alias = canonical_address(part[5:] if part[:5].lower() == "smtp:" else part)
        if alias == account.address:
            continue
        wrong = address_fault(alias) if not alias.startswith("@") else domain_fault(alias[1:])
        if wrong is None:
            found.names.append((row, Alias(alias, (account.address,))))
        else:
            found.say(account.address, "alias_invalid", row.says(f"another name is left out: {wrong}"), "error")
