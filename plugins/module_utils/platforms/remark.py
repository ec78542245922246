# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Something to say of a source as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Remark:
    """``kind`` is a stable word; a ``warning`` wants somebody to look at it, a ``note`` is good to know."""

    kind: str
    message: str
    level: Literal["note", "warning"] = "note"
