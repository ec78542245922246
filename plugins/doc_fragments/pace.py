# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The option that says how fast a source may be read."""

from __future__ import annotations


class ModuleDocFragment:
    """Limits, by day and off-peak."""

    DOCUMENTATION = r"""
options:
  pace:
    description: How fast it may go.
    type: dict
    suboptions:
      connections:
        description: Mailboxes worked on at once; each takes one connection to either side. 8 by default.
        type: int
      messages_per_second:
        description: The most messages a second, all mailboxes together; 0 for no limit.
        type: float
      bytes_per_second:
        description: The most bytes a second, all mailboxes together; 0 for no limit.
        type: float
      bytes_per_day:
        description:
          - The most bytes of messages to read from the source in a day (UTC), over all runs with the same ledger; 0 for
            no limit. What is not done by then fails with kind V(budget_used_up), and the next day's run goes on there.
          - M(atmail.migration.mailbox_audit) has no ledger and counts nothing.
        type: int
      bytes_per_day_per_account:
        description: The same for each account of the source. Gmail gives out 2500 MB a day.
        type: int
      max_backoff:
        description:
          - The longest that a mailbox waits in a row for a server that asks for it, in seconds; 600 by default.
          - After that it fails with kind V(throttled), and the next run goes on there.
        type: float
      off_peak:
        description: Other limits for a time of day. What is not given here stays as by day.
        type: dict
        suboptions:
          start:
            description: Beginning of the window, as V(22:00).
            type: str
          end:
            description: End of the window; it may lie after midnight.
            type: str
          timezone:
            description: The time zone of both, as V(Europe/Berlin).
            type: str
            default: UTC
          connections:
            description: As above.
            type: int
          messages_per_second:
            description: As above.
            type: float
          bytes_per_second:
            description: As above.
            type: float
"""
