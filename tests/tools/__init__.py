# SPDX-License-Identifier: GPL-3.0-or-later
"""Small programs that the Makefile calls."""
