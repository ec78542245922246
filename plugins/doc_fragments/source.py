# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Options for a source of settings; to be named before the fragment ``database``, which it changes."""

from __future__ import annotations


class ModuleDocFragment:
    """Where a customer's settings come from: a database, or files that the customer has sent."""

    DOCUMENTATION = r"""
options:
  database:
    description: The MySQL or MariaDB database, when the source is one that can be reached.
    required: false
  dump:
    description:
      - A file that C(mysqldump) or C(mariadb-dump) made of the source's database, for a customer who gives no access.
      - It is loaded into a MariaDB that is started for it, has no network, and is removed with all its data afterwards.
        Only statements that make and fill tables are taken from it, and nothing in it is run by a client.
      - Needs the programs of the package C(mariadb-server) where the module runs; no service has to run.
    type: dict
    suboptions:
      path:
        description:
          - The file. It may be compressed by gzip, bzip2, xz or zstd, and encrypted by PGP (O(pgp)).
        type: path
        required: true
      database:
        description: Which database to read when the dump holds several.
        type: str
      allow_truncated:
        description:
          - Whether to take a dump that has no mark of its end. Without it such a dump is refused, since a part of the
            customer may be missing. C(mysqldump --compact) writes no mark.
        type: bool
        default: false
      workspace:
        description:
          - A folder for the data while it is looked at; by default the system's for temporary files. It needs as much
            space as the dump unpacked, and 300 MB.
        type: path
  pgp:
    description: What opens a file that is encrypted by PGP.
    type: dict
    suboptions:
      keyring:
        description: A folder of GnuPG with the secret key.
        type: path
      key_files:
        description: Files with secret keys, instead of O(pgp.keyring). They are put into a throw-away home.
        type: list
        elements: path
        default: []
      passphrase:
        description: The key's passphrase, or that of a file encrypted with a passphrase alone.
        type: str
requirements:
  - MariaDB's server programs >= 10.6, with O(dump)
  - python-gnupg >= 0.5.2, with O(pgp)
"""
