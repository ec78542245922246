# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""DKIM (RFC 6376, RFC 8301, RFC 8463): keys, their DNS records, and the tables that a signer signs by."""
