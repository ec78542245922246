# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import stat
from dataclasses import asdict
from pathlib import Path

import pytest
from ansible_collections.atmail.migration.plugins.module_utils import progress as p
from ansible_collections.atmail.migration.plugins.module_utils.progress import Progress, Rate
from hypothesis import given
from hypothesis import strategies as st

NAMES = st.lists(st.text(max_size=20), max_size=4).map(tuple)
COUNT = st.integers(min_value=0, max_value=10**12)


@given(st.builds(Progress, COUNT, COUNT, COUNT, COUNT, COUNT, COUNT, st.floats(0, 1e9), NAMES, COUNT, COUNT))
def test_what_the_module_writes_is_what_the_controller_reads(progress: Progress) -> None:
    text = json.dumps(asdict(progress))
    assert p.read_progress(text) == progress


def test_the_file_is_private_complete_and_replaced_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    for done in (1, 2):
        p.write_progress(str(path), Progress(mailboxes_total=3, mailboxes_done=done))
        seen = p.read_progress(path.read_text())
        assert seen is not None
        assert seen.mailboxes_done == done
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["progress"]


def test_a_run_does_not_fail_because_its_progress_cannot_be_written(tmp_path: Path) -> None:
    p.write_progress(str(tmp_path / "gone" / "progress"), Progress())
    assert not (tmp_path / "gone").exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "7",
        '{"mailboxes_done": -1}',
        '{"messages_done": "many"}',
        '{"bytes_done": true}',
        '{"seconds": null}',
    ],
)
def test_text_that_holds_no_progress(text: str) -> None:
    assert p.read_progress(text) is None


def test_keys_of_another_version_are_passed_over() -> None:
    assert p.read_progress('{"mailboxes_total": 2, "phase": "x", "current": "no list"}') == Progress(mailboxes_total=2)


@pytest.mark.parametrize(
    ("samples", "rate"),
    [
        ([], Rate()),
        ([Progress(seconds=0.0, messages_done=5)], Rate()),
        ([Progress(seconds=2.0, messages_done=100, bytes_done=4000, mailboxes_done=1)], Rate(50, 2000, 0.5)),
        ([Progress(seconds=2.0, messages_done=100), Progress(seconds=4.0, messages_done=500)], Rate(200)),
        # a count that went back (a new run, a lost file) is no negative speed
        ([Progress(seconds=2.0, messages_done=100), Progress(seconds=4.0, messages_done=50)], Rate()),
    ],
)
def test_rate(samples: list[Progress], rate: Rate) -> None:
    assert p.rate(samples) == rate


def test_a_rate_looks_back_over_its_window_only() -> None:
    samples: list[Progress] = []
    for second in range(100):
        samples = p.remember(
            samples, Progress(seconds=float(second), messages_done=10 * second if second < 50 else 500)
        )
    assert p.rate(samples) == Rate()
    assert len(samples) <= p.WINDOW + 2


def test_samples_from_a_time_that_is_not_over_are_dropped() -> None:
    assert p.remember([Progress(seconds=9.0)], Progress(seconds=1.0)) == [Progress(seconds=1.0)]


@pytest.mark.parametrize(
    ("progress", "speed", "seconds"),
    [
        (Progress(mailboxes_total=4, mailboxes_done=4, seconds=9.0), Rate(), 0.0),
        (Progress(mailboxes_total=0), Rate(), 0.0),
        # too early to say
        (Progress(4, 0, 0, 100, 1000, seconds=1.0, current=("a",)), Rate(messages=100.0), None),
        # everything surveyed: 900 messages at 100/s
        (Progress(1, 0, 0, 100, 1000, seconds=5.0, current=("a",)), Rate(messages=100.0), 9.0),
        # two of four surveyed hold 1,000: four may hold 2,000
        (Progress(4, 1, 0, 100, 1000, seconds=5.0, current=("a",)), Rate(messages=100.0), 19.0),
        # a rerun copies nothing: 5 of 20 mailboxes in 10 s
        (Progress(20, 5, seconds=10.0, current=("a",)), Rate(), 30.0),
        # nothing done yet at all
        (Progress(20, 0, seconds=10.0), Rate(), None),
    ],
)
def test_time_left(progress: Progress, speed: Rate, seconds: float | None) -> None:
    assert p.time_left(progress, speed) == seconds


@given(st.builds(Progress, COUNT, COUNT, COUNT, COUNT, COUNT, COUNT, st.floats(0, 1e9), NAMES), st.floats(0, 1e9))
def test_time_left_is_never_negative(progress: Progress, speed: float) -> None:
    left = p.time_left(progress, Rate(messages=speed))
    assert left is None or left >= 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00"),
        (7.4, "0:07"),
        (59.6, "1:00"),
        (723, "12:03"),
        (3600, "1:00:00"),
        (11045, "3:04:05"),
        (183840, "2 d 03:04"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    assert p.duration(seconds) == text


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (23_100_000, "23.1 MB"),
        (123_456_789, "123 MB"),
        (999_600_000, "1.0 GB"),
        (5e15, "5000.0 TB"),
    ],
)
def test_size(octets: float, text: str) -> None:
    assert p.size(octets) == text


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (0.25, "0.2"), (3, "3"), (9.9, "9.9"), (12.7, "13"), (18000, "18,000")]
)
def test_amount(number: float, text: str) -> None:
    assert p.amount(number) == text


RUNNING = Progress(12, 7, 1, 8123, 12000, 9_000_000, 4.0, ("ann@acme.example",))
WHOLE_LINE = "acme: 7/12 mailboxes, 1 failed, 8,123 of 12,000 messages, 2,310 messages/s, 23.1 MB/s, 0:04 left"


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (0, WHOLE_LINE),
        (30, "acme: 7/12 mailboxes, 1 faile…"),
        (
            130,
            f"{WHOLE_LINE} · ann@acme.example",
        ),
    ],
)
def test_line(width: int, text: str) -> None:
    assert p.line("acme", RUNNING, Rate(2310.0, 23.1e6), width) == text


@given(st.text(), NAMES, st.integers(20, 200))
def test_a_line_fits_the_terminal_and_cannot_steer_it(customer: str, names: tuple[str, ...], width: int) -> None:
    text = p.line(customer, Progress(2, 1, current=names), Rate(), width)
    assert len(text) <= width
    assert text.isprintable()


def test_customers_shown_together_are_named_and_added_up() -> None:
    ann, bob = Progress(4, 1, 1, 10, 100, 1000, 5.0, ("a",)), Progress(6, 2, 0, 20, 200, 3000, 7.0, ("b", "c"))
    assert p.together({"acme": ann}) == ("acme", Progress(4, 1, 1, 10, 100, 1000, 5.0, ["a"]))
    name, progress = p.together({"globex": bob, "acme": ann})
    assert name == "acme, globex"
    assert progress == Progress(10, 3, 1, 30, 300, 4000, 7.0, ["b", "c", "a"])
    assert p.together({f"c{number}": ann for number in range(1200)})[0] == "1,200 customers"


def test_the_line_says_who_waits_for_what() -> None:
    waiting = p.Progress(mailboxes_total=9, waiting=3, waiting_for="the source x:993 asks us to slow down")
    assert "3 waiting: the source x:993 asks us to slow down" in p.line("acme", waiting, p.Rate())
    assert "waiting" not in p.line("acme", p.Progress(mailboxes_total=9), p.Rate())
    _name, both = p.together({"acme": waiting, "globex": p.Progress(mailboxes_total=1, waiting=1)})
    assert (both.waiting, both.waiting_for) == (4, waiting.waiting_for)
