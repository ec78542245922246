# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: pgp_encrypt
short_description: Encrypt what is handed over to its recipients' PGP keys
version_added: 0.1.0
author:
  - The atmail.migration developers (@atmail)
description:
  - Writes a file that only the recipients can open, each with a key of their own.
  - A recipient's key is named by its whole fingerprint, which its owner should have confirmed by another way than the
    one the key came by. Another key than that is never encrypted to, and neither is one that has expired, was revoked
    or can only sign.
  - The file is written again only when its content, its recipients or its form have changed. A note beside it
    (C(.NAME.handover)) tells; it holds a salted, slow digest of the content and is not to be handed over.
attributes:
  check_mode:
    support: full
    description: Says what would be written; the keys are looked at all the same.
  diff_mode:
    support: full
    description: Shows recipients and sizes, never the content.
options:
  src:
    description: The file to encrypt.
    type: path
  content:
    description: The text to encrypt.
    type: str
  dest:
    description: The encrypted file; it gets mode 0600 and is put in place at once.
    type: path
    required: true
  recipients:
    description: Those who can open the file.
    type: list
    elements: dict
    required: true
    suboptions:
      fingerprint:
        description: The whole fingerprint of the key, with or without blanks.
        type: str
        required: true
      key_file:
        description: The file with the public key; without it the key is in O(keyring).
        type: path
  keyring:
    description: GnuPG's folder (its home) with public keys. Without it recipients need a O(recipients[].key_file).
    type: path
  armor:
    description: Whether the file is text (RFC 9580, section 6) that can be sent by mail.
    type: bool
    default: true
requirements:
  - gpg, the program
  - python-gnupg >= 0.5.2
seealso:
  - plugin: atmail.migration.pgp_file
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Hand over the list of new passwords
  atmail.migration.pgp_encrypt:
    src: /var/lib/migration/acme/passwords.csv
    dest: /var/lib/migration/acme/handover/passwords.csv.asc
    recipients:
      - fingerprint: 3AA5 C343 71F5 67BD 2E2C  5A20 D9F5 43F0 E4A1 A5D2
        key_file: /etc/migration/acme/jane.asc
      - fingerprint: 0123456789ABCDEF0123456789ABCDEF01234567
        key_file: /etc/migration/acme/deputy.asc
"""

RETURN = r"""
dest:
  description: The encrypted file.
  returned: success
  type: str
  sample: /var/lib/migration/acme/handover/passwords.csv.asc
reason:
  description: Why it was written, or would be; empty when it is as wanted.
  returned: success
  type: str
  sample: its content is another
recipients:
  description: Those who can open it.
  returned: success
  type: list
  elements: dict
  contains:
    fingerprint:
      description: The key's fingerprint.
      returned: always
      type: str
      sample: 3AA5C34371F567BD2E2C5A20D9F543F0E4A1A5D2
    names:
      description: The names that are on the key.
      returned: always
      type: list
      elements: str
      sample: [Jane Doe <jane@acme.example>]
    expires:
      description: When the key expires (ISO 8601); empty when it does not.
      returned: always
      type: str
      sample: "2027-05-01T00:00:00+00:00"
kind:
  description: The kind of failure when the module fails, to match on.
  returned: failure
  type: str
  sample: pgp_key
where:
  description: What the failure is about.
  returned: failure
  type: dict
  sample:
    fingerprint: 3AA5C34371F567BD2E2C5A20D9F543F0E4A1A5D2
safe_next:
  description: What is safe to do next.
  returned: failure
  type: str
  sample: Ask the key's owner for one that is valid and can be encrypted to; nothing has been changed.
"""

import os
from pathlib import Path
from typing import Any

from ansible_collections.atmail.migration.plugins.module_utils.errors import InputError
from ansible_collections.atmail.migration.plugins.module_utils.module import ArgumentSpec, Call, run_module
from ansible_collections.atmail.migration.plugins.module_utils.pgp.handover import hand_over
from ansible_collections.atmail.migration.plugins.module_utils.pgp.options import RECIPIENTS, recipients

SPEC = ArgumentSpec(
    options={
        "src": {"type": "path"},
        "content": {"type": "str", "no_log": True},
        "dest": {"type": "path", "required": True},
        "recipients": {**RECIPIENTS, "required": True},
        "keyring": {"type": "path", "no_log": False},
        "armor": {"type": "bool", "default": True},
    },
    required_one_of=[["src", "content"]],
    mutually_exclusive=[["src", "content"]],
)


def main() -> None:
    """Run the module."""
    run_module(SPEC, _run)


def _run(call: Call) -> dict[str, Any]:
    params = call.params
    plaintext = _plaintext(params["src"], params["content"])
    done = hand_over(
        plaintext,
        Path(params["dest"]),
        recipients(params["recipients"]),
        keyring=params["keyring"],
        armor=params["armor"],
        check_mode=call.check_mode,
        random=os.urandom,
    )
    people = [
        {
            "fingerprint": key.fingerprint,
            "names": list(key.names),
            "expires": key.expires.isoformat() if key.expires else "",
        }
        for key in done.recipients
    ]
    result: dict[str, Any] = {
        "changed": bool(done.why),
        "dest": params["dest"],
        "reason": done.why,
        "recipients": people,
    }
    if call.diff_mode and done.why:
        after = {"bytes_inside": len(plaintext), "recipients": [person["fingerprint"] for person in people]}
        result["diff"] = {"before": {"written_because": done.why}, "after": after}
    return result


def _plaintext(src: str | None, content: str | None) -> bytes:
    if src is None:
        return (content or "").encode("utf-8", "surrogateescape")
    try:
        return Path(src).read_bytes()
    except OSError as error:
        raise InputError(f"the file {src} cannot be read: {error.strerror}", option="src") from error


if __name__ == "__main__":
    main()
