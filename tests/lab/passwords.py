# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords in the forms in which the databases of both sides hold them."""

from __future__ import annotations

import base64
import hashlib
import subprocess

from .errors import LabError


def atmail(password: str, stored: str) -> str:
    """The value of UserSession.Password: plain, md5 (32 hex digits) or md5_crypt (`$1$`); the same one every time."""
    if stored == "plain":
        return password
    if stored == "md5":
        return hashlib.md5(password.encode(), usedforsecurity=False).hexdigest()
    if stored == "md5_crypt":
        return _md5_crypt(password)
    raise LabError(f"passwords are stored as plain, md5 or md5_crypt, not as {stored}")


def cloud(password: str) -> str:
    """The value of accounts.password: Dovecot's {SSHA512}, base64 of the digest and its salt."""
    salt = hashlib.sha256(password.encode()).digest()[:8]
    digest = hashlib.sha512(password.encode() + salt).digest()
    return "{SSHA512}" + base64.b64encode(digest + salt).decode("ascii")


def _md5_crypt(password: str) -> str:
    salt = hashlib.sha256(password.encode()).hexdigest()[:8]
    command = ["openssl", "passwd", "-1", "-salt", salt, "-stdin"]
    done = subprocess.run(command, input=password.encode() + b"\n", capture_output=True, check=False)
    if done.returncode != 0:
        raise LabError(f"openssl passwd failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout.decode("ascii").strip()
