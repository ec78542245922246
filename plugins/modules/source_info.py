# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: source_info
short_description: Say what a customer's old server holds, and what of it will not migrate
version_added: 0.1.0
author:
  - The atmail.migration developers (@atmail)
description:
  - Reads the source's database and says which version it is, which domains and accounts there are, how their passwords
    are stored, and what has no place on the cloud.
  - With O(imap) it also counts each account's folders, messages and bytes, finds accounts without a mailbox, and
    estimates how long copying takes (O(estimate), O(pace)).
  - Only reads; the database session is read-only on the server's side too where the server can do so.
extends_documentation_fragment:
  - atmail.migration.source
  - atmail.migration.database
  - atmail.migration.domains
  - atmail.migration.ssh
  - atmail.migration.imap
  - atmail.migration.estimate
  - atmail.migration.pace
attributes:
  check_mode:
    support: full
    description: Nothing is ever changed.
  diff_mode:
    support: none
    description: Nothing is ever changed.
options:
  profile:
    description: What the source is.
    type: str
    choices: [atmail, csv, postfixadmin]
    default: atmail
seealso:
  - module: atmail.migration.settings_snapshot
"""

EXAMPLES = r"""
- name: Look at a customer's Atmail
  atmail.migration.source_info:
    customer: acme
    ssh:
      host: mail.acme.example
      user: migration
      key_file: /etc/migration/acme_ed25519
      known_hosts: /etc/migration/known_hosts
    database:
      name: atmail
      user: migration
      password: "{{ vault_acme_database_password }}"
    imap:
      host: mail.acme.example
      admin_user: master
      admin_password: "{{ vault_acme_master_password }}"
  register: acme

- name: Name the accounts without a mailbox
  ansible.builtin.debug:
    msg: "{{ acme.findings | selectattr('kind', 'eq', 'mailbox_missing') | map(attribute='account') }}"
"""

RETURN = r"""
platform:
  description: What the source is.
  returned: success
  type: dict
  contains:
    profile:
      description: The option O(profile).
      returned: always
      type: str
      sample: atmail
    version:
      description: What the site says its version is; empty when it does not say.
      returned: always
      type: str
      sample: 7.8.0
    generation:
      description: The generation that its tables show; empty when they do not.
      returned: always
      type: str
      sample: "7"
    database_version:
      description: The database server's version.
      returned: always
      type: str
      sample: 5.5.68-MariaDB
    password_type:
      description: The site's setting for stored passwords.
      returned: always
      type: str
      sample: MD5
    auth_type:
      description: Where the site checks passwords.
      returned: always
      type: str
      sample: sql
domains:
  description: The mail domains.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The domain.
      returned: always
      type: str
      sample: acme.example
    enabled:
      description: Whether the source takes mail for it.
      returned: always
      type: bool
      sample: true
support:
  description: How far settings are read from this version. Mail is copied from any version.
  returned: success
  type: dict
  contains:
    settings:
      description: V(supported), or V(tried) for a version below RV(support.supported_from) or an unknown one.
      returned: always
      type: str
      sample: tried
    supported_from:
      description: The version from which settings are known to be read; empty when that is so for all.
      returned: always
      type: str
      sample: "7.8"
    tried:
      description: What is there to be read, by the profile's keys of tables.
      returned: always
      type: list
      elements: str
      sample: [domains, passwords, users]
    not_read:
      description: Tables and columns that are not there, so that what they hold elsewhere could not be read.
      returned: always
      type: list
      elements: str
      sample: [Abook.Global, Users.AutoReply]
capabilities:
  description: What the site has.
  returned: success
  type: list
  elements: str
  sample: [aliases, calendars, spam_lists]
counts:
  description:
    - Numbers of what migrates. C(mailboxes), C(folders), C(messages) and C(bytes) with O(imap); C(contacts),
      C(calendars), C(events) and their like where the source has tables for them.
  returned: success
  type: dict
  sample:
    domains: 1
    accounts: 120
    accounts_enabled: 117
    accounts_disabled: 3
    left_out: 0
    aliases: 310
    forwards: 12
    contacts: 4711
    messages: 840212
    bytes: 190123456789
password_schemes:
  description: Accounts by the scheme of their stored password.
  returned: success
  type: dict
  sample:
    MD5-CRYPT: 12
    PLAIN-MD5: 108
not_migrated:
  description: What is there and will not migrate, and what can't be seen from here.
  returned: success
  type: list
  elements: dict
  contains:
    what:
      description: A stable word for it; findings about it have this as their C(kind).
      returned: always
      type: str
      sample: storage_files
    label:
      description: The same for people.
      returned: always
      type: str
      sample: files of the webmail's storage
    count:
      description: How many there are; null when that is not visible from here.
      returned: always
      type: int
      sample: 17
    accounts:
      description: How many accounts have any, as far as it is known whose they are.
      returned: always
      type: int
      sample: 3
    reason:
      description: Why it stays.
      returned: always
      type: str
      sample: the cloud has no place for them
    ask:
      description: What to ask the customer; may be empty.
      returned: always
      type: str
      sample: Do users keep files in the webmail's storage? They save them.
read_only_enforced:
  description: Whether the database server itself refuses to write in our session.
  returned: success
  type: bool
  sample: true
accounts:
  description: The accounts, without their secrets.
  returned: success
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
    counts:
      description: What the account has besides mail, by names of RV(counts) and RV(not_migrated); without those of 0.
      returned: always
      type: dict
      sample:
        contacts: 12
        tasks: 1
    folders:
      description: Folders of the mailbox.
      returned: with O(imap), when the mailbox can be opened
      type: int
      sample: 7
    messages:
      description: Messages in the mailbox.
      returned: with O(imap), when the mailbox can be opened
      type: int
      sample: 7012
    bytes:
      description: Their size in bytes; null when the server does not say.
      returned: with O(imap), when the mailbox can be opened
      type: int
      sample: 1523456789
estimate:
  description: How long copying takes. Times are in seconds; null is more than two years.
  returned: success; null without O(imap)
  type: dict
  contains:
    rates:
      description: What it is based on, each figure with V(value), V(low), V(high), V(basis) and a V(note).
      returned: always
      type: dict
      sample:
        bytes_per_second:
          value: 1000000
          low: 250000
          high: 4000000
          basis: assumed
          note: nothing is known of this source yet
    connections:
      description: Connections at once, V(on_peak) and V(off_peak).
      returned: always
      type: dict
      sample:
        on_peak: 4
        off_peak: 16
    first_copy:
      description: V(low), V(likely), V(high) for C(around_the_clock) and C(off_peak_only), and the C(nights) of that.
      returned: always
      type: dict
      sample:
        around_the_clock:
          low: 5400
          likely: 22000
          high: 86000
        off_peak_only: null
        nights: null
    incremental:
      description: The same for a later run, when C(changed_share) of the messages are new.
      returned: always
      type: dict
      sample:
        around_the_clock:
          low: 60
          likely: 260
          high: 2600
        off_peak_only: null
        nights: null
        changed_share: 0.01
    dominant:
      description: The mailboxes that take the longest, and half of the time together; ten at most.
      returned: always
      type: list
      elements: dict
      sample:
        - name: ann@acme.example
          messages: 91000
          bytes: 31000000000
          seconds: 31000
    waves:
      description: The mailboxes by the off-peak windows that they fill, the longest first; all in one without any.
      returned: always
      type: list
      elements: dict
      sample:
        - mailboxes: 120
          largest: ann@acme.example
          messages: 840212
          bytes: 190123456789
          seconds: 22000
          fits: true
    sizes_guessed:
      description: Mailboxes of which only the number of messages is known.
      returned: always
      type: int
      sample: 0
    not_measured:
      description: Accounts whose mailbox could not be opened; the estimate is without them.
      returned: always
      type: int
      sample: 1
findings:
  description:
    - What an operator should know, sorted by account.
    - V(error) is an account that was left out, V(warning) one to look at, V(note) is good to know.
  returned: success
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
from ansible_collections.atmail.migration.plugins.module_utils.settings.assess_options import ESTIMATE
from ansible_collections.atmail.migration.plugins.module_utils.settings.options import (
    IMAP,
    SOURCE,
    SOURCE_PROFILE,
    SOURCE_RULES,
)
from ansible_collections.atmail.migration.plugins.module_utils.settings.run import source_info

SPEC = ArgumentSpec(options={**SOURCE, **SOURCE_PROFILE, **IMAP, **ESTIMATE}, **SOURCE_RULES)


def main() -> None:
    """Run the module."""
    run_module(SPEC, _run)


def _run(call: Call) -> dict[str, object]:
    return source_info(call.params)


if __name__ == "__main__":
    main()
