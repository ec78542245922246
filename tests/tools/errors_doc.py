# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes docs/errors.md from the error tree: ``python -m tests.tools.errors_doc``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ansible_collections.atmail.migration.plugins.module_utils import errors

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "errors.md"

_HEAD = """<!-- SPDX-License-Identifier: GPL-3.0-or-later -->
<!-- Written by `make docs` from plugins/module_utils/errors.py. -->
# Errors

Every failure of a module has a `kind`, which playbooks may match on and which never changes, a message that says where
it happened (customer, server, mailbox, folder) and what the server said, and `safe_next`: what is safe to do next. No
message holds a secret.

| kind | meaning | safe to do next |
|---|---|---|
"""

#: Kinds that are no exceptions: they are made where several failures, or none, are to be named.
_OTHERS = (
    (
        "module_ended",
        "The copying process was ended from outside: killed, out of memory, or the host was restarted.",
        "Run again: it carries on from what the target holds.",
    ),
)


def tree(cls: type[errors.MigrationError]) -> Iterator[type[errors.MigrationError]]:
    """An error and all that are derived from it in the same file, from the root on."""
    yield cls
    for derived in cls.__subclasses__():
        if derived.__module__ == errors.__name__:
            yield from tree(derived)


def render() -> str:
    """The whole document."""
    rows = [(cls.kind, summary(cls), cls.safe_next) for cls in tree(errors.MigrationError)]
    return _HEAD + "".join(
        f"| `{kind}` | {meaning} | {safe_next} |\n" for kind, meaning, safe_next in (*rows, *_OTHERS)
    )


def summary(cls: type[errors.MigrationError]) -> str:
    """The first paragraph of a class's docstring, in one line."""
    return " ".join((cls.__doc__ or "").split("\n\n")[0].split())


if __name__ == "__main__":
    DOCUMENT.write_text(render())
