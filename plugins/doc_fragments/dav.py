# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Options that the modules working on calendars and contacts share."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragment for O(source), O(target), O(accounts) and what goes with them."""

    DOCUMENTATION = r"""
requirements:
  - urllib3 >= 2.0
  - defusedxml >= 0.7
  - icalendar and vobject, with O(source.protocol=atmail) and O(source.protocol=files)
options:
  source:
    description: Where calendars and contacts come from. It is only read.
    type: dict
    required: true
    suboptions:
      protocol:
        description:
          - V(dav) is any CalDAV and CardDAV server, V(atmail) the database of Atmail 5 to 7, reached as settings are,
            V(files) a folder with one folder for each account, in which there are C(.ics) and C(.vcf) files.
        type: str
        choices: [dav, atmail, files]
        default: dav
      url:
        description:
          - Address of the CalDAV and CardDAV server, as V(https://dav.acme.example/), or a domain whose SRV records
            name it (RFC 6764). The calendars and address books of an account are found from there.
        type: str
      allow_plaintext:
        description: Whether C(http://) is meant, which sends everything in clear text.
        type: bool
        default: false
      validate_certs:
        description: Whether the server's certificate must be valid for its name.
        type: bool
        default: true
      ca_path:
        description: File with the authorities to trust, in PEM form; the system's by default.
        type: path
      min_tls:
        description:
          - The least version of TLS to accept. TLS below 1.2 can be read by others; it is for an old source that can't
            be updated only.
        type: str
        choices: ["1.0", "1.1", "1.2", "1.3"]
        default: "1.2"
      auth:
        description:
          - How to log in. V(auto) takes what the server asks for, the best first.
          - V(bearer) takes an OAuth 2.0 access token (RFC 6750). It is the account's password where that is given,
            else it comes from O(source.oauth_token), O(source.oauth_token_file) or O(source.oauth_token_command).
          - A password is tried once, in one way.
        type: str
        choices: [auto, basic, digest, bearer]
        default: auto
      oauth_token:
        description: An access token that serves all accounts.
        type: str
      oauth_token_file:
        description:
          - A file that holds the access token, and that somebody keeps fresh. C({user}) stands for the user.
        type: path
      oauth_token_command:
        description:
          - A command and its arguments that print an access token. C({user}) stands for the user. No shell is used.
        type: list
        elements: str
      admin_user:
        description: A user that may log in for all accounts.
        type: str
      admin_password:
        description: Its password.
        type: str
      admin_method:
        description:
          - How it does that. V(separator) logs in as C(user*admin), V(authorize_as) names the account in a header,
            which Cyrus heeds as a backend of a Murder only.
          - V(direct) logs in as the admin user itself, which has rights to the accounts' own addresses; that needs
            O(source.principal).
        type: str
        choices: [separator, direct, authorize_as]
        default: separator
      admin_separator:
        description: What stands between the two names for O(source.admin_method=separator).
        type: str
        default: "*"
      principal:
        description:
          - Address of an account's principal or home below O(source.url), with C({user}) for the user, as
            V(/principals/users/{user}/). Without it the server is asked.
        type: str
      trusted_hosts:
        description:
          - Other hosts that the server may send us to, and that may get the passwords, too. By default only the host
            itself.
        type: list
        elements: str
      dns_servers:
        description: Addresses of resolvers to ask for SRV records; the system's by default.
        type: list
        elements: str
      max_connections:
        description: The most connections to this server at once, of all accounts together.
        type: int
        default: 20
      timeout:
        description: How long to wait for an answer, in seconds.
        type: float
        default: 60.0
      ssh:
        description:
          - The SSH server that the database is reached through. Without it the database is reached directly.
          - Nothing is run there and no port is opened here; O(source.database) travels in a channel of the SSH
            connection.
        type: dict
        suboptions:
          host:
            description: Name or address of the SSH server.
            type: str
            required: true
          port:
            description: Its port.
            type: int
            default: 22
          user:
            description: The user to log in as.
            type: str
            required: true
          key_file:
            description: File with the private key. Give this or O(source.ssh.password).
            type: path
          key_passphrase:
            description: The passphrase of the private key, where it has one.
            type: str
          password:
            description: The user's password. Give this or O(source.ssh.key_file).
            type: str
          known_hosts:
            description: File with the host keys to trust. The server's key must be in it.
            type: path
            default: ~/.ssh/known_hosts
          timeout:
            description: Seconds to wait for each step of the connection.
            type: float
            default: 30.0
          keepalive:
            description: Seconds between signs of life; V(0) for none.
            type: int
            default: 30
          legacy_algorithms:
            description:
              - Whether algorithms that are no longer safe may be used, for servers that have no others.
              - Paramiko 5 has dropped the oldest ones; servers that need them need Paramiko 3.4 to 4 here.
            type: bool
            default: false
      database:
        description: The MySQL or MariaDB database.
        type: dict
        suboptions:
          host:
            description: Its name or address, as the SSH server sees it when there is one.
            type: str
            default: 127.0.0.1
          port:
            description: Its port.
            type: int
            default: 3306
          name:
            description: The database's name.
            type: str
            required: true
          user:
            description: The user to log in as. A source is only read.
            type: str
            required: true
          password:
            description: The user's password.
            type: str
            required: true
          tls:
            description:
              - Whether to speak TLS 1.2 or later, with a certificate that is valid for O(source.database.host).
              - By default V(true) without O(source.ssh), V(false) with it. Without both, only the loopback is allowed.
            type: bool
          ca_path:
            description: File with the authorities to trust, in PEM form; the system's by default.
            type: path
          timeout:
            description: Seconds to wait for the connection, and for each answer.
            type: float
            default: 30.0
      dump:
        description:
          - A file that C(mysqldump) or C(mariadb-dump) made of the source's database, for a customer who gives no
            access.
          - It is loaded into a MariaDB that is started for it, has no network, and is removed with all its data
            afterwards. Only statements that make and fill tables are taken from it, and nothing in it is run by a
            client.
          - Needs the programs of the package C(mariadb-server) where the module runs; no service has to run.
        type: dict
        suboptions:
          path:
            description:
              - The file. It may be compressed by gzip, bzip2, xz or zstd, and encrypted by PGP (O(source.pgp)).
            type: path
            required: true
          database:
            description: Which database to read when the dump holds several.
            type: str
          allow_truncated:
            description:
              - Whether to take a dump that has no mark of its end. Without it such a dump is refused, since a part of
                the customer may be missing. C(mysqldump --compact) writes no mark.
            type: bool
            default: false
          workspace:
            description:
              - A folder for the data while it is looked at; by default the system's for temporary files. It needs as
                much space as the dump unpacked, and 300 MB.
            type: path
      pgp:
        description: What opens a file that is encrypted by PGP.
        type: dict
        suboptions:
          keyring:
            description: A folder of GnuPG with the secret key.
            type: path
          key_files:
            description: Files with secret keys, instead of O(source.pgp.keyring). They are put into a throw-away home.
            type: list
            elements: path
            default: []
          passphrase:
            description: The key's passphrase, or that of a file encrypted with a passphrase alone.
            type: str
      overrides:
        description: Names of this database that differ from Atmail's own, by the keys in docs/calendars.md.
        type: dict
        default: {}
        suboptions:
          tables:
            description: Table key to table name.
            type: dict
            default: {}
          columns:
            description: Table key to column key to column name.
            type: dict
            default: {}
          settings:
            description: Setting of the site to its value.
            type: dict
            default: {}
      path:
        description: The folder, for O(source.protocol=files); below it a folder for each O(accounts[].source_user).
        type: path
  target:
    description: The CalDAV and CardDAV server that calendars and contacts go to.
    type: dict
    required: true
    suboptions:
      url:
        description:
          - Address of the CalDAV and CardDAV server, as V(https://dav.acme.example/), or a domain whose SRV records
            name it (RFC 6764). The calendars and address books of an account are found from there.
        type: str
        required: true
      allow_plaintext:
        description: Whether C(http://) is meant, which sends everything in clear text.
        type: bool
        default: false
      validate_certs:
        description: Whether the server's certificate must be valid for its name.
        type: bool
        default: true
      ca_path:
        description: File with the authorities to trust, in PEM form; the system's by default.
        type: path
      min_tls:
        description:
          - The least version of TLS to accept. TLS below 1.2 can be read by others; it is for an old source that can't
            be updated only.
        type: str
        choices: ["1.0", "1.1", "1.2", "1.3"]
        default: "1.2"
      auth:
        description:
          - How to log in. V(auto) takes what the server asks for, the best first.
          - V(bearer) takes an OAuth 2.0 access token (RFC 6750). It is the account's password where that is given,
            else it comes from O(target.oauth_token), O(target.oauth_token_file) or O(target.oauth_token_command).
          - A password is tried once, in one way.
        type: str
        choices: [auto, basic, digest, bearer]
        default: auto
      oauth_token:
        description: An access token that serves all accounts.
        type: str
      oauth_token_file:
        description:
          - A file that holds the access token, and that somebody keeps fresh. C({user}) stands for the user.
        type: path
      oauth_token_command:
        description:
          - A command and its arguments that print an access token. C({user}) stands for the user. No shell is used.
        type: list
        elements: str
      admin_user:
        description: A user that may log in for all accounts.
        type: str
      admin_password:
        description: Its password.
        type: str
      admin_method:
        description:
          - How it does that. V(separator) logs in as C(user*admin), V(authorize_as) names the account in a header,
            which Cyrus heeds as a backend of a Murder only.
          - V(direct) logs in as the admin user itself, which has rights to the accounts' own addresses; that needs
            O(target.principal).
        type: str
        choices: [separator, direct, authorize_as]
        default: separator
      admin_separator:
        description: What stands between the two names for O(target.admin_method=separator).
        type: str
        default: "*"
      principal:
        description:
          - Address of an account's principal or home below O(target.url), with C({user}) for the user, as
            V(/principals/users/{user}/). Without it the server is asked.
        type: str
      trusted_hosts:
        description:
          - Other hosts that the server may send us to, and that may get the passwords, too. By default only the host
            itself.
        type: list
        elements: str
      dns_servers:
        description: Addresses of resolvers to ask for SRV records; the system's by default.
        type: list
        elements: str
      max_connections:
        description: The most connections to this server at once, of all accounts together.
        type: int
        default: 20
      timeout:
        description: How long to wait for an answer, in seconds.
        type: float
        default: 60.0
  accounts:
    description: The accounts to work on. All other accounts are left alone.
    type: list
    elements: dict
    required: true
    suboptions:
      source_user:
        description: The account's user on the source.
        type: str
        required: true
      source_password:
        description: Its password; not needed with O(source.admin_user), a database or files.
        type: str
      target_user:
        description: The account's user on the target; the same as O(accounts[].source_user) by default.
        type: str
      target_password:
        description: Its password; not needed with O(target.admin_user).
        type: str
  source_passwords:
    description:
      - Passwords of the accounts on the source, from one encrypted list, as M(atmail.migration.mailbox_sync) takes it.
        It serves every account without a O(accounts[].source_password).
    type: dict
    suboptions:
      file:
        description: The list, on the host that the module runs on.
        type: path
      content:
        description: Its text, instead of a file.
        type: str
      vault_password:
        description: The Ansible Vault password that the list is encrypted with.
        type: str
        required: true
  target_passwords:
    description: The same for the target.
    type: dict
    suboptions:
      file:
        description: As O(source_passwords.file).
        type: path
      content:
        description: As O(source_passwords.content).
        type: str
      vault_password:
        description: As O(source_passwords.vault_password).
        type: str
        required: true
  collections:
    description: What is to be done with single calendars and address books.
    type: dict
    suboptions:
      exclude:
        description:
          - Display names, or ends of addresses, of those that are left alone. C(*) stands for any characters, case
            does not count.
        type: list
        elements: str
        default: []
      rename:
        description: Display name, or end of the address, on the source to the display name on the target.
        type: dict
        default: {}
  groups:
    description:
      - How groups of contacts are written where the source is no CardDAV server. V(vcard) makes C(KIND:group) of vCard
        4, V(apple) its older form that Apple, Sabre and others know, V(categories) gives each contact its groups'
        names.
      - V(auto) is V(apple). A CardDAV server's groups go over as they are.
    type: str
    choices: [auto, vcard, apple, categories]
    default: auto
  pace:
    description: How fast it may go.
    type: dict
    suboptions:
      connections:
        description:
          - Connections to each side at once, of all accounts together; 16 by default. A few accounts share them all, of
            many each has some.
        type: int
      requests_per_second:
        description: The most requests a second, of both sides together; 0 for no limit.
        type: float
      bytes_per_second:
        description: The most bytes a second, of both sides together; 0 for no limit.
        type: float
      max_backoff:
        description: The longest that an account waits for a server that asks for it, in seconds; 600 by default.
        type: float
      off_peak:
        description: Other limits for a time of day. What is not given here stays as by day.
        type: dict
        suboptions:
          start:
            description: Beginning of the window, as V(22:00).
            type: str
          end:
            description: End of the window; it may lie after midnight.
            type: str
          timezone:
            description: The time zone of both, as V(Europe/Berlin).
            type: str
            default: UTC
          connections:
            description: As above.
            type: int
          requests_per_second:
            description: As above.
            type: float
          bytes_per_second:
            description: As above.
            type: float
  ignore_account_errors:
    description: Whether the module succeeds although accounts failed; the result says which.
    type: bool
    default: false
  progress_file:
    description: A file that the module writes how far it is to, about once a second. The action plugin sets it.
    type: path
"""
