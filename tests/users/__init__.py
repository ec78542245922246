# SPDX-License-Identifier: GPL-3.0-or-later
"""Random users on both sides, with runs and kills in between: what must never happen, watched for as long as wished."""
