# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: settings_apply
short_description: Make the cloud match a customer's snapshot
version_added: 0.1.0
author:
  - The atmail.migration developers (@atmail)
description:
  - Makes everything of the snapshot on the target, and makes what is there follow the snapshot. These are domains,
    accounts with their
    passwords, quotas, forwards, automatic replies, signatures, lists of senders and polled mailboxes, aliases of all
    kinds, lists of senders
    of whole domains and of the site, and shared contacts. Everything is written in one transaction.
  - Hashed passwords are carried as they are, with their scheme; plain ones are hashed with O(password_scheme).
  - What a migration has written is noted on the target. So a change that somebody made there since is told from one
    that was made on the source, and O(on_conflict), O(on_conflicts) and O(on_password_conflict) decide about it.
  - Domains and accounts are never removed. Aliases, targets of aliases, forwards, entries of lists and shared
    contacts are removed when a
    migration wrote them and the source has dropped them; what anybody else made on the target is never removed.
  - Forwards and aliases that would send mail round in a circle are left out and reported with the whole way.
  - Refuses a subscription that is not enabled for migration.
extends_documentation_fragment:
  - atmail.migration.database
  - atmail.migration.domains
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
    description:
      - What the target is.
      - V(postfixadmin) is the database of PostfixAdmin, with the two tables of C(docs/postfixadmin-target.sql) beside
        its own. There O(overrides.settings) knows C(vacation_domain), C(maildir) and C(transport).
    type: str
    choices: [cloud, postfixadmin]
    default: cloud
  subscription:
    description: The customer's subscription on the target.
    type: str
    required: true
  region:
    description: The region that the subscription must be in.
    type: str
    required: true
  phase:
    description:
      - Where the migration is. In V(mirror) the source is in use.
      - In V(catch_up), after the cut-over, users work on the target. Then nothing is replaced that was changed
        there, whatever the policies
        say. V(replace) counts as V(keep_and_warn).
      - In V(closed) nothing is written at all.
    type: str
    choices: [mirror, catch_up, closed]
    default: mirror
  on_conflict:
    description:
      - What to do with a value on the target that no migration wrote and that is not the snapshot's.
      - V(replace) makes it match the snapshot and reports it with level V(warning).
      - V(keep) keeps it and reports it with level V(note), V(keep_and_warn) with level V(warning).
      - V(keep_and_fail) changes nothing of this account or thing, and the run ends failed.
      - In aliases' targets, forwards and lists every entry counts by itself. One that was removed on the target
        comes back by V(replace)
        only; one that was added there stays whatever the policy.
    type: str
    choices: [replace, keep, keep_and_warn, keep_and_fail]
    default: replace
  on_password_conflict:
    description:
      - The same for a password on the target that no migration wrote, such as one that the user chose there.
    type: str
    choices: [replace, keep, keep_and_warn, keep_and_fail]
    default: keep_and_warn
  on_conflicts:
    description:
      - The same by kind of object; a kind that is not named goes by O(on_conflict), passwords by
        O(on_password_conflict).
    type: dict
    default: {}
    suboptions:
      domains:
        description: For whether domains are enabled.
        type: str
        choices: [replace, keep, keep_and_warn, keep_and_fail]
      accounts:
        description: For names, quotas, statuses, reply addresses, signatures, time zones and languages of accounts.
        type: str
        choices: [replace, keep, keep_and_warn, keep_and_fail]
      passwords:
        description: For passwords, instead of O(on_password_conflict).
        type: str
        choices: [replace, keep, keep_and_warn, keep_and_fail]
      forwards:
        description: For forwards, and whether a copy is kept.
        type: str
        choices: [replace, keep, keep_and_warn, keep_and_fail]
      auto_replies:
        description: For automatic replies.
        type: str
        choices: [replace, keep, keep_and_warn, keep_and_fail]
      aliases:
        description: For aliases of all kinds and their targets.
        type: str
        choices: [replace, keep, keep_and_warn, keep_and_fail]
      lists:
        description: For allowed and blocked senders, of accounts, domains and the site.
        type: str
        choices: [replace, keep, keep_and_warn, keep_and_fail]
      contacts:
        description: For shared contacts and who may see them.
        type: str
        choices: [replace, keep, keep_and_warn, keep_and_fail]
      external_accounts:
        description: For mailboxes elsewhere that users poll.
        type: str
        choices: [replace, keep, keep_and_warn, keep_and_fail]
  allow_removals:
    description:
      - When more than this share of what migrations have written would be removed at once, nothing of that kind is,
        and the run ends failed;
        the source has perhaps not been read as it should be. Counted are targets of aliases, forwards, entries of
        lists, shared contacts.
    type: float
    default: 0.2
  allow_removals_below:
    description: So many of a kind may always be removed.
    type: int
    default: 10
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
    aliases_created:
      description: Aliases made.
      returned: always
      type: int
      sample: 42
    aliases_changed:
      description: Aliases changed.
      returned: always
      type: int
      sample: 1
    aliases_removed:
      description: Aliases removed because a migration wrote them and the source has dropped them.
      returned: always
      type: int
      sample: 0
    aliases_unchanged:
      description: Aliases that were as they should be, or were kept as they were.
      returned: always
      type: int
      sample: 0
    senders_created:
      description: Lists of senders of domains and of the site made.
      returned: always
      type: int
      sample: 2
    senders_changed:
      description: Lists of senders of domains and of the site changed.
      returned: always
      type: int
      sample: 0
    senders_removed:
      description: Lists of senders of domains and of the site removed because a migration wrote them and the source
        has dropped them.
      returned: always
      type: int
      sample: 0
    senders_unchanged:
      description: Lists of senders of domains and of the site that were as they should be, or were kept as they were.
      returned: always
      type: int
      sample: 0
    contacts_created:
      description: Shared contacts made.
      returned: always
      type: int
      sample: 310
    contacts_changed:
      description: Shared contacts changed.
      returned: always
      type: int
      sample: 0
    contacts_removed:
      description: Shared contacts removed because a migration wrote them and the source has dropped them.
      returned: always
      type: int
      sample: 0
    contacts_unchanged:
      description: Shared contacts that were as they should be, or were kept as they were.
      returned: always
      type: int
      sample: 0
    passwords_set:
      description: Passwords written.
      returned: always
      type: int
      sample: 119
    forwards_set:
      description: Accounts whose forwards were written.
      returned: always
      type: int
      sample: 17
    auto_replies_set:
      description: Accounts whose automatic reply was written.
      returned: always
      type: int
      sample: 5
    lists_set:
      description: Accounts whose allowed or blocked senders were written.
      returned: always
      type: int
      sample: 23
    external_accounts_set:
      description: Accounts whose polled mailboxes were written.
      returned: always
      type: int
      sample: 4
    left_out:
      description: Accounts, aliases and other things of which nothing was changed; the findings say why.
      returned: always
      type: int
      sample: 0
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
    - V(error) is something that was left out, V(warning) something to look at, V(note) is good to know.
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
