# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, the atmail.migration developers
"""Where an account's collections are, at servers that say it in every way, and what is in its homes."""

from __future__ import annotations

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.dav.model import Kind, Properties
from ansible_collections.atmail.migration.plugins.module_utils.errors import (
    AuthError,
    CollectionError,
    ProtocolError,
    ServerFaultError,
)

from tests.unit.transport.http_peer import Reply, Request

from .odd import Answer, folder, multistatus, odd, response

HOMES = (
    "<C:calendar-home-set><href>/home/</href></C:calendar-home-set>"
    "<R:addressbook-home-set><href>/home/</href></R:addressbook-home-set>"
)
CAL = response("/home/cal/", folder() + "<displayname>Work</displayname>")
HOME = multistatus(response("/home/", "<resourcetype><collection/></resourcetype>"), CAL)
PRINCIPAL = "<current-user-principal><href>/ann/</href></current-user-principal>"


def slugs(answers: dict[str, Answer], **options: object) -> list[str]:
    with odd({"PROPFIND /home/": HOME, **answers}, **options) as (side, _peer):  # type: ignore[arg-type]  # names of options
        return [one.slug for one in side.survey().collections]


def test_the_principal_is_asked_for() -> None:
    assert slugs({}) == ["cal"]


@pytest.mark.parametrize("status", [404, 405, 403, 501, 200])
def test_well_known_addresses_are_tried_where_the_root_says_nothing(status: int) -> None:
    moved = Reply(301, headers=(("Location", "/dav/"),))
    answers: dict[str, Answer] = {
        "PROPFIND /": Reply(status, b"It works!"),
        "PROPFIND /.well-known/caldav": moved,
        "PROPFIND /.well-known/carddav": moved,
        "PROPFIND /dav/": multistatus(response("/dav/", PRINCIPAL)),
    }
    assert slugs(answers) == ["cal"]


def test_address_books_may_be_elsewhere_than_calendars() -> None:
    answers: dict[str, Answer] = {
        "PROPFIND /ann/": multistatus(
            response("/ann/", "<C:calendar-home-set><href>/home/</href></C:calendar-home-set>")
        ),
        "PROPFIND /.well-known/carddav": multistatus(
            response("/card/", "<current-user-principal><href>/card/ann/</href></current-user-principal>")
        ),
        "PROPFIND /card/ann/": multistatus(
            response("/card/ann/", "<R:addressbook-home-set><href>/card/home/</href></R:addressbook-home-set>")
        ),
        "PROPFIND /card/home/": multistatus(response("/card/home/book/", folder("R:addressbook"))),
    }
    assert slugs(answers) == ["book", "cal"]


def test_a_server_that_does_not_ask_who_we_are_is_told() -> None:
    def root(request: Request) -> str:
        if "Authorization" in request.headers:
            return multistatus(response("/", PRINCIPAL))
        return multistatus(response("/", "<current-user-principal><unauthenticated/></current-user-principal>"))

    assert slugs({"PROPFIND /": root}) == ["cal"]


def test_a_template_names_the_principal_or_the_home_itself() -> None:
    nothing: dict[str, Answer] = {"PROPFIND /": Reply(404), "PROPFIND /p/ann/": multistatus(response("/p/ann/", HOMES))}
    assert slugs(nothing, principal="/p/{user}/") == ["cal"]
    nothing["PROPFIND /p/ann/"] = multistatus(response("/p/ann/", folder("principal")))
    with odd(nothing, principal="/p/{user}/") as (side, _peer):
        assert side.survey().collections == ()
    nothing["PROPFIND /p/ann/"] = multistatus(
        response("/p/ann/", folder("principal")), CAL.replace("/home/", "/p/ann/")
    )
    assert slugs(nothing, principal="/p/{user}/") == ["cal"]


def test_a_home_that_nobody_has_made_yet_is_empty_and_made_with_the_first_collection() -> None:
    made: list[str] = []

    def make(request: Request) -> Reply:
        made.append(f"{request.method} {request.path}")
        return Reply(201)

    def there(request: Request) -> Reply | str:
        return multistatus(response(request.path, folder())) if made else Reply(404)

    answers: dict[str, Answer] = {"PROPFIND": there, "MKCOL": make, "MKCALENDAR": make}
    with odd(answers, principal="/new/{user}/") as (side, _peer):
        assert side.survey().collections == ()
        assert side.make(Kind.CALENDAR, "work", Properties()).key == "/new/ann/work/"
    assert made == ["MKCOL /new/ann/", "MKCALENDAR /new/ann/work/"]


def test_a_server_without_principals_is_the_home_itself() -> None:
    answers: dict[str, Answer] = {
        "PROPFIND /": multistatus(response("/", "<resourcetype><collection/></resourcetype>"), CAL)
    }
    with odd(answers) as (side, _peer):
        assert [one.key for one in side.survey().collections] == ["/home/cal/"]


def test_a_server_that_says_nothing_at_all_is_told() -> None:
    with odd({"PROPFIND /": Reply(404)}) as (side, _peer), pytest.raises(CollectionError) as caught:
        side.survey()
    assert "/.well-known/caldav" in caught.value.message
    assert "url" in caught.value.safe_next


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Reply(500), ServerFaultError),
        (Reply(401), AuthError),
        (
            multistatus(response("/", "<current-user-principal><href>/gone/</href></current-user-principal>")),
            CollectionError,
        ),
        (
            multistatus(
                response("/", "<current-user-principal><href>https://evil.example/</href></current-user-principal>")
            ),
            ProtocolError,
        ),
    ],
)
def test_troubles_of_discovery_are_told(answer: Reply | str, error: type[Exception]) -> None:
    with odd({"PROPFIND /": answer}) as (side, peer):
        with pytest.raises(error):
            side.survey()
        assert len(peer.seen) <= 3


def test_another_host_that_is_trusted_needs_tls() -> None:
    answer = multistatus(
        response("/", "<current-user-principal><href>http://p01.example/ann/</href></current-user-principal>")
    )
    with (
        odd({"PROPFIND /": answer}, trusted_hosts=["p01.example"]) as (side, _peer),
        pytest.raises(ProtocolError, match="another host"),
    ):
        side.survey()


# what is in a home


def survey(*responses: str, name: str = "source") -> tuple[list[str], list[tuple[str, str]]]:
    home = multistatus(response("/home/", "<resourcetype><collection/></resourcetype>"), *responses)
    with odd({"PROPFIND /home/": home}, name=name) as (side, _peer):
        found = side.survey()
    return [one.slug for one in found.collections], [(one.kind, one.level) for one in found.findings]


OWNED = "<owner><href>/ann/</href></owner>"
READ = "<current-user-privilege-set><privilege><read/></privilege></current-user-privilege-set>"
WRITE = READ.replace("<read/>", "<read/><write/>")


@pytest.mark.parametrize(
    "props",
    [
        folder("C:schedule-inbox"),
        folder("C:schedule-outbox"),
        folder("S:notification"),
        "<resourcetype><collection/></resourcetype>",
        "<resourcetype/>",
        "",
    ],
)
def test_what_is_no_calendar_is_passed_over(props: str) -> None:
    assert survey(response("/home/x/", props)) == ([], [])


@pytest.mark.parametrize(
    ("slug", "props", "copied", "finding"),
    [
        ("own", folder() + OWNED + WRITE, True, None),
        ("own", folder(), True, None),
        ("own", folder() + "<owner><href>https://internal/principals/ANN</href></owner>", True, None),
        ("frozen", folder() + OWNED + READ, True, ("collection_read_only", "note")),
        ("birthdays", folder() + OWNED + READ, False, ("collection_generated", "note")),
        ("birthdays", folder() + OWNED + WRITE, True, None),
        ("contact_birthdays", folder() + READ, False, ("collection_generated", "note")),
        ("of-bob", folder() + "<owner><href>/bob/</href></owner>" + WRITE, False, ("collection_delegated", "warning")),
        ("shared", folder(more="<S:shared/>"), False, ("collection_delegated", "warning")),
        ("lent", folder() + "<share-access><read-write/></share-access>", False, ("collection_delegated", "warning")),
        (
            "feed",
            folder("S:subscribed") + "<S:source><href>https://feeds.example/x.ics</href></S:source>",
            False,
            ("collection_subscribed", "warning"),
        ),
        (
            "ours",
            folder(more="<S:shared-owner/>")
            + "<S:invite><S:user><href>mailto:bob@x</href><S:access><S:read-write/></S:access></S:user></S:invite>",
            True,
            ("collection_shared", "warning"),
        ),
        (
            "ours",
            folder()
            + "<invite><sharee><href>mailto:bob@x</href><share-access><read/></share-access></sharee></invite>",
            True,
            ("collection_shared", "warning"),
        ),
    ],
)
def test_what_is_not_the_accounts_own_is_a_finding(
    slug: str, props: str, copied: bool, finding: tuple[str, str] | None
) -> None:
    found, findings = survey(response(f"/home/{slug}/", props))
    assert found == ([slug] if copied else [])
    assert findings == ([finding] if finding else [])


def test_whom_a_calendar_is_shared_with_is_said() -> None:
    users = "".join(
        f"<S:user><href>mailto:{who}@x</href><S:access><S:{right}/></S:access></S:user>"
        for who, right in (("eve", "read"), ("bob", "read-write"))
    )
    home = multistatus(
        response("/home/cal/", folder() + f"<displayname>Work</displayname><S:invite>{users}</S:invite>")
    )
    with odd({"PROPFIND /home/": home}, name="source") as (side, _peer):
        (finding,) = side.survey().findings
    assert '"Work" is shared with bob@x (change), eve@x (read)' in finding.message
    assert finding.collection == "/home/cal/"


def test_whose_calendars_an_account_may_see_is_said() -> None:
    principal = HOMES + "<S:calendar-proxy-write-for><href>/principals/bob/</href></S:calendar-proxy-write-for>"
    with odd({"PROPFIND /ann/": multistatus(response("/ann/", principal)), "PROPFIND /home/": HOME}) as (side, _peer):
        (finding,) = side.survey().findings
    assert (finding.kind, "change the calendars of bob" in finding.message) == ("delegated_access", True)


def test_a_home_that_is_listed_in_part_is_told() -> None:
    home = multistatus(CAL, response("/home/", whole="507 Insufficient Storage"))
    with odd({"PROPFIND /home/": home}) as (side, _peer), pytest.raises(CollectionError, match="only a part"):
        side.survey()


def test_odd_values_of_properties_are_no_trouble() -> None:
    props = (
        "<displayname/><I:calendar-order>first</I:calendar-order><C:max-resource-size>lots</C:max-resource-size>"
        "<C:supported-calendar-component-set><C:comp/><C:comp name='vevent'/></C:supported-calendar-component-set>"
        "<C:schedule-calendar-transp/><S:getctag>  </S:getctag>"
    )
    with odd({"PROPFIND /home/": multistatus(response("/home/a%2Fb%20c/", folder() + props))}) as (side, _peer):
        (found,) = side.survey().collections
    assert found.properties == Properties(components=frozenset({"VEVENT"}))
    assert (found.slug, found.state, found.max_size) == ("a_b c", None, None)


def test_tokens_count_only_where_the_server_says_that_it_lists_changes() -> None:
    one = "<supported-report><report><C:calendar-multiget/></report></supported-report>"
    reports = f"<supported-report-set>{one}</supported-report-set>"
    both = "<sync-token>1</sync-token><S:getctag>2</S:getctag>"
    home = multistatus(response("/home/a/", folder() + both), response("/home/b/", folder() + both + reports))
    with odd({"PROPFIND /home/": home}) as (side, _peer):
        assert [one.state for one in side.survey().collections] == ["sync:1", "ctag:2"]
