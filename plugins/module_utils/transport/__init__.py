# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Ways to a server: TCP, SSH channels, databases."""
