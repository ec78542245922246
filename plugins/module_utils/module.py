# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The only place that knows ``AnsibleModule``: argument specs, errors to ``fail_json``, results to ``exit_json``.

A module's whole body is: an :class:`ArgumentSpec`, a function from :class:`Call` to a result, and :func:`run_module`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from ansible.module_utils.basic import AnsibleModule

from .errors import MigrationError


@dataclass(frozen=True)
class ArgumentSpec:
    """Options and the rules between them; specs of several concerns are merged with :meth:`merge`."""

    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    required_together: Sequence[Sequence[str]] = ()
    required_one_of: Sequence[Sequence[str]] = ()
    required_if: Sequence[Sequence[Any]] = ()
    mutually_exclusive: Sequence[Sequence[str]] = ()

    def merge(self, *others: ArgumentSpec) -> ArgumentSpec:
        """One spec with the options and rules of all."""
        specs = (self, *others)
        options: dict[str, Mapping[str, Any]] = {}
        for spec in specs:
            options.update(spec.options)
        return ArgumentSpec(
            options=options,
            required_together=[rule for spec in specs for rule in spec.required_together],
            required_one_of=[rule for spec in specs for rule in spec.required_one_of],
            required_if=[rule for spec in specs for rule in spec.required_if],
            mutually_exclusive=[rule for spec in specs for rule in spec.mutually_exclusive],
        )

    def suboptions(self, **outer: Any) -> dict[str, Any]:
        """The spec as a nested option: ``{"type": "dict", "options": …}`` with its rules."""
        return {
            "type": "dict",
            "options": dict(self.options),
            "required_together": self.required_together,
            "required_one_of": self.required_one_of,
            "required_if": self.required_if,
            "mutually_exclusive": self.mutually_exclusive,
            **outer,
        }


@dataclass(frozen=True)
class Call:
    """What a core function is called with: plain option values, and whether to write or only to plan."""

    params: dict[str, Any]
    check_mode: bool
    diff_mode: bool
    warn: Callable[[str], None]


def run_module(spec: ArgumentSpec, run: Callable[[Call], dict[str, Any]]) -> NoReturn:
    """Run ``run`` with the module's options; a :class:`MigrationError` becomes one clear failure with its ``kind``.

    What was done before an error is in the result: a core function puts it into the error's ``done`` attribute.
    """
    module = AnsibleModule(
        # a copy: Ansible writes into defaults that are dictionaries
        argument_spec=copy.deepcopy(dict(spec.options)),
        required_together=spec.required_together,
        required_one_of=spec.required_one_of,
        required_if=spec.required_if,
        mutually_exclusive=spec.mutually_exclusive,
        supports_check_mode=True,
    )
    call = Call(params=module.params, check_mode=module.check_mode, diff_mode=module._diff, warn=module.warn)
    try:
        result = run(call)
    except MigrationError as error:
        failure(module, error)
    module.exit_json(**result)


def failure(module: AnsibleModule, error: MigrationError) -> NoReturn:
    """Fail with the error's text, ``kind``, ``where``, ``safe_next`` and everything done so far."""
    module.fail_json(
        **{
            **error.done,
            "msg": f"{str(error).rstrip('.')}. {error.safe_next}",
            "kind": error.kind,
            "where": error.where,
            "safe_next": error.safe_next,
        }
    )
