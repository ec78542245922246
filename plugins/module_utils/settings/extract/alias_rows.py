# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What rows of aliases mean; decided here without any I/O.

Platforms write a whole domain in several ways (``@domain``, ``*@domain``, its bare name), leave the domain of a local
part to another column, and keep the targets of one alias in several rows, or in one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from ...addresses import address_fault, alias_fault, canonical_address, canonical_domain, domain_of
from ...platforms.texts import shown
from ..model import Alias, Finding, Level
from .lists import bare, entries, is_command


@dataclass(frozen=True)
class AliasRow:
    """A row: what the source calls the alias, its domain if that stands apart, a list of targets, or a mail folder."""

    name: str
    target: str
    domain: str = ""
    folder: str = ""
    cut: bool = False


@dataclass(frozen=True)
class Known:
    """What aliases can lead to: the site's domains, its accounts, and whose mail folder is where."""

    domains: Collection[str]
    accounts: Collection[str]
    folders: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Aliases:
    """What came of the rows.

    ``forwards``: where aliases of accounts' own addresses lead to. ``domains`` are those that only an alias names.
    """

    aliases: list[Alias] = field(default_factory=list)
    forwards: dict[str, tuple[str, ...]] = field(default_factory=dict)
    domains: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)

    def say(self, account: str, kind: str, message: str, level: Level = "warning") -> None:
        """Add a finding."""
        self.findings.append(Finding(shown(account), kind, message, level))


def resolve(rows: Iterable[AliasRow], known: Known) -> Aliases:
    """The aliases of all rows: every row is in one of them, or in a finding."""
    found = Aliases()
    targets: dict[str, dict[str, None]] = {}
    for row in rows:
        address = _name(row, known)
        fault = alias_fault(address)
        if fault is not None:
            message = f"the alias is no address: {fault}; it leads to {_list([row.target])} and is left out"
            found.say(row.name or row.domain, "alias_invalid", message, "error")
            continue
        if row.cut:
            found.say(address, "value_cut", "the row of the alias fills its column: its end may be missing")
        targets.setdefault(address, {}).update(dict.fromkeys(_targets(row, address, known, found)))
    for address, mine in targets.items():
        if mine:  # else the findings of its rows say why
            _add(found, known, address, tuple(mine))
    return found


def _add(found: Aliases, known: Known, address: str, targets: tuple[str, ...]) -> None:
    others = tuple(target for target in targets if target != address)
    if address in known.accounts:
        _forward(found, address, others)
        return
    if not others:
        found.say(address, "alias_loop", "the alias leads to itself only and is left out", "note")
        return
    if len(others) < len(targets):
        found.say(address, "alias_loop", "the alias leads to itself, too; that part is left out", "note")
    if address.startswith("@") and not _one_kind(found, address, others):
        return
    if domain_of(address) not in known.domains and not _new_domain(found, address):
        return
    found.aliases.append(Alias(address, others))


def _forward(found: Aliases, address: str, others: tuple[str, ...]) -> None:
    """An alias of an account's own address: what it leads to are forwards, and the account does not lose its mail."""
    if others:
        message = f"an alias has the account's own address; it becomes a forward to {_list(others)} that keeps a copy"
        found.say(address, "alias_is_account", message)
        found.forwards[address] = others
    else:
        found.say(
            address, "alias_loop", "an alias of the account's own address leads to itself: it is left out", "note"
        )


def _one_kind(found: Aliases, address: str, targets: tuple[str, ...]) -> bool:
    """A whole domain leads to one other domain, or to addresses; not to both."""
    domains = [target for target in targets if target.startswith("@")]
    if not domains or len(targets) == 1:
        return True
    message = f"the domain leads to {_list(targets)}: one other domain, or addresses, would do; it is left out"
    found.say(address, "alias_ambiguous", message, "error")
    return False


def _new_domain(found: Aliases, address: str) -> bool:
    """Is the alias's unknown domain to be added? Only one that is an alias as a whole."""
    domain = domain_of(address)
    if not address.startswith("@"):
        found.say(address, "domain_missing", f"the domain {shown(domain)} is not among the site's domains", "error")
        return False
    found.say(address, "domain_added", "only an alias names the domain; it is taken for one of the site's")
    found.domains.add(domain)
    return True


def _name(row: AliasRow, known: Known) -> str:
    """The canonical address of the alias, ``@domain`` for a whole domain; :func:`alias_fault` judges what it is."""
    name = row.name.strip()
    own = canonical_domain(row.domain.strip().removeprefix("*").removeprefix("@"))
    if name in ("*", "*@", "@"):
        return f"@{own}"
    if name.startswith("*@"):
        name = name[1:]
    if "@" in name or not name:
        return canonical_address(name)
    domain = canonical_domain(name)
    if domain == own or domain in known.domains or (_is_domain(row.target, known) and "." in domain):
        return f"@{domain}"
    return canonical_address(f"{name}@{own}") if own else name


def _is_domain(target: str, known: Known) -> bool:
    """Does a target stand for a whole domain, without regard to what leads to it?"""
    target = target.strip()
    return target.startswith(("@", "*@")) or ("@" not in target and canonical_domain(target) in known.domains)


def _targets(row: AliasRow, address: str, known: Known, found: Aliases) -> list[str]:
    """The canonical targets of a row; what is none goes to the findings."""
    targets = []
    named = list(entries(row.target))
    own = canonical_domain(row.domain.strip().removeprefix("*").removeprefix("@")) or domain_of(address)
    for entry in named:
        target = _target(bare(entry), address.startswith("@"), own, known)
        whole = target.startswith("@")
        fault = alias_fault(target) if whole and address.startswith("@") else address_fault(target)
        if fault is None:
            targets.append(target)
        else:
            message = f"the alias does not lead to {shown(entry)}: {fault}; that part is left out"
            found.say(address, "alias_target_invalid", message)
    if row.folder.strip():
        targets += _from_folder(row, address, known, found, alone=not named)
    elif not named:
        found.say(address, "alias_empty", "a row of the alias leads nowhere; it is left out", "note")
    return targets


def _from_folder(row: AliasRow, address: str, known: Known, found: Aliases, *, alone: bool) -> list[str]:
    """An alias may name a mail folder: an account's own stands for the account, any other has no place."""
    account = known.folders.get(row.folder.strip().rstrip("/"))
    if account is not None:
        return [account] if alone else []
    level: Level = "warning" if alone else "note"
    message = f"the alias files mail into {shown(row.folder.strip())}, which is no account's; that has no place"
    found.say(address, "alias_folder", message, level)
    return []


def _target(entry: str, of_domain: bool, own: str, known: Known) -> str:
    """A target in canonical form; ``own`` is the domain that a bare local part belongs to."""
    if entry.startswith("*@"):
        entry = entry[1:]
    if "@" in entry or is_command(entry):
        return canonical_address(entry)
    local = canonical_address(f"{entry}@{own}")
    domain = canonical_domain(entry)
    if of_domain and (domain in known.domains or ("." in domain and local not in known.accounts)):
        return f"@{domain}"
    return local


def _list(targets: Iterable[str]) -> str:
    return shown(", ".join(targets)) or "nothing"
