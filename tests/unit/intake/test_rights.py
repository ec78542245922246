# SPDX-License-Identifier: GPL-3.0-or-later
"""What a database user may do, in the words of MySQL and MariaDB."""

from __future__ import annotations

import pytest
from ansible_collections.atmail.migration.plugins.module_utils.intake.rights import (
    escrow_right,
    needless,
    read_grants,
)
from hypothesis import given
from hypothesis import strategies as st

USAGE = (
    "GRANT USAGE ON *.* TO `migration`@`127.0.0.1` IDENTIFIED BY PASSWORD '*6BB4837EB74329105EE4568DDA7DC67ED2CA2AD9'"
)
SELECT = "GRANT SELECT, SHOW VIEW ON `atmail`.* TO `migration`@`127.0.0.1`"


@pytest.mark.parametrize(
    ("line", "may"),
    [
        (SELECT, False),
        ("GRANT SELECT, UPDATE (`Password`) ON `atmail`.`UserSession` TO `m`@`%`", True),
        ("GRANT SELECT, UPDATE (Password) ON `atmail`.`UserSession` TO 'm'@'%'", True),
        ("GRANT UPDATE (`Account`) ON `atmail`.`UserSession` TO `m`@`%`", False),
        ("GRANT UPDATE ON `atmail`.`Users` TO `m`@`%`", False),
        ("GRANT SELECT, INSERT, UPDATE ON `atmail`.* TO `m`@`%`", True),
        ("GRANT UPDATE ON `at%`.* TO `m`@`%`", True),
        (r"GRANT UPDATE ON `at\%`.* TO `m`@`%`", False),
        (r"GRANT UPDATE ON `atmai_`.* TO `m`@`%`", True),
        ("GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION", True),
        ("GRANT `reader` TO `m`@`%`", False),
    ],
)
def test_the_right_to_set_passwords(line: str, may: bool) -> None:
    assert escrow_right(read_grants([USAGE, line]), "atmail", "UserSession", "password") is may


def test_more_than_is_needed_is_named() -> None:
    wanted = {("UserSession", "Password")}
    enough = [USAGE, SELECT, "GRANT UPDATE (`Password`) ON `atmail`.`UserSession` TO `m`@`%`"]
    assert needless(read_grants(enough), wanted) == []
    assert needless(read_grants(enough), set()) == ["UPDATE (Password) ON atmail.UserSession"]
    assert needless(read_grants(["GRANT DELETE, UPDATE ON `atmail`.* TO `m`@`%`"]), wanted) == [
        "DELETE ON atmail.*",
        "UPDATE ON atmail.*",
    ]
    everything = needless(read_grants(["GRANT ALL PRIVILEGES ON *.* TO `r`@`%` WITH GRANT OPTION"]), wanted)
    assert everything == ["ALL PRIVILEGES ON *.*", "GRANT OPTION ON *.*"]


@given(st.text())
def test_any_answer_of_a_server_can_be_read(line: str) -> None:
    read_grants([line, f"GRANT {line} ON `a`.* TO `x`@`y`", f"GRANT SELECT ON `{line}`.* TO `x`@`y`"])
