# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: settings_apply
short_description: Make the cloud's domains and accounts match a customer's snapshot
version_added: 0.1.0
author:
  - The atmail.migration developers (@atmail)
description:
  - Makes the snapshot's domains and accounts on the target, with names, quotas, status and passwords, and makes
    existing ones follow the snapshot. Everything is written in one transaction. Nothing is ever removed.
  - Hashed passwords are carried as they are, with their scheme; plain ones are hashed with O(password_scheme).
  - What a migration has written is noted on the target. So a change that somebody made there since is told from one
    that was made on the source, and O(on_conflict) and O(on_password_conflict) decide about it.
  - Refuses a subscription that is not enabled for migration.
extends_documentation_fragment:
  - atmail.migration.database
  - atmail.migration.ssh
  - atmail.migration.snapshot
attributes:
  check_mode:
    support: full
    description: Reads the target and plans; writes nothing.
  diff_mode:
    support: full
    description: Shows each attribute that changes; of a password its scheme only.
options:
  profile:
    description: What the target is.
    type: str
    choices: [cloud]
    default: cloud
  subscription:
    description: The customer's subscription on the target.
    type: str
    required: true
  region:
    description: The region that the subscription must be in.
    type: str
    required: true
  on_conflict:
    description:
      - What to do with a name, quota or status on the target that no migration wrote and that is not the snapshot's.
      - V(replace) makes it match the snapshot and reports it with level V(warning).
      - V(keep) keeps it and reports it with level V(note), V(keep_and_warn) with level V(warning).
      - V(keep_and_fail) changes nothing of this account, and the run ends failed.
    type: str
    choices: [replace, keep, keep_and_warn, keep_and_fail]
    default: replace
  on_password_conflict:
    description:
      - The same for a password on the target that no migration wrote, such as one that the user chose there.
    type: str
    choices: [replace, keep, keep_and_warn, keep_and_fail]
    default: keep_and_warn
  password_scheme:
    description: How plain passwords are hashed.
    type: str
    choices: [SSHA512, SSHA256]
    default: SSHA512
  mailbox_server:
    description: The server that new accounts' mailboxes live on.
    type: str
    default: ""
  mailbox_type:
    description: The type of new accounts' mailboxes.
    type: str
    default: mdbox
seealso:
  - module: atmail.migration.settings_snapshot
"""

EXAMPLES = r"""
- name: Make the customer's accounts on the cloud
  atmail.migration.settings_apply:
    customer: acme
    database:
      host: db-eu.atmailcloud.example
      name: cloud
      user: migration
      password: "{{ vault_cloud_database_password }}"
      ca_path: /etc/migration/cloud-ca.pem
    snapshot: /var/lib/migration/acme/snapshot.json
    vault_password: "{{ vault_snapshot_password }}"
    subscription: acme
    region: eu

- name: See first what would change, and stop at everything that somebody else has changed
  atmail.migration.settings_apply:
    customer: acme
    database: "{{ migration_cloud_database }}"
    snapshot: /var/lib/migration/acme/snapshot.json
    vault_password: "{{ vault_snapshot_password }}"
    subscription: acme
    region: eu
    on_conflict: keep_and_fail
    on_password_conflict: keep_and_fail
  check_mode: true
  diff: true
"""

RETURN = r"""
summary:
  description: What was done, or would be done in check mode.
  returned: always, once the target has been read
  type: dict
  contains:
    domains_created:
      description: Domains made.
      returned: always
      type: int
      sample: 1
    domains_changed:
      description: Domains changed.
      returned: always
      type: int
      sample: 0
    accounts_created:
      description: Accounts made.
      returned: always
      type: int
      sample: 118
    accounts_changed:
      description: Accounts changed.
      returned: always
      type: int
      sample: 2
    accounts_unchanged:
      description: Accounts that were as they should be, or were kept as they were.
      returned: always
      type: int
      sample: 0
    passwords_set:
      description: Passwords written.
      returned: always
      type: int
      sample: 119
    conflicts:
      description: Values on the target that no migration wrote and that differ from the snapshot.
      returned: always
      type: int
      sample: 1
mailboxes:
  description: The accounts as O(atmail.migration.mailbox_sync#module:mailboxes) takes them.
  returned: always, once the target has been read
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
  returned: always, once the target has been read
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
from ansible_collections.atmail.migration.plugins.module_utils.settings.options import APPLY, CONNECTION, SNAPSHOT
from ansible_collections.atmail.migration.plugins.module_utils.settings.run import settings_apply

SPEC = ArgumentSpec(options={**CONNECTION, **SNAPSHOT, **APPLY})


def main() -> None:
    """Run the module."""
    run_module(SPEC, _run)


def _run(call: Call) -> dict[str, object]:
    return settings_apply(call.params, check_mode=call.check_mode, diff_mode=call.diff_mode)


if __name__ == "__main__":
    main()
