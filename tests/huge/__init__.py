# SPDX-License-Identifier: GPL-3.0-or-later
"""Huge folders and huge messages between the lab's servers, and the memory that the engine needs for them."""
