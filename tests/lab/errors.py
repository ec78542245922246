# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong with the lab itself."""

from __future__ import annotations


class LabError(Exception):
    """Something that the person at the keyboard has to know; the text says what, where, and the last log lines."""


class StartError(LabError):
    """A server did not come up. Names the server and shows the end of its log."""

    def __init__(self, server: str, reason: str, log_tail: str) -> None:
        shown = f"\n--- last lines of its log ---\n{log_tail}" if log_tail else " (its log is empty)"
        super().__init__(f"{server} did not start: {reason}{shown}")
        self.server = server
        self.reason = reason
        self.log_tail = log_tail
