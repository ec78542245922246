# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A file that ``mysqldump`` made, as a database to read: opened, taken apart, loaded into a MariaDB of our own.

A dump comes from outside and is a program in SQL. No client ever runs it: it is taken apart here, and only statements
that make and fill tables go to the server, through a user who may do nothing else.
"""

from __future__ import annotations

from .database import Dump, dumped
from .load import remarks

__all__ = ["Dump", "dumped", "remarks"]
