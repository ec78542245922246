# SPDX-License-Identifier: GPL-3.0-or-later
"""A customer's way through the cut-over by playbooks: looked at, set, lowered, switched, put back, and each again."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab.knot import Knot, TsigKey, Zone

from .dns_cases import AROUND, DKIM

pytestmark = pytest.mark.long

BIN = Path(sys.executable).parent
KEY = TsigKey()
TODAY = Zone(
    [
        "@ 3600 MX 10 mail",
        "mail A 192.0.2.10",
        '@ TXT "v=spf1 mx ~all"',
        "@ TXT \"{{ lookup('pipe', 'touch /tmp/never') }} \\\"quoted\\\" \\240\\159\\166\\138\"",
        "webmail 3600 A 192.0.2.10",
    ]
)


class Playbooks:
    """One customer's inventory in a folder, and the playbooks run on it."""

    def __init__(self, knot: Knot, folder: Path) -> None:
        self.knot = knot
        self.folder = folder
        self.evidence = folder / "state" / "acme" / "evidence"
        self.evidence.mkdir(parents=True)
        (self.evidence / "dkim.json").write_text(
            json.dumps({"records": [{"name": "s1._domainkey.acme.example", "type": "TXT", "value": DKIM, "ttl": 300}]})
        )
        (self.evidence / "dkim.json").chmod(0o600)
        self.other: dict[str, Any] = {}
        self.variables: dict[str, Any] = {
            "migration_state_dir": str(folder / "state"),
            "migration_subscription": "acme",
            "migration_region": "eu",
            "migration_domains": ["acme.example"],
            "migration_dns": {
                "names": {"webmail": ["webmail.acme.example"], "imap": ["imap.acme.example"]},
                # the servers know better: the TTL is seen to be high after that
                "ttl": {"lowered_at": (datetime.now(UTC) - timedelta(hours=25)).isoformat()},
                "resolvers": [f"127.0.0.1:{knot.port}"],
                "port": knot.port,
                "updates": {
                    "server": f"127.0.0.1:{knot.port}",
                    "key": {"name": KEY.name, "algorithm": KEY.algorithm, "secret": KEY.secret},
                },
            },
        }

    def run(self, *playbooks: str, more: tuple[str, ...] = (), **variables: Any) -> tuple[int, int, str]:
        """Status, how many tasks have changed something, and all that was said."""
        inventory = self.folder / "hosts.yml"
        given = {**self.variables, **variables}
        hosts = {"acme": given, **({"globex": self.other} if self.other else {})}
        inventory.write_text(yaml.safe_dump({"customers": {"hosts": hosts}}))
        names = [f"atmail.migration.{name}" for name in playbooks]
        done = subprocess.run(
            [str(BIN / "ansible-playbook"), "-i", str(inventory), *more, *names],
            env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCAL_TEMP": str(self.folder / "tmp")},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        said = done.stdout + done.stderr
        assert KEY.secret not in said
        # there is one recap after each playbook, and they add up
        recaps = re.findall(r"^acme +: .*?changed=(\d+)", done.stdout, re.MULTILINE)
        return done.returncode, int(recaps[-1]), said

    def a_day_passes(self) -> None:
        """What was recorded is a day older."""
        path = self.evidence / "dns.json"
        content = json.loads(path.read_text())
        for one in content["recorded"].values():
            for key in ("low_since", "high_at"):
                one[key] = (datetime.fromisoformat(one[key]) - timedelta(hours=25)).isoformat()
        path.write_text(json.dumps(content))

    def there(self, name: str, kind: str) -> list[str]:
        """What the name server says now."""
        answer = self.knot.ask(name, kind).answer
        return sorted(f"{rrset.ttl} {record.to_text()}" for rrset in answer for record in rrset)


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Playbooks]:
    zones = {name: Zone(lines) for name, lines in AROUND.items()}
    with Knot.temporary({**zones, "example": Zone(), "acme.example": TODAY}, keys=[KEY]) as knot:
        yield Playbooks(knot, tmp_path)


def test_from_today_to_the_cloud_and_back(acme: Playbooks) -> None:
    # nothing of it in check mode
    code, changed, said = acme.run("publish_dns", more=("--check", "--diff", "-vvv"))
    assert code == 0, said
    assert "+imap.acme.example. 300 IN CNAME imap-eu.atmailcloud.com." in said
    assert acme.there("imap.acme.example", "CNAME") == []

    # TTLs are low since now only: the cut-over does not start before tomorrow
    code, changed, said = acme.run("publish_dns", "lower_ttls", "switch_dns", migration_readiness={"stop": False})
    assert (code, changed) == (2, 2), said
    assert "which counts from" in said
    assert "acme: the customer's DNS is not ready" in said
    assert not Path("/tmp/never").exists()
    assert acme.there("acme.example", "MX") == ["300 10 mail.acme.example."]
    assert acme.there("webmail.acme.example", "A") == ["300 192.0.2.10"]
    texts = acme.there("acme.example", "TXT")
    assert '300 "v=spf1 include:_spf.atmailcloud.com mx ip4:192.0.2.10 -all"' in texts
    assert len(texts) == 2
    assert any("lookup('pipe'" in text for text in texts)

    # a day later nothing is left to lower, and the cut-over starts
    acme.a_day_passes()
    code, changed, said = acme.run("lower_ttls", "switch_dns")
    assert (code, changed) == (0, 1), said
    assert acme.there("acme.example", "MX") == ["300 10 mx1-eu.atmailcloud.com.", "300 20 mx2-eu.atmailcloud.com."]
    assert acme.there("webmail.acme.example", "CNAME") == ["300 acme.atmailcloud.com."]

    code, changed, said = acme.run("switch_dns", "readiness", migration_phase="catch_up")
    assert (code, changed) == (0, 0), said
    page = (acme.evidence / "dns.html").read_text()
    assert "the customer&#x27;s DNS is ready" in page

    code, changed, said = acme.run("restore_dns", "restore_dns")
    assert (code, changed) == (0, 1), said
    assert acme.there("acme.example", "MX") == ["300 10 mail.acme.example."]
    assert acme.there("webmail.acme.example", "A") == ["300 192.0.2.10"]
    assert acme.there("imap.acme.example", "CNAME") == ["300 imap-eu.atmailcloud.com."]
    for path in acme.folder.rglob("*"):
        if path.is_file() and path.name != "hosts.yml":
            assert KEY.secret.encode() not in path.read_bytes(), path
            assert path.stat().st_mode & 0o077 == 0, path


def test_without_a_key_everything_is_printed_for_the_customer(acme: Playbooks) -> None:
    del acme.variables["migration_dns"]["updates"]
    # and a customer of whose DNS the inventory says nothing has nothing to do
    acme.other = {**acme.variables, "migration_dns": {}}
    code, changed, said = acme.run("publish_dns", "lower_ttls", "restore_dns")
    assert (code, changed) == (0, 0), said
    assert "globex: " not in said
    assert "acme: we may not change these zones" in said
    for line in (
        "imap.acme.example. 300 IN CNAME imap-eu.atmailcloud.com.",
        "acme.example. 300 IN MX 10 mail.acme.example.",
        "it takes the place of every TXT record that begins with v=spf1",
        "the way back: as it was before the cut-over",
    ):
        assert line in said
    assert acme.there("acme.example", "MX") == ["3600 10 mail.acme.example."]
