# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What a customer's zones should say about the cloud, what each name server does say, and what that means (H27-H38).

Verdicts are pure: what was asked comes in as values of transport/nameserver.py.
"""
