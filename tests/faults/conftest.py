# SPDX-License-Identifier: GPL-3.0-or-later
"""The same servers as the integration tests have."""

from __future__ import annotations

from tests.integration.conftest import pair, world

__all__ = ["pair", "world"]
