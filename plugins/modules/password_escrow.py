# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: password_escrow
short_description: Swap a source's passwords for generated ones, and put the originals back
version_added: 0.1.0
author:
  - The atmail.migration developers (@atmail)
description:
  - For a source that has no admin user who may open every mailbox. With O(state=escrowed) every account gets a
    generated password that M(atmail.migration.mailbox_sync) can log in with; with O(state=reinstated) every account
    gets back what it had, byte for byte.
  - Originals are in O(escrow) before the first of them is replaced in the database, and stay there until every row was
    read and proved to have its original back. A run that was interrupted anywhere is simply run again.
  - A password that a user changes meanwhile is never overwritten. It stays, is reported, and counts from then on.
  - Every value is replaced only where the row still holds what it should (compared byte by byte), in one statement.
  - While an escrow is open, users can't log in to the source with their own passwords. Keep that time short.
extends_documentation_fragment:
  - atmail.migration.database
  - atmail.migration.domains
  - atmail.migration.ssh
attributes:
  check_mode:
    support: full
    description: Reads the source and the escrow and says what would be done; writes nothing.
  diff_mode:
    support: full
    description: Names the accounts whose passwords change, and shows no password.
options:
  state:
    description:
      - V(escrowed) swaps the passwords of all accounts that are not swapped yet.
      - V(reinstated) puts the originals back and proves it by reading.
    type: str
    choices: [escrowed, reinstated]
    required: true
  escrow:
    description:
      - Path of the customer's escrow file, a JSON file that only its owner may read. Whose it is, how many accounts are
        swapped and since when can be read; the passwords in it are one Ansible Vault text.
      - While an escrow is open it is the only place where the originals are. Have it backed up.
    type: path
    required: true
  vault_password:
    description: The Ansible Vault password of the escrow.
    type: str
    required: true
  vault_id:
    description: Label of the vault password, to be written into the header of the Ansible Vault text.
    type: str
  profile:
    description: What the source is.
    type: str
    choices: [atmail, postfixadmin]
    default: atmail
  accounts:
    description:
      - The accounts to work on, as the source calls them; all when empty. O(domains) narrows them down further.
    type: list
    elements: str
    default: []
  stored_as:
    description:
      - How generated passwords are to be stored, in Dovecot's words. By default what a row holds says it, and where
        that has no shape of its own, the site's setting.
      - Needed where nothing says what the source's log-in would understand, as with reversible encryption.
    type: str
    choices: [PLAIN, PLAIN-MD5, MD5-CRYPT, SHA512-CRYPT, SSHA, SSHA256, SSHA512]
  forget:
    description:
      - What becomes of the originals when all are proved to be back. V(sealed) keeps them in O(escrow), encrypted, so
        that a source which is later restored from a backup made in the meantime can be mended by another run.
      - V(removed) removes the file, unless one of its accounts is gone from the source.
    type: str
    choices: [sealed, removed]
    default: sealed
  allow_missing:
    description:
      - With O(state=reinstated), stop when a larger share of the swapped accounts than this is gone from the source, as
        it is when the database is another one. A single account may always be gone.
    type: float
    default: 0.2
  moved:
    description: Whether the source of O(escrow) may have another address by now. By default that is refused.
    type: bool
    default: false
requirements:
  - cryptography >= 42
  - libpass >= 1.9, for passwords stored by crypt
seealso:
  - module: atmail.migration.password_escrow_info
  - module: atmail.migration.mailbox_sync
"""

EXAMPLES = r"""
- name: Swap the passwords for the time of the copying
  atmail.migration.password_escrow:
    state: escrowed
    customer: acme
    ssh:
      host: mail.acme.example
      user: migration
      key_file: /etc/migration/acme_ed25519
    database:
      name: atmail
      user: migration
      password: "{{ vault_acme_database_password }}"
    escrow: /var/lib/migration/acme/escrow.json
    vault_password: "{{ vault_snapshot_password }}"

- name: Copy the mailboxes with the generated passwords
  atmail.migration.mailbox_sync:
    source: {host: mail.acme.example}
    target: {host: imap-eu.atmailcloud.com, admin_user: master, admin_password: "{{ vault_target_master_password }}"}
    mailboxes: [{source_user: ann@acme.example}]
    source_passwords:
      file: /var/lib/migration/acme/escrow.json
      vault_password: "{{ vault_snapshot_password }}"
    ledger: /var/lib/migration/acme/ledger.sqlite3

- name: Put the originals back
  atmail.migration.password_escrow:
    state: reinstated
    customer: acme
    ssh:
      host: mail.acme.example
      user: migration
      key_file: /etc/migration/acme_ed25519
    database:
      name: atmail
      user: migration
      password: "{{ vault_acme_database_password }}"
    escrow: /var/lib/migration/acme/escrow.json
    vault_password: "{{ vault_snapshot_password }}"
"""

RETURN = r"""
state:
  description: The escrow after this run.
  returned: success
  type: dict
  contains:
    escrow:
      description: The option O(escrow).
      returned: always
      type: str
      sample: /var/lib/migration/acme/escrow.json
    open:
      description: Whether accounts may have generated passwords on the source.
      returned: always
      type: bool
      sample: true
    accounts:
      description: How many.
      returned: always
      type: int
      sample: 120
    since:
      description: Since when (UTC); empty when the escrow is not open.
      returned: always
      type: str
      sample: "2026-11-23T20:15:00Z"
summary:
  description: The run in numbers.
  returned: always, once the source has been read
  type: dict
  contains:
    accounts:
      description: Accounts in the escrow whose originals are not proved to be back.
      returned: always
      type: int
      sample: 120
    escrowed:
      description: Accounts that got a generated password by this run.
      returned: O(state=escrowed)
      type: int
      sample: 120
    in_place:
      description: Accounts that had one already.
      returned: O(state=escrowed)
      type: int
      sample: 0
    left_out:
      description: Accounts that were left as they are; the findings say why.
      returned: O(state=escrowed)
      type: int
      sample: 0
    reinstated:
      description: Accounts that got their original back by this run.
      returned: O(state=reinstated)
      type: int
      sample: 119
    proved:
      description: Accounts that were read and have their original.
      returned: O(state=reinstated)
      type: int
      sample: 119
    kept:
      description: Accounts whose users have changed the password meanwhile; they keep the new one.
      returned: O(state=reinstated)
      type: int
      sample: 1
    gone:
      description: Accounts that are gone from the source.
      returned: O(state=reinstated)
      type: int
      sample: 0
findings:
  description: What an operator should know, sorted by account.
  returned: always, once the source has been read
  type: list
  elements: dict
  contains:
    account:
      description: The account as the source calls it.
      returned: always
      type: str
      sample: ann@acme.example
    kind:
      description: A stable word for what it is about, to match on.
      returned: always
      type: str
      sample: password_changed_on_source
    level:
      description: How much it matters.
      returned: always
      type: str
      sample: warning
    message:
      description: The same for people.
      returned: always
      type: str
      sample: the password was changed on the source while it was swapped; the new one stays, and counts
kind:
  description: The kind of failure when the module fails, to match on.
  returned: failure
  type: str
  sample: escrow_foreign
where:
  description: What the failure is about.
  returned: failure
  type: dict
  sample:
    customer: acme
    escrow: /var/lib/migration/acme/escrow.json
safe_next:
  description: What is safe to do next.
  returned: failure
  type: str
  sample: Keep the escrow file, mend what the message says, and run again.
"""

import datetime as dt
import os

from ansible_collections.atmail.migration.plugins.module_utils.module import ArgumentSpec, Call, run_module
from ansible_collections.atmail.migration.plugins.module_utils.settings.escrow_run import password_escrow
from ansible_collections.atmail.migration.plugins.module_utils.settings.options import (
    CONNECTION,
    DATABASE_PROFILE,
    ESCROW,
)

SPEC = ArgumentSpec(options={**CONNECTION, **ESCROW, **DATABASE_PROFILE})


def main() -> None:
    """Run the module."""
    run_module(SPEC, _run)


def _run(call: Call) -> dict[str, object]:
    return password_escrow(
        call.params,
        check_mode=call.check_mode,
        diff_mode=call.diff_mode,
        random=os.urandom,
        now=dt.datetime.now(dt.UTC),
        warn=call.warn,
    )


if __name__ == "__main__":
    main()
