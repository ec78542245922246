# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What has to change on the target so that it matches a snapshot: pure, from two plain values to a third.

For every attribute three values are compared: what the target has, what the snapshot wants, and what a migration wrote
last (docs/cloud-schema.md). Only where the target differs from both has somebody else been at it: a policy decides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .model import Account, Customer, Domain, Finding, Level, Password
from .profiles.shape import TargetProfile
from .schemes import PLAIN, same, scheme_of
from .target import Applied, TargetAccount, TargetDomain, TargetState

Policy = Literal["replace", "keep", "keep_and_warn", "keep_and_fail"]
POLICIES: tuple[Policy, ...] = ("replace", "keep", "keep_and_warn", "keep_and_fail")

Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Wish:
    """What a run is asked for: whose subscription, and what to do where somebody else changed the target."""

    subscription: str
    on_conflict: Policy = "replace"
    on_password_conflict: Policy = POLICIES[2]


@dataclass(frozen=True)
class DomainChange:
    """A domain to make, or attributes of it to change: name → (before, after)."""

    name: str
    create: bool
    fields: Mapping[str, tuple[Any, Any]]
    applied: Applied


@dataclass(frozen=True)
class AccountChange:
    """An account to make, or attributes of it to change; ``password`` is what to set, None to leave it."""

    address: str
    create: bool
    fields: Mapping[str, tuple[Any, Any]]
    applied: Applied
    password: Password | None = None
    old_password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Plan:
    """Everything that is to be done, in order, and what is to be said about the rest."""

    domains: tuple[DomainChange, ...]
    accounts: tuple[AccountChange, ...]
    unchanged: int
    conflicts: int
    findings: tuple[Finding, ...]

    @property
    def changed(self) -> bool:
        """Is there anything to write?"""
        return bool(self.domains or self.accounts)


def digest(stored: str) -> str:
    """What is noted of a stored password, to know it again."""
    return hashlib.sha256(stored.encode()).hexdigest()


def plan(customer: Customer, state: TargetState, profile: TargetProfile, wish: Wish) -> Plan:
    """The plan for one customer."""
    work = _Planner(profile, wish)
    foreign = {domain.name for domain in state.domains.values() if domain.subscription != wish.subscription}
    domains = [
        work.domain(domain, state.domains.get(domain.name)) for domain in customer.domains if domain.name not in foreign
    ]
    accounts = [
        work.account(account, state.accounts.get(account.address), foreign=account.domain in foreign)
        for account in customer.accounts
    ]
    known = {account.address for account in customer.accounts} | {finding.account for finding in customer.findings}
    work.findings += [
        Finding(address, "not_in_snapshot", "the account is on the target only; it is left as it is")
        for address, there in state.accounts.items()
        if address not in known and there.domain not in foreign
    ]
    return Plan(
        domains=tuple(change for change in domains if change),
        accounts=tuple(change for change in accounts if change),
        unchanged=accounts.count(None) - len(work.refused & {account.address for account in customer.accounts}),
        conflicts=work.conflicts,
        findings=tuple(sorted(work.findings)),
    )


def described(changes: Plan, password_scheme: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The plan for people to read: what is before and after, of the changed attributes only. Shows no secret.

    ``password_scheme`` is what plain passwords are hashed with.
    """
    before: dict[str, dict[str, Any]] = {"domains": {}, "accounts": {}}
    after: dict[str, dict[str, Any]] = {"domains": {}, "accounts": {}}
    for domain in changes.domains:
        if not domain.create:
            before["domains"][domain.name] = {key: old for key, (old, dummy) in domain.fields.items()}
        after["domains"][domain.name] = {key: new for key, (dummy, new) in domain.fields.items()}
    for account in changes.accounts:
        old_view = {key: old for key, (old, dummy) in account.fields.items()}
        new_view = {key: new for key, (dummy, new) in account.fields.items()}
        if account.password is not None:
            scheme = password_scheme if account.password.scheme == PLAIN else account.password.scheme
            old_view["password"] = scheme_of(account.old_password)
            new_view["password"] = f"{{{scheme}}} (changed)"
        if not account.create:
            before["accounts"][account.address] = old_view
        after["accounts"][account.address] = new_view
    return before, after


class _Planner:
    """Gathers findings and counts while the changes are made up."""

    def __init__(self, profile: TargetProfile, wish: Wish) -> None:
        self.profile = profile
        self.wish = wish
        self.findings: list[Finding] = []
        self.conflicts = 0
        self.refused: set[str] = set()

    def domain(self, wanted: Domain, there: TargetDomain | None) -> DomainChange | None:
        """The change to a domain, None when there is none."""
        where = f"@{wanted.name}"
        fields = {"enabled": wanted.enabled}
        if there is None:
            return DomainChange(wanted.name, True, {key: (None, value) for key, value in fields.items()}, fields)
        changes = self._changes(where, fields, {"enabled": there.enabled}, there.applied)
        if not changes or where in self.refused:
            return None
        return DomainChange(wanted.name, False, changes, _noted(there.applied, changes))

    def account(self, wanted: Account, there: TargetAccount | None, *, foreign: bool) -> AccountChange | None:
        """The change to an account, None when there is none or it was refused."""
        fields = self._fields(wanted)
        if foreign:
            message = f"the domain {wanted.domain} belongs to another subscription on the target"
            self._refuse(wanted.address, "foreign_domain", message)
        if wanted.address in self.refused:
            return None
        if there is None:
            created = {key: (None, value) for key, value in fields.items()}
            return AccountChange(wanted.address, True, created, fields, wanted.password)
        current = {key: getattr(there, key) for key in fields}
        changes = self._changes(wanted.address, fields, current, there.applied)
        password = wanted.password if self._sets_password(wanted, there) else None
        if wanted.address in self.refused:
            return None
        applied = _noted(there.applied, changes)
        if there.migrate_status == self.profile.unprovisioned_word:
            changes["migrate_status"] = (there.migrate_status, self.profile.provisioned_word)
        if not changes and password is None:
            return None
        return AccountChange(wanted.address, False, changes, applied, password, there.password)

    def _fields(self, wanted: Account) -> dict[str, Any]:
        """The account's attributes as the target can hold them; refuses an account that it can't hold."""
        limits = self.profile.limits
        # A plain password is hashed, and a hash always fits.
        carried = wanted.password.stored if wanted.password and wanted.password.scheme != PLAIN else ""
        if len(wanted.address) > limits["address"] or len(carried) > limits["password"]:
            message = "the address or the password is longer than the target can hold"
            self._refuse(wanted.address, "value_too_long", message)
        name = wanted.display_name
        if len(name) > limits["display_name"]:
            message = f"the display name is cut to {limits['display_name']} characters"
            self.findings.append(Finding(wanted.address, "value_shortened", message, "warning"))
            name = name[: limits["display_name"]]
        return {"display_name": name, "enabled": wanted.enabled, "quota_bytes": wanted.quota_bytes}

    def _changes(self, where: str, wanted: Fields, current: Fields, applied: Applied) -> dict[str, tuple[Any, Any]]:
        changes = {}
        for key, value in wanted.items():
            now = current[key]
            if now == value:
                continue
            ours = key in applied and applied[key] == now
            if ours or self._conflict(where, "changed_on_target", key, self.wish.on_conflict):
                changes[key] = (now, value)
        return changes

    def _sets_password(self, wanted: Account, there: TargetAccount) -> bool:
        if wanted.password is None or same(wanted.password, there.password):
            return False
        note = there.applied.get("password")
        if there.password is None:
            ours = note is None  # there has never been one
        else:
            ours = note == digest(there.password) and there.password_status != self.profile.changed_word
        policy = self.wish.on_password_conflict
        return ours or self._conflict(wanted.address, "password_changed_on_target", "password", policy)

    def _conflict(self, where: str, kind: str, key: str, policy: Policy) -> bool:
        """Say so; True when the target's value is to be replaced all the same."""
        self.conflicts += 1
        level, outcome = _OUTCOMES[policy]
        message = f"{key} on the target is not what a migration wrote: {outcome}"
        self.findings.append(Finding(where, kind, message, level))
        if policy == "keep_and_fail":
            self.refused.add(where)
        return policy == "replace"

    def _refuse(self, where: str, kind: str, message: str) -> None:
        self.findings.append(Finding(where, kind, message, "error"))
        self.refused.add(where)


_OUTCOMES: Mapping[Policy, tuple[Level, str]] = {
    "replace": ("warning", "it is replaced"),
    "keep": ("note", "it is kept"),
    "keep_and_warn": ("warning", "it is kept"),
    "keep_and_fail": ("error", "nothing of this is changed"),
}


def _noted(applied: Applied, changes: Mapping[str, tuple[Any, Any]]) -> dict[str, Any]:
    return {**applied, **{key: after for key, (dummy, after) in changes.items()}}
