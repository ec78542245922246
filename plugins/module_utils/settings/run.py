# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What the three modules do: options in, result out. Each is one function from plain values to a plain value."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import AccountsFailedError, InputError, MigrationError
from ..platforms.options import database_server, overrides, ssh_server
from ..transport.database import Database
from ..transport.ssh import maybe_tunnel
from . import apply as applying
from . import document, options, snapshot
from .assess import counts
from .assessing import assessment, left_behind
from .escrow_guard import originals_for, refuse_generated
from .model import Customer, Finding, failing
from .plan import Plan
from .shown import described, summary
from .source import reading
from .targets import open_target
from .things import ACCOUNTS

_SHOWN = 5


def source_info(params: Mapping[str, Any]) -> dict[str, Any]:
    """The assessment of a source; reads only. Raises the errors of connecting, and of missing tables and columns."""
    with _of_customer(params):
        found = assessment(params)
        return {"changed": False, **found, "findings": _plain(found["findings"])}


def settings_snapshot(params: Mapping[str, Any], *, check_mode: bool, diff_mode: bool = False) -> dict[str, Any]:
    """Extract a customer into its snapshot; ``changed`` when the file changed, or would in check mode.

    Raises AccountsFailedError, with the whole result, when accounts had to be left out.
    """
    with _of_customer(params):
        path = Path(params["snapshot"])
        old = snapshot.read(path)
        before = None
        if old is not None:
            before = snapshot.load(path, params["vault_password"])
            if before.name != params["customer"]:
                raise InputError(f"{path} is the snapshot of the customer {before.name}", option="snapshot")
        with reading(params, originals_for(params)) as source:
            customer = source.customer
            stays = left_behind(source.place, params)
        refuse_generated(customer.accounts)
        new = snapshot.render(
            customer, params["vault_password"], random=os.urandom, label=params.get("vault_id"), old=old
        )
        changed = new != old
        if changed and not check_mode:
            snapshot.write(path, new)
        result = {
            "changed": changed,
            "snapshot": str(path),
            "counts": counts(customer),
            "accounts": [document.public_account(account) for account in customer.accounts],
            "mailboxes": _mailboxes(customer),
            "not_migrated": stays,
            "findings": _plain(customer.findings),
        }
        if diff_mode:
            result["diff"] = _snapshot_diff(before, customer, str(path))
        return _unless_failed(result, customer.findings, params)


def settings_apply(params: Mapping[str, Any], *, check_mode: bool, diff_mode: bool = False) -> dict[str, Any]:
    """Make the target match the snapshot; in check mode only say what would be done.

    Raises AccountsFailedError, with the whole result, when accounts could not be applied.
    """
    with _of_customer(params):
        customer = snapshot.load(Path(params["snapshot"]), params["vault_password"])
        if customer.name != params["customer"]:
            message = f"{params['snapshot']} is the snapshot of the customer {customer.name}"
            raise InputError(message, option="snapshot")
        refuse_generated(customer.accounts)
        customer = customer.only(params["domains"])
        wish, place = options.wish(params), options.place(params)
        only_look = check_mode or wish.phase == "closed"
        server = database_server(params)
        with (
            maybe_tunnel(ssh_server(params)) as tunnel,
            Database(server, tunnel, read_only=only_look) as database,
        ):
            target = open_target(params["profile"], database, overrides(params))
            if only_look:
                changes = applying.preview(target, customer, wish, place)
            else:
                changes = applying.apply(target, customer, wish, place, random=os.urandom)
        if wish.phase == "closed":
            changes = replace(changes, changes=())
        result = _apply_result(changes, customer)
        if diff_mode:
            before, after = described(changes, place.password_scheme)
            result["diff"] = {"before": before, "after": after}
        return _unless_failed(result, changes.findings, params)


def _apply_result(changes: Plan, customer: Customer) -> dict[str, Any]:
    made = tuple(each for each in customer.accounts if (ACCOUNTS, each.address) not in changes.refused)
    applied = replace(customer, accounts=made)
    return {
        "changed": changes.changed,
        "summary": summary(changes),
        "mailboxes": _mailboxes(applied),
        "findings": _plain(changes.findings),
    }


@contextlib.contextmanager
def _of_customer(params: Mapping[str, Any]) -> Iterator[None]:
    """Every error names the customer."""
    try:
        yield
    except MigrationError as error:
        raise error.at(customer=params["customer"]) from error.__cause__


def _snapshot_diff(before: Customer | None, after: Customer, name: str) -> dict[str, Any]:
    """What changes in the snapshot, without what stays; a password shows as its scheme."""
    old, new = (_by_name(before) if before else {}), _by_name(after)
    if before is not None:
        had = {account.address: account.password for account in before.accounts}
        for account in after.accounts:
            if account.address in had and account.password and account.password != had[account.address]:
                new[account.address] = {**new[account.address], "password": f"{{{account.password.scheme}}} (changed)"}
    return {
        "before_header": name,
        "after_header": name,
        "before": {key: value for key, value in old.items() if new.get(key) != value},
        "after": {key: value for key, value in new.items() if old.get(key) != value},
    }


def _by_name(customer: Customer) -> dict[str, Any]:
    """Domains (with an @), accounts and findings, each under a name of its own."""
    shown: dict[str, Any] = {f"@{domain.name}": {"enabled": domain.enabled} for domain in customer.domains}
    for account in customer.accounts:
        view = document.public_account(account)
        scheme = view.pop("password_scheme")
        shown[account.address] = {**view, "password": f"{{{scheme}}}" if scheme else "none"}
    for finding in customer.findings:
        shown[f"{finding.kind} {finding.account}".strip()] = finding.message
    return shown


def _unless_failed(result: dict[str, Any], findings: Iterable[Finding], params: Mapping[str, Any]) -> dict[str, Any]:
    """The result, unless something was left out and that is not to be ignored."""
    bad = failing(findings)
    if not bad or params["ignore_account_errors"]:
        return result
    first = "; ".join(f"{finding.account}: {finding.message}" for finding in bad[:_SHOWN])
    more = f"; and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
    error = AccountsFailedError(f"{len(bad)} findings say what was left out: {first}{more}.", account=bad[0].account)
    kinds = {finding.kind for finding in bad}
    if len(kinds) == 1:
        error.kind = kinds.pop()
    error.done = result
    raise error


def _mailboxes(customer: Customer) -> list[dict[str, str]]:
    """As mailbox_sync takes them."""
    return [{"source_user": each.source_user, "target_user": each.address} for each in customer.accounts]


def _plain(findings: Iterable[Finding]) -> list[dict[str, str]]:
    return [finding.as_dict() for finding in sorted(findings)]
