# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""OpenPGP (RFC 4880, RFC 9580) through GnuPG: what a customer sends is opened, what is handed over is encrypted.

``received`` opens, ``handover`` encrypts, ``public_keys`` judges a recipient's key, ``home`` keeps GnuPG itself.
"""
