# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Options of bundles: how one is judged, and where it is put."""

from __future__ import annotations

from typing import Any

#: How a bundle is judged.
JUDGED: dict[str, Any] = {
    "names": {"type": "list", "elements": "str", "default": []},
    "passphrase": {"type": "str", "no_log": True},
    "ca_path": {"type": "path"},
    "warn_days": {"type": "int", "default": 30},
    "accept_ed25519": {"type": "bool", "default": False},
}

#: A bundle as an inventory lists it.
BUNDLE: dict[str, Any] = {"file": {"type": "path"}, "name": {"type": "str"}, **JUDGED}

BALANCER: dict[str, Any] = {
    "directory": {"type": "path", "required": True},
    "crt_list": {"type": "path", "required": True},
    "socket": {"type": "path", "default": "/run/haproxy/admin.sock"},
    "timeout": {"type": "float", "default": 10.0},
}

OPTIONS: dict[str, Any] = {
    "customer": {"type": "str", "required": True},
    "name": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent", "rolled_back"], "default": "present"},
    "content": {"type": "str", "no_log": True},
    **JUDGED,
    "ca_content": {"type": "str"},
    "balancer": {"type": "dict", "options": BALANCER},
}
