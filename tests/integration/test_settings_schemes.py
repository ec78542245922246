# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Our hashes before the judge that counts: Dovecot's own code, by doveadm."""

from __future__ import annotations

import os
import subprocess

from ansible_collections.atmail.migration.plugins.module_utils.settings import schemes
from ansible_collections.atmail.migration.plugins.module_utils.settings.model import Password
from hypothesis import given, settings
from hypothesis import strategies as st

# What a command line can carry.
PLAIN = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0\r\n"), min_size=1, max_size=40)


@settings(max_examples=20, deadline=None)
@given(plain=PLAIN, scheme=st.sampled_from(schemes.HASHES))
def test_dovecot_takes_our_hash(plain: str, scheme: str) -> None:
    stored = schemes.for_target(Password("PLAIN", plain), scheme, os.urandom)
    command = ["doveadm", "-c", "/dev/null", "-O", "pw", "-p", plain, "-t", stored]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "(verified)" in done.stdout, done.stdout + done.stderr
