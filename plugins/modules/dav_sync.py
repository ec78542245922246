# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: dav_sync
short_description: Make calendars and contacts of target accounts the same as their sources
version_added: 0.1.0
author:
  - The atmail.migration developers (@atmail)
description:
  - Copies calendars, tasks and address books with everything in them to a CalDAV and CardDAV server, and later what
    changed. What comes from an Atmail database or from files becomes iCalendar and vCard text first.
  - Only what changed is asked for and written. An account in which nothing changed costs one look at each side.
  - Nobody gets an invitation for an event that is only copied (O(scheduling)).
  - One failing account does not stop the others. A run that was interrupted is simply run again.
extends_documentation_fragment:
  - atmail.migration.dav
attributes:
  check_mode:
    support: full
    description: Reads both sides and plans; writes nothing to the target and no ledger.
  diff_mode:
    support: full
    description: Shows for each calendar and address book what is, or would be, copied, changed and removed.
options:
  phase:
    description:
      - Where the customer's migration is. The ledger remembers it for mail, calendars and contacts together, and it
        never goes back. An earlier phase than the customer's is refused with kind V(phase_passed) before anything is
        done.
      - V(mirror), before the cut-over, makes the target the same as the source. It changes and removes only what a
        mirror has brought; what somebody else changed of that on the target is saved to the O(quarantine) first.
      - V(catch_up), after it, brings what is new on the source, and what was changed there and not on the target. It
        removes nothing, and what users moved or deleted on the target does not come back.
      - V(closed) copies nothing; it only notes that the migration is over.
      - The first run with a later phase moves the customer on; check mode does not.
    type: str
    choices: [mirror, catch_up, closed]
    default: mirror
  used_target:
    description:
      - What a mirror does where the target has an object with the same UID that no run has brought and that says
        something else.
      - V(stop) leaves the account alone, which fails with kind V(target_in_use). V(mirror) lets the source win; the
        target's own is saved to the O(quarantine) first.
    type: str
    choices: [stop, mirror]
    default: stop
  scheduling:
    description:
      - How it is made sure that no invitation leaves. V(auto) uses what the target understands, else V(agent), which
        marks events so that the target does not send anything for them; a finding says so.
      - V(off) says that scheduling is switched off on the target. V(refuse) writes no event to a target where only
        V(agent) would help.
    type: str
    choices: [auto, agent, "off", refuse]
    default: auto
  ledger:
    description:
      - Path of the customer's ledger, the same SQLite file as of M(atmail.migration.mailbox_sync). It makes runs fast
        and remembers what came from where.
      - Losing it costs time, never data. It holds no password and no text of any event or contact.
    type: str
    required: true
  allow_removals:
    description:
      - The share of a collection's objects that a run may remove, between 0 and 1. V(0) never removes anything, V(1) is
        for once, after you have looked.
      - When more have gone from the source, nothing is written to the account, and it fails with kind
        V(too_many_removals). The same when so many of those that runs have brought are gone from the target, and when
        an account lost more than half of all its objects.
      - A catch-up stops only where a whole side is empty that was not.
    type: float
    default: 0.2
  allow_removals_below:
    description: So few objects of a collection may always be removed, unless O(allow_removals=0).
    type: int
    default: 10
  quarantine:
    description:
      - Folder on the host that the module runs on, for objects that the target refuses and for what is overwritten
        there. It is made when it is needed, 0700, with a folder for each account; every object is a file of its own,
        0600.
      - The default is a folder beside the O(ledger), C(<ledger>.quarantine).
    type: path
  repair:
    description:
      - What may be done to an object that the target refuses as it is.
      - V(documented) mends what the standards forbid, step by step, until the target takes it; its original goes to the
        quarantine, and RV(accounts[].quarantined) says what was done (docs/calendars.md).
      - V(never) changes nothing. The object goes to the quarantine and its account fails with kind V(object_refused).
    type: str
    choices: [documented, never]
    default: documented
seealso:
  - module: atmail.migration.dav_audit
  - module: atmail.migration.mailbox_sync
"""

EXAMPLES = r"""
- name: Mirror the calendars and contacts of a customer from an Atmail 7 database
  atmail.migration.dav_sync:
    source:
      protocol: atmail
      ssh:
        host: mail.acme.example
        user: migration
        key_file: /etc/migration/acme_ed25519
      database:
        name: atmail
        user: migration
        password: "{{ vault_acme_database_password }}"
    target:
      url: https://dav-eu.atmailcloud.example:8443/
      admin_user: migration
      admin_password: "{{ vault_target_dav_password }}"
      admin_method: direct
      principal: /{user}/
    accounts:
      - source_user: ann@acme.example
      - source_user: bob@acme.example
        target_user: robert@acme.example
    ledger: /var/lib/migration/acme.sqlite3

- name: See first what a run from another CalDAV server would do
  atmail.migration.dav_sync:
    source:
      url: https://dav.acme.example/
    target:
      url: https://dav-eu.atmailcloud.example:8443/
    accounts:
      - source_user: ann@acme.example
        source_password: "{{ vault_ann_password }}"
        target_password: "{{ vault_ann_password }}"
    collections:
      exclude: ["Birthdays", "Holidays *"]
    pace: {connections: 4, requests_per_second: 50}
    ledger: /var/lib/migration/acme.sqlite3
  check_mode: true
  diff: true

- name: After the cut-over, bring what was still entered at the old server
  atmail.migration.dav_sync:
    source: "{{ migration_source.dav }}"
    target: "{{ migration_target.dav }}"
    accounts: "{{ migration_mailbox_list }}"
    phase: catch_up
    ledger: /var/lib/migration/acme.sqlite3
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
    accounts: 14
    calendars: 31
    address_books: 14
    objects_copied: 6021
    objects_changed: 4
    objects_removed: 3
    bytes_copied: 7012345
    accounts_unchanged: 11
    accounts_failed: 0
accounts:
  description: What happened to each account, in the order of the option O(accounts).
  returned: always, once the options have been accepted
  type: list
  elements: dict
  contains:
    target_user:
      description: The account's user on the target.
      returned: always
      type: str
      sample: ann@acme.example
    source_user:
      description: The account's user on the source.
      returned: always
      type: str
      sample: ann@acme.example
    calendars:
      description: Calendars on the source.
      returned: always
      type: int
      sample: 3
    address_books:
      description: Address books on the source.
      returned: always
      type: int
      sample: 1
    objects:
      description: Events, tasks, notes and contacts on the source.
      returned: always
      type: int
      sample: 430
    objects_copied:
      description: Objects that were written as new ones, or would be in check mode.
      returned: always
      type: int
      sample: 430
    objects_changed:
      description: Objects that were written over others.
      returned: always
      type: int
      sample: 0
    objects_removed:
      description: Objects removed because they are gone from the source.
      returned: always
      type: int
      sample: 0
    bytes_copied:
      description: The size of what was written, in bytes.
      returned: always
      type: int
      sample: 512000
    collections_created:
      description: Calendars and address books made on the target.
      returned: always
      type: int
      sample: 4
    collections_changed:
      description: Calendars and address books that got another name, colour or the like.
      returned: always
      type: int
      sample: 0
    seconds:
      description: How long it took, in seconds.
      returned: always
      type: float
      sample: 1.4
    unchanged:
      description: Whether there was nothing to do.
      returned: always
      type: bool
      sample: false
    findings:
      description: Things worth knowing that are no failures.
      returned: always
      type: list
      elements: dict
      contains:
        kind:
          description: A stable word for what it is about, to match on.
          returned: always
          type: str
          sample: target_change_undone
        message:
          description: The same for people.
          returned: always
          type: str
          sample: was changed on the target; what it said there is saved
        level:
          description: V(error) was left out, V(warning) was not but is worth a look, V(note) is good to know.
          returned: always
          type: str
          sample: warning
        collection:
          description: The calendar or address book; empty when it is about the account.
          returned: always
          type: str
          sample: Work
        name:
          description: The object, or its row; empty when it is not about one.
          returned: always
          type: str
          sample: 8f3a.ics
      sample: []
    quarantined:
      description:
        - A line for each object that is in the quarantine, and for each that the target did not take as it is, from
          this run or from an earlier one.
      returned: always
      type: list
      elements: dict
      contains:
        collection:
          description: The calendar or address book.
          returned: always
          type: str
          sample: Work
        name:
          description: The object's name on the source.
          returned: always
          type: str
          sample: 8f3a.ics
        kind:
          description:
            - V(refused) when the target does not take it, V(repaired) when it took it only after a repair,
              V(target_version) for what somebody else had written on the target.
          returned: always
          type: str
          sample: repaired
        reason:
          description: What the target said, and what was done.
          returned: always
          type: str
          sample: "the server does not take it: 400; a UID was added"
        file:
          description: The file with the original text.
          returned: always
          type: str
          sample: /var/lib/migration/acme.sqlite3.quarantine/ann@acme.example/work/8f3a.source.ics
      sample: []
    failures:
      description: What was not done, each with RV(accounts[].failures[].kind), C(message), C(safe_next) and its place.
      returned: always
      type: list
      elements: dict
      contains:
        kind:
          description: A stable word for the kind of failure, to match on.
          returned: always
          type: str
          sample: object_refused
      sample: []
kind:
  description: The kind of failure when the module fails; V(several_failures) when the accounts failed in several ways.
  returned: failure
  type: str
  sample: auth_failed
where:
  description: What the failure is about.
  returned: failure
  type: dict
  sample:
    account: ann@acme.example
safe_next:
  description: What is safe to do next.
  returned: failure
  type: str
  sample: Correct the user or the password, then run again.
"""

from ansible_collections.atmail.migration.plugins.module_utils.dav.options import COMMON, SCHEDULING
from ansible_collections.atmail.migration.plugins.module_utils.dav.sync import sync
from ansible_collections.atmail.migration.plugins.module_utils.module import ArgumentSpec, Call, run_module
from ansible_collections.atmail.migration.plugins.module_utils.progress import Progress, write_progress

SPEC = ArgumentSpec(options=COMMON).merge(
    ArgumentSpec(
        options={
            "phase": {"type": "str", "choices": ["mirror", "catch_up", "closed"], "default": "mirror"},
            "used_target": {"type": "str", "choices": ["stop", "mirror"], "default": "stop"},
            "scheduling": {"type": "str", "choices": list(SCHEDULING), "default": "auto"},
            "ledger": {"type": "str", "required": True},
            "allow_removals": {"type": "float", "default": 0.2},
            "allow_removals_below": {"type": "int", "default": 10},
            "quarantine": {"type": "path"},
            "repair": {"type": "str", "choices": ["documented", "never"], "default": "documented"},
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
