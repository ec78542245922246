# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Two customers, one from a source and one read back from a target: what is not the same."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.atmail.migration.plugins.module_utils.settings.model import Account, Customer
from ansible_collections.atmail.migration.plugins.module_utils.settings.schemes import same


def differences(wanted: Customer, there: Customer) -> list[str]:
    """Everything but where it was read from; a plain password is the same as its hash."""
    found = []
    for name in ("domains", "aliases", "senders", "contacts"):
        ours, theirs = set(getattr(wanted, name)), set(getattr(there, name))
        found += [f"{name} only wanted: {each}" for each in ours - theirs]
        found += [f"{name} only there: {each}" for each in theirs - ours]
    ours_by, theirs_by = ({each.address: each for each in side.accounts} for side in (wanted, there))
    found += [f"accounts only on one side: {each}" for each in ours_by.keys() ^ theirs_by.keys()]
    for address in ours_by.keys() & theirs_by.keys():
        found += _account(ours_by[address], theirs_by[address])
    return sorted(found)


def _account(wanted: Account, there: Account) -> list[str]:
    found = []
    if wanted.password is None or there.password is None:
        if wanted.password is not there.password:
            found.append(f"{wanted.address}: one has a password, the other has none")
    elif not same(wanted.password, there.password.stored):
        found.append(f"{wanted.address}: another password")
    ours, theirs = _bare(wanted), _bare(there)
    if ours != theirs:
        found.append(f"{wanted.address}: {ours} is {theirs}")
    if wanted.forwards and wanted.keep_copy is not there.keep_copy:
        found.append(f"{wanted.address}: keep_copy is {there.keep_copy}")
    return found


def _bare(account: Account) -> Account:
    return replace(account, source_user="", password=None, keep_copy=True)
