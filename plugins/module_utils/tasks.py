# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Which mailboxes or accounts a run works on: who they are on both sides, and with which passwords."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import password_list
from .errors import InputError
from .progress import Words


@dataclass(frozen=True)
class Account:
    """A user on a server; the password is not needed where the server has an admin user, or a token for all."""

    user: str
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Task:
    """One mailbox or account to work on."""

    source: Account
    target: Account

    @property
    def name(self) -> str:
        """What it is called on the target."""
        return self.target.user


def tasks(options: Mapping[str, Any], words: Words) -> list[Task]:
    """What the option ``mailboxes`` or ``accounts`` (``words.places``) lists.

    One that has no password of its own gets the one that ``source_passwords`` or ``target_passwords`` has for its user.

    :raises InputError: an entry without a name, or a list that is none.
    :raises EscrowError: the list is an escrow that can't be used.
    """
    lists = [password_list.from_options(options.get(name), name) for name in ("source_passwords", "target_passwords")]
    found: list[Task] = []
    for number, one in enumerate(options[words.places]):
        source = str(one.get("source_user") or "").strip()
        if not source:
            option = f"{words.places}[{number}].source_user"
            raise InputError(f"every {words.place} needs its source_user", option=option)
        target = str(one.get("target_user") or source).strip()
        passwords = (
            one.get("source_password") or lists[0].get(source),
            one.get("target_password") or lists[1].get(target),
        )
        found.append(Task(Account(source, passwords[0]), Account(target, passwords[1])))
    return found
