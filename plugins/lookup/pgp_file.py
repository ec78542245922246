# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: pgp_file
short_description: Read a secret that was received as a file, decrypted when it is encrypted by PGP
version_added: 0.1.0
author:
  - The atmail.migration developers (@atmail)
description:
  - Gives what a file says. One that is encrypted by PGP is opened on the controller, in memory; any other is read as it
    is.
  - The result is data from somebody else and is never a template.
  - A task that uses it should say C(no_log=true), since Ansible can't know which of its values are secret.
options:
  _terms:
    description: Paths of files, looked for as M(ansible.builtin.file) looks for them.
    type: list
    elements: str
    required: true
  keyring:
    description: GnuPG's folder (its home) with the key that opens the file.
    type: path
  key_files:
    description: Files with secret keys, instead of O(keyring). They are put into a throw-away home.
    type: list
    elements: path
    default: []
  passphrase:
    description: The passphrase of the key, or of a file that is encrypted with a passphrase alone.
    type: str
  rstrip:
    description: Whether white space at the end is taken away, as it is wanted for a password.
    type: bool
    default: true
  base64:
    description: Whether the result is the content in Base64, for a file that is not UTF-8 text. Its end stays then.
    type: bool
    default: false
  signature:
    description: A file with a detached signature over the file as it was received. With it O(signer) is needed.
    type: path
  signer:
    description: The whole fingerprint of the key that made O(signature).
    type: str
  signer_key_file:
    description: The file with that public key; without it the key is in O(keyring).
    type: path
requirements:
  - gpg, the program
  - python-gnupg >= 0.5.2
seealso:
  - module: atmail.migration.pgp_encrypt
"""

EXAMPLES = r"""
- name: Use a password that the customer has sent encrypted
  ansible.builtin.set_fact:
    acme_database_password: >-
      {{ lookup('atmail.migration.pgp_file', 'acme/database-password.asc', keyring='~/.gnupg-migration',
                passphrase=vault_pgp_passphrase) }}
  no_log: true
"""

RETURN = r"""
_raw:
  description: What each file says.
  type: list
  elements: str
"""

import base64
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.atmail.migration.plugins.module_utils.errors import MigrationError
from ansible_collections.atmail.migration.plugins.module_utils.pgp.home import PgpKeys
from ansible_collections.atmail.migration.plugins.module_utils.pgp.received import read_received, verify


class LookupModule(LookupBase):
    """The lookup for Ansible."""

    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[str]:
        """What each file says."""
        self.set_options(var_options=variables, direct=kwargs)
        keys = PgpKeys(
            self.get_option("keyring"), tuple(self.get_option("key_files")), self.get_option("passphrase") or None
        )
        try:
            return [self._read(self.find_file_in_search_path(variables, "files", term), term, keys) for term in terms]
        except MigrationError as error:
            raise AnsibleLookupError(f"{str(error).rstrip('.')}. {error.safe_next} ({error.kind})") from None

    def _read(self, found: str | None, term: str, keys: PgpKeys) -> str:
        if found is None:
            raise AnsibleLookupError(f"there is no file {term}")
        path = Path(found)
        self._verify(path, keys)
        content = read_received(path, keys)
        if self.get_option("base64"):
            return base64.b64encode(content).decode("ascii")
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise AnsibleLookupError(f"{path} is not UTF-8 text; base64=true gives its bytes") from None
        return text.rstrip() if self.get_option("rstrip") else text

    def _verify(self, path: Path, keys: PgpKeys) -> None:
        signature, signer = self.get_option("signature"), self.get_option("signer")
        if bool(signature) != bool(signer):
            raise AnsibleLookupError("signature and signer belong together")
        if signature and signer:
            own = self.get_option("signer_key_file")
            verify(path, signature, signer, PgpKeys(None if own else keys.keyring, (own,) if own else ()))
