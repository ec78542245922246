# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Option for a way through SSH."""

from __future__ import annotations


class ModuleDocFragment:
    """A server that connections go through."""

    DOCUMENTATION = r"""
options:
  ssh:
    description:
      - The SSH server that the database is reached through. Without it the database is reached directly.
      - Nothing is run there and no port is opened here; O(database) travels in a channel of the SSH connection.
    type: dict
    suboptions:
      host:
        description: Name or address of the SSH server.
        type: str
        required: true
      port:
        description: Its port.
        type: int
        default: 22
      user:
        description: The user to log in as.
        type: str
        required: true
      key_file:
        description: File with the private key. Give this or O(ssh.password).
        type: path
      key_passphrase:
        description: The passphrase of the private key, where it has one.
        type: str
      password:
        description: The user's password. Give this or O(ssh.key_file).
        type: str
      known_hosts:
        description: File with the host keys to trust. The server's key must be in it.
        type: path
        default: ~/.ssh/known_hosts
      timeout:
        description: Seconds to wait for each step of the connection.
        type: float
        default: 30.0
      keepalive:
        description: Seconds between signs of life; V(0) for none.
        type: int
        default: 30
      legacy_algorithms:
        description:
          - Whether algorithms that are no longer safe may be used, for servers that have no others.
          - Paramiko 5 has dropped the oldest ones; servers that need them need Paramiko 3.4 to 4 here.
        type: bool
        default: false
"""
