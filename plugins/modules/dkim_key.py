# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: dkim_key
short_description: Make, keep, rotate or remove a domain's DKIM key where its mail is signed
version_added: 0.1.0
author:
  - The atmail.migration developers (@atmail)
description:
  - Runs on the host that signs. The private key is made there, is for the signer's user alone (0600), and never leaves
    it. The module returns the DNS record, never the private key.
  - A new key signs nothing until its record has been seen at every authoritative server of its zone, and at all
    O(resolvers). So run the module once to get the record, publish it, and run it again.
  - When a key takes over from another, the old one stays for O(overlap_hours), for mail that is still on its way and so
    that one can go back. The first run after that removes its file; RV(remove_records) names records that may go.
  - The tables of the signer are changed line by line and replaced at once. Lines about other domains stay as they are.
  - Keys of both types can sign at the same time (RFC 8463) with Exim. OpenDKIM signs by RSA only, rspamd's maps
    hold one key for a domain.
attributes:
  check_mode:
    support: full
    description: Reads keys, tables and DNS, makes no key and writes nothing. A key to be made has no record yet.
  diff_mode:
    support: full
    description: Shows the keys (public halves only) and the domain's lines of both tables before and after.
options:
  customer:
    description: The customer's name, for messages.
    type: str
    required: true
  domain:
    description: The domain whose mail is signed, the one after the C(@) of C(From). Internationalised names may be
      given as they are.
    type: str
    required: true
  selector:
    description:
      - The key's selector.
      - Without it the module keeps the key that there is, and names a new one by O(selector_prefix), O(type) and the
        date, as C(atmail-rsa-20261123).
      - A selector that has signed is never given another key.
    type: str
  selector_prefix:
    description: How selectors begin that the module chooses.
    type: str
    default: atmail
  type:
    description:
      - The key's type.
      - Not all verifiers know V(ed25519) yet, so use it beside V(rsa), not instead.
    type: str
    choices: [rsa, ed25519]
    default: rsa
  bits:
    description: The size of a new RSA key. Verifiers need not know any above 4096 (RFC 8301).
    type: int
    choices: [2048, 3072, 4096]
    default: 2048
  state:
    description:
      - V(present) sees that there is a key. It signs when it is published, unless another key of its type does already;
        then it only waits.
      - V(rotated) lets the key of O(selector) take over when it is published. Without O(selector) a key takes over from
        one that has signed for O(max_age_days).
      - V(absent) ends the signing by O(selector), or by all keys of the domain, and removes them. Mail on its way can
        be verified until their records are removed.
    type: str
    choices: [present, rotated, absent]
    default: present
  regenerate:
    description:
      - When a key that is there is replaced by a new one.
      - V(if_weak) replaces one that can't be read, is RSA of less than 2048 bits, or is not of O(type); V(never) none;
        V(always) any.
      - Under its own selector only a key that has never signed is replaced. One that signs is rotated, which needs
        that O(selector) is not given or is another; else the module fails with the kind V(dkim_in_use).
    type: str
    choices: [never, if_weak, always]
    default: if_weak
  sign:
    description:
      - When the key begins to sign.
      - V(published) when its record has been seen; V(always) at once, whatever DNS says; V(never) makes it and its
        record only.
    type: str
    choices: [published, always, never]
    default: published
  overlap_hours:
    description: How long a key stays after another took over. Mail may be on its way for five days (RFC 5321, 4.5.4.1).
    type: int
    default: 168
  max_age_days:
    description: How long a key signs before O(state=rotated) without O(selector) replaces it.
    type: int
    default: 180
  ttl:
    description: Seconds for the zone line.
    type: int
    default: 3600
  signer:
    description:
      - What signs, and so how the tables are written.
      - V(exim) reads them by C(lsearch), V(opendkim) as C(refile) (C(SigningTable)) and C(file) (C(KeyTable)),
        V(rspamd) as C(selector_map) and C(path_map). OpenDKIM has to be told to read them again.
    type: str
    choices: [exim, opendkim, rspamd]
    default: exim
  directory:
    description: The folder of keys and tables. By default C(/etc/exim4/dkim), C(/etc/dkimkeys) or
      C(/var/lib/rspamd/dkim).
    type: path
  signing_table:
    description: The table of domains. By default C(signing.table) in O(directory).
    type: path
  key_table:
    description: The table of keys. By default C(key.table) in O(directory).
    type: path
  owner:
    description: The user (name or number) that the signer runs as, who gets the keys. By default the module's own.
    type: str
  authoritative:
    description: The servers of the zone, as V(192.0.2.1) or V(192.0.2.1:5353). By default they are found out.
    type: list
    elements: str
    default: []
  resolvers:
    description: Resolvers that have to know the record, too, and that are asked for the servers of the zone. By default
      those of the host are asked for the servers only.
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds to wait for each name server.
    type: float
    default: 5.0
requirements:
  - cryptography >= 42
  - dnspython >= 2.4
  - idna >= 3.7
"""

EXAMPLES = r"""
- name: See that there is a key, which signs once it is published
  atmail.migration.dkim_key:
    customer: acme
    domain: acme.example
    owner: Debian-exim
  delegate_to: smtp-eu.atmailcloud.example
  register: key

- name: Say what to publish
  ansible.builtin.debug:
    msg: "{{ key.record.zone_line }}"
  when: not key.published

- name: Rotate to another selector, once its record is published
  atmail.migration.dkim_key:
    customer: acme
    domain: acme.example
    selector: spring
    state: rotated
    owner: Debian-exim
  delegate_to: smtp-eu.atmailcloud.example

- name: Sign by Ed25519 as well
  atmail.migration.dkim_key:
    customer: acme
    domain: acme.example
    type: ed25519
    owner: Debian-exim
  delegate_to: smtp-eu.atmailcloud.example

- name: Sign no more
  atmail.migration.dkim_key:
    customer: acme
    domain: acme.example
    state: absent
  delegate_to: smtp-eu.atmailcloud.example
"""

RETURN = r"""
domain:
  description: The domain as DNS has it.
  returned: success
  type: str
  sample: acme.example
selector:
  description: The selector that this was about; null when keys were removed.
  returned: success
  type: str
  sample: atmail-rsa-20261123
type:
  description: The key's type.
  returned: success
  type: str
  sample: rsa
bits:
  description: The key's size.
  returned: success
  type: int
  sample: 2048
stage:
  description: V(prepared), V(signing) or V(overlap).
  returned: success
  type: str
  sample: prepared
signing:
  description: All selectors that the domain's mail is signed by now.
  returned: success
  type: list
  elements: str
  sample: [atmail-rsa-20260520]
published:
  description: Whether all servers that were asked have the key's record. A key that was just made is not looked for.
  returned: success
  type: bool
  sample: false
record:
  description: The record to publish; null in check mode for a key that would be made.
  returned: success
  type: dict
  contains: &record
    name:
      description: Its name, without the last dot.
      returned: always
      type: str
      sample: atmail-rsa-20261123._domainkey.acme.example
    type:
      description: V(TXT).
      returned: always
      type: str
      sample: TXT
    value:
      description: The text in one piece.
      returned: always
      type: str
      sample: v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
    strings:
      description: The text in strings of 255 bytes at most, as a TXT record holds it.
      returned: always
      type: list
      elements: str
      sample: ["v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="]
    ttl:
      description: Seconds.
      returned: always
      type: int
      sample: 3600
    zone_line:
      description: The record as a line of a zone file.
      returned: always
      type: str
      sample: spring._domainkey.acme.example. 3600 IN TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwI…"
servers:
  description: What each server said of the record.
  returned: success
  type: list
  elements: dict
  contains:
    server:
      description: The server.
      returned: always
      type: str
      sample: ns1.acme.example (192.0.2.1)
    state:
      description: V(published), V(missing), V(different) or V(unreachable).
      returned: always
      type: str
      sample: different
    said:
      description: What is wrong there; empty when nothing is.
      returned: always
      type: str
      sample: the record holds another key
keys:
  description: All keys of the domain, the oldest first. Times are seconds since 1970, 0 for never.
  returned: success
  type: list
  elements: dict
  contains:
    selector:
      description: The selector.
      returned: always
      type: str
      sample: atmail-rsa-20261123
    type:
      description: The type.
      returned: always
      type: str
      sample: rsa
    bits:
      description: The size; null for a file that can't be read, and in check mode for a key that would be made.
      returned: always
      type: int
      sample: 2048
    stage:
      description: V(prepared), V(signing), V(overlap) or V(retired).
      returned: always
      type: str
      sample: signing
    made_at:
      description: When it was made.
      returned: always
      type: int
      sample: 1795430400
    signed_from:
      description: When it began to sign.
      returned: always
      type: int
      sample: 1795434000
    signed_until:
      description: When another took over.
      returned: always
      type: int
      sample: 0
    retire_at:
      description: When its overlap ends, as O(overlap_hours) says now.
      returned: always
      type: int
      sample: 0
    retired_at:
      description: When its file was removed.
      returned: always
      type: int
      sample: 0
    record:
      description: Its record, as RV(record); null for a retired key.
      returned: always
      type: dict
      contains: *record
remove_records:
  description: Names of records that may be removed, since their keys are gone.
  returned: success
  type: list
  elements: str
  sample: [atmail-rsa-20251101._domainkey.acme.example]
findings:
  description: What somebody should do something about, by C(kind), C(level) and C(message).
  returned: success
  type: list
  elements: dict
  sample:
    - level: warning
      kind: dkim_not_published
      message: "spring._domainkey.acme.example at ns2.acme.example (192.0.2.2): there is no TXT record"
kind:
  description: The kind of failure when the module fails, to match on, as V(dkim_in_use), V(dkim_key) or V(dkim_table).
  returned: failure
  type: str
  sample: dkim_in_use
where:
  description: What the failure is about.
  returned: failure
  type: dict
  sample: {customer: acme, domain: acme.example, selector: spring}
safe_next:
  description: What is safe to do next.
  returned: failure
  type: str
  sample: "Give another selector with state: rotated; mail is signed as before, and nothing has been changed."
"""

import time

from ansible_collections.atmail.migration.plugins.module_utils.dkim.options import OPTIONS
from ansible_collections.atmail.migration.plugins.module_utils.dkim.run import dkim_key
from ansible_collections.atmail.migration.plugins.module_utils.module import ArgumentSpec, Call, run_module

SPEC = ArgumentSpec(options=OPTIONS)


def main() -> None:
    """Run the module."""
    run_module(SPEC, _run)


def _run(call: Call) -> dict[str, object]:
    return dkim_key(call.params, int(time.time()), check_mode=call.check_mode, diff_mode=call.diff_mode)


if __name__ == "__main__":
    main()
