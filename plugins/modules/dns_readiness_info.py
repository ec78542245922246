# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: dns_readiness_info
short_description: Say record by record whether a customer's DNS is ready for the cut-over
version_added: 0.1.0
author:
  - The atmail.migration developers (@atmail)
description:
  - Asks every authoritative server of each zone, and the given resolvers, for all records that a cut-over depends on,
    and says what is wanted, what is seen, and what is thought of it. Servers that say something else are named.
  - Gives the zone lines that are to be set now and at the cut-over, for the customer or for
    M(atmail.migration.dns_records).
  - It only reads. The module succeeds whatever it finds; RV(ready) says whether the cut-over may start, or after it
    whether all is as it should be.
attributes:
  check_mode:
    support: full
    description: Nothing is ever changed.
  diff_mode:
    support: none
    description: Nothing is ever changed.
options:
  customer:
    description: The customer's name.
    type: str
    required: true
  region:
    description: The region of the cloud.
    type: str
    required: true
    choices: [eu, us]
  subscription:
    description: The customer's name on the cloud, whose host name webmail and web admin have.
    type: str
    required: true
  cloud_domain:
    description: The domain of the cloud's own names.
    type: str
    default: atmailcloud.com
  domains:
    description: The mail domains. Names may be written in their own script.
    type: list
    elements: str
    required: true
  stage:
    description:
      - V(before) the cut-over mail and names may still lead to today's servers, and their TTLs have to be low.
      - V(after) it everything has to lead to the cloud.
    type: str
    choices: [before, after]
    default: before
  names:
    description: The customer's own host names by service, each of which has to be an alias of the cloud's.
    type: dict
    suboptions:
      webmail:
        description: Names for webmail.
        type: list
        elements: str
        default: []
      imap:
        description: Names for IMAP and POP3.
        type: list
        elements: str
        default: []
      smtp:
        description: Names for sending mail.
        type: list
        elements: str
        default: []
      admin:
        description: Names for the web admin.
        type: list
        elements: str
        default: []
  mx_hosts:
    description:
      - The customer's own names for the cloud's mail servers, the first one first; without them the cloud's own are
        wanted. It is not recommended, as they must be addresses, which may change.
    type: list
    elements: str
    default: []
  dkim:
    description: The DKIM records, as M(atmail.migration.dkim_key) gives them.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The whole name, as C(s1._domainkey.acme.example).
        type: str
        required: true
      value:
        description: The record's text, whole.
        type: str
        required: true
  certificate_names:
    description: Names of certificates, which CAA records must not forbid. C(*.acme.example) is a wildcard.
    type: list
    elements: str
    default: []
  certificate_issuers:
    description: The authorities that issue the customer's certificates, as CAA records call them.
    type: list
    elements: str
    default: []
  autoconfig:
    description: Where C(autoconfig) and C(autodiscover) of each domain have to lead to; without it they need not be.
    type: str
  dmarc:
    description: The stage of DMARC that is wanted. Anything but C(none) is refused before SPF and DKIM pass.
    type: dict
    suboptions:
      policy:
        description: The policy.
        type: str
        choices: [none, quarantine, reject]
      reports:
        description: Where receivers send their reports to, as V(mailto:dmarc@acme.example).
        type: str
  ttl:
    description: How low TTLs have to be before the cut-over, and for how long.
    type: dict
    suboptions:
      limit:
        description: Seconds.
        type: int
        default: 300
      hours:
        description: Hours since they are low; a TTL that was seen to be longer than that counts instead.
        type: float
        default: 24.0
      lowered_at:
        description:
          - When they were lowered, where that was before the first check; an ISO 8601 time.
          - It does not count for a TTL that was seen to be high after it.
        type: str
  recorded:
    description: RV(recorded) of the last check, by which TTLs are known to have been low.
    type: dict
    default: {}
  optional:
    description: Checks that the cut-over does not need.
    type: list
    elements: str
    choices: [servers, mx, mx_host, ttl, spf, dkim, dmarc, name, srv, autoconfig, caa, dnssec, cloud]
    default: [srv, autoconfig]
  resolvers:
    description: Resolvers to ask, as V(9.9.9.9) or V(192.0.2.1:5353); those of this machine by default.
    type: list
    elements: str
    default: []
  authoritative:
    description: The servers of zones where they are not to be looked up, as for a zone that is not delegated yet.
    type: list
    elements: dict
    default: []
    suboptions:
      zone:
        description: The zone.
        type: str
        required: true
      servers:
        description: Addresses of its servers, with ports if need be.
        type: list
        elements: str
        required: true
  port:
    description: The port of authoritative servers that are looked up.
    type: int
    default: 53
  timeout:
    description: Seconds to wait for an answer.
    type: float
    default: 5.0
seealso:
  - module: atmail.migration.dns_records
  - module: atmail.migration.endpoint_info
"""

EXAMPLES = r"""
- name: Look at the customer's DNS
  atmail.migration.dns_readiness_info:
    customer: acme
    region: eu
    subscription: acme
    domains: [acme.example, bücher.example]
    names:
      webmail: [webmail.acme.example]
      imap: [imap.acme.example]
      smtp: [smtp.acme.example]
    dkim:
      - name: s1._domainkey.acme.example
        value: "{{ dkim.record.value }}"
    resolvers: [9.9.9.9, 1.1.1.1]
  register: dns

- name: Print what the customer has to set
  ansible.builtin.debug:
    msg: "{{ dns.zone_lines }}"
"""

RETURN = r"""
ready:
  description: Whether nothing that is required stands against the cut-over.
  returned: success
  type: bool
  sample: false
headline:
  description: The same in a sentence.
  returned: success
  type: str
  sample: "acme: the customer's DNS is not ready, 2 records are not as needed"
summary:
  description: Numbers of checks by state, and C(stopping), those that stand against the cut-over.
  returned: success
  type: dict
  sample: {ok: 20, pending: 5, warning: 0, unchecked: 0, missing: 1, wrong: 1, stopping: 2}
checks:
  description: All checks.
  returned: success
  type: list
  elements: dict
  contains:
    check:
      description: What kind of check; see O(optional).
      type: str
      sample: mx
    name:
      description: The name.
      type: str
      sample: acme.example
    type:
      description: The type of record.
      type: str
      sample: MX
    state:
      description:
        - V(ok); V(pending), what is right today and changes at the cut-over; V(warning); V(unchecked), when no server
          says; V(missing); V(wrong).
      type: str
      sample: wrong
    verdict:
      description: Why, in a sentence.
      type: str
      sample: "mx2-eu.atmailcloud.com is missing"
    next:
      description: What to do.
      type: str
      sample: Set the MX records as they stand in the zone lines.
    wanted:
      description: The records that are wanted.
      type: list
      elements: str
      sample: ["10 mx1-eu.atmailcloud.com.", "20 mx2-eu.atmailcloud.com."]
    seen:
      description: The records that are there.
      type: list
      elements: str
      sample: ["10 mx1-eu.atmailcloud.com."]
    servers:
      description: What each server says, where they do not all say the same.
      type: list
      elements: dict
      sample: [{server: ns1.acme.example (192.0.2.1), seen: 10 mail.acme.example.}]
    required:
      description: Whether the cut-over needs it.
      type: bool
      sample: true
    stops:
      description: Whether the cut-over can't start because of it.
      type: bool
      sample: true
table:
  description: All checks as lines for a screen.
  returned: success
  type: list
  elements: str
  sample: ["acme: the customer's DNS is ready"]
open:
  description: The same for those only that are not V(ok).
  returned: success
  type: list
  elements: str
  sample: ["acme: the customer's DNS is ready", "31 checks are ok"]
zone_lines:
  description: The records to set, now and at the cut-over, as lines of a zone file.
  returned: success
  type: str
  sample: "acme.example. 300 IN MX 10 mx1-eu.atmailcloud.com."
records:
  description: The same as M(atmail.migration.dns_records) takes them, each with C(when), V(now) or V(cut_over), and the
    C(check) that wants it.
  returned: success
  type: list
  elements: dict
  sample:
    - zone: acme.example
      name: acme.example
      type: MX
      ttl: 300
      values: ["10 mx1-eu.atmailcloud.com.", "20 mx2-eu.atmailcloud.com."]
      when: cut_over
      replaces: ""
      why: mail of acme.example goes to the cloud
      check: mx
way_back:
  description: The records of today that change at the cut-over, as lines of a zone file, to put them back by.
  returned: success
  type: str
  sample: "acme.example. 300 IN MX 10 mail.acme.example."
recorded:
  description: What is known of the records that change, and since when their TTLs are low; give it to the next check.
  returned: success
  type: dict
  sample:
    acme.example MX:
      low_since: "2026-11-22T10:00:00+00:00"
      high_at: "2026-11-22T09:55:00+00:00"
      highest: 3600
      values: [10 mail.acme.example.]
zones:
  description: The zones, and their servers.
  returned: success
  type: dict
  sample: {acme.example: ["ns1.acme.example (192.0.2.1)"]}
markdown:
  description: The result as a page in Markdown.
  returned: success
  type: str
  sample: "# DNS readiness: acme"
html:
  description: The result as a page in HTML.
  returned: success
  type: str
  sample: <!doctype html>
kind:
  description: The kind of failure when the module fails, to match on.
  returned: failure
  type: str
  sample: invalid_input
where:
  description: What the failure is about.
  returned: failure
  type: dict
  sample:
    option: domains
safe_next:
  description: What is safe to do next.
  returned: failure
  type: str
  sample: Correct the option; nothing has been changed.
"""

from datetime import UTC, datetime

from ansible_collections.atmail.migration.plugins.module_utils.dns.options import OPTIONS
from ansible_collections.atmail.migration.plugins.module_utils.dns.readiness import readiness
from ansible_collections.atmail.migration.plugins.module_utils.module import ArgumentSpec, Call, run_module

SPEC = ArgumentSpec(options=OPTIONS)


def main() -> None:
    """Run the module."""
    run_module(SPEC, _run)


def _run(call: Call) -> dict[str, object]:
    return readiness(call.params, datetime.now(UTC))


if __name__ == "__main__":
    main()
