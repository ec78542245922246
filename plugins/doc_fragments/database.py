# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Options for a database, and for what is in it."""

from __future__ import annotations


class ModuleDocFragment:
    """A customer's settings in a database."""

    DOCUMENTATION = r"""
options:
  customer:
    description: The customer's name. It stands in the snapshot and in every error.
    type: str
    required: true
  database:
    description: The MySQL or MariaDB database.
    type: dict
    required: true
    suboptions:
      host:
        description: Its name or address, as the SSH server sees it when there is one.
        type: str
        default: 127.0.0.1
      port:
        description: Its port.
        type: int
        default: 3306
      name:
        description: The database's name.
        type: str
        required: true
      user:
        description: The user to log in as. A source is only read.
        type: str
        required: true
      password:
        description: The user's password.
        type: str
        required: true
      tls:
        description:
          - Whether to speak TLS 1.2 or later, with a certificate that is valid for O(database.host).
          - By default V(true) without O(ssh), V(false) with it. Without both, only the loopback is allowed.
        type: bool
      ca_path:
        description: File with the authorities to trust, in PEM form; the system's by default.
        type: path
      timeout:
        description: Seconds to wait for the connection, and for each answer.
        type: float
        default: 30.0
  overrides:
    description: Names of this database that differ from the O(profile)'s, by the profile's own keys (docs/settings.md).
    type: dict
    default: {}
    suboptions:
      tables:
        description: Table key to table name.
        type: dict
        default: {}
      columns:
        description: Table key to column key to column name.
        type: dict
        default: {}
      settings:
        description: Setting of the site to its value, such as C(password_type) to V(MD5).
        type: dict
        default: {}
requirements:
  - PyMySQL >= 1.1
  - paramiko >= 3.4, with O(ssh)
"""
