# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens when something breaks in the middle."""
