# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A plan for people: before and after of what changes, and the whole in numbers. Nothing secret is in either."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from .model import AutoReply, ExternalAccount
from .plan import Change, Plan
from .schemes import PLAIN, scheme_of
from .things import ACCOUNTS, ALIASES, CONTACTS, DOMAINS, KINDS, SENDERS, Attribute

View = dict[str, dict[str, Any]]


def described(changes: Plan, password_scheme: str) -> tuple[View, View]:
    """What is before and after, by kind and name, of the changed attributes only.

    ``password_scheme`` is what plain passwords are hashed with.
    """
    before: View = {DOMAINS: {}, ACCOUNTS: {}}
    after: View = {DOMAINS: {}, ACCOUNTS: {}}
    for change in changes.changes:
        if change.action == "note":
            continue
        old, new = _views(change, password_scheme)
        name = change.key or "*"
        if change.action != "create":
            before.setdefault(change.kind, {})[name] = old
        if change.action != "remove":
            after.setdefault(change.kind, {})[name] = new
    return before, after


def summary(changes: Plan) -> dict[str, int]:
    """The plan in numbers: things by kind, then what of accounts was set, then how often others had been at it."""
    found: dict[str, int] = {}
    for kind in KINDS:
        actions = [change.action for change in changes.of(kind)]
        found[f"{kind}_created"] = actions.count("create")
        found[f"{kind}_changed"] = actions.count("change")
        if kind in (ALIASES, SENDERS, CONTACTS):
            found[f"{kind}_removed"] = actions.count("remove")
        if kind != DOMAINS:
            found[f"{kind}_unchanged"] = changes.unchanged[kind]
    accounts = changes.of(ACCOUNTS)
    found["passwords_set"] = sum(change.password is not None for change in accounts)
    found["forwards_set"] = sum(_sets(change, "forwards", "keep_copy") for change in accounts)
    found["auto_replies_set"] = sum(_sets(change, "auto_reply") for change in accounts)
    found["lists_set"] = sum(_sets(change, "allowed", "blocked") for change in accounts)
    found["external_accounts_set"] = sum(_sets(change, "external") for change in accounts)
    found["left_out"] = len(changes.refused)
    found["conflicts"] = changes.conflicts
    return found


def _sets(change: Change, *names: str) -> bool:
    """Is one of these attributes written? Of a new account only what says something."""
    silent = {each.name: each for each in KINDS[ACCOUNTS]}
    for name in names:
        if name in change.fields:
            value = change.fields[name][1]
            if change.action != "create" or (name != "keep_copy" and not silent[name].says_nothing(value)):
                return True
    return False


def _views(change: Change, password_scheme: str) -> tuple[dict[str, Any], dict[str, Any]]:
    silent = {each.name: each for each in KINDS[change.kind]}
    old: dict[str, Any] = {}
    new: dict[str, Any] = {}
    for name, (before, after) in change.fields.items():
        attribute = silent.get(name)
        if change.action == "create" and attribute is not None and _untold(attribute, after, change):
            continue
        old[name], new[name] = _plain(before, after), _plain(after, before)
    if change.password is not None:
        scheme = password_scheme if change.password.scheme == PLAIN else change.password.scheme
        old["password"] = scheme_of(change.old_password)
        new["password"] = f"{{{scheme}}} (changed)"
    return old, new


def _untold(attribute: Attribute, value: Any, change: Change) -> bool:
    """Is there nothing to show of a new thing's attribute?"""
    if attribute.name == "display_name":
        return False
    return attribute.says_nothing(value) or (attribute.name == "keep_copy" and not change.fields["forwards"][1])


def _plain(value: Any, other: Any) -> Any:
    """A value as JSON has it; of a polled mailbox's password only whether there is one, and that it changed."""
    if isinstance(value, AutoReply):
        return asdict(value)
    if isinstance(value, ExternalAccount):
        view = {key: each for key, each in asdict(value).items() if key not in ("protocol", "host", "user", "password")}
        if value.password is not None:
            changed = isinstance(other, ExternalAccount) and other.password != value.password
            view["password"] = "(changed)" if changed else "(set)"
        return view
    if isinstance(value, Mapping):
        others = other if isinstance(other, Mapping) else {}
        return {key: _plain(each, others.get(key)) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(each, None) for each in value]
    return value
