# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab: on-premises Atmail sites and cloud regions made of real servers on loopback (see README.md)."""
