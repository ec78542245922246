# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: mailbox_audit
short_description: Prove that target mailboxes are the same as their source mailboxes
version_added: 0.1.0
author:
  - The atmail.migration developers (@atmail)
description:
  - Reads both sides and compares folders, UIDVALIDITY, UIDs, flags, keywords, INTERNALDATE, subscriptions, sizes and,
    as deep as O(depth) says, content. It trusts no ledger in that and writes nothing.
  - With C(pop3_port) on both sides it also compares what POP3 clients know messages by, their UIDLs, and the order.
    A source with O(source.protocol=pop3) is compared in INBOX alone, without flags and dates; its sizes count as the
    server lists them unless O(depth=full).
  - It names what mail clients would have to download again, and why, RV(downloads).
  - The module does not fail because something differs, unless O(fail_on) says so. Look at RV(identical), and at
    RV(differences) for what differs.
extends_documentation_fragment:
  - atmail.migration.mail
  - atmail.migration.pace
  - atmail.migration.mail.pace
attributes:
  check_mode:
    support: full
    description: The module only reads.
  diff_mode:
    support: none
    description: The module changes nothing.
options:
  depth:
    description:
      - How much of every message is compared. V(counts) compares its size, V(headers) also a digest of its header,
        V(full) a digest of every byte.
    type: str
    choices: [counts, headers, full]
    default: headers
  ledger:
    description:
      - Path of the customer's ledger. It is only read, and asked for nothing but the names under which folders were
        brought, and the reason and the file of messages that the target refused, RV(differences[].reason) and
        RV(mailboxes[].refused).
    type: str
  fail_on:
    description:
      - What the module fails for, as a gate before the cut-over. V(differences) is anything that makes RV(identical)
        false, V(content) anything that makes RV(content_identical) false; both fail with the kind C(not_identical).
      - V(imap_downloads) and V(pop_downloads) are messages that mail clients would download again; they fail with the
        kind C(downloads_needed). V(pop_downloads) needs C(pop3_port) on both sides.
      - A mailbox that could not be compared passes no gate.
    type: list
    elements: str
    choices: [differences, content, imap_downloads, pop_downloads]
    default: []
seealso:
  - module: atmail.migration.mailbox_sync
"""

EXAMPLES = r"""
- name: Compare every byte before the cut-over
  atmail.migration.mailbox_audit:
    source: "{{ migration_source_imap }}"
    target: "{{ migration_target_imap }}"
    mailboxes:
      - source_user: ann@acme.example
    depth: full
  register: proof

- name: Let nobody's mail client download anything again
  atmail.migration.mailbox_audit:
    source: "{{ migration_source_imap | combine({'pop3_port': 995}) }}"
    target: "{{ migration_target_imap | combine({'pop3_port': 995}) }}"
    mailboxes:
      - source_user: ann@acme.example
    fail_on: [content, imap_downloads, pop_downloads]

- name: Stop when anything differs
  ansible.builtin.assert:
    that: proof.identical
"""

RETURN = r"""
identical:
  description: Whether every mailbox is the same on both sides in everything that is compared.
  returned: always, once the options have been accepted
  type: bool
  sample: true
content_identical:
  description:
    - Whether every mailbox holds the same messages, whatever their UIDs and UIDVALIDITYs are.
    - This is what can be had where a target does not let UIDs be chosen. An empty message, which no target takes, does
      not count.
  returned: always, once the options have been accepted
  type: bool
  sample: true
mailboxes:
  description: The verdict on each mailbox, in the order of the option O(mailboxes).
  returned: always, once the options have been accepted
  type: list
  elements: dict
  contains:
    target_user:
      description: The mailbox's name on the target.
      returned: always
      type: str
      sample: ann@acme.example
    source_user:
      description: The mailbox's name on the source.
      returned: always
      type: str
      sample: ann@acme.example
    identical:
      description: As above, for this mailbox.
      returned: always
      type: bool
      sample: true
    content_identical:
      description: As above, for this mailbox.
      returned: always
      type: bool
      sample: true
    folders:
      description: Folders compared.
      returned: always
      type: int
      sample: 6
    messages:
      description: Messages compared.
      returned: always
      type: int
      sample: 430
    bytes:
      description: Their size in bytes.
      returned: always
      type: int
      sample: 13400321
    differences_total:
      description: How many differences there are; RV(differences) lists at most 1000 of a mailbox.
      returned: always
      type: int
      sample: 0
    seconds:
      description: How long it took, in seconds.
      returned: always
      type: float
      sample: 0.3
    refused:
      description:
        - The messages that the target did not take as they are, as the O(ledger) knows them. See C(refused) of
          M(atmail.migration.mailbox_sync).
      returned: always
      type: list
      elements: dict
      sample: []
    failures:
      description: Why the mailbox could not be compared, each with C(kind), C(message), C(safe_next) and its place.
      returned: always
      type: list
      elements: dict
      sample: []
differences:
  description: Everything that is not the same, one entry each.
  returned: always, once the options have been accepted
  type: list
  elements: dict
  contains:
    mailbox:
      description: The mailbox's name on the target.
      returned: always
      type: str
      sample: ann@acme.example
    folder:
      description: The folder as it is called on the source.
      returned: always
      type: str
      sample: INBOX
    uid:
      description: The message's UID on the source; on the target for V(message_extra).
      returned: when it is about one message
      type: int
      sample: 17
    what:
      description:
        - What differs. One of V(folder_missing), V(folder_extra), V(uidvalidity), V(uidnext), V(subscription),
          V(message_missing), V(message_empty), V(message_extra), V(uid), V(flags), V(internaldate), V(size),
          V(content), V(unreadable), and over POP3 V(uidl), V(uidl_order), V(uidl_duplicate), V(uidl_content),
          V(pop3_count).
        - V(message_empty) is a message without a single byte, which no target takes. V(unreadable) tells how many
          messages of the folder each side lists and does not give out.
        - V(uidl) is a message whose UIDL the target does not list, V(uidl_content) a UIDL that names another message
          there. V(pop3_count) tells that POP3 shows other messages than IMAP does, and not the same number of them on
          both sides.
      returned: always
      type: str
      sample: flags
    source:
      description: What it is on the source.
      returned: always
      type: str
      sample: \seen
    target:
      description: What it is on the target.
      returned: always
      type: str
      sample: ""
    reason:
      description: Why the target did not take the message, when the O(ledger) knows.
      returned: always
      type: str
      sample: ""
    file:
      description: The file in the quarantine with the message's exact bytes, when there is one.
      returned: always
      type: str
      sample: ""
  sample: []
downloads:
  description: What mail clients would have to download again, by mailbox, folder, kind of client and cause.
  returned: always, once the options have been accepted
  type: list
  elements: dict
  contains:
    mailbox:
      description: The mailbox's name on the target.
      returned: always
      type: str
      sample: ann@acme.example
    folder:
      description: The folder as it is called on the source.
      returned: always
      type: str
      sample: INBOX
    client:
      description: V(imap) or V(pop).
      returned: always
      type: str
      sample: pop
    cause:
      description:
        - V(folder) when it has another name, V(uidvalidity), V(uid); for POP3 also V(uidl_format) when the same numbers
          are written in another way, V(uidl) for any other UIDL, and V(uidl_order) for messages that only stand in
          another place, which matters to clients that go by the place.
      returned: always
      type: str
      sample: uidl_format
    messages:
      description: How many messages.
      returned: always
      type: int
      sample: 1200
    bytes:
      description: Their size in bytes.
      returned: always
      type: int
      sample: 48211034
    advice:
      description: What would help, where that is known.
      returned: always
      type: str
      sample: set pop3_uidl_format to UID%u-%v for this user or tenant on the target
  sample: []
passed:
  description: The values of O(fail_on) that nothing speaks against; V(pop_downloads) only if UIDLs were compared.
  returned: always, once the options have been accepted
  type: list
  elements: str
  sample: [differences, content, imap_downloads]
kind:
  description: The kind of failure when a mailbox could not be compared, or a gate of O(fail_on) was not passed.
  returned: failure
  type: str
  sample: auth_failed
"""

from ansible_collections.atmail.migration.plugins.module_utils.mail.audit import audit
from ansible_collections.atmail.migration.plugins.module_utils.mail.gates import GATES
from ansible_collections.atmail.migration.plugins.module_utils.mail.options import COMMON
from ansible_collections.atmail.migration.plugins.module_utils.module import ArgumentSpec, Call, run_module
from ansible_collections.atmail.migration.plugins.module_utils.progress import Progress, write_progress

SPEC = ArgumentSpec(options=COMMON).merge(
    ArgumentSpec(
        options={
            "depth": {"type": "str", "choices": ["counts", "headers", "full"], "default": "headers"},
            "ledger": {"type": "str"},
            "fail_on": {"type": "list", "elements": "str", "choices": list(GATES), "default": []},
        }
    )
)


def main() -> None:
    """Run the module."""
    run_module(SPEC, _run)


def _run(call: Call) -> dict[str, object]:
    def tell(progress: Progress) -> None:
        if call.params["progress_file"]:
            write_progress(call.params["progress_file"], progress)

    return audit(call.params, progress=tell)


if __name__ == "__main__":
    main()
