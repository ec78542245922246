# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Certificates on HAProxy: its files, its list of certificates, and the running process, always all three alike.

``survey`` says what is there, ``plan`` what is to be done (pure), ``apply`` does it; ``runtime`` speaks to the process.
"""
