# SPDX-License-Identifier: GPL-3.0-or-later
"""Public ports as they should not be: real TLS with wrong certificates and versions, and servers that say anything."""
