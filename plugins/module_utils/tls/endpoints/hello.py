# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The first message of a TLS client for one version alone, byte by byte: today's OpenSSL speaks no old ones. Pure.

RFC 6101 (SSL 3.0), RFC 2246, RFC 4346, RFC 5246 (TLS 1.0 to 1.2), RFC 8446 (TLS 1.3), RFC 6066 (server name).
No handshake is carried on with it: the server's answer (:mod:`flight`) tells whether it takes the version.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Mapping, Sequence

#: What a check is called → the version's number on the wire.
VERSIONS: Mapping[str, int] = {
    "ssl_3_0": 0x0300,
    "tls_1_0": 0x0301,
    "tls_1_1": 0x0302,
    "tls_1_2": 0x0303,
    "tls_1_3": 0x0304,
}
#: So many random bytes a message takes: the client's random, its session, its share of a key.
RANDOM_BYTES = 96

# What a server that speaks a version at all has: so that a refusal is one of the version. What is strong comes first;
# at the end are the suites of long ago (CBC and RC4 with RSA, static Diffie-Hellman aside).
_SUITES = (
    *(0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0xC0AC, 0xC0AD, 0x009E, 0x009F, 0xCCAA),
    *(0xC023, 0xC027, 0xC024, 0xC028, 0xC009, 0xC013, 0xC00A, 0xC014, 0x0067, 0x006B, 0x0033, 0x0039),
    *(0x009C, 0x009D, 0x003C, 0x003D, 0x002F, 0x0035, 0x0041, 0x0084, 0x0088, 0x0045),
    *(0xC008, 0xC012, 0x0016, 0x000A, 0xC007, 0xC011, 0x0005, 0x0004, 0x0009, 0x0015),
)
_SUITES_13 = (0x1301, 0x1302, 0x1303)
#: There is no other renegotiation than a safe one (RFC 5746 section 3.3): as an extension SSL 3.0 could not have it.
_SAFE_RENEGOTIATION = 0x00FF
#: x25519, P-256, P-384, P-521, x448, ffdhe2048, ffdhe3072.
_GROUPS = (0x001D, 0x0017, 0x0018, 0x0019, 0x001E, 0x0100, 0x0101)
_X25519 = 0x001D
#: ECDSA, RSA-PSS, Ed25519, Ed448, RSA PKCS #1 with SHA-2; SHA-1 at last.
_SIGNATURES = (
    *(0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0809, 0x080A, 0x080B, 0x0807, 0x0808),
    *(0x0401, 0x0501, 0x0601, 0x0203, 0x0201),
)
_SERVER_NAME, _GROUPS_TYPE, _POINTS, _SIGNATURES_TYPE, _PADDING = 0, 10, 11, 13, 21
_VERSIONS_TYPE, _KEY_EXCHANGE_MODES, _KEY_SHARE = 43, 45, 51
#: Handshake messages of these lengths made a well-known load balancer hang (RFC 7685 section 1).
_HANGS = range(256, 512)


def client_hello(check: str, name: str, random: bytes) -> bytes:
    """The record for a version (a name of :data:`VERSIONS`); ``random`` are :data:`RANDOM_BYTES` bytes.

    ``name`` is what the certificate is asked for; an address is never sent (RFC 6066 section 3). SSL 3.0 has no
    extensions, and lets more follow what it has (RFC 6101 section 5.6.1.2): a load balancer that wants to know the name
    (HAProxy's strict-sni) would say nothing of the version otherwise.
    """
    version = VERSIONS[check]
    is_13 = version == VERSIONS["tls_1_3"]
    suites = _SUITES_13 if is_13 else (*_SUITES, _SAFE_RENEGOTIATION)
    session = random[32:64] if is_13 else b""
    head = b"".join(
        (
            struct.pack("!H", min(version, 0x0303)),
            random[:32],
            _short(session),
            _long(_numbers(suites)),
            b"\x01\x00",  # no compression
        )
    )
    extensions = _extensions(version, name, random[64:])
    length = len(head) + 2 + len(extensions)
    if length + 4 in _HANGS:
        extensions += _extension(_PADDING, bytes(max(0, _HANGS.stop - length - 8)))
    body = head + _long(extensions)
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return struct.pack("!BHH", 22, min(version, 0x0301), len(message)) + message


def _extensions(version: int, name: str, share: bytes) -> bytes:
    found = [
        _extension(_GROUPS_TYPE, _long(_numbers(_GROUPS))),
        _extension(_POINTS, _short(b"\x00")),
    ]
    if not _is_address(name):
        entry = b"\x00" + _long(name.encode("ascii", "ignore"))
        found.insert(0, _extension(_SERVER_NAME, _long(entry)))
    if version >= VERSIONS["tls_1_2"]:
        found.append(_extension(_SIGNATURES_TYPE, _long(_numbers(_SIGNATURES))))
    if version == VERSIONS["tls_1_3"]:
        found += [
            _extension(_VERSIONS_TYPE, _short(_numbers((version,)))),
            _extension(_KEY_EXCHANGE_MODES, _short(b"\x01")),
            # 32 bytes of chance are somebody's public key: the answer is never decrypted
            _extension(_KEY_SHARE, _long(struct.pack("!H", _X25519) + _long(share))),
        ]
    return b"".join(found)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _numbers(numbers: Sequence[int]) -> bytes:
    return struct.pack(f"!{len(numbers)}H", *numbers)


def _short(data: bytes) -> bytes:
    return bytes([len(data)]) + data


def _long(data: bytes) -> bytes:
    return struct.pack("!H", len(data)) + data


def _extension(kind: int, data: bytes) -> bytes:
    return struct.pack("!H", kind) + _long(data)
