# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""What the public names and ports of the cloud really answer (H11, H12, H19, H24 to H26).

:mod:`plan` says what is tried, :mod:`run` tries it, :mod:`verdicts` says what each answer means and what to do,
:mod:`pages` shows it. Nothing is ever logged in to, and no message is ever sent.
"""
