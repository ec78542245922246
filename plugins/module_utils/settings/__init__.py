# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The canonical customer: read from a source, kept as a snapshot, written to a target."""
