# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: certificate_report
short_description: Say how a customer's certificates stand
version_added: 0.1.0
author:
  - The atmail.migration developers (@atmail)
description:
  - Puts together what M(atmail.migration.certificate_bundle) said of each bundle, where it was judged and on each load
    balancer. What is not an answer of the module, as when its file can't be read, is a problem, too.
positional: _input
options:
  _input:
    description: The registered results of judging, one for each bundle; skipped ones are left out.
    type: list
    elements: dict
    required: true
  served:
    description: The registered results on load balancers.
    type: list
    elements: dict
    default: []
  names:
    description: What the bundles are called, in the order of the results' numbers (their C(item)).
    type: list
    elements: str
    default: []
  hosts:
    description: The hosts of the load balancers, likewise.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Say how the certificates stand
  ansible.builtin.debug:
    msg: "{{ judged.results | atmail.migration.certificate_report(served.results, names=['acme'], hosts=['lb1']) }}"
"""

RETURN = r"""
_value:
  description:
    - C(bundles) and C(served), what is kept as evidence; C(problems), a sentence each; C(lines), all of it for people.
  type: dict
  sample:
    bundles: [{name: acme, usable: true}]
    served: [{name: acme, host: lb1, changed: true}]
    problems: []
    lines: ["acme: usable until 2027-11-01 for mail.acme.example", "acme on lb1: served, changed"]
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.atmail.migration.plugins.module_utils.progress import clean

_KEPT = ("findings", "certificate", "chain", "root", "names")
Result = Mapping[str, Any]


def certificate_report(
    judged: Sequence[Result], served: Sequence[Result] = (), names: Sequence[str] = (), hosts: Sequence[str] = ()
) -> dict[str, Any]:
    """The report; results of a loop have their number in ``item``, those on load balancers a pair of numbers."""
    bundles, places, problems, lines = [], [], [], []
    for result in judged:
        if result.get("skipped"):
            continue
        name = str(names[int(result["item"])])
        usable = bool(result.get("usable"))
        error = "" if usable else clean(str(result.get("msg", "it could not be judged")))
        bundles.append(_bundle(name, result, error))
        lines.append(clean(f"{name}: {_until(result)}" if usable else f"{name}: can't be used"))
        lines += [clean(f"{name}: {_said(finding)}") for finding in result.get("findings", ())]
        if error:
            problems.append(f"the bundle {name} can't be used: {error.rstrip('.')}")
            lines += [] if result.get("findings") else [f"{name}: {error}"]
    for result in served:
        if result.get("skipped"):
            continue
        name, host = (str(one[int(at)]) for one, at in zip((names, hosts), result["item"], strict=True))
        done = "served" in result
        error = "" if done else clean(str(result.get("msg", "nothing is known")))
        changed = bool(result.get("changed"))
        places.append({"name": name, "host": host, "changed": changed, "served": result.get("served"), "error": error})
        state = f"{'served' if result.get('served') else 'not served'}{', changed' if changed else ''}"
        lines.append(clean(f"{name} on {host}: {state if done else error}"))
        problems += [] if done else [f"{name} on {host}: {error.rstrip('.')}"]
        if result.get("served") and name not in [bundle["name"] for bundle in bundles]:
            # Taken back: it was not judged anew, and what it is was said by the load balancer.
            bundles.append(_bundle(name, result, ""))
    return {"bundles": bundles, "served": places, "problems": problems, "lines": lines}


def _bundle(name: str, result: Result, error: str) -> dict[str, Any]:
    kept = {key: result[key] for key in _KEPT if key in result}
    return {"name": name, "usable": bool(result.get("usable")), "error": error, **kept}


def _until(result: Result) -> str:
    certificate = result.get("certificate", {})
    return f"usable until {str(certificate.get('not_after'))[:10]} for {', '.join(result.get('names', ()))}"


def _said(finding: Mapping[str, str]) -> str:
    helps = f" {finding['next']}" if finding.get("next") else ""
    return f"{finding['level']}: {finding['message']}.{helps}"


class FilterModule:
    """The filter for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"certificate_report": certificate_report}
