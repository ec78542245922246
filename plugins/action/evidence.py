# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
#
# Files of the customer's evidence are written by the controller itself: no module has to be started for each of them.

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.atmail.migration.plugins.module_utils.errors import InputError
from ansible_collections.atmail.migration.plugins.module_utils.private_file import write_private

_PLAIN = re.compile(r"\w[\w.-]*", re.ASCII)


class ActionModule(ActionBase):
    """Keeps what a phase has found; see the module for options."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(
            argument_spec={"folder": {"type": "path", "required": True}, "files": {"type": "dict", "required": True}}
        )
        folder, files = Path(arguments["folder"]), arguments["files"]
        for name in files:
            if not _PLAIN.fullmatch(name):
                raise AnsibleActionFail(f"files: {name!r} is not the plain name of a file")
        if not self._task.check_mode:
            for name, content in files.items():
                try:
                    write_private(folder / name, str(content).encode(), option="folder")
                except InputError as error:
                    raise AnsibleActionFail(f"{error}. {error.safe_next}") from error
        return {**result, "changed": False}
