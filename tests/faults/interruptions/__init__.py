# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine is stopped at every single step, as a kill -9 would, and run again: the model is isync's run-tests.pl."""
