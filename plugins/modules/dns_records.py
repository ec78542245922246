# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: dns_records
short_description: Set a customer's DNS records by dynamic update, and put them back
version_added: 0.1.0
author:
  - The atmail.migration developers (@atmail)
description:
  - Makes record sets what they should be, on the zone's own server, where the customer has given a key for it (RFC
    2136, signed by TSIG, RFC 8945). It takes the records as M(atmail.migration.dns_readiness_info) gives them.
  - All changes of a zone are made at once or not at all, and only while the zone is still what it was when they were
    planned. They are read again afterwards.
  - Record sets are remembered as they were before the first change, and V(restored) puts them back. What others have
    changed since is never touched.
attributes:
  check_mode:
    support: full
    description: Reads the record sets, and says what would be changed.
  diff_mode:
    support: full
    description: Shows the record sets before and after.
options:
  customer:
    description: The customer's name.
    type: str
    required: true
  state:
    description:
      - V(present) makes the record sets of O(records) what is given.
      - V(restored) makes those of O(backup) what they were before the first change.
    type: str
    choices: [present, restored]
    default: present
  server:
    description: The address of the zone's primary server, with a port if need be.
    type: str
    required: true
  port:
    description: The port, where O(server) has none.
    type: int
    default: 53
  key:
    description: The key that may change the zone.
    type: dict
    required: true
    suboptions:
      name:
        description: The name that the server knows it by.
        type: str
        required: true
      algorithm:
        description: Its algorithm.
        type: str
        choices: [hmac-sha256, hmac-sha512, hmac-sha384, hmac-sha224, hmac-sha1, hmac-md5]
        default: hmac-sha256
      secret:
        description: The key itself, in Base64.
        type: str
        required: true
  records:
    description: The record sets, with V(present).
    type: list
    elements: dict
    default: []
    suboptions:
      zone:
        description: The zone; without it the closest one above the name that the server has.
        type: str
      name:
        description: The whole name.
        type: str
        required: true
      type:
        description: The type of the records.
        type: str
        required: true
        choices: [A, AAAA, CAA, CNAME, MX, SRV, TXT]
      ttl:
        description: The TTL in seconds.
        type: int
        default: 300
      values:
        description:
          - All records of the set, as in a zone file; host names with their last dot. An empty list removes the set.
          - Without it the records stay as they are, and only the TTL changes.
        type: list
        elements: str
      replaces:
        description: How those TXT records begin that are replaced; all others of the set stay, and so does its TTL.
        type: str
        default: ""
      when:
        description: When the set is made, V(now) or V(cut_over); O(only) chooses by it.
        type: str
        default: ""
      check:
        description: Not used here.
        type: str
      why:
        description: Not used here.
        type: str
  backup:
    description: The file that remembers record sets as they were (0600). Keep it as long as something may be put back.
    type: path
    required: true
  only:
    description: Put back only what was set last at these times (O(records[].when)); everything by default.
    type: list
    elements: str
    default: []
  max_ttl:
    description: The highest TTL to put back, in seconds. What had a higher one can be put back wholly later.
    type: int
  timeout:
    description: Seconds to wait for an answer.
    type: float
    default: 10.0
seealso:
  - module: atmail.migration.dns_readiness_info
"""

EXAMPLES = r"""
- name: Switch the mail of a domain
  atmail.migration.dns_records:
    customer: acme
    server: 192.0.2.53
    key: &key
      name: migration.acme.example
      secret: "{{ vault_acme_tsig_secret }}"
    backup: /var/lib/migration/acme/dns-before.json
    records:
      - zone: acme.example
        name: acme.example
        type: MX
        ttl: 300
        values: [10 mx1-eu.atmailcloud.com., 20 mx2-eu.atmailcloud.com.]
        when: cut_over

- name: Put it back
  atmail.migration.dns_records:
    customer: acme
    state: restored
    server: 192.0.2.53
    key: *key
    backup: /var/lib/migration/acme/dns-before.json
    only: [cut_over]
    max_ttl: 300
"""

RETURN = r"""
records:
  description: The record sets that were changed, or would be.
  returned: success
  type: list
  elements: dict
  contains:
    zone:
      description: The zone.
      type: str
      sample: acme.example
    name:
      description: The name.
      type: str
      sample: acme.example
    type:
      description: The type of the records.
      type: str
      sample: MX
    before:
      description: TTL and values before; without values there was no such set.
      type: dict
      sample: {ttl: 3600, values: [10 mail.acme.example.]}
    after:
      description: TTL and values now.
      type: dict
      sample: {ttl: 300, values: [10 mx1-eu.atmailcloud.com., 20 mx2-eu.atmailcloud.com.]}
kind:
  description:
    - The kind of failure when the module fails, to match on.
    - V(dns_refused) when the server does not take the change, V(dns_changed) when the zone is not what it was.
  returned: failure
  type: str
  sample: dns_refused
where:
  description: What the failure is about.
  returned: failure
  type: dict
  sample:
    customer: acme
    zone: acme.example
    server: 192.0.2.53
safe_next:
  description: What is safe to do next.
  returned: failure
  type: str
  sample: Find out who changes the zone, then run again; nothing has been changed.
"""

from ansible_collections.atmail.migration.plugins.module_utils.dns.records import OPTIONS, dns_records
from ansible_collections.atmail.migration.plugins.module_utils.module import ArgumentSpec, Call, run_module

SPEC = ArgumentSpec(options=OPTIONS)


def main() -> None:
    """Run the module."""
    run_module(SPEC, _run)


def _run(call: Call) -> dict[str, object]:
    return dns_records(call.params, check_mode=call.check_mode, diff_mode=call.diff_mode)


if __name__ == "__main__":
    main()
