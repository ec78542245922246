# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that proves the collection: unit and integration tests, the lab, benchmarks and fault runs."""
