# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
#
# The controller's half of dav_audit: shows how far the module is.

from __future__ import annotations

from ansible_collections.atmail.migration.plugins.plugin_utils.watched import WatchedAction


class ActionModule(WatchedAction):
    """Runs ``dav_audit`` and shows its progress; see the module for options and results."""
