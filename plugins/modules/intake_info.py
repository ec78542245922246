# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: intake_info
short_description: Say what is still missing before a customer's migration can start, and whose turn it is
version_added: 0.1.0
author:
  - The atmail.migration developers (@atmail)
description:
  - Looks at everything that has to be there beforehand, be it given in the inventory or tried with a server, and goes
    on after each item that is not as it should be, so that all of them are known at once.
  - Nothing is required here but the customer's name, since what is missing is the answer. It only reads.
  - A password is tried once for an account, and for three accounts at most.
  - The module succeeds whatever it finds; RV(ready) says whether the migration can start.
attributes:
  check_mode:
    support: full
    description: Nothing is ever changed.
  diff_mode:
    support: none
    description: Nothing is ever changed.
options:
  customer:
    description: The customer's name.
    type: str
    required: true
  undefined:
    description: Places of the inventory that refer to something undefined, to what is said about each. See
      P(atmail.migration.given#lookup).
    type: dict
    default: {}
  subscription:
    description: The customer's name on the cloud.
    type: str
  region:
    description: The region of the cloud.
    type: str
  domains:
    description: The domains to migrate.
    type: list
    elements: str
    default: []
  owners:
    description: The people.
    type: dict
    suboptions:
      customer: &person
        description: Somebody with a name and an email address.
        type: dict
        suboptions:
          name:
            description: The name.
            type: str
          email:
            description: The email address.
            type: str
      support_engineer: *person
      deputy: *person
      us: *person
  ticket:
    description: The ticket of the migration.
    type: str
  time_zone:
    description: The customer's time zone, as C(Europe/Berlin).
    type: str
  source:
    description: The customer's side, as C(migration_source).
    type: dict
    suboptions:
      imap:
        description: How to reach the mailboxes, as in M(atmail.migration.mailbox_sync).
        type: dict
        suboptions: &imap
          host: {description: "Name or address of the server.", type: str}
          port: {description: "Its port.", type: int}
          security: {description: "V(tls), V(starttls) or V(plain).", type: str}
          allow_plaintext: {description: "Whether V(plain) is meant.", type: bool}
          validate_certs: {description: "Whether the server's certificate must be valid.", type: bool}
          ca_path: {description: "File with the authorities to trust.", type: path}
          min_tls: {description: "The least version of TLS to accept.", type: str}
          auth: {description: "How to log in.", type: str}
          oauth_token: {description: "An access token for all mailboxes.", type: str}
          oauth_token_file: {description: "A file that holds the token.", type: path}
          oauth_token_command: {description: "A command that prints the token.", type: list, elements: str}
          admin_user: {description: "A user that may log in as any other.", type: str}
          admin_password: {description: "Its password.", type: str}
          admin_method: {description: "How to log in as another user.", type: str}
          admin_separator: {description: "What stands between the names.", type: str}
          compress: {description: "Not used here.", type: str}
          max_connections: {description: "Not used here.", type: int}
          timeout: {description: "Seconds to wait for an answer.", type: float}
          pop3_host: {description: "Name or address of the POP3 server.", type: str}
          pop3_port: {description: "Its port.", type: int}
          pop3_security: {description: "How that connection is encrypted.", type: str}
          max_connections_per_account: {description: "Not used here.", type: int}
          keepalive: {description: "Not used here.", type: float}
          protocol: {description: "What mailboxes are read by.", type: str}
          doveadm_url: {description: "Dovecot's HTTP API.", type: str}
          doveadm_api_key: {description: "The key of that API.", type: str}
      ssh:
        description: How to reach the database, as in M(atmail.migration.source_info).
        type: dict
        suboptions: &ssh
          host: {description: "Name or address of the server.", type: str}
          port: {description: "Its port.", type: int}
          user: {description: "The user to log in as.", type: str}
          key_file: {description: "The private key.", type: path}
          key_passphrase: {description: "The key's passphrase.", type: str}
          password: {description: "The user's password.", type: str}
          known_hosts: {description: "File with the host's key.", type: path}
          timeout: {description: "Seconds to wait for an answer.", type: float}
          keepalive: {description: "Not used here.", type: int}
          legacy_algorithms: {description: "Allow the algorithms of very old servers.", type: bool}
      database:
        description: The database, as in M(atmail.migration.source_info).
        type: dict
        suboptions: &database
          host: {description: "Name or address of the server.", type: str}
          port: {description: "Its port.", type: int}
          name: {description: "The database's name.", type: str}
          user: {description: "The user to log in as.", type: str}
          password: {description: "The user's password.", type: str}
          tls: {description: "Whether to speak TLS.", type: bool}
          ca_path: {description: "File with the authorities to trust.", type: path}
          timeout: {description: "Seconds to wait for an answer.", type: float}
      profile:
        description: What the database looks like.
        type: str
      overrides:
        description: Where the database differs from the profile.
        type: dict
        suboptions: &overrides
          tables: {description: "Names of tables.", type: dict}
          columns: {description: "Names of columns.", type: dict}
          settings: {description: "Settings of the site.", type: dict}
      dav:
        description: How to reach calendars and contacts, as in M(atmail.migration.dav_sync).
        type: dict
        suboptions:
          protocol: {description: "Where they are.", type: str}
          path: {description: "The folder of files.", type: path}
          url: {description: "Address of the server.", type: str}
          allow_plaintext: {description: "Whether C(http://) is meant.", type: bool}
          validate_certs: {description: "Whether the server's certificate must be valid.", type: bool}
          ca_path: {description: "File with the authorities to trust.", type: path}
          min_tls: {description: "The least version of TLS to accept.", type: str}
          auth: {description: "How to log in.", type: str}
          oauth_token: {description: "An access token for all accounts.", type: str}
          oauth_token_file: {description: "A file that holds the token.", type: path}
          oauth_token_command: {description: "A command that prints the token.", type: list, elements: str}
          admin_user: {description: "A user that may log in for all accounts.", type: str}
          admin_password: {description: "Its password.", type: str}
          admin_method: {description: "How it does that.", type: str}
          admin_separator: {description: "What stands between the names.", type: str}
          principal: {description: "Address of an account's principal.", type: str}
          timeout: {description: "Seconds to wait for an answer.", type: float}
          max_connections: {description: "Not used here.", type: int}
          trusted_hosts: {description: "Other hosts that may get the passwords.", type: list, elements: str}
          dns_servers: {description: "Resolvers to ask for SRV records.", type: list, elements: str}
          overrides:
            description: Where the tables of calendars and contacts differ from what is expected.
            type: dict
            suboptions: *overrides
      csv:
        description: Files that accounts are read from instead of a database.
        type: dict
      dump:
        description: A dump of the database, instead of the database.
        type: dict
      pgp:
        description: What opens these files, instead of O(pgp).
        type: dict
        suboptions:
          keyring: {description: GnuPG's folder., type: path}
          key_files: {description: Files with secret keys., type: list, elements: path}
          passphrase: {description: The passphrase of the key., type: str}
  target:
    description: The cloud's side, as C(migration_target).
    type: dict
    suboptions:
      imap:
        description: How to reach the mailboxes.
        type: dict
        suboptions: *imap
      ssh:
        description: How to reach the database.
        type: dict
        suboptions: *ssh
      database:
        description: The database of the cloud's accounts.
        type: dict
        suboptions: *database
      profile:
        description: What the database looks like.
        type: str
      overrides:
        description: Where the database differs from the profile.
        type: dict
        suboptions: *overrides
      dav:
        description: How to reach calendars and contacts, as in M(atmail.migration.dav_sync).
        type: dict
        suboptions:
          url: {description: "Address of the server.", type: str}
          allow_plaintext: {description: "Whether C(http://) is meant.", type: bool}
          validate_certs: {description: "Whether the server's certificate must be valid.", type: bool}
          ca_path: {description: "File with the authorities to trust.", type: path}
          min_tls: {description: "The least version of TLS to accept.", type: str}
          auth: {description: "How to log in.", type: str}
          oauth_token: {description: "An access token for all accounts.", type: str}
          oauth_token_file: {description: "A file that holds the token.", type: path}
          oauth_token_command: {description: "A command that prints the token.", type: list, elements: str}
          admin_user: {description: "A user that may log in for all accounts.", type: str}
          admin_password: {description: "Its password.", type: str}
          admin_method: {description: "How it does that.", type: str}
          admin_separator: {description: "What stands between the names.", type: str}
          principal: {description: "Address of an account's principal.", type: str}
          timeout: {description: "Seconds to wait for an answer.", type: float}
          max_connections: {description: "Not used here.", type: int}
          trusted_hosts: {description: "Other hosts that may get the passwords.", type: list, elements: str}
          dns_servers: {description: "Resolvers to ask for SRV records.", type: list, elements: str}
      password_scheme:
        description: Not used here.
        type: str
      mailbox_server:
        description: Not used here.
        type: str
      mailbox_type:
        description: Not used here.
        type: str
  pace:
    description: How fast the source may be read, as in M(atmail.migration.mailbox_sync). Its off-peak window counts.
    type: dict
    suboptions:
      connections: {description: "Connections at once.", type: int}
      messages_per_second: {description: "Messages per second.", type: float}
      bytes_per_second: {description: "Bytes per second.", type: float}
      bytes_per_day: {description: "Bytes per day.", type: int}
      bytes_per_day_per_account: {description: "Bytes per day and account.", type: int}
      max_backoff: {description: "Seconds to wait for a server at most.", type: float}
      off_peak:
        description: The off-peak window.
        type: dict
        suboptions:
          start: {description: "When the window opens (HH:MM).", type: str}
          end: {description: "When it closes.", type: str}
          timezone: {description: "Its time zone.", type: str}
          connections: {description: "Connections at once.", type: int}
          messages_per_second: {description: "Messages per second.", type: float}
          bytes_per_second: {description: "Bytes per second.", type: float}
  mailboxes:
    description: Mailboxes that are listed, as in M(atmail.migration.mailbox_sync).
    type: list
    elements: dict
    suboptions:
      source_user: {description: The user at the source., type: str}
      source_password: {description: That user's password., type: str}
      target_user: {description: The user on the cloud., type: str}
      target_password: {description: That user's password., type: str}
  source_passwords:
    description: A list of passwords of accounts, as in M(atmail.migration.mailbox_sync).
    type: dict
    suboptions:
      file: {description: The encrypted file., type: path}
      content: {description: What is in such a file., type: str}
      vault_password: {description: What opens it., type: str}
  escrow:
    description: Whether passwords are to be swapped for transit, which needs the right to set them.
    type: bool
    default: false
  calendars:
    description: Whether calendars and contacts are copied, so that the ways to them are needed.
    type: bool
    default: true
  account:
    description: An account to try admin users with. By default the first ones that the source has.
    type: str
  certificates:
    description: Certificates for the customer's own host names.
    type: list
    elements: dict
    default: []
    suboptions:
      file:
        description: One PEM file with private key, certificate and chain; it may be encrypted by PGP.
        type: path
      name:
        description: What its files are called on the load balancer. Not used here.
        type: str
      names:
        description: Host names that it has to cover.
        type: list
        elements: str
        default: []
      passphrase:
        description: The passphrase of the private key, where it is encrypted.
        type: str
      ca_path:
        description: A file with the authorities to trust, instead of those of this system.
        type: path
      warn_days:
        description: How many days before its end a certificate is warned about.
        type: int
        default: 30
      accept_ed25519:
        description: Whether a key of the kind Ed25519 may be used.
        type: bool
        default: false
  pgp:
    description: Our own PGP key, to open what was received.
    type: dict
    suboptions:
      keyring:
        description: GnuPG's folder (its home).
        type: path
      key_files:
        description: Files with secret keys, instead of O(pgp.keyring).
        type: list
        elements: path
        default: []
      passphrase:
        description: The passphrase of the key.
        type: str
  recipients:
    description: Public keys of those to whom something is handed over. Each is encrypted to for a try.
    type: list
    elements: dict
    suboptions:
      fingerprint:
        description: The whole fingerprint, as its owner has confirmed it.
        type: str
      key_file:
        description: The file with the public key; without it the key is in O(pgp.keyring).
        type: path
  vault_password:
    description: The password for the secrets in the snapshot.
    type: str
  folders:
    description: Folders that have to be writable and have room.
    type: list
    elements: path
    default: []
  min_free_bytes:
    description: How many bytes have to be left there.
    type: int
    default: 1073741824
  timeout:
    description: Seconds to wait for each server; less where the server's own limit is less.
    type: float
    default: 15.0
  terms:
    description: What is agreed about the items.
    type: dict
    suboptions:
      due:
        description: The date by which everything should be there (YYYY-MM-DD).
        type: str
      due_dates:
        description: Dates of single items, by their names (RV(items[].item)).
        type: dict
        default: {}
      optional:
        description: Items that the migration may start without.
        type: list
        elements: str
        default: []
requirements:
  - cryptography >= 42, with O(certificates)
  - gpg, the program, and python-gnupg >= 0.5.2, with O(pgp) or O(recipients)
seealso:
  - module: atmail.migration.source_info
  - plugin: atmail.migration.given
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: See what is missing
  atmail.migration.intake_info:
    customer: acme
    subscription: acme
    region: eu
    domains: [acme.example]
    owners:
      customer: {name: Jane Doe, email: jane@acme.example}
      support_engineer: {name: Sam Stone, email: sam@cloud.example}
      deputy: {name: Kim Lee, email: kim@cloud.example}
    ticket: "4711"
    time_zone: Europe/Berlin
    source: "{{ migration_source }}"
    target: "{{ migration_target }}"
    recipients:
      - fingerprint: 3AA5 C343 71F5 67BD 2E2C  5A20 D9F5 43F0 E4A1 A5D2
        key_file: /etc/migration/acme/jane.asc
    vault_password: "{{ vault_snapshot_password }}"
    folders: [/var/lib/migration/acme]
  register: intake

- name: Stop unless everything is there
  ansible.builtin.assert:
    that: intake.ready
    fail_msg: "{{ intake.headline }}"
"""

RETURN = r"""
ready:
  description: Whether no required item is open.
  returned: success
  type: bool
  sample: false
headline:
  description: How the customer stands, in a sentence.
  returned: success
  type: str
  sample: "acme: the migration can't start yet, 2 items are open (2 of the customer)"
summary:
  description: Numbers of items by state; C(stopping) are required and not V(ok), also by owner; C(overdue).
  returned: success
  type: dict
  sample: {ok: 28, missing: 2, invalid: 1, unchecked: 0, stopping: 2, overdue: 0,
    stopping_by_owner: {customer: 2, support_engineer: 0, us: 0}}
items:
  description: The items, in an order that stays.
  returned: success
  type: list
  elements: dict
  contains:
    item:
      description: The item's name, to match on.
      returned: always
      type: str
      sample: ssh_login
    title:
      description: The same for people.
      returned: always
      type: str
      sample: SSH log-in
    about:
      description: Which one, where there can be several.
      returned: always
      type: str
      sample: /etc/migration/acme/jane.asc
    state:
      description: V(ok), V(missing) (not given), V(invalid) (given, and wrong) or V(unchecked) (not looked at).
      returned: always
      type: str
      sample: invalid
    owner:
      description: Whose turn it is, V(customer), V(support_engineer) or V(us).
      returned: always
      type: str
      sample: customer
    person:
      description: That owner's name, where the inventory gives one.
      returned: always
      type: str
      sample: Jane Doe
    required:
      description: Whether the migration can't start without it.
      returned: always
      type: bool
      sample: true
    stops:
      description: Whether it is required and not V(ok).
      returned: always
      type: bool
      sample: true
    reason:
      description: What was found.
      returned: always
      type: str
      sample: the SSH server refused user migration with the key /etc/migration/acme
    next:
      description: What to do.
      returned: always
      type: str
      sample: Correct the user or the password, then run again.
    due:
      description: The date by which it should be there; empty when there is none.
      returned: always
      type: str
      sample: "2026-12-01"
    overdue:
      description: Whether that date has passed and the item is not V(ok).
      returned: always
      type: bool
      sample: false
    kind:
      description: The kind of error (docs/errors.md), C(missing), or empty.
      returned: always
      type: str
      sample: auth_failed
table:
  description: The result as lines for a screen.
  returned: success
  type: list
  elements: str
  sample: ["acme: the migration can start"]
open:
  description: The same for those items only that are not V(ok).
  returned: success
  type: list
  elements: str
  sample: ["acme: the migration can start", "31 items are ok"]
markdown:
  description: The result as a page in Markdown.
  returned: success
  type: str
  sample: "# Intake check: acme"
html:
  description: The result as a page in HTML.
  returned: success
  type: str
  sample: <!doctype html>
kind:
  description: The kind of failure when the module fails, to match on.
  returned: failure
  type: str
  sample: invalid_input
where:
  description: What the failure is about.
  returned: failure
  type: dict
  sample:
    option: terms
safe_next:
  description: What is safe to do next.
  returned: failure
  type: str
  sample: Correct the option; nothing has been changed.
"""

from datetime import UTC, datetime

from ansible_collections.atmail.migration.plugins.module_utils.intake.options import OPTIONS
from ansible_collections.atmail.migration.plugins.module_utils.intake.run import intake
from ansible_collections.atmail.migration.plugins.module_utils.module import ArgumentSpec, Call, run_module

SPEC = ArgumentSpec(options=OPTIONS)


def main() -> None:
    """Run the module."""
    run_module(SPEC, _run)


def _run(call: Call) -> dict[str, object]:
    return intake(call.params, datetime.now(UTC))


if __name__ == "__main__":
    main()
