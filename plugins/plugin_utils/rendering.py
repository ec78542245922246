# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Pages out of templates of ours and data of other people's servers: every value is escaped, and none is a template.

Ansible's own templates know no autoescape (``{% autoescape %}`` does nothing there), so that one forgotten filter would
be a hole. Here escaping is the environment's work, and a template can't forget it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.atmail.migration.plugins.module_utils.progress import clean
from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

HTML, MARKDOWN = ".html.j2", ".md.j2"

# CommonMark 2.4: any ASCII punctuation may be escaped by a backslash. HTML's own are written as references (2.5), which
# hold in readers of Markdown that know no escapes, too, and an @ that is one makes no link of an address.
_REFERENCES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"}
_ESCAPED = frozenset("\\`*_{}[]()#+!|~$")
# What begins a list or a rule, and what programs make links of by themselves (GitHub's extended autolinks).
_LATER = (
    (re.compile(r"^-"), r"\\-"),
    (re.compile(r"^(\d+)\.(?=\s|$)"), r"\1\\."),
    (re.compile(r"(?i)(www)\."), r"\1\\."),
    (re.compile(r":(?=//)"), r"\\:"),
)


def rendered(template: str, values: Mapping[str, Any]) -> str:
    """The page of a template, whose name ends in ``.html.j2`` or ``.md.j2``, with these values.

    Raises ValueError for another name, and the errors of Jinja2 for a template that is wrong.
    """
    path = Path(template)
    kind = next((kind for kind in (HTML, MARKDOWN) if path.name.endswith(kind)), None)
    if kind is None:
        raise ValueError(f"{path.name} is neither *{HTML} nor *{MARKDOWN}: nobody knows how to escape in it")
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(path.parent),
        autoescape=kind == HTML,
        finalize=markdown if kind == MARKDOWN else None,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(path.name).render(values)


def markdown(value: Any) -> Any:
    """A value that shows in Markdown as it is: no mark-up, no HTML, no link, no new line. Numbers stay numbers."""
    if not isinstance(value, str):
        return value
    text = "".join(_REFERENCES.get(letter) or _letter(letter) for letter in clean(value).strip())
    for meant, plain in _LATER:
        text = meant.sub(plain, text)
    return text


def _letter(letter: str) -> str:
    return f"\\{letter}" if letter in _ESCAPED else letter
