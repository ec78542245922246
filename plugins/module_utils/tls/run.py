# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""A bundle judged, installed, taken back or taken away, and the result as a plain value with nothing of the key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

from ..errors import BalancerError, BundleError, InputError, MigrationError, RollbackError
from .balancer import files
from .balancer.apply import Balancer, serve, survey, wanted, withdraw
from .balancer.crt_list import parse
from .balancer.files import Kept, Place
from .balancer.plan import Plan, Survey, Wanted, plan_absent, plan_present
from .balancer.runtime import Runtime, socket_fault
from .facts import certificate_facts
from .findings import Finding, error
from .judge import Verdict, Wishes, judge
from .names import ascii_name
from .pem import from_text, read_certificates, require_cryptography
from .roots import trusted_roots


def certificate_bundle(
    params: Mapping[str, Any], now: datetime, *, check_mode: bool, diff_mode: bool, warn: Callable[[str], None]
) -> dict[str, Any]:
    """The module's whole work. Raises BundleError (the verdict is its ``done``), InputError, BalancerError."""
    require_cryptography()
    name = _name(params["name"] or params["customer"])
    run = _Run(params, name, now, check_mode=check_mode, diff_mode=diff_mode)
    try:
        result = run.judged() if params["state"] == "present" else run.other()
    except MigrationError as failure:
        raise failure.at(customer=params["customer"], bundle=name) from failure
    for finding in result["findings"]:
        if finding["level"] == "warning":
            warn(f"{params['customer']}, {name}: {finding['message']}")
    return result


def judged(content: bytes, options: Mapping[str, Any], now: datetime) -> Verdict:
    """The verdict on a bundle by the options of :data:`.options.JUDGED`."""
    wishes = Wishes(
        names=tuple(options.get("names") or ()),
        roots=trusted_roots(options.get("ca_path"), options.get("ca_content")),
        warn_days=30 if options.get("warn_days") is None else int(options["warn_days"]),
        accept_ed25519=bool(options.get("accept_ed25519")),
    )
    return judge(content, wishes, now, options.get("passphrase"))


class _Run:
    """One call of the module."""

    def __init__(
        self, params: Mapping[str, Any], name: str, now: datetime, *, check_mode: bool, diff_mode: bool
    ) -> None:
        self._params = params
        self._now = now
        self._check_mode = check_mode
        self._diff_mode = diff_mode
        self._balancer = _balancer(params["balancer"]) if params["balancer"] else None
        directory = self._balancer.directory if self._balancer else Path("/")
        self._place = Place(directory, name)

    def judged(self) -> dict[str, Any]:
        """The bundle of the options: judged, and served where there is a balancer."""
        verdict = judged(from_text(self._params["content"]), self._params, self._now)
        if self._balancer is None:
            return self._result(self._usable(verdict), None, None, Plan())
        with self._alone():
            before = self._survey()
            self._usable(verdict.with_findings(_taken(verdict.names, before)))
            bundle = wanted(Kept(self._params["customer"], verdict.names, verdict.content))
            if before.undone is not None and before.undone.content == bundle.kept.content:
                again = Finding("warning", "taken_back_before", "this very bundle was taken back before (rolled_back)")
                verdict = verdict.with_findings([again])
            return self._served(verdict, before, bundle)

    def other(self) -> dict[str, Any]:
        """The states that need no bundle."""
        with self._alone():
            before = self._survey()
            if self._params["state"] == "absent":
                return self._withdrawn(before)
            if before.previous is not None:
                return self._served(None, before, wanted(before.previous), back=True)
            if before.undone is None or before.current is None:
                raise RollbackError("there is no bundle from before the present one")
            # It was taken back by an earlier run; what is served should still be what is in the file.
            return self._served(None, before, wanted(before.current))

    def _alone(self) -> Any:
        """Nobody else works on the same folder; a check changes nothing, and waits for nobody."""
        if self._balancer is None or self._check_mode or not self._place.directory.is_dir():
            return nullcontext()
        return files.locked(self._place.directory)

    def _survey(self) -> Survey:
        balancer = self._there()
        before = survey(balancer, self._place)
        for kept in (before.current, before.previous, before.undone):
            if kept is not None and kept.customer != self._params["customer"]:
                raise InputError(f"{self._place.current} is customer {kept.customer!r}'s", option="name")
        return before

    def _there(self) -> Balancer:
        if self._balancer is None:
            raise InputError("balancer is needed for this state", option="balancer")
        return self._balancer

    def _usable(self, verdict: Verdict) -> Verdict:
        """Raise BundleError, with all that is known, for a bundle that can't be used."""
        if verdict.usable:
            return verdict
        errors = [finding for finding in verdict.findings if finding.level == "error"]
        failure = BundleError("; ".join(finding.message for finding in errors))
        failure.done = {"changed": False, **verdict.as_dict(self._now)}
        raise failure

    def _served(self, verdict: Verdict | None, before: Survey, bundle: Wanted, *, back: bool = False) -> dict[str, Any]:
        plan = plan_present(before, bundle)
        if not self._check_mode:
            files.remove_remains(self._place)
            if plan.changed:
                serve(self._there(), before, plan, bundle, back=back)
                self._prove(plan_present(self._survey(), bundle))
        return self._result(verdict, before, bundle.kept, plan)

    def _withdrawn(self, before: Survey) -> dict[str, Any]:
        plan = plan_absent(before)
        if not self._check_mode:
            files.remove_remains(self._place)
            if plan.changed:
                withdraw(self._there(), before, plan)
                self._prove(plan_absent(self._survey()))
        return self._result(None, before, None, plan)

    def _prove(self, left: Plan) -> None:
        if left.changed:
            raise BalancerError("HAProxy took every step, and does not have it as it should be")

    def _result(self, verdict: Verdict | None, before: Survey | None, after: Kept | None, plan: Plan) -> dict[str, Any]:
        shown = verdict.as_dict(self._now) if verdict else _shown(after, self._now)
        result: dict[str, Any] = {"changed": plan.changed, **shown}
        if before is not None:
            result["file"] = before.file
            result["served"] = after is not None
            if self._diff_mode:
                place = f"{self._params['customer']}: {before.file}"
                result["diff"] = {
                    "before_header": place,
                    "after_header": place,
                    "before": _pictured(before.current, before.text, before.file, self._now),
                    "after": _pictured(after, before.text if plan.text is None else plan.text, before.file, self._now),
                }
        return result


def _name(text: str) -> str:
    """What the files are called; a host name of another script in it is written as A-labels."""
    return files.checked_name(text if text.isascii() else ascii_name(text))


def _balancer(options: Mapping[str, Any]) -> Balancer:
    directory = files.checked_path(options["directory"].rstrip("/"), "balancer.directory")
    listed = files.checked_path(options["crt_list"], "balancer.crt_list")
    fault = socket_fault(options["socket"])
    if fault:
        raise InputError(f"the socket's path can't be used: {fault}", option="balancer.socket")
    return Balancer(Path(directory), Path(listed), Runtime(options["socket"], options["timeout"]))


def _taken(names: Sequence[str], before: Survey) -> list[Finding]:
    """Names that another certificate has: its owner's clients would meet this one."""
    return [
        error(
            "name_taken",
            f"the load balancer serves {name} with {before.taken[name]} already",
            about=name,
            next_step="Take the name out of one of them.",
        )
        for name in names
        if name in before.taken
    ]


def _shown(kept: Kept | None, now: datetime) -> dict[str, Any]:
    """The same fields as a verdict's, for a bundle that is there."""
    certificates = read_certificates(kept.content) if kept else []
    facts = [certificate_facts(one, now) for one in certificates]
    return {
        "usable": kept is not None,
        "findings": [],
        "certificate": facts[0] if facts else {},
        "chain": facts[1:],
        "root": "",
        "names": list(kept.names) if kept else [],
    }


def _pictured(kept: Kept | None, text: str, file: str, now: datetime) -> dict[str, Any]:
    """One side of a difference: facts of the certificate, never a byte of the file."""
    if kept is None:
        return {}
    shown = _shown(kept, now)
    listed = any(line.file == file for line in parse(text))
    facts = {key: value for key, value in shown["certificate"].items() if key != "days_left"}
    return {
        "names": shown["names"],
        "certificate": facts,
        "chain": [one["subject"] for one in shown["chain"]],
        "listed": listed,
    }
