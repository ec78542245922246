# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: settings_snapshot
short_description: Extract a customer's domains, accounts and passwords into a snapshot
version_added: 0.1.0
author:
  - The atmail.migration developers (@atmail)
description:
  - Reads the source's database and keeps what it found as one file, sorted and stable. Extracting the same data again
    leaves the file as it is, byte for byte.
  - Passwords stay as they are stored. They are in the file as one Ansible Vault text, in no other place.
  - An account that can't be migrated is left out and reported; all others are in the snapshot all the same.
extends_documentation_fragment:
  - atmail.migration.source
  - atmail.migration.database
  - atmail.migration.domains
  - atmail.migration.ssh
  - atmail.migration.snapshot
attributes:
  check_mode:
    support: full
    description: Reads the source and says whether the snapshot would change.
  diff_mode:
    support: full
    description: Shows the domains, accounts and findings that change; of a password its scheme only.
options:
  profile:
    description: What the source is.
    type: str
    choices: [atmail, csv, postfixadmin]
    default: atmail
  escrow:
    description:
      - Path of the escrow file of M(atmail.migration.password_escrow), encrypted with the same O(vault_password).
        Where a row holds a generated password, its original is taken.
      - By default C(escrow.json) beside O(snapshot), where it is this customer's. A source with generated passwords of
        which no originals are known is refused with kind V(escrow_open), and nothing is written.
    type: path
  vault_id:
    description: Label of the vault password, to be written into the header of the Ansible Vault text.
    type: str
seealso:
  - module: atmail.migration.settings_apply
"""

EXAMPLES = r"""
- name: Extract a customer
  atmail.migration.settings_snapshot:
    customer: acme
    ssh:
      host: mail.acme.example
      user: migration
      key_file: /etc/migration/acme_ed25519
    database:
      name: atmail
      user: migration
      password: "{{ vault_acme_database_password }}"
    snapshot: /var/lib/migration/acme/snapshot.json
    vault_password: "{{ vault_snapshot_password }}"

- name: Extract from a site that has renamed a column and keeps plain passwords
  atmail.migration.settings_snapshot:
    customer: globex
    database:
      host: db.globex.example
      name: atmail
      user: migration
      password: "{{ vault_globex_database_password }}"
      ca_path: /etc/migration/globex-ca.pem
    overrides:
      columns:
        users: {quota: QuotaKB}
      settings: {password_type: PLAIN}
    domains: [globex.example]
    snapshot: /var/lib/migration/globex/snapshot.json
    vault_password: "{{ vault_snapshot_password }}"
  check_mode: true
  diff: true
"""

RETURN = r"""
snapshot:
  description: The option O(snapshot).
  returned: always, once the customer has been read
  type: str
  sample: /var/lib/migration/acme/snapshot.json
counts:
  description: The customer in numbers; C(left_out) are the accounts that could not be migrated.
  returned: always, once the customer has been read
  type: dict
  sample:
    domains: 1
    accounts: 120
    accounts_enabled: 117
    accounts_disabled: 3
    left_out: 0
accounts:
  description: The accounts, without their secrets.
  returned: always, once the customer has been read
  type: list
  elements: dict
  contains:
    address:
      description: The address in lower case.
      returned: always
      type: str
      sample: ann@acme.example
    source_user:
      description: The account in the source's own spelling.
      returned: always
      type: str
      sample: Ann@acme.example
    display_name:
      description: The name that others see.
      returned: always
      type: str
      sample: Ann Bolt
    enabled:
      description: Whether the user may log in.
      returned: always
      type: bool
      sample: true
    quota_bytes:
      description: The quota in bytes; null when there is none.
      returned: always
      type: int
      sample: 52428800
    password_scheme:
      description: What the stored password is, in Dovecot's words; null when none can be carried over.
      returned: always
      type: str
      sample: MD5-CRYPT
not_migrated:
  description: What is there and will not migrate, as M(atmail.migration.source_info) has it; not in the snapshot.
  returned: always, once the customer has been read
  type: list
  elements: dict
  sample:
    - what: storage_files
      label: files of the webmail's storage
      count: 17
      accounts: 3
      reason: the cloud has no place for them
      ask: Do users keep files in the webmail's storage? They save them.
mailboxes:
  description: The accounts as O(atmail.migration.mailbox_sync#module:mailboxes) takes them.
  returned: always, once the customer has been read
  type: list
  elements: dict
  contains:
    source_user:
      description: The account on the source.
      returned: always
      type: str
      sample: Ann@acme.example
    target_user:
      description: The account on the target.
      returned: always
      type: str
      sample: ann@acme.example
findings:
  description:
    - What an operator should know, sorted by account.
    - V(error) is an account that was left out, V(warning) one to look at, V(note) is good to know.
  returned: always, once the customer has been read
  type: list
  elements: dict
  contains:
    account:
      description: The address; with an @ in front for a whole domain; empty for the whole site.
      returned: always
      type: str
      sample: ann@acme.example
    kind:
      description: A stable word for what it is about, to match on.
      returned: always
      type: str
      sample: password_policy
    level:
      description: How much it matters.
      returned: always
      type: str
      sample: note
    message:
      description: The same for people.
      returned: always
      type: str
      sample: the password does not meet the cloud's policy; it is carried over all the same
kind:
  description: The kind of failure when the module fails, to match on.
  returned: failure
  type: str
  sample: auth_failed
where:
  description: What the failure is about.
  returned: failure
  type: dict
  sample:
    customer: acme
    server: 127.0.0.1:3306/atmail
safe_next:
  description: What is safe to do next.
  returned: failure
  type: str
  sample: Correct the user or the password, then run again.
"""

from ansible_collections.atmail.migration.plugins.module_utils.module import ArgumentSpec, Call, run_module
from ansible_collections.atmail.migration.plugins.module_utils.settings.options import (
    SNAPSHOT,
    SOURCE,
    SOURCE_PROFILE,
    SOURCE_RULES,
)
from ansible_collections.atmail.migration.plugins.module_utils.settings.run import settings_snapshot

SPEC = ArgumentSpec(
    options={**SOURCE, **SNAPSHOT, **SOURCE_PROFILE, "vault_id": {"type": "str"}, "escrow": {"type": "path"}},
    **SOURCE_RULES,
)


def main() -> None:
    """Run the module."""
    run_module(SPEC, _run)


def _run(call: Call) -> dict[str, object]:
    return settings_snapshot(call.params, check_mode=call.check_mode, diff_mode=call.diff_mode)


if __name__ == "__main__":
    main()
