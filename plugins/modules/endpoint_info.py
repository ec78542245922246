# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: endpoint_info
short_description: Say what the public names and ports of the cloud really answer
version_added: 0.1.0
author:
  - The atmail.migration developers (@atmail)
description:
  - Tries every public name on every port. The ports for HTTPS, SMTPS, IMAPS, POP3S and DAV have to be open, speak their
    protocol, show the right certificate, take TLS 1.2 and 1.3 and nothing older; those of unencrypted mail have to be
    closed; nobody may send without a log-in; the mail exchangers have to take the customer's mail and nobody else's.
  - Old versions of TLS are really tried, whatever the libraries of this machine can speak.
  - It logs in nowhere and sends no message. What a mail server would do with one is asked by C(RCPT TO), followed by
    C(RSET) and C(QUIT).
  - Everything is looked at, whatever is found, so that all that is wrong is known at once. The module succeeds whatever
    it finds; RV(ready) says whether everything is as it should be.
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
    description: The region of the cloud. It names C(imap-REGION), C(smtp-REGION), C(mx1-REGION) and C(mx2-REGION).
    type: str
  subscription:
    description: The customer's name on the cloud, which is the name of its webmail there.
    type: str
  cloud_domain:
    description: The domain of the cloud's own names.
    type: str
    default: atmailcloud.com
  cloud_names:
    description: Whether the cloud's own names are looked at, too.
    type: bool
    default: true
  names:
    description: The customer's own names by what they are for. A name may be in several of them.
    type: dict
    default: {}
    suboptions:
      webmail: {description: "Names for webmail, C(https) and C(dav).", type: list, elements: str, default: []}
      admin: {description: "Names for the web admin, C(https).", type: list, elements: str, default: []}
      imap: {description: "Names for C(imaps) and C(pop3s).", type: list, elements: str, default: []}
      pop: {description: "Names for C(pop3s) only.", type: list, elements: str, default: []}
      smtp: {description: "Names for sending mail, C(smtps).", type: list, elements: str, default: []}
      dav: {description: "Names for C(dav) only.", type: list, elements: str, default: []}
      all: {description: "Names that serve for everything.", type: list, elements: str, default: []}
  fingerprints:
    description: The SHA-256 fingerprint of the certificate that a name has to show, or a list of some of which it has
      to show one; 64 digits each, with or without colons.
    type: dict
    default: {}
  where:
    description:
      - V(cloud) connects for the customer's own names to where the cloud's name for the service is, as long as they
        still lead to the old server. Without O(region) or O(subscription) it does as V(dns) does.
      - V(dns) connects to where they lead now.
    type: str
    choices: [cloud, dns]
    default: cloud
  certificates:
    description:
      - The customer's certificates as in C(migration_certificates). When given, a name that neither they nor the
        cloud's own certificate cover is wrong.
    type: list
    elements: dict
    suboptions:
      file:
        description: The PEM file; it is only named, not read.
        type: path
      names:
        description: Host names that it has to cover.
        type: list
        elements: str
        default: []
  exchangers:
    description: The mail exchangers. By default those of O(region).
    type: list
    elements: str
  domains:
    description: The customer's domains, whose mail the exchangers have to take; each is asked about C(postmaster).
    type: list
    elements: str
    default: []
  recipients:
    description: Addresses to ask about, instead of the C(postmaster) of their domains.
    type: list
    elements: str
    default: []
  foreign:
    description: An address outside of the cloud, to which nobody's mail may be relayed. One that there really is shows
      most.
    type: str
    default: postmaster@example.net
  ports:
    description: The number of each port, where it is another one. A port of V(0) is not looked at.
    type: dict
    default: {}
    suboptions:
      https: {description: "HTTPS.", type: int, default: 443}
      smtps: {description: "Submission in TLS.", type: int, default: 465}
      imaps: {description: "IMAP in TLS.", type: int, default: 993}
      pop3s: {description: "POP3 in TLS.", type: int, default: 995}
      dav: {description: "CalDAV and CardDAV in TLS.", type: int, default: 8443}
      smtp: {description: "SMTP, which is closed to users.", type: int, default: 25}
      pop3: {description: "POP3, which is closed.", type: int, default: 110}
      imap: {description: "IMAP, which is closed.", type: int, default: 143}
      submission: {description: "Submission with STARTTLS, which is closed.", type: int, default: 587}
      mx: {description: "SMTP of the mail exchangers, which is open to other servers.", type: int, default: 25}
  addresses:
    description: IP addresses of names that are not to be looked up.
    type: dict
    default: {}
  resolvers:
    description: Resolvers to ask for all other names, as V(192.0.2.53) or V(192.0.2.53:5353). By default the system's.
    type: list
    elements: str
    default: []
  ca_path:
    description: File with the authorities to trust, instead of the system's.
    type: path
  optional:
    description: Checks, or services with all their checks, that the cut-over does not need. They are tried, too.
    type: list
    elements: str
    choices:
      - plan
      - name
      - port
      - closed
      - ssl_3_0
      - tls_1_0
      - tls_1_1
      - tls_1_2
      - tls_1_3
      - chain
      - trust
      - names
      - dates
      - served
      - protocol
      - log_in
      - authentication
      - relay
      - mx
      - starttls
      - users
      - accepts
      - https
      - smtps
      - imaps
      - pop3s
      - dav
      - smtp
      - pop3
      - imap
      - submission
    default: []
  warn_days:
    description: A certificate that ends in fewer days is warned of.
    type: int
    default: 21
  timeout:
    description: Seconds for each connection, with all that is said in it.
    type: float
    default: 10.0
  mx_timeout:
    description: The same for mail exchangers, many of which let strangers wait before they say a word.
    type: float
    default: 30.0
  connections:
    description: Connections at once, to all servers together.
    type: int
    default: 16
requirements:
  - cryptography
  - dnspython >= 2.4, with O(resolvers)
seealso:
  - module: atmail.migration.intake_info
"""

EXAMPLES = r"""
- name: See what the customer's users will find
  atmail.migration.endpoint_info:
    customer: acme
    region: eu
    subscription: acme
    names:
      webmail: [webmail.acme.example]
      imap: [mail.acme.example]
      smtp: [mail.acme.example]
    certificates: "{{ migration_certificates }}"
    domains: [acme.example]
    recipients: [ann@acme.example]
  register: endpoints

- name: Stop unless everything is as it should be
  ansible.builtin.assert:
    that: endpoints.ready
    fail_msg: "{{ endpoints.open }}"
"""

RETURN = r"""
ready:
  description: Whether nothing is wrong, and everything could be tried, O(optional) aside.
  returned: success
  type: bool
  sample: false
headline:
  description: How the endpoints stand, in a sentence.
  returned: success
  type: str
  sample: "acme: the endpoints are not ready for the cut-over (1 wrong, 84 ok)"
summary:
  description: Numbers of checks by state; C(stopping) are those that the cut-over can't start with.
  returned: success
  type: dict
  sample: {ok: 84, warning: 0, unchecked: 0, wrong: 1, stopping: 1}
checks:
  description: Everything that was tried, in an order that stays.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The public name.
      returned: always
      type: str
      sample: mail.acme.example
    address:
      description: The address that was connected to; empty for what is about the name alone.
      returned: always
      type: str
      sample: 192.0.2.7
    service:
      description: The service, a name of O(ports); empty for what is about the name alone.
      returned: always
      type: str
      sample: imaps
    port:
      description: Its port; 0 for what is about the name alone.
      returned: always
      type: int
      sample: 993
    check:
      description: What was tried, to match on (docs/endpoints.md lists all).
      returned: always
      type: str
      sample: tls_1_0
    wanted:
      description: What should be.
      returned: always
      type: str
      sample: refused
    seen:
      description: What the other side showed or said.
      returned: always
      type: str
      sample: alert protocol version
    verdict:
      description: A word for what was found, to match on (docs/endpoints.md lists all).
      returned: always
      type: str
      sample: refused
    state:
      description: What that is worth, V(ok), V(warning), V(wrong) or V(unchecked) (not known).
      returned: always
      type: str
      sample: ok
    next:
      description: What to do; empty when it is V(ok).
      returned: always
      type: str
      sample: Install the bundle for this name, and look at the load balancer's crt-list.
    stops:
      description: Whether the cut-over can't start because of it.
      returned: always
      type: bool
      sample: false
table:
  description: The result as lines for a screen, one for each port.
  returned: success
  type: list
  elements: str
  sample: ["acme: the endpoints are ready for the cut-over (85 checks)"]
open:
  description: The same for those ports only where something is not V(ok).
  returned: success
  type: list
  elements: str
  sample: ["acme: the endpoints are ready for the cut-over (85 checks)"]
markdown:
  description: The result as a page in Markdown.
  returned: success
  type: str
  sample: "# Endpoints: acme"
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
    option: names
safe_next:
  description: What is safe to do next.
  returned: failure
  type: str
  sample: Correct the option; nothing has been changed.
"""

from datetime import UTC, datetime

from ansible_collections.atmail.migration.plugins.module_utils.module import ArgumentSpec, Call, run_module
from ansible_collections.atmail.migration.plugins.module_utils.tls.endpoints.info import endpoints
from ansible_collections.atmail.migration.plugins.module_utils.tls.endpoints.options import OPTIONS

SPEC = ArgumentSpec(options=OPTIONS)


def main() -> None:
    """Run the module."""
    run_module(SPEC, _run)


def _run(call: Call) -> dict[str, object]:
    return endpoints(call.params, datetime.now(UTC))


if __name__ == "__main__":
    main()
