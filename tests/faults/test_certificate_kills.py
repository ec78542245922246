# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A run that puts a certificate on HAProxy is killed before each of its steps, and the next run completes it."""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.tls.balancer.runtime import Runtime
from ansible_collections.atmail.migration.plugins.module_utils.tls.run import certificate_bundle

from tests.integration.edge_lab import EdgeLab, edge_lab

MAIL = "mail.acme.example"
#: What only reads; a run that is killed before it is killed after the step before it.
READS = ("show ",)


class Killed(BaseException):
    """What nobody catches, as nobody catches SIGKILL."""


class Steps:
    """Every command that changes something in HAProxy, every rename, link and removal of a file is a step."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left: int | None = None
        send = Runtime._send
        for name in ("replace", "unlink"):
            monkeypatch.setattr(Path, name, self._stepping(getattr(Path, name)))
        monkeypatch.setattr(os, "link", self._stepping(os.link))
        writing = self._stepping(send)
        monkeypatch.setattr(
            Runtime,
            "_send",
            lambda runtime, command: (send if command.decode().startswith(READS) else writing)(runtime, command),
        )

    def _stepping(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **named: Any) -> Any:
            if self.left is not None:
                self.left -= 1
                if self.left < 0:
                    raise Killed
            return function(*arguments, **named)

        return step

    def killed(self, run: Callable[[], object], after: int) -> bool:
        """Whether a run was killed after so many steps; it may have had fewer."""
        self.left = after
        try:
            run()
        except Killed:
            return True
        finally:
            self.left = None
        return False


@pytest.fixture(scope="module")
def lab() -> Iterator[EdgeLab]:
    with edge_lab() as made:
        yield made


class Customer:
    """Runs for the customer acme, in this process."""

    def __init__(self, lab: EdgeLab) -> None:
        self.lab = lab
        self.old, self.first = lab.bundle([MAIL, "old.acme.example"])
        self.new, self.second = lab.bundle([MAIL])
        options = lab.options(name=None, content=None, names=[], passphrase=None, ca_content=None, state="present")
        self.options = {**options, "warn_days": 30, "accept_ed25519": False}
        self.options["balancer"] = {**options["balancer"], "timeout": 10.0}

    def run(self, **changes: Any) -> bool:
        params = {**self.options, **changes}
        result = certificate_bundle(params, datetime.now(UTC), check_mode=False, diff_mode=True, warn=print)
        return bool(result["changed"])

    def prepare(self, state: str) -> None:
        """What is there before the run that is killed."""
        self.run(state="absent")
        if state != "first":
            self.run(content=self.first)
        if state in ("rolled_back", "absent"):
            self.run(content=self.second)

    def wanted(self, state: str) -> dict[str, Any]:
        return {"state": state} if state in ("rolled_back", "absent") else {"content": self.second}

    def check(self, state: str) -> None:
        """All is as if nothing had happened."""
        names = {name for name in self.lab.files() if name.startswith(".acme")}
        assert names <= {".acme.pem.previous", ".acme.pem.undone"}
        assert "*" not in self.lab.edge.ask("show ssl cert")
        if state == "absent":
            assert names == set()
            assert "acme" not in self.lab.edge.crt_list.read_text().replace(str(self.lab.edge.folder), "")
            assert self.lab.served(MAIL).subject.rfc4514_string() == "CN=*.atmailcloud.example"
        else:
            assert self.lab.served(MAIL) == (self.old if state == "rolled_back" else self.new).certificate


@pytest.mark.parametrize("state", ["first", "renewed", "rolled_back", "absent"])
def test_a_run_that_is_killed_at_any_step_is_completed_by_the_next(
    lab: EdgeLab, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer, steps, seen = Customer(lab), Steps(monkeypatch), set()
    for after in itertools.count():
        customer.prepare(state)
        if not steps.killed(lambda: customer.run(**customer.wanted(state)), after):
            break
        left = frozenset(lab.files().items())
        if left not in seen:
            check_configuration(lab)
        seen.add(left)
        customer.run(**customer.wanted(state))
        customer.check(state)
        assert not customer.run(**customer.wanted(state)), after
    assert after > 4


def check_configuration(lab: EdgeLab) -> None:
    """HAProxy could be started with what is on disk now."""
    command = ["/usr/sbin/haproxy", "-c", "-q", "-f", str(lab.edge.configuration)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
