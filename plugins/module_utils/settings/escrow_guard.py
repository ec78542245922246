# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""No generated password is ever migrated: what extraction reads while an escrow is open, and what nobody may apply."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .. import escrow_file
from ..errors import EscrowOpenError
from ..transport.database import text
from .escrow_forms import marked
from .escrow_plan import PASSWORD, originals
from .model import Account

#: Where an escrow is looked for beside a snapshot when nobody names it.
BESIDE = "escrow.json"


def originals_for(params: Mapping[str, Any]) -> dict[str, str | None]:
    """Stored password → the original behind it, of the option ``escrow``, or of the customer's escrow beside the
    snapshot. Empty when there is none.

    Raises EscrowError and its kinds: one that is named has to be this customer's, and one that is there has to open.
    """
    given = params.get("escrow")
    path = Path(given).expanduser() if given else Path(params["snapshot"]).with_name(BESIDE)
    if not given:
        found = escrow_file.state(path)
        if found is None or found.customer != params["customer"]:
            return {}
    book = escrow_file.load(path, params["vault_password"], params["customer"])
    if book is None:
        return {}
    return {
        text(stored) or "": text(original)
        for (column, stored), original in originals(book).items()
        if column == PASSWORD
    }


def refuse_generated(accounts: Iterable[Account]) -> None:
    """Raises EscrowOpenError when accounts have passwords that an escrow has set, and not their users' own."""
    number = marked(account.password for account in accounts if account.password is not None)
    if number:
        message = f"{number} accounts have generated passwords of an escrow instead of their users' own"
        raise EscrowOpenError(message)
