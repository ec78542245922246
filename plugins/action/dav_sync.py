# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
#
# The controller's half of dav_sync: shows how far the module is, and prints a short table at the end.

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.atmail.migration.plugins.module_utils.summary import dav_table
from ansible_collections.atmail.migration.plugins.plugin_utils.watched import WatchedAction


class ActionModule(WatchedAction):
    """Runs ``dav_sync`` and shows its progress; see the module for options and results."""

    def report(self, customer: str, result: Mapping[str, Any]) -> list[str]:
        return dav_table(customer, result)
