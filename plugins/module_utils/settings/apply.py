# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Make a target match a snapshot: survey, plan, carry out, all in one transaction."""

from __future__ import annotations

from collections.abc import Callable

from .model import Customer, Password, Source
from .plan import Plan, Wish, plan
from .schemes import for_target
from .target import Place, State, TargetAdapter, Writing
from .things import customer_of


def preview(target: TargetAdapter, customer: Customer, wish: Wish, place: Place) -> Plan:
    """The plan, without a write and without a lock. Raises TenantError."""
    target.check(place)
    return plan(customer, _survey(target, customer, place, lock=False), target.capacity, wish)


def apply(
    target: TargetAdapter, customer: Customer, wish: Wish, place: Place, *, random: Callable[[int], bytes]
) -> Plan:
    """Plan and carry out; what was done. Everything is written at once or nothing is.

    The customer's rows are locked from the survey on, so that no change made meanwhile is lost. Raises TenantError, and
    DatabaseError when the target refuses.
    """

    def stored(password: Password) -> str:
        return for_target(password, place.password_scheme, random)

    with target.transaction():
        target.check(place)
        changes = plan(customer, _survey(target, customer, place, lock=True), target.capacity, wish)
        target.write(changes.changes, Writing(place, stored))
    return changes


def read(target: TargetAdapter, name: str, place: Place, source: Source) -> Customer:
    """What a customer has on a target, as if it were a source. Raises TenantError.

    :param name: what the customer is called.
    """
    target.check(place)
    state = target.survey(place, (), lock=False)
    return customer_of(name, source, state)


def _survey(target: TargetAdapter, customer: Customer, place: Place, *, lock: bool) -> State:
    names = {domain.name for domain in customer.domains} | {account.domain for account in customer.accounts}
    return target.survey(place, names | {alias.domain for alias in customer.aliases}, lock=lock)
