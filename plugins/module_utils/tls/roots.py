# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The authorities that are trusted: a given file, or those of this machine's system."""

from __future__ import annotations

import ssl
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from .pem import read_certificates, require_cryptography

if TYPE_CHECKING:
    from cryptography import x509

#: Where systems keep theirs, besides what OpenSSL was built with.
_PLACES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")


def trusted_roots(ca_path: str | None = None, ca_content: str | None = None) -> tuple[x509.Certificate, ...]:
    """The certificates of a PEM file of authorities, of its text, or the system's. Raises InputError for none."""
    require_cryptography()
    if ca_content:
        given = tuple(read_certificates(ca_content.encode()))
        if not given:
            raise InputError("there is no certificate in PEM form in it", option="ca_content")
        return given
    if ca_path:
        return _in_file(Path(ca_path).expanduser())
    for place in (ssl.get_default_verify_paths().cafile, *_PLACES):
        if place and Path(place).is_file():
            return _in_file(Path(place))
    raise InputError("this machine has no list of trusted authorities; name one", option="ca_path")


def _in_file(path: Path) -> tuple[x509.Certificate, ...]:
    try:
        return _read(path, path.stat().st_mtime_ns)
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}", option="ca_path") from error


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int) -> tuple[x509.Certificate, ...]:
    found = tuple(read_certificates(path.read_bytes()))
    if not found:
        raise InputError(f"{path} holds no certificate in PEM form", option="ca_path")
    return found
