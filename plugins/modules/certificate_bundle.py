# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: certificate_bundle
short_description: Judge a customer's certificate bundle, and put it on the load balancer without dropping a connection
version_added: 0.1.0
author:
  - The atmail.migration developers (@atmail)
description:
  - Takes one PEM with the private key, the certificate and its chain in any order, and says all that is wrong with it
    at once. A bundle with an error is not installed.
  - Installs it on HAProxy on the host where the module runs. The running process is told through its runtime API, so
    that nothing is reloaded and open connections stay open; new ones get the new certificate, chosen by the name that
    the client asks for. The file and its line in HAProxy's list of certificates (C(crt-list)) are for the next start.
  - What is sent to clients is put together anew, the certificate first, then its intermediates in their order, without
    the root and without anything that does not belong to it. The key is kept without a passphrase, as HAProxy needs it.
  - Nothing of the private key is in a result, a difference or an error.
attributes:
  check_mode:
    support: full
    description: Judges the bundle and looks at HAProxy; writes nothing.
  diff_mode:
    support: full
    description: Shows facts of the certificates before and after, never their files.
options:
  customer:
    description: The customer's name. A bundle of another customer is never touched.
    type: str
    required: true
  name:
    description:
      - What the bundle's files are called, without an ending. By default the customer's name.
      - A customer with several bundles needs a name for each.
    type: str
  state:
    description:
      - With V(present) the bundle is judged, and served if there is a O(balancer).
      - V(rolled_back) serves the bundle that was served before, under the names of that time. Once it is done,
        running it again changes nothing.
      - V(absent) serves it no more, and removes its files with the earlier one, so that no key stays behind.
    type: str
    choices: [present, absent, rolled_back]
    default: present
  content:
    description:
      - The bundle, as text; or the Base64 of its bytes, so that a file which is no text gets its verdict, too.
      - Needed with O(state=present). P(atmail.migration.pgp_file#lookup) reads it, encrypted by PGP or not.
    type: str
  names:
    description:
      - Host names that the certificate has to cover and that get it. Without any these are the certificate's own.
      - A wildcard stands for exactly one label (RFC 9525).
    type: list
    elements: str
    default: []
  passphrase:
    description: The passphrase of an encrypted private key.
    type: str
  ca_path:
    description: A file with the authorities to trust, instead of those of the system where the module runs.
    type: path
  ca_content:
    description: The authorities to trust as PEM text, instead of O(ca_path); for a file that is on the controller.
    type: str
  warn_days:
    description: How many days before its end a certificate is warned about.
    type: int
    default: 30
  accept_ed25519:
    description: Whether a key of the kind Ed25519 may be used. Hardly any mail program or browser takes one.
    type: bool
    default: false
  balancer:
    description: HAProxy on the host where the module runs. Without it the bundle is only judged.
    type: dict
    suboptions:
      directory:
        description: The folder of the certificates' files. It must exist.
        type: path
        required: true
      crt_list:
        description: The list of certificates, by the path that C(bind … ssl crt-list) has in HAProxy's configuration.
        type: path
        required: true
      socket:
        description: HAProxy's runtime API, a UNIX socket with C(level admin).
        type: path
        default: /run/haproxy/admin.sock
      timeout:
        description: Seconds to wait for an answer.
        type: float
        default: 10.0
requirements:
  - cryptography >= 42
  - HAProxy >= 2.4, with O(balancer)
notes:
  - O(content) and O(passphrase) are not logged. The bundle goes to HAProxy through its socket, never by a command line.
  - HAProxy's socket and the folder need a user with the right to them, usually root.
seealso:
  - module: atmail.migration.intake_info
  - plugin: atmail.migration.pgp_file
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Only judge what the customer has sent
  atmail.migration.certificate_bundle:
    customer: acme
    content: "{{ lookup('atmail.migration.pgp_file', '/etc/migration/acme/mail.acme.example.pem') }}"
    names: [mail.acme.example]

- name: Serve it
  atmail.migration.certificate_bundle:
    customer: acme
    content: "{{ lookup('atmail.migration.pgp_file', '/etc/migration/acme/mail.acme.example.pem') }}"
    names: [mail.acme.example]
    balancer: &balancer
      directory: /etc/haproxy/certs
      crt_list: /etc/haproxy/crt-list.txt
  delegate_to: balancer-eu-1

- name: Serve what was served before
  atmail.migration.certificate_bundle:
    customer: acme
    state: rolled_back
    balancer: *balancer
  delegate_to: balancer-eu-1
"""

RETURN = r"""
usable:
  description: Whether there is no error. The module fails when there is one.
  returned: success or when the bundle was judged
  type: bool
  sample: true
findings:
  description: All that is to be said about the bundle, errors first.
  returned: success or when the bundle was judged
  type: list
  elements: dict
  contains:
    level:
      description: V(error) keeps it from being used, V(warning) is to be acted on, V(info) is only to be known.
      returned: always
      type: str
      sample: error
    kind:
      description: The kind, to match on. C(docs/certificates.md) lists all.
      returned: always
      type: str
      sample: chain_incomplete
    message:
      description: What was found.
      returned: always
      type: str
      sample: the intermediate CN=Trust CA 3 is missing, which issued mail.acme.example
    about:
      description: The name or the certificate that it is about.
      returned: always
      type: str
      sample: CN=Trust CA 3
    next:
      description: What helps.
      returned: always
      type: str
      sample: Ask the customer for the whole chain of the certificate's authority, in the same file.
certificate:
  description: Facts of the certificate; empty where there is none.
  returned: success or when the bundle was judged
  type: dict
  sample:
    subject: CN=mail.acme.example
    issuer: CN=Trust CA 3
    names: [mail.acme.example]
    serial: 3f2a
    not_before: "2026-11-01T00:00:00+00:00"
    not_after: "2027-11-01T00:00:00+00:00"
    days_left: 342
    key: EC P-256
    sha256: 5f1d
chain:
  description: The same facts of the intermediates that are sent with it, in their order.
  returned: success or when the bundle was judged
  type: list
  elements: dict
  sample: []
root:
  description: The trusted root that the chain leads to, where it was judged.
  returned: success or when the bundle was judged
  type: str
  sample: CN=Trust Root
names:
  description: Host names that get the certificate, in lower case and as A-labels.
  returned: success or when the bundle was judged
  type: list
  elements: str
  sample: [mail.acme.example]
file:
  description: The bundle's file on the load balancer.
  returned: success, with O(balancer)
  type: str
  sample: /etc/haproxy/certs/acme.pem
served:
  description: Whether HAProxy has it now, or would have it without check mode.
  returned: success, with O(balancer)
  type: bool
  sample: true
kind:
  description:
    - The kind of failure when the module fails, to match on.
    - V(bundle_unusable) for a bundle with errors, V(balancer_failed) or V(balancer_busy) for HAProxy,
      V(nothing_to_roll_back) where there is no earlier bundle.
  returned: failure
  type: str
  sample: bundle_unusable
where:
  description: What the failure is about.
  returned: failure
  type: dict
  sample:
    customer: acme
    bundle: acme
safe_next:
  description: What is safe to do next.
  returned: failure
  type: str
  sample: Look at the findings; each says what helps. What is served stays as it is; nothing has been changed.
"""

from datetime import UTC, datetime

from ansible_collections.atmail.migration.plugins.module_utils.module import ArgumentSpec, Call, run_module
from ansible_collections.atmail.migration.plugins.module_utils.tls.options import OPTIONS
from ansible_collections.atmail.migration.plugins.module_utils.tls.run import certificate_bundle

SPEC = ArgumentSpec(
    options=OPTIONS,
    required_if=[
        ("state", "present", ("content",)),
        ("state", "absent", ("balancer",)),
        ("state", "rolled_back", ("balancer",)),
    ],
    mutually_exclusive=[("ca_path", "ca_content")],
)


def main() -> None:
    """Run the module."""
    run_module(SPEC, _run)


def _run(call: Call) -> dict[str, object]:
    return certificate_bundle(
        call.params, datetime.now(UTC), check_mode=call.check_mode, diff_mode=call.diff_mode, warn=call.warn
    )


if __name__ == "__main__":
    main()
