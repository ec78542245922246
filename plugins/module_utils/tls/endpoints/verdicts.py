# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""The words that an endpoint is judged by: for each check what may be found, what that means, and what to do. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

State = Literal["ok", "warning", "wrong", "unchecked"]
#: From the one that counts least.
STATES: Sequence[State] = ("ok", "warning", "unchecked", "wrong")


@dataclass(frozen=True)
class Meaning:
    """What a verdict is worth, and what to do about it; ok needs nothing."""

    state: State
    next: str = ""


@dataclass(frozen=True)
class Found:
    """What one check has found: its verdict is a word of :data:`MEANINGS`, ``seen`` are the other side's facts."""

    check: str
    verdict: str
    seen: str = ""


@dataclass(frozen=True)
class Place:
    """What was looked at: a public name, the address that was connected to, the service and its port."""

    name: str
    address: str
    service: str
    port: int


@dataclass(frozen=True)
class Row:
    """A row of the result."""

    place: Place
    found: Found
    #: Whether the cut-over may start whatever was found.
    optional: bool = False

    @property
    def stops(self) -> bool:
        """Whether the cut-over can't start because of it: what could not be tried is not known to be well."""
        return not self.optional and self.meaning.state in ("wrong", "unchecked")

    @property
    def meaning(self) -> Meaning:
        """What the verdict means."""
        return MEANINGS[self.found.check][self.found.verdict]

    def as_dict(self) -> dict[str, Any]:
        """The row as a plain value."""
        return {
            "name": self.place.name,
            "address": self.place.address,
            "service": self.place.service,
            "port": self.place.port,
            "check": self.found.check,
            "wanted": WANTED[self.found.check],
            "seen": self.found.seen,
            "verdict": self.found.verdict,
            "state": self.meaning.state,
            "next": self.meaning.next,
            "stops": self.stops,
        }


def worst(states: Iterable[State]) -> State:
    """The state that counts most; ok for none."""
    return max(states, key=STATES.index, default="ok")


_OK = Meaning("ok")
_NOT_TRIED = Meaning("unchecked", "Mend what is said about this port above, then run it again.")
_SILENT = Meaning("unchecked", "Run it again; look at the server's load and at firewalls between here and there.")
_ODD = Meaning("unchecked", "Run it again, and look at the server's log for this connection.")
_FAILED = Meaning("unchecked", "Report it with this message; running again is safe.")
_COMMON = {"not_tried": _NOT_TRIED, "failed": _FAILED}

_OLD = {
    "refused": _OK,
    "accepted": Meaning("wrong", "Set the least version to TLS 1.2 on the load balancer (ssl-min-ver TLSv1.2)."),
    "unknown_name": _NOT_TRIED,
    "not_tls": _NOT_TRIED,
    "silent": _SILENT,
    "unclear": _ODD,
    **_COMMON,
}
_NEW_NEXT = "Let the load balancer speak this version (ssl-min-ver TLSv1.2, and no ssl-max-ver below TLSv1.3)."
_NEW = {
    "accepted": _OK,
    "refused": Meaning("wrong", _NEW_NEXT),
    "unknown_name": Meaning("wrong", "Install the bundle for this name: the load balancer knows no such name."),
    "not_tls": Meaning("wrong", "Let the port speak TLS from the first byte on; no STARTTLS is used here."),
    "silent": Meaning("wrong", "Look at the server behind this port: it takes connections and then says nothing."),
    "unclear": Meaning("wrong", "Look at the server's log: what it answers is no whole TLS handshake."),
    **_COMMON,
}
_SPEAKS = {
    "right": _OK,
    "wrong_protocol": Meaning("wrong", "Look at which back-end the load balancer's port leads to."),
    "unavailable": Meaning("wrong", "Start the service behind the load balancer, or have a look at its log."),
    "silent": Meaning("wrong", "Look at the service behind the load balancer: it takes connections and says nothing."),
    "closed_early": Meaning("wrong", "Look at the service behind the load balancer: it ends connections at once."),
    "no_tls": Meaning("wrong", "See what is said of the TLS versions; without TLS nothing may be spoken here."),
    **_COMMON,
}
_RELAY = {
    "refused": _OK,
    "relays": Meaning(
        "wrong", "Stop it before anything else: this server sends anybody's mail anywhere. Nothing was sent."
    ),
    "unclear": Meaning("unchecked", "Run it again later; the server put the question off."),
    **_COMMON,
}

#: check → what is wanted.
WANTED: Mapping[str, str] = {
    "plan": "a certificate is planned for the name",
    "name": "the name has addresses",
    "port": "open",
    "closed": "closed",
    "ssl_3_0": "refused",
    "tls_1_0": "refused",
    "tls_1_1": "refused",
    "tls_1_2": "accepted",
    "tls_1_3": "accepted",
    "chain": "every certificate up to the root's, in order",
    "trust": "a root that clients trust",
    "names": "the certificate is for this name",
    "dates": "valid now and for some time",
    "served": "the certificate that was installed",
    "protocol": "the service of this port",
    "log_in": "asked for",
    "authentication": "asked for before mail is taken",
    "relay": "refused",
    "mx": "open, and SMTP",
    "starttls": "offered to other servers",
    "users": "no log-in is offered",
    "accepts": "the domain's mail is taken",
}
#: check → verdict → what it means.
MEANINGS: Mapping[str, Mapping[str, Meaning]] = {
    "plan": {
        "planned": _OK,
        "unplanned": Meaning(
            "wrong", "Ask the customer for a certificate for this name, and add it to migration_certificates."
        ),
    },
    "name": {
        "found": _OK,
        "unknown_name": Meaning("wrong", "Set the name's record (see the DNS check), or correct the name."),
        "silent": Meaning("unchecked", "Look at this machine's resolver, then run it again."),
        "out_of_reach": Meaning("warning", "This machine has no IPv6 (or no IPv4): try this address from another one."),
        **_COMMON,
    },
    "port": {
        "open": _OK,
        "closed": Meaning("wrong", "Start the service, or let the load balancer listen on this port."),
        "silent": Meaning("wrong", "Open the port in the firewalls between here and there."),
        "unreachable": Meaning("wrong", "Look at the route to this address."),
        **_COMMON,
    },
    "closed": {
        "closed": _OK,
        "open": Meaning("wrong", "Close the port to users: the handbook promises that only encrypted ports are open."),
        "unreachable": Meaning("unchecked", "Look at the route to this address, then run it again."),
        "silent": Meaning(
            "unchecked", "Nothing of this address answers, so that a closed port can't be told: mend that first."
        ),
        **_COMMON,
    },
    "ssl_3_0": _OLD,
    "tls_1_0": _OLD,
    "tls_1_1": _OLD,
    "tls_1_2": _NEW,
    "tls_1_3": _NEW,
    "chain": {
        "complete": _OK,
        "disordered": Meaning("warning", "Put the leaf first and each issuer after it; some clients insist on it."),
        "incomplete": Meaning("wrong", "Install a bundle that holds the missing certificate."),
        "unreadable": Meaning("wrong", "Install the certificate anew: what is served is none."),
        **_COMMON,
    },
    "trust": {
        "trusted": _OK,
        "self_signed": Meaning("wrong", "Install a certificate of an authority that clients trust."),
        "untrusted": Meaning(
            "wrong", "Install a certificate of an authority that clients trust; a private one's root goes into ca_path."
        ),
        "refused": Meaning("wrong", "Have the certificate issued anew: clients refuse it for what is said."),
        **_COMMON,
    },
    "names": {
        "covered": _OK,
        "other_name": Meaning("wrong", "Install the bundle for this name, and look at the load balancer's crt-list."),
        **_COMMON,
    },
    "dates": {
        "valid": _OK,
        "expires_soon": Meaning("warning", "Have the certificate renewed, and install the new one."),
        "expired": Meaning("wrong", "Have the certificate renewed, and install the new one."),
        "not_yet_valid": Meaning("wrong", "Wait until it is valid, or look at the clock of this machine."),
        "chain_expired": Meaning("wrong", "Install a bundle with the authority's present intermediate certificate."),
        **_COMMON,
    },
    "served": {
        "expected": _OK,
        "another": Meaning("wrong", "Run white_label again, and look at the load balancer's crt-list."),
        **_COMMON,
    },
    "protocol": _SPEAKS,
    "log_in": {
        "required": _OK,
        "not_offered": Meaning("wrong", "Let the service take log-ins inside TLS."),
        "not_required": Meaning("wrong", "Stop it before anything else: this service lets everybody in."),
        **_COMMON,
    },
    "authentication": {
        "required": _OK,
        "not_offered": Meaning("wrong", "Let the service offer AUTH inside TLS: users can't send."),
        "not_required": Meaning(
            "wrong", "Stop it before anything else: anybody can send through this service. Nothing was sent."
        ),
        "unclear": Meaning("unchecked", "Run it again later; the server put the question off."),
        **_COMMON,
    },
    "relay": _RELAY,
    "mx": {
        "right": _OK,
        "closed": Meaning("wrong", "Start the mail server, or open its port 25 to other servers."),
        "turned_away": Meaning(
            "unchecked", "The server does not talk to this machine: run the check from one that may send mail."
        ),
        "wrong_protocol": Meaning("wrong", "Let a mail server answer on this port."),
        "closed_early": Meaning("wrong", "Look at the mail server's log: it ends connections at once."),
        "silent": Meaning(
            "unchecked", "Many networks let no machine out on port 25: run the check from one that may send mail."
        ),
        "unreachable": Meaning("unchecked", "Look at the route to this address, then run it again."),
        **_COMMON,
    },
    "starttls": {
        "offered": _OK,
        "not_offered": Meaning("warning", "Let the mail server offer STARTTLS: mail comes in clear text without."),
        **_COMMON,
    },
    "users": {
        "not_offered": _OK,
        "offered": Meaning("wrong", "Offer no AUTH on port 25: users send by port 465 alone."),
        **_COMMON,
    },
    "accepts": {
        "accepted": _OK,
        "refused": Meaning(
            "wrong", "Look at what it says: is the domain there, and is this address one of it (recipients)?"
        ),
        "put_off": Meaning("warning", "It puts mail off (greylisting, say): run it again in some minutes."),
        **_COMMON,
    },
}
