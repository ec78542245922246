# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The option with a source's IMAP server, for modules that look at settings."""

from __future__ import annotations


class ModuleDocFragment:
    """One server, with somebody who may see all mailboxes."""

    DOCUMENTATION = r"""
options:
  source_passwords:
    description:
      - Passwords of the accounts, from one encrypted file, for an O(imap) server without an admin user.
      - It is what M(atmail.migration.password_escrow) keeps, or a list that was encrypted by C(ansible-vault encrypt),
        as O(atmail.migration.mailbox_sync#module:source_passwords) takes it.
    type: dict
    suboptions:
      file:
        description: Path of the file. Give this or O(source_passwords.content).
        type: path
      content:
        description: What is in the file, for a file that is elsewhere.
        type: str
      vault_password:
        description: The Ansible Vault password that it is encrypted with.
        type: str
        required: true
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
"""
