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
  csv:
    description:
      - Files of comma-separated values, for a customer of another provider. It goes with O(profile=csv).
      - The first line of each names the columns, in any order and in the names that the usual exports have for them
        (docs/other-sources.md); O(overrides) can name others.
      - Each file may be encrypted by PGP (O(pgp)) or Ansible Vault (O(csv.vault_password)).
    type: dict
    suboptions:
      accounts:
        description: The accounts, each with an address, and whatever else there is to say of it.
        type: path
        required: true
      aliases:
        description: Aliases and where they lead; several rows for one alias are all its targets.
        type: path
      forwards:
        description: Forwards of accounts, besides those that O(csv.accounts) names.
        type: path
      lists:
        description: Senders that are allowed or blocked, by an account, a domain or everybody.
        type: path
      domains:
        description: The mail domains. Without it, those that accounts and aliases are in.
        type: path
      encoding:
        description:
          - The encoding of all files. A byte order mark in a file counts for more.
          - A file that is not in it is refused. What is in another encoding than UTF-8 is reported.
        type: str
        choices: [utf-8, utf-16, windows-1252, iso-8859-1, iso-8859-2, iso-8859-15, windows-1250]
        default: utf-8
      delimiter:
        description: What stands between cells. V(auto) looks with which one the first line names columns.
        type: str
        choices: [auto, semicolon, comma, tab]
        default: auto
      vault_password:
        description: The Ansible Vault password of files that were encrypted by C(ansible-vault encrypt).
        type: str
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
