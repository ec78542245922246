# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
#
"""A module that is watched while it works: run as a job on the host that it is for, its progress shown all the while.

The job writes its progress to a file in a private directory there; this class looks at that file and at the job through
the connection, so that it works alike on the controller and over SSH, and survives a connection that comes and goes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shlex
import signal
import time
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible.utils.vars import merge_hash
from ansible_collections.atmail.migration.plugins.module_utils.progress import Progress, read_progress
from ansible_collections.atmail.migration.plugins.plugin_utils.screen import Screen

#: The job is stopped after this many seconds: a bound for a job that nobody looks after any more.
_LONGEST = 30 * 24 * 3600
#: Seconds between two looks at the job: short at first, so that a small customer does not wait.
_FIRST_LOOK = 0.1
_LOOK_EVERY = 1.0
#: Seconds that the host may be out of reach before the task gives up on it.
_PATIENCE = 300.0
_MARK = "--atmail-migration-job--"
_DIRECTORY = "/atmail-migration-"


class Interrupted(BaseException):
    """The task is to end: a signal came, or the controller's main process is gone."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum


@dataclasses.dataclass(frozen=True)
class Look:
    """What a look at the job saw: how far it is, and whether it still runs."""

    progress: Progress | None
    running: bool


@dataclasses.dataclass
class Job:
    """A module on its way: its private directory, the directory with its code (and options), its id, its progress."""

    directory: str
    code_directory: str
    id: str = ""
    progress: Progress | None = None
    code_removed: bool = False


class WatchedAction(ActionBase):
    """The controller's half of a module with an option ``progress_file``."""

    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        without_jobs = self._connection.has_native_async or self._connection.always_pipeline_modules
        if self._task.check_mode or self._task.async_val or without_jobs:
            return self._run_plainly(result, variables)
        screen = Screen(
            # The task's own customer, also when it is delegated to a worker.
            str(variables.get("inventory_hostname", "")),
            str(self._task._uuid),
            mode=str(self._variable(variables, "migration_progress", "auto")),
            every=float(self._variable(variables, "migration_progress_seconds", 5)),
        )
        with interruptible():
            result = merge_hash(result, self._run_as_job(variables, screen))
        if not self._task.no_log:
            screen.table(self.report(screen.customer, result))
        return result

    def report(self, customer: str, result: Mapping[str, Any]) -> list[str]:  # noqa: ARG002 - for subclasses
        """Lines to print when the module has ended."""
        return []

    def _variable(self, variables: dict[str, Any], name: str, default: Any) -> Any:
        return self._templar.template(variables.get(name, default))

    def _run_plainly(self, result: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        """What Ansible does with a module that has no action plugin."""
        wrap_async = bool(self._task.async_val and not self._connection.has_native_async)
        result = merge_hash(result, self._execute_module(task_vars=variables, wrap_async=wrap_async))
        if not wrap_async:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return result

    # -- the job, from its start to its result

    def _run_as_job(self, variables: dict[str, Any], screen: Screen) -> dict[str, Any]:
        made = self._low_level_execute_command(f'umask 077 && mktemp -d "${{TMPDIR:-/tmp}}{_DIRECTORY}XXXXXXXXXX"')
        directory = made["stdout"].strip().rpartition("\n")[2]
        if made["rc"] or _DIRECTORY not in directory:
            return {"failed": True, "msg": f"No private directory could be made on the host: {made['stderr'].strip()}"}
        if self._connection._shell.tmpdir is None:
            self._make_tmp_path()
        job = Job(directory, str(self._connection._shell.tmpdir))
        try:
            started = self._start(job, variables)
            if started.get("failed") or not job.id:
                return started
            self._watch(job, screen)
            return self._result(job, variables)
        except Interrupted as interrupt:
            screen.clear()
            self._end(job)
            self._forget(job)
            # Now the signal does what it would have done.
            signal.signal(interrupt.signum, signal.SIG_DFL)
            os.kill(os.getpid(), interrupt.signum)
            raise
        finally:
            screen.clear()
            self._forget(job)

    def _start(self, job: Job, variables: dict[str, Any]) -> dict[str, Any]:
        """Start the module as a job; give back what Ansible's job wrapper says."""
        options = {**self._task.args, "progress_file": f"{job.directory}/progress"}
        with self._job_settings(job.directory):
            started: dict[str, Any] = self._execute_module(module_args=options, task_vars=variables, wrap_async=True)
        # The wrapper would remove the code itself, some seconds after the job ends: too late for passwords.
        self._cleanup_remote_tmp = True
        job.id = str(started.get("ansible_job_id") or "")
        return started

    @contextlib.contextmanager
    def _job_settings(self, directory: str) -> Iterator[None]:
        """While it holds, modules are started as jobs that keep their state and temporary files in ``directory``."""
        shell, task = self._connection._shell, self._task
        usual_directory = self.get_shell_option("async_dir", default="~/.ansible_async")
        usual_limit = task.async_val
        usual_environment = task.environment
        shell.set_option("async_dir", directory)
        task.async_val = _LONGEST
        task.environment = [*(usual_environment or []), {"TMPDIR": directory}]
        try:
            yield
        finally:
            task.environment = usual_environment
            shell.set_option("async_dir", usual_directory)
            task.async_val = usual_limit

    def _watch(self, job: Job, screen: Screen) -> None:
        """Look at the job until it has ended, and show how far it is."""
        parent, pause, away_since = os.getppid(), _FIRST_LOOK, 0.0
        while True:
            time.sleep(pause)
            if os.getppid() != parent:
                raise Interrupted(signal.SIGTERM)
            pause = min(_LOOK_EVERY, pause * 1.5)
            try:
                look = self._look(job)
                away_since = 0.0
            except AnsibleConnectionFailure as error:
                away_since = away_since or time.monotonic()
                if time.monotonic() - away_since > _PATIENCE:
                    raise
                screen.note(f"the host is out of reach, trying again ({str(error).strip()[:80]})")
                with contextlib.suppress(AttributeError, AnsibleConnectionFailure):
                    self._connection.reset()
                continue
            self._take_in(job, look, screen)
            if not look.running:
                return

    def _take_in(self, job: Job, look: Look, screen: Screen) -> None:
        if look.progress and look.progress != job.progress:
            job.progress = look.progress
            screen.show(look.progress)
        if look.progress and not job.code_removed:
            # The module runs, so its file is not needed any more; it holds the options, passwords among them.
            if self._should_remove_tmp_path(job.code_directory):
                self._low_level_execute_command(f"rm -f {shlex.quote(job.code_directory)}/AnsiballZ_*")
            job.code_removed = True

    def _look(self, job: Job) -> Look:
        """One look at the job's progress and at the first characters of its state, in one command."""
        progress, state = shlex.quote(f"{job.directory}/progress"), shlex.quote(f"{job.directory}/{job.id}")
        answer = self._low_level_execute_command(
            f"cat {progress} 2>/dev/null; echo; echo {_MARK}; head -c 20 {state} 2>/dev/null"
        )
        if _MARK not in answer["stdout"]:
            raise AnsibleConnectionFailure(f"no answer to a look at the job: {answer['stderr'].strip()}")
        seen, state_text = answer["stdout"].split(_MARK, 1)
        # Before the module's answer is there, its wrapper's own note is: {"started": …}. No note: the job has vanished.
        return Look(read_progress(seen.strip()), running=state_text.strip().startswith('{"started"'))

    def _result(self, job: Job, variables: dict[str, Any]) -> dict[str, Any]:
        """Fetch the module's result."""
        result: dict[str, Any] = self._execute_module(
            module_name="ansible.legacy.async_status",
            module_args={"jid": job.id, "mode": "status", "_async_dir": job.directory},
            task_vars=variables,
        )
        for name in ("ansible_job_id", "started", "finished", "results_file"):
            result.pop(name, None)
        return ended_from_outside(result) or result

    # -- ending and cleaning up

    def _end(self, job: Job) -> None:
        """End a job that nobody waits for any more: ask it to, and after five seconds make it."""
        with contextlib.suppress(Exception):
            progress = job.progress or self._look(job).progress
            if not progress or progress.pid <= 1 or progress.process_group <= 1:
                return
            pid, group = progress.pid, progress.process_group
            self._low_level_execute_command(
                f"kill -TERM {pid} 2>/dev/null; "
                f"for n in 1 2 3 4 5 6 7 8 9 10; do kill -0 {pid} 2>/dev/null || break; sleep 0.5; done; "
                f"kill -KILL -- -{group} 2>/dev/null; true"
            )

    def _forget(self, job: Job) -> None:
        """Remove everything of the job from the host: code, options, state, progress."""
        shell = self._connection._shell
        for path in {job.code_directory, shell.tmpdir} - {None}:
            with contextlib.suppress(Exception):
                self._remove_tmp_path(path)
        with contextlib.suppress(Exception):
            self._low_level_execute_command(f"rm -rf {shlex.quote(job.directory)}")
        shell.tmpdir = None


def ended_from_outside(result: Mapping[str, Any]) -> dict[str, Any] | None:
    """A clear failure for a job that ended without an answer; None when the module did answer.

    What Ansible's job wrapper says then is a traceback of its own. What the module printed is not repeated: it may be
    anything.
    """
    no_answer = "data" in result or "could not find job" in str(result.get("msg"))
    if not result.get("failed") or "kind" in result or not no_answer:
        return None
    safe_next = "Run again: it carries on from what the target holds."
    return {
        "failed": True,
        "kind": "module_ended",
        "msg": f"The module was ended from outside (killed, out of memory, or the host was restarted). {safe_next}",
        "safe_next": safe_next,
        "stderr": str(result.get("stderr", ""))[-2000:],
    }


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """While it holds, SIGINT and SIGTERM raise :class:`Interrupted`, so that the job is ended and cleaned up after."""

    def interrupt(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's signature
        for number in usual:
            signal.signal(number, signal.SIG_IGN)
        raise Interrupted(signum)

    usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in usual:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
