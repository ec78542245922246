# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a module as Ansible does on a host: a process of its own, options as JSON on standard input, JSON back."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

from . import prefork

_PACKAGE = "ansible_collections.atmail.migration.plugins.modules"
PATIENCE = 240.0


@dataclass(frozen=True)
class Result:
    """What a module gave back."""

    status: int
    values: Mapping[str, Any] = field(repr=False)
    text: str

    def __getitem__(self, name: str) -> Any:
        assert name in self.values, f"the result has no {name}: {self.text[:2000]}"
        return self.values[name]

    @property
    def failed(self) -> bool:
        """Whether the module failed."""
        return bool(self.values.get("failed"))

    @property
    def summary(self) -> Mapping[str, int]:
        """The run in numbers."""
        summary: Mapping[str, int] = self["summary"]
        return summary

    def mailbox(self, user: str) -> Mapping[str, Any]:
        """What happened to one mailbox."""
        (entry,) = [one for one in self["mailboxes"] if one["target_user"] == user]
        found: Mapping[str, Any] = entry
        return found

    def failures(self, user: str) -> Sequence[Mapping[str, Any]]:
        """What was not done in one mailbox."""
        found: Sequence[Mapping[str, Any]] = self.mailbox(user)["failures"]
        return found

    def kinds(self, user: str) -> set[str]:
        """The kinds of what was not done in one mailbox."""
        return {failure["kind"] for failure in self.failures(user)}


class Running:
    """A module on its way. `secrets` are looked for in whatever it says."""

    def __init__(
        self, name: str, options: Mapping[str, Any], secrets: Sequence[str], *, output: IO[str] | None = None
    ) -> None:
        self._secrets = secrets
        self._output = output
        given = json.dumps({"ANSIBLE_MODULE_ARGS": dict(options)})
        self.process: prefork.Started | subprocess.Popen[str]
        if output is None:
            self.process = prefork.start(f"{_PACKAGE}.{name}")
            self.process.give(given)
            return
        # One whose memory is looked at is started from nothing.
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"{_PACKAGE}.{name}"],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdin
        self.process.stdin.write(given)
        self.process.stdin.close()
        self.process.stdin = None

    def wait(self) -> Result:
        """Its result. A module that ends without one, or that tells a secret, is no module."""
        out, err = self.process.communicate(timeout=PATIENCE)
        return self._result(out, err)

    def ended(self) -> Result:
        """The result of a module that has ended, and that was given a file for its output."""
        assert self._output
        self._output.seek(0)
        return self._result(self._output.read(), "")

    def _result(self, out: str, err: str) -> Result:
        assert out.strip(), f"the module said nothing, status {self.process.returncode}: {err[-4000:]}"
        told = [number for number, secret in enumerate(self._secrets) if secret in out or secret in err]
        assert not told, f"the module told secret number {told}"
        try:
            values = json.loads(out)
        except ValueError as error:
            raise AssertionError(f"not JSON: {out[-2000:]} {err[-4000:]}") from error
        assert not err, err[-4000:]
        assert self.process.returncode is not None
        return Result(self.process.returncode, values, out)


def run(name: str, options: Mapping[str, Any], secrets: Sequence[str] = ()) -> Result:
    """Run a module to its end."""
    return Running(name, options, secrets).wait()
