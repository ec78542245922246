# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The option that says what an estimate is based on."""

from __future__ import annotations


class ModuleDocFragment:
    """Rates, where they come from, and what may be measured."""

    DOCUMENTATION = r"""
options:
  estimate:
    description:
      - What the estimated time is based on. For each rate the best figure counts that there is. That is what
        O(estimate.rates) gives, else what an earlier run took, else what was measured, else a cautious assumption.
      - There is an estimate with O(imap) only. It says for every figure where it comes from, and gives a range.
    type: dict
    suboptions:
      rates:
        description: Rates of one connection that are known.
        type: dict
        suboptions:
          log_in:
            description: Seconds that a log-in takes.
            type: float
          round_trip:
            description: Seconds that an answer takes at least, on the slower of both sides.
            type: float
          bytes_per_second:
            description: Bytes that one connection copies in a second.
            type: float
          messages_per_second:
            description: Messages that one connection copies in a second.
            type: float
      earlier:
        description:
          - Records of earlier runs of this customer, in JSON. That is the result of M(atmail.migration.mailbox_sync),
            or of M(atmail.migration.source_info) that had such rates. The first that tells anything counts.
          - A file that is not there is ignored.
        type: list
        elements: path
        default: []
      connections:
        description: The most connections that both sides take at once; O(imap.max_connections) by default.
        type: int
      measure:
        description:
          - Whether to measure how fast the source gives mail, and how far away both sides are.
          - One log-in, and a few of the newest messages of the largest mailbox, which are read without marking them.
            With O(imap.protocol=pop3) nothing is read.
        type: bool
        default: false
      measure_bytes:
        description: The most bytes to read for that.
        type: int
        default: 8000000
      measure_seconds:
        description: Seconds after which no further messages are asked for.
        type: float
        default: 10.0
      target:
        description: The target's IMAP server, for O(estimate.measure). It is connected to; nobody logs in.
        type: dict
        suboptions:
          host:
            description: Name or address of the server.
            type: str
            required: true
          port:
            description: Its port; 993 for O(estimate.target.security=tls), else 143.
            type: int
          security:
            description: How the connection is encrypted; as O(imap.security).
            type: str
            choices: [tls, starttls, plain]
            default: tls
          allow_plaintext:
            description: Whether O(estimate.target.security=plain) is meant.
            type: bool
            default: false
          validate_certs:
            description: Whether the server's certificate must be valid for O(estimate.target.host).
            type: bool
            default: true
          ca_path:
            description: File with the authorities to trust, in PEM form; the system's by default.
            type: path
          min_tls:
            description: The least version of TLS to accept; V(1.2) or V(1.3).
            type: str
            choices: ["1.0", "1.1", "1.2", "1.3"]
            default: "1.2"
          timeout:
            description: Seconds to wait for each answer.
            type: float
            default: 30.0
"""
