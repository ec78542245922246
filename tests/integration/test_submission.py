# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The lab's server for users' own mail: it asks Dovecot who they are, and sends for nobody else."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Iterator

import pytest

from tests.integration.delivery_lab import Post
from tests.lab.lab import Lab
from tests.lab.region import Region
from tests.lab.state import RegionOptions


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.temporary(sites=(), region_options={"eu": RegionOptions(submission=True)}) as lab:
        lab.region("eu").add_account("ann@acme.example", "a secret")
        lab.region("eu").add_account("bob@acme.example", "another")
        yield lab


@pytest.fixture
def region(lab: Lab) -> Region:
    return lab.region("eu")


Reach = Callable[[Lab, Region], smtplib.SMTP]


def _by_tls(lab: Lab, region: Region) -> smtplib.SMTP:
    context = ssl.create_default_context(cafile=str(lab.authority.ca_file))
    return smtplib.SMTP_SSL("127.0.0.1", region.state.ports["smtps"], timeout=30, context=context)


def _in_clear(lab: Lab, region: Region) -> smtplib.SMTP:
    del lab
    return smtplib.SMTP("127.0.0.1", region.state.ports["submission"], timeout=30)


@pytest.mark.parametrize("reach", [_by_tls, _in_clear])
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_a_user_who_logs_in_can_write_to_everybody(lab: Lab, region: Region, reach: Reach, mechanism: str) -> None:
    with reach(lab, region) as client:
        client.ehlo()
        client.esmtp_features["auth"] = mechanism
        client.login("ann@acme.example", "a secret")
        subject = f"by {mechanism} {id(client)}"
        client.sendmail("ann@acme.example", ["bob@acme.example", "joe@far.example"], f"Subject: {subject}\n\nHello\n")
    for server in (region.submission, region.mx, region.outside):
        server.settle()
    assert Post(region).places(subject) == {"bob@acme.example": 1, "outside: joe@far.example": 1}


@pytest.mark.parametrize("reach", [_by_tls, _in_clear])
def test_nobody_else_can_write_to_anybody(lab: Lab, region: Region, reach: Reach) -> None:
    with reach(lab, region) as client:
        client.ehlo()
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login("ann@acme.example", "another")
        for sender in ("", "ann@acme.example"):
            assert client.mail(f"<{sender}>") == (550, b"5.7.0 authentication required")
            assert client.rcpt("bob@acme.example")[0] == 503
