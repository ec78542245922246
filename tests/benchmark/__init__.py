# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast and how small the engine is, next to a peer in the same run; see docs/benchmarks.md."""
