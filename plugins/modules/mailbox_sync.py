# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: mailbox_sync
short_description: Make target mailboxes the same as their source mailboxes over IMAP
version_added: 0.1.0
author:
  - The atmail.migration developers (@atmail)
description:
  - Copies mailboxes with everything that mail clients see. Message bytes, UIDs, UIDVALIDITY, flags, keywords,
    INTERNALDATE, folders and subscriptions are the same afterwards, so that no mail client downloads anything twice.
  - Later runs copy what is new, make flags follow the source and remove what was removed there. An unchanged mailbox
    costs one log-in and one command on each side.
  - Where the target's UIDs can't be chosen, messages are copied all the same and the result says why in
    RV(mailboxes[].reasons).
  - One failing mailbox does not stop the others. A run that was interrupted is simply run again.
extends_documentation_fragment:
  - atmail.migration.mail
  - atmail.migration.pace
  - atmail.migration.mail.pace
attributes:
  check_mode:
    support: full
    description: Reads both sides and plans; writes nothing to the target and no ledger.
  diff_mode:
    support: full
    description: Shows for each folder what is, or would be, copied, changed and removed.
options:
  phase:
    description:
      - Where the customer's migration is. The ledger remembers it, and it never goes back. An earlier phase than the
        customer's is refused with kind V(phase_passed) before anything is done.
      - V(mirror), before the cut-over, makes the target the same as the source.
      - V(catch_up), after it, brings what is new on the source since the last run, and flags that were changed there
        and not on the target. It removes nothing, and what users moved or deleted on the target does not come back.
      - V(closed) copies nothing; it only notes that the migration is over.
      - The first run with a later phase moves the customer on; check mode does not.
    type: str
    choices: [mirror, catch_up, closed]
    default: mirror
  used_target:
    description:
      - What a mirror does with a mailbox of which the ledger knows nothing, and whose target holds newer mail than
        what came from the source. That is how it looks when the ledger was lost after the cut-over, and a mirror would
        then undo what users did.
      - V(stop) leaves the mailbox alone, which fails with kind V(target_in_use). V(mirror) goes on all the same.
    type: str
    choices: [stop, mirror]
    default: stop
  fidelity:
    description:
      - V(auto) keeps the source's UIDs and UIDVALIDITY wherever the target allows it, and copies with new UIDs
        elsewhere.
      - V(faithful) fails a folder that can't have them.
      - V(mapped) never sets them.
    type: str
    choices: [auto, faithful, mapped]
    default: auto
  ledger:
    description:
      - Path of the customer's ledger, an SQLite file that is made when it is missing. It makes runs fast and remembers
        what came from where.
      - Losing it costs time, never mail. It holds no password and no message text.
    type: str
    required: true
  allow_removals:
    description:
      - The share of a folder's messages that a run may remove, between 0 and 1. V(0) never removes anything, V(1) is
        for once, after you have looked.
      - When more have gone from the source, nothing is removed and the folder fails with kind V(too_many_removals).
        Messages that came to other folders of the mailbox instead do not count, and trash and junk may be emptied.
      - When a mailbox lost more than half of its messages (or than this share, if that is more), is empty, or has an
        empty INBOX where a hundred were, nothing is removed or changed in it at all, and it fails with the same kind.
    type: float
    default: 0.2
  allow_removals_below:
    description: So few messages of a folder may always be removed, unless O(allow_removals=0).
    type: int
    default: 10
  quarantine:
    description:
      - Folder on the host that the module runs on, for the exact bytes of messages that the target refuses. It is made
        when it is needed, 0700, with a folder for each mailbox; every message is a file of its own, 0600.
      - The default is a folder beside the O(ledger), C(<ledger>.quarantine).
      - A message that the target takes in a later run is removed from it.
    type: path
  repair:
    description:
      - What may be done to a message that the target refuses as it is.
      - V(never) changes no byte of any message. It goes to the quarantine and its mailbox fails with
        kind V(message_refused).
      - V(documented) tries it once more with NUL bytes as 0x80, every line end as CR LF, and an empty line before the
        first line that is no header field. Its original bytes go to the quarantine all the same, and
        RV(mailboxes[].refused) names it.
    type: str
    choices: [never, documented]
    default: never
  delta:
    description:
      - How a later run learns what has changed in a folder. V(auto) asks by QRESYNC, else by CONDSTORE (RFC 7162), else
        it reads the flags of every message; where an answer does not add up, the folder is read whole.
      - V(qresync) and V(condstore) try that way only before reading everything. V(listing) always reads everything, for
        a server whose mod-sequences don't move when flags change.
    type: str
    choices: [auto, qresync, condstore, listing]
    default: auto
seealso:
  - module: atmail.migration.mailbox_audit
"""

EXAMPLES = r"""
- name: Mirror every mailbox of a customer
  atmail.migration.mailbox_sync:
    source:
      host: mail.acme.example
      admin_user: master
      admin_password: "{{ vault_source_master_password }}"
    target:
      host: imap-eu.atmailcloud.example
      admin_user: migration
      admin_password: "{{ vault_target_master_password }}"
      doveadm_url: https://imap-eu.atmailcloud.example:8443/doveadm/v1
      doveadm_api_key: "{{ vault_doveadm_api_key }}"
    mailboxes:
      - source_user: ann@acme.example
      - source_user: bob@acme.example
        target_user: robert@acme.example
    ledger: /var/lib/migration/acme.sqlite3

- name: After the cut-over, bring what still arrived at the old server
  atmail.migration.mailbox_sync:
    source: "{{ migration_source_imap }}"
    target: "{{ migration_target_imap }}"
    mailboxes: "{{ migration_mailbox_list }}"
    phase: catch_up
    ledger: /var/lib/migration/acme.sqlite3

- name: See first what a run would do
  atmail.migration.mailbox_sync:
    source: "{{ migration_source_imap }}"
    target: "{{ migration_target_imap }}"
    mailboxes:
      - source_user: ann@acme.example
        source_password: "{{ vault_ann_password }}"
        target_password: "{{ vault_ann_password }}"
    folders:
      exclude: ["Trash", "Junk/*"]
      rename: {Spam: Junk}
    pace: {connections: 4, messages_per_second: 500}
    ledger: /var/lib/migration/acme.sqlite3
  check_mode: true
  diff: true
"""

RETURN = r"""
phase:
  description:
    - The customer's phase before this run, and after it. In check mode, after a run that is not in check mode.
    - Moving on counts as a change.
  returned: always, once the options have been accepted
  type: dict
  contains:
    before:
      description: The phase before.
      returned: always
      type: str
      sample: mirror
    after:
      description: The phase after.
      returned: always
      type: str
      sample: catch_up
summary:
  description: The run in numbers.
  returned: always, once the options have been accepted
  type: dict
  sample:
    mailboxes: 14
    folders: 84
    messages_copied: 6021
    bytes_copied: 190123456
    flags_changed: 12
    messages_removed: 3
    mailboxes_unchanged: 11
    mailboxes_failed: 0
mailboxes:
  description: What happened to each mailbox, in the order of the option O(mailboxes).
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
    fidelity:
      description:
        - V(faithful) when every folder has the source's UIDVALIDITY and UIDs, else V(mapped).
        - V(unknown) when the mailbox could not be looked at.
      returned: always
      type: str
      sample: faithful
    reasons:
      description: For each folder with other UIDs than on the source, why that is so.
      returned: always
      type: dict
      sample: {}
    folders:
      description: Folders on the source.
      returned: always
      type: int
      sample: 6
    messages:
      description: Messages on the source.
      returned: always
      type: int
      sample: 430
    messages_copied:
      description: Messages copied by this run, or to be copied in check mode.
      returned: always
      type: int
      sample: 430
    bytes_copied:
      description: Their size in bytes.
      returned: always
      type: int
      sample: 13400321
    flags_changed:
      description: Messages whose flags were changed.
      returned: always
      type: int
      sample: 0
    messages_removed:
      description: Messages removed because they are gone from the source.
      returned: always
      type: int
      sample: 0
    folders_created:
      description: Folders made on the target.
      returned: always
      type: int
      sample: 5
    folders_removed:
      description: Folders removed because they are gone from the source.
      returned: always
      type: int
      sample: 0
    folders_renamed:
      description: Folders that were copied before and got another name on the target instead of being copied again.
      returned: always
      type: int
      sample: 0
    subscriptions_changed:
      description: Subscriptions added or taken away.
      returned: always
      type: int
      sample: 5
    seconds:
      description: How long it took, in seconds.
      returned: always
      type: float
      sample: 0.41
    unchanged:
      description: Whether there was nothing to do.
      returned: always
      type: bool
      sample: false
    findings:
      description: Things worth knowing that are no failures.
      returned: always
      type: list
      elements: str
      sample: []
    refused:
      description:
        - A line for each message that is not on the target byte for byte, from this run or from an earlier one.
      returned: always
      type: list
      elements: dict
      contains:
        folder:
          description: The folder's name on the source.
          returned: always
          type: str
          sample: Archive/2019
        uid:
          description: The message's UID on the source.
          returned: always
          type: int
          sample: 46
        kind:
          description:
            - V(refused) when the target does not take the message, V(repaired) when it took it only after a repair,
              V(empty) when it has no bytes at all, which IMAP can't append, V(nul_hidden) when it has NUL bytes that
              the source gives out as 0x80, as Dovecot does. The last two are no failures.
          returned: always
          type: str
          sample: refused
        reason:
          description: What the target said.
          returned: always
          type: str
          sample: "the server would not store the message: NO [LIMIT] Mail size exceeds 50k"
        file:
          description: The file with the message's exact bytes; empty when there is none.
          returned: always
          type: str
          sample: /var/lib/migration/acme.sqlite3.quarantine/ann@acme.example/Archive%2F2019.777.46.eml
      sample: []
    failures:
      description: What was not done, each with RV(mailboxes[].failures[].kind), C(message), C(safe_next) and its place.
      returned: always
      type: list
      elements: dict
      contains:
        kind:
          description: A stable word for the kind of failure, to match on.
          returned: always
          type: str
          sample: over_quota
      sample: []
kind:
  description: The kind of failure when the module fails; V(several_failures) when the mailboxes failed in several ways.
  returned: failure
  type: str
  sample: auth_failed
where:
  description: What the failure is about.
  returned: failure
  type: dict
  sample:
    mailbox: ann@acme.example
safe_next:
  description: What is safe to do next.
  returned: failure
  type: str
  sample: Correct the user or the password, then run again.
"""

from ansible_collections.atmail.migration.plugins.module_utils.mail.options import COMMON
from ansible_collections.atmail.migration.plugins.module_utils.mail.sync import sync
from ansible_collections.atmail.migration.plugins.module_utils.module import ArgumentSpec, Call, run_module
from ansible_collections.atmail.migration.plugins.module_utils.progress import Progress, write_progress

SPEC = ArgumentSpec(options=COMMON).merge(
    ArgumentSpec(
        options={
            "phase": {"type": "str", "choices": ["mirror", "catch_up", "closed"], "default": "mirror"},
            "used_target": {"type": "str", "choices": ["stop", "mirror"], "default": "stop"},
            "fidelity": {"type": "str", "choices": ["auto", "faithful", "mapped"], "default": "auto"},
            "ledger": {"type": "str", "required": True},
            "allow_removals": {"type": "float", "default": 0.2},
            "allow_removals_below": {"type": "int", "default": 10},
            "quarantine": {"type": "path"},
            "repair": {"type": "str", "choices": ["never", "documented"], "default": "never"},
            "delta": {"type": "str", "choices": ["auto", "qresync", "condstore", "listing"], "default": "auto"},
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

    return sync(call.params, check_mode=call.check_mode, progress=tell)


if __name__ == "__main__":
    main()
