# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: dav_audit
short_description: Prove that calendars and contacts of target accounts are the same as their sources
version_added: 0.1.0
author:
  - The atmail.migration developers (@atmail)
description:
  - Reads both sides whole and compares calendars, address books and what every object in them says. It writes nothing.
  - Folding, line ends, the order of properties and what servers write themselves (PRODID, DTSTAMP, SCHEDULE-STATUS) do
    not count. Everything else does.
  - The module does not fail because something differs, unless O(fail_on) says so. Look at RV(identical), and at
    RV(differences) for what differs. Texts of events and contacts are never in the result.
extends_documentation_fragment:
  - atmail.migration.dav
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
      - How much is compared. V(counts) compares calendars, address books, their properties and how many objects they
        have, V(full) every object as well.
    type: str
    choices: [counts, full]
    default: full
  ledger:
    description:
      - Path of the customer's ledger. It is only read, and asked for nothing but which calendars and address books
        belong together, and why the target did not take an object as it is.
    type: str
  fail_on:
    description:
      - What the module fails for, with the kind C(not_identical), as a gate before the cut-over. V(differences) is
        anything that makes RV(identical) false, V(content) anything that makes RV(content_identical) false.
    type: list
    elements: str
    choices: [differences, content]
    default: []
seealso:
  - module: atmail.migration.dav_sync
  - module: atmail.migration.mailbox_audit
"""

EXAMPLES = r"""
- name: Compare every event and contact before the cut-over
  atmail.migration.dav_audit:
    source: "{{ migration_source.dav }}"
    target: "{{ migration_target.dav }}"
    accounts:
      - source_user: ann@acme.example
    ledger: /var/lib/migration/acme.sqlite3
    fail_on: [content]
  register: proof
"""

RETURN = r"""
identical:
  description: Whether everything is the same on both sides.
  returned: always, once the options have been accepted
  type: bool
  sample: true
content_identical:
  description:
    - Whether both sides hold the same objects, whatever they are called in addresses, and whatever a target does not
      keep of a calendar's properties. Objects that were repaired, and kinds of objects that the target has not, are
      named in RV(differences) and do not count here.
  returned: always, once the options have been accepted
  type: bool
  sample: true
accounts:
  description: The verdict on each account, in the order of the option O(accounts).
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
    identical:
      description: As above, for this account.
      returned: always
      type: bool
      sample: true
    content_identical:
      description: As above, for this account.
      returned: always
      type: bool
      sample: true
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
    events:
      description: Objects in the source's calendars, tasks among them.
      returned: always
      type: int
      sample: 412
    contacts:
      description: Objects in the source's address books, groups among them.
      returned: always
      type: int
      sample: 95
    held_back:
      description: Events that carry SCHEDULE-AGENT on the target alone, so that nobody was invited again.
      returned: always
      type: int
      sample: 0
    differences_total:
      description: How many differences there are; at most 1,000 of an account are listed.
      returned: always
      type: int
      sample: 0
    seconds:
      description: How long it took, in seconds.
      returned: always
      type: float
      sample: 1.2
    findings:
      description: Things worth knowing that are no failures, as of M(atmail.migration.dav_sync).
      returned: always
      type: list
      elements: dict
      sample: []
    failures:
      description: Why the account could not be compared, each with C(kind), C(message), C(safe_next) and its place.
      returned: always
      type: list
      elements: dict
      sample: []
differences:
  description: What is not the same.
  returned: always, once the options have been accepted
  type: list
  elements: dict
  contains:
    account:
      description: The account's user on the target.
      returned: always
      type: str
      sample: ann@acme.example
    kind:
      description: V(calendar) or V(address_book).
      returned: always
      type: str
      sample: calendar
    collection:
      description: The end of its address.
      returned: always
      type: str
      sample: work
    what:
      description:
        - V(collection_missing), V(collection_extra), V(collection_extra_empty), V(property), V(count),
          V(object_missing), V(object_extra), V(name), V(content), V(unreadable), V(refused), V(repaired) or
          V(unsupported).
      returned: always
      type: str
      sample: content
    name:
      description: The object's name, empty when it is not about one.
      returned: always
      type: str
      sample: 8f3a.ics
    detail:
      description: Which properties differ, without their values, or why.
      returned: always
      type: str
      sample: "VCALENDAR, VEVENT, SUMMARY: another value"
    file:
      description: The file with the original of an object that the target did not take as it is.
      returned: always
      type: str
      sample: ""
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

from ansible_collections.atmail.migration.plugins.module_utils.dav.auditing import audit
from ansible_collections.atmail.migration.plugins.module_utils.dav.options import COMMON
from ansible_collections.atmail.migration.plugins.module_utils.module import ArgumentSpec, Call, run_module
from ansible_collections.atmail.migration.plugins.module_utils.progress import Progress, write_progress

SPEC = ArgumentSpec(options=COMMON).merge(
    ArgumentSpec(
        options={
            "depth": {"type": "str", "choices": ["counts", "full"], "default": "full"},
            "ledger": {"type": "str"},
            "fail_on": {"type": "list", "elements": "str", "choices": ["differences", "content"], "default": []},
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
