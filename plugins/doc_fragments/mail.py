# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Options that the modules working on mailboxes share."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragments for O(source), O(target), O(mailboxes) and what goes with them."""

    DOCUMENTATION = r"""
requirements:
  - imapclient >= 3.0
options:
  source:
    description: The server that mailboxes come from. It is only read.
    type: dict
    required: true
    suboptions:
      host:
        description: Name or address of the mail server.
        type: str
        required: true
      port:
        description:
          - Its port; 993 for O(source.security=tls), else 143. With O(source.protocol=pop3) 995 and 110.
        type: int
      security:
        description:
          - V(tls) from the first byte, or V(starttls), which never goes on without TLS.
          - V(plain) sends everything in clear text and needs O(source.allow_plaintext=true).
        type: str
        choices: [tls, starttls, plain]
        default: tls
      allow_plaintext:
        description: Whether O(source.security=plain) is meant.
        type: bool
        default: false
      validate_certs:
        description: Whether the server's certificate must be valid for O(source.host).
        type: bool
        default: true
      ca_path:
        description: File with the authorities to trust, in PEM form; the system's by default.
        type: path
      min_tls:
        description:
          - The least version of TLS to accept.
          - TLS below 1.2 can be read by others. It is for an old source that can't be updated only, and a finding
            names it.
        type: str
        choices: ["1.0", "1.1", "1.2", "1.3"]
        default: "1.2"
      auth:
        description:
          - How to log in. V(auto) takes the command LOGIN where the server allows it and user and password are plain
            ASCII, else SASL PLAIN, SASL LOGIN, or the command LOGIN with literals; all carry any bytes but NUL.
          - V(login) and V(plain) (SASL PLAIN) ask for one of them. A password is tried once, in one way.
          - V(xoauth2) and V(oauthbearer) (RFC 7628) take an OAuth 2.0 access token. It is the mailbox's
            O(mailboxes[].source_password) where that is given, else it comes from O(source.oauth_token),
            O(source.oauth_token_file) or O(source.oauth_token_command).
          - V(preauth) is for a server that logs us in by itself; it serves one mailbox only. Else such a server is
            refused, since nobody could say whose mailbox it gives.
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
        description: A user that may log in as any other user (a master user).
        type: str
      admin_password:
        description: Its password.
        type: str
      admin_method:
        description:
          - How it does that. V(separator) logs in as C(user*master), V(sasl_plain) by SASL PLAIN with an authorization
            identity (RFC 4616), V(proxyauth) by the command PROXYAUTH.
        type: str
        choices: [separator, sasl_plain, proxyauth]
        default: separator
      admin_separator:
        description: What stands between the two names for O(source.admin_method=separator).
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
        description: The most connections to this server at once, of all processes of a run together.
        type: int
        default: 20
      max_connections_per_account:
        description: The most of them for one account, where several mailboxes come from the same one; 0 for no limit.
        type: int
        default: 4
      keepalive:
        description:
          - After so many seconds without a command, a server that waits while the other side is worked with is told
            that we are still there (NOOP). Firewalls cut idle connections after some minutes.
          - V(0) never does that.
        type: float
        default: 60.0
      timeout:
        description: How long to wait for an answer, in seconds.
        type: float
        default: 120.0
      pop3_host:
        description: Name or address of the POP3 server beside it; the same as O(source.host) by default.
        type: str
      pop3_port:
        description:
          - Its port. When both sides have one, M(atmail.migration.mailbox_audit) compares what POP3 clients know
            messages by (UIDLs).
        type: int
      pop3_security:
        description: As O(source.security), for the POP3 server; the same as that by default.
        type: str
        choices: [tls, starttls, plain]
      protocol:
        description:
          - What mailboxes are read by. V(pop3) is for servers that have no IMAP. It knows INBOX only, no flags and no
            folders; UIDs are told from the UIDLs where they are in them.
          - An admin user of a POP3 server logs in by O(source.admin_method=separator) or by
            O(source.admin_method=sasl_plain).
        type: str
        choices: [imap, pop3]
        default: imap

  target:
    description: The server that mailboxes go to.
    type: dict
    required: true
    suboptions:
      host:
        description: Name or address of the IMAP server.
        type: str
        required: true
      port:
        description: Its port; 993 for O(target.security=tls), else 143.
        type: int
      security:
        description:
          - V(tls) from the first byte, or V(starttls), which never goes on without TLS.
          - V(plain) sends everything in clear text and needs O(target.allow_plaintext=true).
        type: str
        choices: [tls, starttls, plain]
        default: tls
      allow_plaintext:
        description: Whether O(target.security=plain) is meant.
        type: bool
        default: false
      validate_certs:
        description: Whether the server's certificate must be valid for O(target.host).
        type: bool
        default: true
      ca_path:
        description: File with the authorities to trust, in PEM form; the system's by default.
        type: path
      min_tls:
        description:
          - The least version of TLS to accept.
          - A target must have V(1.2) or V(1.3).
        type: str
        choices: ["1.0", "1.1", "1.2", "1.3"]
        default: "1.2"
      auth:
        description:
          - How to log in. V(auto) takes the command LOGIN where the server allows it and user and password are plain
            ASCII, else SASL PLAIN, SASL LOGIN, or the command LOGIN with literals; all carry any bytes but NUL.
          - V(login) and V(plain) (SASL PLAIN) ask for one of them. A password is tried once, in one way.
          - V(xoauth2) and V(oauthbearer) (RFC 7628) take an OAuth 2.0 access token. It is the mailbox's
            O(mailboxes[].target_password) where that is given, else it comes from O(target.oauth_token),
            O(target.oauth_token_file) or O(target.oauth_token_command).
          - V(preauth) is for a server that logs us in by itself; it serves one mailbox only. Else such a server is
            refused, since nobody could say whose mailbox it gives.
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
        description: A user that may log in as any other user (a master user).
        type: str
      admin_password:
        description: Its password.
        type: str
      admin_method:
        description:
          - How it does that. V(separator) logs in as C(user*master), V(sasl_plain) by SASL PLAIN with an authorization
            identity (RFC 4616), V(proxyauth) by the command PROXYAUTH.
        type: str
        choices: [separator, sasl_plain, proxyauth]
        default: separator
      admin_separator:
        description: What stands between the two names for O(target.admin_method=separator).
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
        description: The most connections to this server at once, of all processes of a run together.
        type: int
        default: 20
      max_connections_per_account:
        description: The most of them for one account, where several mailboxes come from the same one; 0 for no limit.
        type: int
        default: 4
      keepalive:
        description:
          - After so many seconds without a command, a server that waits while the other side is worked with is told
            that we are still there (NOOP). Firewalls cut idle connections after some minutes.
          - V(0) never does that.
        type: float
        default: 60.0
      timeout:
        description: How long to wait for an answer, in seconds.
        type: float
        default: 120.0
      pop3_host:
        description: Name or address of the POP3 server beside it; the same as O(target.host) by default.
        type: str
      pop3_port:
        description:
          - Its port. When both sides have one, M(atmail.migration.mailbox_audit) compares what POP3 clients know
            messages by (UIDLs).
        type: int
      pop3_security:
        description: As O(target.security), for the POP3 server; the same as that by default.
        type: str
        choices: [tls, starttls, plain]

      doveadm_url:
        description:
          - Address of Dovecot's administration API, for what IMAP can't set. UIDVALIDITY, UIDNEXT and mod-sequences.
          - Without it messages get new UIDs.
        type: str
      doveadm_api_key:
        description: The API's key.
        type: str
  mailboxes:
    description: The mailboxes, one entry each.
    type: list
    elements: dict
    required: true
    suboptions:
      source_user:
        description: The user on the source.
        type: str
        required: true
      source_password:
        description: The user's password there; not needed with O(source.admin_user).
        type: str
      target_user:
        description: The user on the target; the same as O(mailboxes[].source_user) by default.
        type: str
      target_password:
        description: The user's password there; not needed with O(target.admin_user).
        type: str
  source_passwords:
    description:
      - Passwords of accounts of the source, from one encrypted file. Those of O(mailboxes) come before it, and with
        O(source.admin_user) none is needed.
      - It is what M(atmail.migration.password_escrow) keeps, or a list that was encrypted by C(ansible-vault encrypt).
        Inside a list is a mapping of users to passwords, or a list of mappings with C(user) and C(password), both as
        YAML or JSON, or CSV with these two columns in its header line.
    type: dict
    suboptions:
      file:
        description: Path of the file, where the module runs. Give this or O(source_passwords.content).
        type: path
      content:
        description: What is in the file, for a file that is elsewhere.
        type: str
      vault_password:
        description: The Ansible Vault password that it is encrypted with.
        type: str
        required: true
  target_passwords:
    description:
      - Passwords of accounts of the target, from one encrypted file. Those of O(mailboxes) come before it, and with
        O(target.admin_user) none is needed.
      - It is what M(atmail.migration.password_escrow) keeps, or a list that was encrypted by C(ansible-vault encrypt).
        Inside a list is a mapping of users to passwords, or a list of mappings with C(user) and C(password), both as
        YAML or JSON, or CSV with these two columns in its header line.
    type: dict
    suboptions:
      file:
        description: Path of the file, where the module runs. Give this or O(target_passwords.content).
        type: path
      content:
        description: What is in the file, for a file that is elsewhere.
        type: str
      vault_password:
        description: The Ansible Vault password that it is encrypted with.
        type: str
        required: true
  folders:
    description: Which folders are meant, and how they are called on the target.
    type: dict
    suboptions:
      exclude:
        description:
          - Folders to leave out, with everything below them. C(/) stands between levels whatever the server uses, V(*)
            for anything, V(%) for anything within a level. A slash within a level is written C(\/).
        type: list
        elements: str
        default: []
      rename:
        description:
          - Folders that get another name on the target, old name to new name; folders below them go with them.
          - A folder that was copied before is renamed on the target. One whose entry is taken away stays where it is;
            an entry that gives a folder its own name brings it back.
        type: dict
        default: {}
      subscribe:
        description: Whether subscriptions follow the source.
        type: bool
        default: true
      namespaces:
        description:
          - The kinds of namespaces to copy from. V(shared) and V(other_users) become the user's own folders on the
            target, under the name they have on the source, so that each user who is given them gets a copy.
        type: list
        elements: str
        choices: [personal, other_users, shared]
        default: [personal]
      special_use:
        description:
          - V(keep) leaves folders their names. V(map) brings folders for sent mail, drafts, deleted mail, junk and the
            archive to the target's folders for these, known by RFC 6154 or by their names in many languages, as from
            C(Spam) to C(Junk). O(folders.rename) comes before it.
        type: str
        choices: [keep, map]
        default: keep
  ignore_mailbox_errors:
    description: Whether the task succeeds although a mailbox failed; the failures are in RV(mailboxes) all the same.
    type: bool
    default: false
  progress_file:
    description: For internal use. A file in which the module tells how far it is, read by the action of the same name.
    type: path
"""

    PACE = r"""
options:
"""
