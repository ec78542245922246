# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The few forms of statements that read rows. Names are quoted ones of the real schema, values are parameters."""

from __future__ import annotations

from collections.abc import Sequence

from ...platforms.shape import BoundTable
from ...transport.database import quoted
from .digests import together


def select(table: BoundTable, values: Sequence[str], where: str, order: str = "") -> str:
    """These expressions of a table's rows; ``order`` is the key of a column."""
    ordered = f" ORDER BY {table.column(order)}" if order else ""
    return f"SELECT {', '.join(values)} FROM {quoted(table.name)} WHERE {where}{ordered}"  # noqa: S608 -- quoted names


def digest_of_rows(table: BoundTable, digest: str, where: str, group: str = "") -> str:
    """What :func:`digests.together` makes of the rows' digests; with ``group`` (a column's key) for each of its values.

    The first value of a row is then the group's, before those for :func:`digests.word`.
    """
    key = table.column(group) if group else "0"
    inner = f"SELECT {key} AS group_, {digest} AS digest_ FROM {quoted(table.name)} WHERE {where}"  # noqa: S608 -- same
    return f"SELECT group_, {together('digest_')} FROM ({inner}) AS own GROUP BY group_"  # noqa: S608 -- same


def among(table: BoundTable, key: str, values: Sequence[object]) -> str:
    """The condition that a column has one of these values, which go in as parameters; there must be one."""
    return f"{table.column(key)} IN ({', '.join(['%s'] * len(values))})"


def equals(table: BoundTable, key: str) -> str:
    """The condition that a column has the value that goes in as a parameter."""
    return f"{table.column(key)} = %s"
