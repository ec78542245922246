# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The file that remembers record sets as they were before we changed them, so that they can be put back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..private_file import write_private
from ..transport.nameupdate import RrSet
from .changes import Kept

FORMAT = 1
_OPTION = "backup"


def load(path: Path, customer: str) -> list[Kept]:
    """What the file remembers; nothing where there is none. Raises InputError for a file that is not ours."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} can't be read: {type(error).__name__}", option=_OPTION) from error
    try:
        value = json.loads(text)
        if value["format"] != FORMAT or value["customer"] != customer:
            raise InputError(f"{path} is of another customer, or of another version", option=_OPTION)
        return [_kept(one) for one in value["records"]]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is no file of records that were changed", option=_OPTION) from error


def save(path: Path, customer: str, kept: Sequence[Kept]) -> None:
    """Write the file whole or not at all (0600). Raises InputError."""
    records = [
        {
            "zone": one.zone,
            "name": one.name,
            "type": one.kind,
            "before": _set(one.before),
            "after": _set(one.after),
            "when": one.when,
        }
        for one in kept
    ]
    text = json.dumps({"format": FORMAT, "customer": customer, "records": records}, indent=1)
    write_private(path, f"{text}\n".encode(), option=_OPTION)


def _set(rrset: RrSet) -> dict[str, Any]:
    return {"ttl": rrset.ttl, "values": list(rrset.values)}


def _rrset(value: Mapping[str, Any]) -> RrSet:
    return RrSet(int(value["ttl"]), tuple(str(each) for each in value["values"]))


def _kept(value: Mapping[str, Any]) -> Kept:
    names = (str(value["zone"]), str(value["name"]), str(value["type"]))
    return Kept(*names, _rrset(value["before"]), _rrset(value["after"]), str(value["when"]))
