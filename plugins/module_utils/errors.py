# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The one tree of errors that the core raises.

Every error has a stable ``kind`` (what a playbook may match on), says where it happened, and says what is safe to do
next. Nothing in a message is secret: no password, key or message text is ever put into an error.

::

    MigrationError                      error
    ├── InputError                      invalid_input        an option or an inventory value is wrong
    │   ├── DuplicateError              duplicate            an address or a name appears twice
    │   ├── UnsupportedError            unsupported          asked for something that this version does not do
    │   └── PhaseError                  phase_passed         a phase was asked for that the customer has left
    ├── MissingLibraryError             missing_library      a Python library is missing or too old
    ├── MissingProgramError             missing_program      a program is not installed where the module runs
    ├── ConnectError                    connection_failed    a server can't be reached
    │   ├── UnknownHostError            unknown_host
    │   ├── RefusedError                connection_refused
    │   ├── TimedOutError               timeout
    │   └── ConnectionLostError         connection_lost      it was there and went away
    ├── TlsError                        tls_failed           no trustworthy encrypted connection
    │   ├── CertificateExpiredError     certificate_expired
    │   ├── CertificateNameError        certificate_wrong_name
    │   └── CertificateUntrustedError   certificate_untrusted
    ├── HostKeyError                    host_key_unknown     the SSH host key is not in known_hosts
    │   └── HostKeyChangedError         host_key_changed
    ├── AuthError                       auth_failed          user or password refused (tried once)
    ├── ServerError                     server_error         the server said NO or BAD to something it should do
    │   ├── ProtocolError               protocol_error       the server's answer makes no sense
    │   ├── ThrottledError              throttled            the server asks us to slow down
    │   ├── OverQuotaError              over_quota           the account's quota on the target is used up
    │   ├── DiskFullError               disk_full            the target's disk is full
    │   ├── ServerFaultError            server_fault         the server has trouble of its own, whatever is asked of it
    │   ├── FolderError                 folder_failed        one folder can't be opened, made or removed
    │   ├── MessageRefusedError         message_refused      the target does not take one message
    │   ├── MessageUnreadableError      message_unreadable   the source does not give out one message
    │   ├── CollectionError             collection_failed    one calendar or address book can't be read, made or changed
    │   ├── ObjectRefusedError          object_refused       the target does not take one event, task or contact
    │   ├── ObjectUnreadableError       object_unreadable    the source does not give out one event, task or contact
    │   ├── ObjectChangedError          object_changed       somebody else changed an event, task or contact meanwhile
    │   └── SchedulingError             scheduling_unsafe    the target would send invitations for what is copied
    ├── DnsError                        dns_failed           name servers do not say what is asked
    │   ├── DnsRefusedError             dns_refused          a name server does not take a change from us
    │   └── DnsChangedError             dns_changed          somebody else changed the records meanwhile
    ├── DatabaseError                   database_error
    │   ├── MissingTableError           missing_table
    │   └── MissingColumnError          missing_column
    ├── DumpError                       dump_invalid         a file is no dump of a database that can be read
    │   ├── DumpTruncatedError          dump_truncated       the dump ends before its end
    │   └── NoSpaceError                no_space             the disk of this machine has no room for it
    ├── SnapshotError                   snapshot_invalid     a snapshot is not ours, damaged, or its secrets don't open
    ├── TenantError                     tenant_not_enabled   the subscription is not enabled for migration
    │   ├── TenantUnknownError          tenant_unknown       the target knows no such subscription
    │   ├── TenantElsewhereError        tenant_elsewhere     the subscription is in another region
    │   └── TenantSuspendedError        tenant_suspended     the subscription is suspended
    ├── PgpError                        pgp_failed           a PGP message can't be opened or made
    │   ├── PgpKeyError                 pgp_key              a PGP key is missing, or not one to use
    │   ├── PgpPassphraseError          pgp_passphrase       the passphrase is wrong or missing
    │   └── PgpSignatureError           pgp_signature        a signature does not prove what it should
    ├── MailboxMissingError             mailbox_missing      an account without a mailbox
    ├── AccountMissingError             account_missing      a mailbox without an account
    ├── FidelityError                   not_faithful         ``fidelity: faithful`` was asked for and can't be had
    ├── RemovalsError                   too_many_removals    more would be removed than ``allow_removals`` lets go
    ├── TargetInUseError                target_in_use        a mirror without memory would undo what users did
    ├── DayBudgetError                  budget_used_up       as much has been read today as ``pace`` lets
    ├── TargetMovedError                target_moved         the target folder changed while it was written
    ├── BusyError                       mailbox_busy         another run works on this mailbox
    ├── NotIdenticalError               not_identical        both sides differ, and the cut-over depends on it
    ├── DownloadsError                  downloads_needed     mail clients would have to download messages again
    ├── InternalError                   internal_error       a mistake in this collection itself
    ├── MailboxesFailedError            several_failures     mailboxes failed, each for a reason of its own
    ├── AccountsFailedError             several_failures     accounts were left out, each for a reason of its own
    ├── EscrowError                     escrow_invalid       the file of swapped passwords can't be used as it is
    │   ├── EscrowForeignError          escrow_foreign       it is another customer's, or another source's
    │   ├── EscrowBusyError             escrow_busy          another run swaps passwords of this source
    │   ├── EscrowOpenError             escrow_open          generated passwords would be taken for users' own
    │   └── EscrowUnprovedError         escrow_unproved      not every original is back where it belongs
    ├── DkimError                       dkim_failed          a signing key, or its signer, can't be used as it is
    │   ├── DkimKeyError                dkim_key             a file of a signing key is damaged, or no key
    │   ├── DkimInUseError              dkim_in_use          a key that has signed would be replaced under its name
    │   └── DkimTableError              dkim_table           a signer's table says something else of the domain
    ├── BundleError                     bundle_unusable      a certificate bundle has faults, each named in the findings
    ├── BalancerError                   balancer_failed      the load balancer does not do what it is told
    │   ├── BalancerBusyError           balancer_busy        somebody else is replacing a certificate on it
    │   └── RollbackError               nothing_to_roll_back there is no bundle from before
    └── LedgerError                     ledger_failed
        ├── LedgerForeignError          ledger_foreign       the file is not a ledger of ours, or another customer's
        ├── LedgerNewerError            ledger_newer         written by a newer version
        └── LedgerDamagedError          ledger_damaged
"""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any, TypeVar

ErrorT = TypeVar("ErrorT", bound="MigrationError")


class MigrationError(Exception):
    """Something that stops an account, a mailbox or a run; the root of all our errors.

    ``where`` holds what the failure is about, from the outside in (``customer``, ``server``, ``mailbox``, ``account``,
    ``folder``, ``uid``, ``option`` …); ``safe_next`` is a sentence about what is safe to do next. ``done`` is the
    result of what was done before the error, for a run that ends failed.
    """

    kind = "error"
    safe_next = "Mend the cause and run again: what was done stays, and nothing is done twice."

    def __init__(self, message: str, *, safe_next: str | None = None, **where: Any) -> None:
        super().__init__(message)
        self.message = message
        if safe_next is not None:
            self.safe_next = safe_next
        self.where: dict[str, str | int] = {name: value for name, value in where.items() if value is not None}
        self.done: dict[str, Any] = {}

    def at(self, **where: str | int | None) -> MigrationError:
        """Add what an outer step knows about the place; what an inner step said stays."""
        self.where = {name: value for name, value in where.items() if value is not None} | self.where
        return self

    def become(self, kind: type[ErrorT]) -> ErrorT:
        """The same trouble at the same place as an error of another kind."""
        other = kind(self.message)
        other.where = dict(self.where)
        return other

    def as_dict(self) -> dict[str, Any]:
        """The error as a plain value for results and reports."""
        return {"kind": self.kind, "message": self.message, "safe_next": self.safe_next, **self.where}

    def __str__(self) -> str:
        place = ", ".join(f"{name} {value}" for name, value in self.where.items())
        return f"{place}: {self.message}" if place else self.message


class InputError(MigrationError):
    """An option or an inventory value is wrong; nothing has been done."""

    kind = "invalid_input"
    safe_next = "Correct the option; nothing has been changed."


class DuplicateError(InputError):
    """An address or a name appears twice where it must be unique."""

    kind = "duplicate"
    safe_next = "Remove the second entry; nothing has been changed."


class UnsupportedError(InputError):
    """Something was asked for that this version does not do."""

    kind = "unsupported"


class PhaseError(InputError):
    """A phase was asked for that the customer has left: mirror, catch_up and closed follow each other, never back."""

    kind = "phase_passed"
    safe_next = "Use the phase that the customer is in, or the next one; nothing has been changed."


class MissingLibraryError(MigrationError):
    """A Python library is missing, or too old, where the module runs."""

    kind = "missing_library"
    safe_next = "Install the library for the Python interpreter that runs the module, then run again."


class MissingProgramError(MigrationError):
    """A program is not installed where the module runs."""

    kind = "missing_program"
    safe_next = "Install the program's package where the module runs, then run again; nothing has been changed."


class ConnectError(MigrationError):
    """A server can't be reached."""

    kind = "connection_failed"
    safe_next = "Check host, port and firewall, then run again: nothing is done twice."


class UnknownHostError(ConnectError):
    """The host name does not resolve."""

    kind = "unknown_host"


class RefusedError(ConnectError):
    """Nothing listens on that port."""

    kind = "connection_refused"


class TimedOutError(ConnectError):
    """No answer within the time limit."""

    kind = "timeout"


class ConnectionLostError(ConnectError):
    """The connection was there and went away."""

    kind = "connection_lost"
    safe_next = "Run again: it carries on from what the target holds."


class TlsError(MigrationError):
    """No trustworthy encrypted connection could be made."""

    kind = "tls_failed"
    safe_next = "Mend the server's certificate or name the right host or CA; no password has been sent."


class CertificateExpiredError(TlsError):
    """The server's certificate has expired or is not valid yet."""

    kind = "certificate_expired"
    safe_next = (
        "Have the certificate renewed; no password has been sent. validate_certs: false goes on without knowing who is "
        "at the other end: only where nobody else can be."
    )


class CertificateNameError(TlsError):
    """The server's certificate is for another name (RFC 9525)."""

    kind = "certificate_wrong_name"
    safe_next = (
        "Give as host a name that the certificate is for, or have it issued for this one; no password has been sent."
    )


class CertificateUntrustedError(TlsError):
    """The server's certificate is not signed by a known authority."""

    kind = "certificate_untrusted"
    safe_next = (
        "Give the authority that signed it as ca_path, or a self-signed certificate itself, after comparing its "
        "fingerprint with the owner's; no password has been sent."
    )


class HostKeyError(MigrationError):
    """The SSH server's key is not in the known-hosts file."""

    kind = "host_key_unknown"
    safe_next = (
        "Compare the key's fingerprint with the customer's, then add it to the known-hosts file; nothing was sent."
    )


class HostKeyChangedError(HostKeyError):
    """The SSH server shows another key than the known-hosts file holds."""

    kind = "host_key_changed"
    safe_next = (
        "Ask the customer whether the key was changed before you replace it in the known-hosts file; nothing was sent."
    )


class AuthError(MigrationError):
    """The server refused the user or the password; it was tried once only."""

    kind = "auth_failed"
    #: Whether user name and password themselves were refused: the same are then not tried again in a run.
    credentials = False
    safe_next = "Correct the user or the password, then run again; it was tried once, so no account is locked by us."


class ServerError(MigrationError):
    """The server refused something that it should do."""

    kind = "server_error"


class ProtocolError(ServerError):
    """The server's answer makes no sense or breaks a bound."""

    kind = "protocol_error"


class ThrottledError(ServerError):
    """The server asks us to slow down."""

    kind = "throttled"
    safe_next = (
        "Run again later: it carries on where it stopped. Lower pace.connections or set pace.messages_per_second, or"
        " raise pace.max_backoff to wait longer."
    )


class OverQuotaError(ServerError):
    """The account's quota on the target is used up."""

    kind = "over_quota"
    safe_next = "Raise the account's quota on the target, then run again: it carries on where it stopped."


class DiskFullError(ServerError):
    """The target's disk is full."""

    kind = "disk_full"
    safe_next = "Make room on the target, then run again: it carries on where it stopped."


class ServerFaultError(ServerError):
    """The server has trouble of its own (RFC 5530, SERVERBUG and CORRUPTION); Dovecot says no more of a full disk."""

    kind = "server_fault"
    safe_next = "Look at the server's log and its free disk space, then run again: it carries on where it stopped."


class FolderError(ServerError):
    """One folder can't be opened, made or removed."""

    kind = "folder_failed"


class FolderGoneError(ServerError):
    """Somebody removed a target folder again and again while it was written."""

    kind = "folder_gone"
    safe_next = "Find out who or what removes the folder on the target, then run again: it is made anew."


class RenumberedError(FolderError):
    """A source folder's UIDVALIDITY changed while it was read, again and again."""


class MessageRefusedError(ServerError):
    """The target does not take one message; it stays on the source."""

    kind = "message_refused"
    safe_next = (
        "The message is still on the source, and its bytes are in the quarantine. Every other message is copied. "
        "Raise the target's limit, mend the message there or deliver the file, then run again."
    )


class MessageUnreadableError(ServerError):
    """The source does not give out a message that it lists."""

    kind = "message_unreadable"
    safe_next = "Look at the message on the source, mend it there, then run again. Every other message is copied."


class CollectionError(ServerError):
    """One calendar or address book can't be read, made or changed."""

    kind = "collection_failed"
    safe_next = "Look at the calendar or address book on that server, then run again. All others are copied."


class ObjectRefusedError(ServerError):
    """The target does not take one event, task or contact; it stays on the source."""

    kind = "object_refused"
    safe_next = (
        "It is still on the source, and its text is in the quarantine. Everything else is copied. "
        "Mend it on the source, raise the target's limit or import the file there, then run again."
    )


class ObjectUnreadableError(ServerError):
    """The source does not give out an event, task or contact that it lists."""

    kind = "object_unreadable"
    safe_next = "Look at it on the source, mend it there, then run again. Everything else is copied."


class ObjectChangedError(ServerError):
    """Somebody else changed an event, task or contact of the target while it was about to be written."""

    kind = "object_changed"
    safe_next = "Run again: it is read anew then. What somebody else wrote has not been overwritten."


class SchedulingError(ServerError):
    """The target would send invitations for events that are only copied, so none of them is written."""

    kind = "scheduling_unsafe"
    safe_next = (
        "Switch scheduling off on the target for the time of the copying, or let the option `scheduling` say how "
        "invitations are kept back, then run again. Nothing has been sent."
    )


class DnsError(MigrationError):
    """Name servers do not say what is asked, or can't be found."""

    kind = "dns_failed"
    safe_next = "Check the name servers and the resolvers that are asked, then run again; nothing has been changed."


class DnsRefusedError(DnsError):
    """A name server does not take a change from us (RFC 2136, RFC 8945)."""

    kind = "dns_refused"
    safe_next = (
        "Check the key's name, algorithm and secret, both clocks, and what the zone allows the key to change, or have "
        "the customer set the records by hand; nothing has been changed."
    )


class DnsChangedError(DnsError):
    """The records are not any more what they were when the change was planned."""

    kind = "dns_changed"
    safe_next = "Find out who changes the zone, then run again: it plans anew; nothing has been changed."


class DatabaseError(MigrationError):
    """The database refused a connection or a statement."""

    kind = "database_error"


class MissingTableError(DatabaseError):
    """A table that the profile names is not in the database."""

    kind = "missing_table"
    safe_next = "Check the profile, or name the site's own table in the inventory; nothing has been changed."


class MissingColumnError(DatabaseError):
    """A column that the profile names is not in its table."""

    kind = "missing_column"
    safe_next = "Check the profile, or name the site's own column in the inventory; nothing has been changed."


class DumpError(MigrationError):
    """A file is no dump of a database, or has something in it that no dump of tables has."""

    kind = "dump_invalid"
    safe_next = (
        "Ask for a dump made by mysqldump or mariadb-dump, as docs/other-sources.md says; nothing has been changed."
    )


class DumpTruncatedError(DumpError):
    """The dump ends before its end: a part of the customer's data is not in it."""

    kind = "dump_truncated"
    safe_next = (
        "Ask for the dump anew and compare sizes. If you know that it is whole, allow it with dump.allow_truncated; "
        "nothing has been changed."
    )


class NoSpaceError(DumpError):
    """The disk of the machine that the module runs on has no room for the dump's data."""

    kind = "no_space"
    safe_next = "Free some space, or name another folder as dump.workspace; what was there is removed again."


class SnapshotError(MigrationError):
    """A snapshot is not ours, damaged, of a newer version, or its secrets don't open."""

    kind = "snapshot_invalid"
    safe_next = (
        "Extract again, or give the vault password that the snapshot was written with; nothing has been changed."
    )


class TenantError(MigrationError):
    """The subscription is not enabled for migration on the target."""

    kind = "tenant_not_enabled"
    safe_next = (
        "Run the playbook atmail.migration.enable for this customer once it may be migrated, then this again; "
        "nothing has been written."
    )


class TenantUnknownError(TenantError):
    """The target knows no such subscription."""

    kind = "tenant_unknown"
    safe_next = (
        "Check the subscription's name, or have it made by the cloud's operators, then run again; "
        "nothing has been written."
    )


class TenantElsewhereError(TenantError):
    """The subscription is in another region than the inventory says."""

    kind = "tenant_elsewhere"
    safe_next = "Give the region that the subscription is in, then run again; nothing has been written."


class TenantSuspendedError(TenantError):
    """The subscription is suspended: nobody can log in, and no mail comes in."""

    kind = "tenant_suspended"
    safe_next = "Have the cloud's operators make the subscription active, then run again; nothing has been written."


class PgpError(MigrationError):
    """A PGP message can't be opened or made."""

    kind = "pgp_failed"
    safe_next = "Ask the sender for the file again; nothing has been changed."


class PgpKeyError(PgpError):
    """A PGP key is missing, expired, revoked or of a kind that does not fit."""

    kind = "pgp_key"
    safe_next = "Ask the key's owner for one that is valid and can be encrypted to; nothing has been changed."


class PgpPassphraseError(PgpError):
    """The passphrase of a PGP key or message is wrong or missing."""

    kind = "pgp_passphrase"
    safe_next = "Correct the passphrase; nothing has been changed."


class PgpSignatureError(PgpError):
    """A signature does not prove that a file is what its sender sent."""

    kind = "pgp_signature"
    safe_next = "Don't use the file before its sender has confirmed it; nothing has been changed."


class MailboxMissingError(MigrationError):
    """There is an account, but no mailbox to it."""

    kind = "mailbox_missing"


class AccountMissingError(MigrationError):
    """There is a mailbox, but no account to it."""

    kind = "account_missing"


class FidelityError(MigrationError):
    """``fidelity: faithful`` was asked for and can't be had here."""

    kind = "not_faithful"
    safe_next = "Nothing was written to this folder. Mend the cause, or allow fidelity: auto."


class RemovalsError(MigrationError):
    """More messages would be removed from a folder than ``allow_removals`` lets go."""

    kind = "too_many_removals"
    safe_next = "Nothing was removed. Check the source; if it is right, run again with a higher allow_removals."


class TargetInUseError(MigrationError):
    """The target looks as if its user worked there already, and the ledger knows nothing of the mailbox.

    A mirror would undo what the user did since the cut-over.
    """

    kind = "target_in_use"
    safe_next = (
        "After the cut-over run phase catch_up. Before it, allow the mirror with used_target: mirror; "
        "nothing has been changed."
    )


class DayBudgetError(MigrationError):
    """As many bytes have been read from the source today as ``pace.bytes_per_day`` and its like let."""

    kind = "budget_used_up"
    safe_next = "Run again tomorrow (UTC): it carries on where it stopped."


class TargetMovedError(MigrationError):
    """The target folder got other mail while it was written; what this run had just added there was taken back."""

    kind = "target_moved"
    safe_next = "Run again: the folder is planned anew from what both sides hold."


class BusyError(MigrationError):
    """Another run works on this mailbox."""

    kind = "mailbox_busy"
    safe_next = "Wait until the other run has ended, then run again."


class InternalError(MigrationError):
    """A mistake in this collection: something happened that nobody thought of. Only its type and place are told."""

    kind = "internal_error"
    safe_next = "Report it with this message. What was done stays; running again is safe."

    @classmethod
    def of(cls, error: Exception) -> InternalError:
        """The error for an exception that should not be; its text may hold anything, so it is left out."""
        last = traceback.extract_tb(error.__traceback__)[-1]
        return cls(f"{type(error).__name__} in {Path(last.filename).name}, line {last.lineno} ({last.name})")


class NotIdenticalError(MigrationError):
    """Both sides differ in something that must be the same before the cut-over."""

    kind = "not_identical"
    safe_next = "Look at the differences, run mailbox_sync again, then this; nothing has been changed."


class DownloadsError(MigrationError):
    """Mail clients would have to download messages again, and that is not to be."""

    kind = "downloads_needed"
    safe_next = "Look at the downloads: each names its cause, and what helps where that is known. Nothing was changed."


class MailboxesFailedError(MigrationError):
    """Mailboxes failed; where all failures are of one kind, this error is of that kind too."""

    kind = "several_failures"
    safe_next = "Look at each mailbox's failures, mend them and run again: the others are done and stay as they are."


class AccountsFailedError(MigrationError):
    """Some accounts were left out; everything else was done. Its ``kind`` is theirs when they share one."""

    kind = "several_failures"
    safe_next = "Mend what the findings say, then run again: what was done stays, and nothing is done twice."


class EscrowError(MigrationError):
    """The file that keeps swapped passwords is not ours, damaged, of a newer version, or its secrets don't open."""

    kind = "escrow_invalid"
    safe_next = (
        "Keep the file: it may be the only place where passwords still are. Give the vault password that it was "
        "written with, or the right path; nothing has been changed."
    )


class EscrowForeignError(EscrowError):
    """The file that keeps swapped passwords is of another customer or another source."""

    kind = "escrow_foreign"
    safe_next = (
        "Name this customer's own file. Where the source has only got another address, say so with moved: true; "
        "nothing has been changed."
    )


class EscrowBusyError(EscrowError):
    """Another run swaps or reinstates passwords of this source."""

    kind = "escrow_busy"
    safe_next = "Wait until the other run has ended, then run again; nothing has been changed."


class EscrowOpenError(EscrowError):
    """The source holds passwords that an escrow has set, and nobody says where the originals are."""

    kind = "escrow_open"
    safe_next = "Name the customer's escrow file, or reinstate the passwords with it first; nothing has been changed."


class EscrowUnprovedError(EscrowError):
    """Not every original password is proved to be back; all of them stay in the escrow file."""

    kind = "escrow_unproved"
    safe_next = "Keep the escrow file, mend what the message says, and run again: originals stay in the file."


class DkimError(MigrationError):
    """A signing key, or the tables of its signer, can't be used as they are."""

    kind = "dkim_failed"
    safe_next = "Mend what is named and run again: mail is signed as before."


class DkimKeyError(DkimError):
    """The file of a signing key is damaged, encrypted, or holds something else."""

    kind = "dkim_key"
    safe_next = (
        "Rotate to a new selector, or put the key back from where you keep it; mail is signed as before, and nothing "
        "has been changed."
    )


class DkimInUseError(DkimError):
    """A key that has signed would be replaced under its own selector, and mail on its way could not be verified."""

    kind = "dkim_in_use"
    safe_next = "Give another selector with state: rotated; mail is signed as before, and nothing has been changed."


class DkimTableError(DkimError):
    """A signer's table says something of the domain that is not ours, or can't hold what is wanted."""

    kind = "dkim_table"
    safe_next = (
        "Remove the domain's own line from the signer's table, or leave its signing to who wrote it; nothing has been "
        "changed."
    )


class BundleError(MigrationError):
    """A customer's certificate bundle has faults; the result's ``findings`` name all of them."""

    kind = "bundle_unusable"
    safe_next = "Look at the findings: each says what helps. What is served stays as it is; nothing has been changed."


class BalancerError(MigrationError):
    """The load balancer does not take a certificate, or has it not as it should be."""

    kind = "balancer_failed"
    safe_next = (
        "Look at HAProxy's answer and its log, then run again: what is served goes on, and nothing is done twice."
    )


class BalancerBusyError(BalancerError):
    """Somebody else is in the middle of replacing a certificate on the load balancer."""

    kind = "balancer_busy"
    safe_next = (
        "Wait until the other one is done, then run again. A transaction that nobody wants any more is ended by the "
        "runtime API's `abort ssl cert`; nothing has been changed."
    )


class RollbackError(BalancerError):
    """There is no bundle from before the present one."""

    kind = "nothing_to_roll_back"
    safe_next = "Install another bundle (state: present), or take this one away (state: absent); nothing was changed."


class LedgerError(MigrationError):
    """The ledger can't be read or written."""

    kind = "ledger_failed"
    safe_next = "Check the ledger's path, permissions and disk. It can be removed: that costs time, never mail."


class LedgerForeignError(LedgerError):
    """The file is not a ledger of this collection."""

    kind = "ledger_foreign"
    safe_next = "Name another path for the ledger; the file has not been touched."


class LedgerNewerError(LedgerError):
    """The ledger was written by a newer version of the collection."""

    kind = "ledger_newer"
    safe_next = "Use that version, or name another path for the ledger; the file has not been touched."


class LedgerDamagedError(LedgerError):
    """The ledger is damaged."""

    kind = "ledger_damaged"
    safe_next = (
        "Move the file away and run again: the ledger is rebuilt from the servers, which costs time, never mail."
    )
