# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What is still missing before a customer's migration can start, item by item, and whose turn it is (H20 to H22).

Stands above settings/, mail/, pgp/ and transport/, which it asks; nothing there knows of it. Everything only reads.
"""
