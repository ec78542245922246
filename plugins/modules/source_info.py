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
  - With O(imap) it also counts each account's folders, messages and bytes, and finds accounts without a mailbox.
  - Only reads; the database session is read-only on the server's side too where the server can do so.
extends_documentation_fragment:
  - atmail.migration.source
  - atmail.migration.database
  - atmail.migration.ssh
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
    choices: [atmail, postfixadmin]
    default: atmail
  imap:
    description: The source's IMAP server, with a user or a token that may see all mailboxes, to measure them.
    type: dict
    suboptions:
      host:
        description: Name or address of the IMAP server.
        type: str
        required: true
      port:
        description: Its port; 993 for O(imap.security=tls), else 143.
        type: int
      security:
        description:
          - V(tls) from the first byte, or V(starttls), which never goes on without TLS.
          - V(plain) sends everything in clear text and needs O(imap.allow_plaintext=true).
        type: str
        choices: [tls, starttls, plain]
        default: tls
      allow_plaintext:
        description: Whether O(imap.security=plain) is meant.
        type: bool
        default: false
      validate_certs:
        description: Whether the server's certificate must be valid for O(imap.host).
        type: bool
        default: true
      ca_path:
        description: File with the authorities to trust, in PEM form; the system's by default.
        type: path
      min_tls:
        description:
          - The least version of TLS to accept.
          - TLS below 1.2 can be read by others. It is for an old source that can't be updated only.
        type: str
        choices: ["1.0", "1.1", "1.2", "1.3"]
        default: "1.2"
      auth:
        description:
          - How to log in. V(auto) takes the command LOGIN where the server allows it and user and password are plain
            ASCII, else SASL PLAIN, SASL LOGIN, or the command LOGIN with literals.
          - V(login) and V(plain) (SASL PLAIN) ask for one of them.
          - V(xoauth2) and V(oauthbearer) (RFC 7628) take an OAuth 2.0 access token. It comes
            from O(imap.oauth_token), O(imap.oauth_token_file) or O(imap.oauth_token_command).
          - V(preauth) is for C(mailbox_sync) and no use here.
        type: str
        choices: [auto, login, plain, xoauth2, oauthbearer, preauth]
        default: auto
      oauth_token:
        description: An access token that serves all mailboxes.
        type: str
      oauth_token_file:
        description:
          - A file that holds the access token, and that somebody keeps fresh. C({user}) stands for the user.
          - It is read at every log-in, and once more when the server refuses the token.
        type: path
      oauth_token_command:
        description:
          - A command and its arguments that print an access token. C({user}) stands for the user; without it one token
            serves all mailboxes. No shell is used.
          - It is run when a token is needed for the first time, and again when the server refuses the token, as it does
            with one that has expired in the middle of a run.
        type: list
        elements: str
      admin_user:
        description: A user that may log in as any other user. It is needed unless there is a token for all mailboxes.
        type: str
      admin_password:
        description: Its password. When it is refused for the first three accounts, no further one is tried.
        type: str
      admin_method:
        description: How to log in as another user; V(separator) joins both names with O(imap.admin_separator).
        type: str
        choices: [separator, sasl_plain, proxyauth]
        default: separator
      admin_separator:
        description: What stands between the names for O(imap.admin_method=separator).
        type: str
        default: "*"
      compress:
        description:
          - Whether to compress what goes over the wire (RFC 4978, C(COMPRESS=DEFLATE)) where the server can.
          - V(auto) measures at the log-in and compresses when a round trip takes 10 ms or more. On a fast network it
            costs more time than it saves.
        type: str
        choices: [auto, always, never]
        default: auto
      max_connections:
        description: How many accounts to look at in parallel.
        type: int
        default: 4
      max_connections_per_account:
        description: For M(atmail.migration.mailbox_sync); each account is looked at by one connection here.
        type: int
        default: 4
      keepalive:
        description: For M(atmail.migration.mailbox_sync); no connection is idle here.
        type: float
        default: 60.0
      timeout:
        description: Seconds to wait for each answer.
        type: float
        default: 30.0
      protocol:
        description: What mailboxes are read by; V(pop3) for a server that has no IMAP.
        type: str
        choices: [imap, pop3]
        default: imap
      pop3_host:
        description: For M(atmail.migration.mailbox_audit); not used here.
        type: str
      pop3_port:
        description: For M(atmail.migration.mailbox_audit); not used here.
        type: int
      pop3_security:
        description: For M(atmail.migration.mailbox_audit); not used here.
        type: str
        choices: [tls, starttls, plain]
requirements:
  - imapclient >= 3.0, with O(imap)
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
capabilities:
  description: What the site has.
  returned: success
  type: list
  elements: str
  sample: [aliases, calendars, spam_lists]
counts:
  description: Numbers of things that migrate; C(mailboxes), C(folders), C(messages), C(bytes) with O(imap).
  returned: success
  type: dict
  sample:
    domains: 1
    accounts: 120
    accounts_enabled: 117
    accounts_disabled: 3
    left_out: 0
    aliases: 310
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
  description: What is there and will not migrate.
  returned: success
  type: list
  elements: dict
  contains:
    what:
      description: What it is.
      returned: always
      type: str
      sample: storage_files
    count:
      description: How many there are.
      returned: always
      type: int
      sample: 17
    reason:
      description: Why it stays.
      returned: always
      type: str
      sample: has no place on the cloud
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
from ansible_collections.atmail.migration.plugins.module_utils.settings.options import (
    IMAP,
    SOURCE,
    SOURCE_PROFILE,
    SOURCE_RULES,
)
from ansible_collections.atmail.migration.plugins.module_utils.settings.run import source_info

SPEC = ArgumentSpec(options={**SOURCE, **SOURCE_PROFILE, **IMAP}, **SOURCE_RULES)


def main() -> None:
    """Run the module."""
    run_module(SPEC, _run)


def _run(call: Call) -> dict[str, object]:
    return source_info(call.params)


if __name__ == "__main__":
    main()
