"""Nothing is served without its test over HTTP: each endpoint, refusal, code, rule and setting of a profile.

What is tested is read off the tests themselves: the cases of the rules are walked through on paper, the
tables of other tests are those that they are parametrized with. And each code and setting has its words in
the documents; that endpoints, refusals, rules and keys have theirs, `tests/docs` checks.
"""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast, get_args, get_origin, get_type_hints

import pytest

from caisse.core.policy import DEFAULT_POLICY, Policy
from caisse.core.verdicts import Verdict
from caisse.dialects.kyren_v1.door import KyrenV1
from caisse.dialects.references import MANUALS
from caisse.dialects.seamless_v3 import table as seamless_v3_table
from caisse.dialects.seamless_v4.door import SeamlessV4
from caisse.dialects.transfer_v3 import door as transfer_v3
from caisse.dialects.transfer_v4 import table as transfer_v4_table
from caisse.dialects.wire import seamless
from caisse.dialects.wire.table import Endpoint
from caisse.profiles.reader import profiles
from tests.docs.documents import section, text
from tests.http import test_doors as doors
from tests.http import test_kyren_v1 as kyren
from tests.http import test_refusals_seamless_v4 as others
from tests.http import test_rules_seamless as rules_seamless
from tests.http import test_rules_transfer as rules_transfer
from tests.http import test_seamless_v3 as seamless_3
from tests.http import test_seeds as seeds
from tests.http import test_transfer_v4 as transfer_4
from tests.support.cases import Case, Seat, Unkept
from tests.support.rig import PROFILES, SHIPPED, House
from tests.support.server import Game, Partner

TESTS = Path(__file__).parent
ENDPOINTS = {e.path: (manual.id, e) for manual in MANUALS for e in manual.endpoints}

Test = Callable[..., None]

Cell = tuple[str, str]
"""An endpoint's path and what it was answered with: a code, or a word."""


# -- what the tests over HTTP ask, and what they want to be answered --


def rows(test: Test, name: object) -> list[Any]:
    """What a test is parametrized with under that name; nothing if it is not."""
    for mark in getattr(test, "pytestmark", ()):
        if mark.name == "parametrize" and mark.args[0] == name:
            return list(mark.args[1])
    return []


class Paper:
    """Stands for a house where calls are written down and not sent."""

    partner = Partner("partner", "token")

    def game(self, profile: str) -> Game:
        return Game("/key")

    def freeze(self, user: str, frozen: bool = True) -> None: ...


def walked(cases: Iterable[Case]) -> Iterator[Cell]:
    """Each call of the cases with the code it expects."""
    for case in cases:
        at = Seat(cast(House, Paper()), "case", case.profile, "ana", "bob")
        for step, expected in case.steps:
            call = step(at)
            if call is not None:
                code = expected.code if isinstance(expected, Unkept) else expected
                yield call.path.partition("?")[0].removeprefix("/key"), str(code)


def cases(test: Test, table: dict[str, Case]) -> list[Case]:
    """Those that the test plays."""
    return [table[name] for name in rows(test, "name")]


METHODS: list[tuple[str, Test]] = [
    ("0", seeds.test_each_method_succeeds_as_documented),
    ("100", seeds.test_an_unknown_player_is_100_on_every_method),
    ("4", seeds.test_a_wrong_key_is_refused_with_4),
    ("2", seeds.test_an_unknown_currency_is_2),
    ("2", seeds.test_a_wallet_that_the_player_does_not_have_is_2),
    ("7", seeds.test_a_missing_field_is_a_bad_parameter),
]
VERBS: list[tuple[str, Test]] = [
    ("2", seeds.test_without_that_wallet_there_is_no_wallet),
    ("4", seeds.test_an_unknown_user_is_not_found_and_that_is_not_kept),
]
"""Tests of one code, for each of the methods or verbs that they are parametrized with."""


def _told() -> Iterator[Cell]:
    yield from walked(cases(rules_transfer.test_the_rules_of_the_transfer_door, rules_transfer.CASES))
    yield from walked(cases(rules_seamless.test_the_rules_of_the_seamless_door, rules_seamless.ALL))
    yield from walked(cases(others.test_the_other_refusals, others.CASES))
    for code, test in METHODS:
        names = rows(test, "method") or [row[0] for row in rows(test, ("method", "name"))]
        yield from ((f"/V4/{method}", code) for method in names)
    for method in rows(kyren.test_each_method_succeeds_as_documented, "method"):
        yield f"/v1/{method}", "0"
    for given in rows(kyren.test_every_refusal_has_its_number_and_moves_nothing, "given"):
        yield given.path, str(given.code)
    for code, test in VERBS:
        yield from ((f"/user/{verb}", code) for verb in rows(test, "verb"))
    for path in rows(transfer_4.test_the_base_and_the_root_serve_alike_in_any_letter_case, "path"):
        yield path, "0"
    for given in rows(transfer_4.test_every_refusal_by_the_rules_has_its_code, "given"):
        yield given.path, " ".join(given.refusal)
    for verb in rows(seamless_3.test_paths_and_names_match_in_any_letter_case, "verb"):
        yield f"/seamless/v3/{verb}", "OK"
    for said in rows(seamless_3.test_every_refusal_by_the_rules_has_its_word, "given"):
        yield f"/seamless/v3/{said.verb}", said.word


TOLD = frozenset(_told())

FULL = others.test_R40_a_round_holds_a_thousand_bets_and_no_more
ELSEWHERE: dict[Cell, Test] = {
    **dict.fromkeys([("/V4/Bet", "3"), ("/v1/Bet", "53"), ("/seamless/v3/bet", "BET_NOT_ALLOWED")], FULL),
    ("/log/slot", "0"): seeds.test_the_log_lists_rounds_oldest_first_and_ends,
    ("/user/info", "0"): seeds.test_info_shows_the_player_and_all_wallets,
    ("/user/create", "0"): seeds.test_create_succeeds_once,
    ("/v1/Bet", "56"): kyren.test_a_frozen_players_bet_is_56_and_gets_the_round_back_all_the_same,
}
"""Told by a test of its own, which stands here."""


def spelled(door: str, endpoint: Endpoint, verdict: Verdict) -> str:
    """A refusal as `_told` writes it down."""
    if door == "transfer-v3":
        return str(transfer_v3.FAILURES[verdict].code)
    if door == "transfer-v4":
        return " ".join(transfer_v4_table.REFUSALS[verdict])
    if isinstance(endpoint, seamless.Method):
        made = {"seamless-v4": SeamlessV4(), "kyren-v1": KyrenV1()}[door]
        return str(made.refusal_of(endpoint, DEFAULT_POLICY, verdict).error)
    return seamless_v3_table.WORDS[verdict]


def untested(door: str, endpoint: Endpoint, told: frozenset[Cell]) -> list[str]:
    """Its success, and the refusals that no test over HTTP asks for."""
    wanted = ["OK" if door == "seamless-v3" else "0"]
    wanted += [spelled(door, endpoint, verdict) for verdict in endpoint.refusals]
    return [code for code in wanted if (endpoint.path, code) not in told]


@pytest.mark.parametrize("path", ENDPOINTS)
def test_every_endpoint_is_tested_with_its_success_and_each_refusal(path: str) -> None:
    door, endpoint = ENDPOINTS[path]
    assert untested(door, endpoint, TOLD | ELSEWHERE.keys()) == []


def test_an_endpoint_or_refusal_without_a_test_is_noticed() -> None:
    door, endpoint = ENDPOINTS["/refund"]
    assert untested(door, endpoint, frozenset()) == [
        *("0", "17 Player not found", "25 Transaction id was used for another request"),
        "8 Transaction already exists, no action required",
        *("24 Wallet not found", "23 Player is frozen", "22 Not enough balance"),
    ]
    assert untested(door, endpoint, TOLD - {("/refund", "23 Player is frozen")}) == ["23 Player is frozen"]
    assert untested("seamless-v4", Endpoint("/V4/Invented", "", (), endpoint.make), TOLD) == ["0"]
    assert rows(test_an_endpoint_or_refusal_without_a_test_is_noticed, "name") == []


# -- codes that no rule decides --


class Code(NamedTuple):
    """What a table of a door may say, by which test over HTTP, and in which section of the document."""

    told: str
    test: Test
    words: str


V3, V4 = "Transfer door, edition 3", "Transfer door, edition 4"
S4, S3 = "Seamless door, edition 4", "Seamless door, edition 3"

BEYOND_RULES: dict[str, list[Code]] = {
    V3: [
        Code("1", seeds.test_an_unreadable_uuid_is_answered_with_an_empty_one, '"code":1,"reason"'),
        Code("3", seeds.test_the_log_lists_rounds_oldest_first_and_ends, "Have No Additional Record"),
        Code(
            "8",
            doors.test_an_unknown_partner_and_a_wrong_token_get_one_and_the_same_answer,
            "failed(answers[0], 401, 8",
        ),
        Code(
            "11", doors.test_another_method_is_405_with_allow_on_the_transfer_door, "failed(answer, 405, 11)"
        ),
    ],
    V4: [
        Code("0", transfer_4.test_a_player_s_life_shows_every_endpoint_s_fields, "**DONE"),
        Code("1", transfer_4.test_another_method_is_405_with_allow, "POST_ONLY, 405"),
        Code("4", transfer_4.test_a_wrong_login_is_4_and_one_and_the_same, "LOGIN"),
        Code("7", transfer_4.test_an_unreadable_body_is_7, "UNREADABLE"),
        Code("21", transfer_4.test_a_wrong_currency_is_21, "CURRENCY"),
    ],
    S4: [
        Code("0", seeds.test_each_method_succeeds_as_documented, '"0" if method == "Refund" else 0'),
        Code("2", seeds.test_an_unknown_currency_is_2, "method, 2)"),
        Code("4", seeds.test_a_wrong_key_is_refused_with_4, "method, 4)"),
        Code("7", seeds.test_a_missing_field_is_a_bad_parameter, "method, 7)"),
        Code("10", rules_seamless.test_the_rules_of_the_seamless_door, "play_case"),
        Code("100", doors.test_another_method_is_405_with_allow_on_the_seamless_door, "405, 100)"),
        Code(
            "130", others.test_under_a_profile_that_the_server_does_not_know_no_verdict_is_given, "503, 130"
        ),
    ],
    S3: [
        Code(
            "INVALID_PARAMETER", seamless_3.test_a_missing_field_is_an_invalid_parameter, "INVALID_PARAMETER"
        ),
        Code("INVALID_AMOUNT", seamless_3.test_a_bad_field_has_its_word, "INVALID_{what}"),
        Code("INVALID_CURRENCY", seamless_3.test_a_bad_field_has_its_word, "INVALID_{what}"),
        Code("UNAUTHORIZED", seamless_3.test_a_wrong_token_is_401_and_one_and_the_same, "UNAUTHORIZED"),
        Code("BAD_REQUEST", seamless_3.test_failures_keep_their_http_status, "BAD_REQUEST"),
        Code(
            "TEMPORARY_ERROR",
            others.test_under_a_profile_that_the_server_does_not_know_no_verdict_is_given,
            "TEMPORARY_ERROR",
        ),
    ],
}
NEVER_SENT = {V3: {"9", "10"}, V4: set(), S4: set(), S3: {"FORBIDDEN"}}
"""Reserved for a 403 that nothing is answered with; and 10, of a 503 that cannot be had at will on this door:
the dialect's own tests tell it.
"""

IN_TABLES: dict[str, set[str]] = {
    V3: {str(f.code) for f in vars(transfer_v3).values() if isinstance(f, transfer_v3.Failure)},
    V4: {
        r.error
        for r in [*vars(transfer_v4_table).values(), *transfer_v4_table.WRONG.values()]
        if isinstance(r, transfer_v4_table.Refusal)
    },
    S4: {"0"}
    | {
        str(r.error)
        for r in [*vars(seamless).values(), *seamless.WRONG.values()]
        if isinstance(r, seamless.Refusal)
    },
    S3: {
        *(seamless_v3_table.BAD_REQUEST, *seamless_v3_table.STATUSES.values()),
        *seamless_v3_table.WRONG.values(),
    },
}
BY_RULES: dict[str, set[str]] = {
    V3: {str(f.code) for f in transfer_v3.FAILURES.values()},
    V4: {r.error for r in transfer_v4_table.REFUSALS.values()},
    S4: {str(r.error) for r in [*seamless.REFUSALS.values(), *seamless.OF_BETS.values()]},
    S3: set(),
}


def source_of(test: Test) -> str:
    return inspect.getsource(test)


@pytest.mark.parametrize("door", BEYOND_RULES)
def test_every_code_beyond_the_rules_is_tested(door: str) -> None:
    assert IN_TABLES[door] - NEVER_SENT[door] == {code.told for code in BEYOND_RULES[door]}
    assert [code for code in BEYOND_RULES[door] if code.words not in source_of(code.test)] == []


def listed(door: str, code: str) -> bool:
    """Whether the first column of a table in the door's section has the code."""
    cells = re.findall(r"^\|([^|]+)\|", section("docs/http-api.md", door), re.MULTILINE)
    return any(code in re.findall(r"\w+", cell) for cell in cells)


@pytest.mark.parametrize("door", BEYOND_RULES)
def test_every_code_is_listed_with_its_meaning(door: str) -> None:
    assert [code for code in sorted(IN_TABLES[door] | BY_RULES[door]) if not listed(door, code)] == []


@pytest.mark.parametrize(("door", "code"), [(V3, "12"), (V4, "2"), (S4, "99"), (S3, "INVALID")])
def test_a_code_that_is_not_listed_is_noticed(door: str, code: str) -> None:
    assert not listed(door, code)


# -- rules --

OVER_HTTP = [*range(1, 9), *range(10, 16), *range(20, 34), *range(40, 49), *range(56, 59)]
BENEATH = {9: "writer", **dict.fromkeys([*range(50, 56), 59], "core")}
"""Rules of what no client sees: when a verdict becomes durable, and the books. Where they are tested."""


def named(number: int, source: str) -> bool:
    """Whether the text of a test names the rule itself, not only a range of rules around it."""
    alone = re.sub(r"\bR\d+–R?\d+", "", source.replace("_", " "))
    return re.search(rf"\bR{number}(?!\d)", alone) is not None


def naming(number: int, folder: str) -> list[str]:
    """The test modules of a folder that do."""
    return [p.name for p in sorted((TESTS / folder).glob("test_*.py")) if named(number, p.read_text("utf-8"))]


@pytest.mark.parametrize("number", [*OVER_HTTP, *BENEATH])
def test_every_rule_has_its_test(number: int) -> None:
    assert naming(number, BENEATH.get(number, "http"))


def test_the_rules_are_those_that_are_documented() -> None:
    written = re.findall(r"^### R(\d+)$", text("docs/rules.md"), re.MULTILINE)
    assert sorted(map(int, written)) == sorted([*OVER_HTTP, *BENEATH])


@pytest.mark.parametrize("number", [16, 34, 49, 60, 100])
def test_a_rule_without_a_test_is_noticed(number: int) -> None:
    assert naming(number, "http") == naming(number, "core") == []


def test_a_rule_is_named_only_by_its_own_number() -> None:
    assert all(named(3, said) for said in ("def test_R3_keys", "(R3)", "R1–R2, R3"))
    assert not any(named(3, said) for said in ("R30", "R1–R15", "AR3", "R 3", "R3–R5", "3"))


# -- profiles --


def settings(key: str) -> list[object]:
    """Every setting of a key that can be listed; a number and a table stand for all their kind."""
    hint = get_type_hints(Policy)[key]
    if hint is bool:
        return [False, True]
    kinds = [hint, *get_args(hint)]
    said = [value for kind in kinds if get_origin(kind) is Literal for value in get_args(kind)]
    return [*said, int] if key == "unknown_bet" else said or [get_origin(hint) or hint]


def used(played: Iterable[Case]) -> list[dict[str, Any]]:
    """The profiles under which cases are played, whole."""
    defaults = {key: getattr(DEFAULT_POLICY, key) for key in Policy.__struct_fields__}
    found = []
    for name in sorted({case.profile for case in played}):
        own = {k: getattr(profiles()[name], k) for k in defaults} if name in SHIPPED else {}
        found.append({**defaults, **own, **tomllib.loads(PROFILES.get(name, ""))})
    return found


def under(key: str, setting: object, played: list[dict[str, Any]]) -> bool:
    """Whether some case is played under a profile with that setting; a table must hold something."""
    if isinstance(setting, type):
        return any(profile[key] and type(profile[key]) is setting for profile in played)
    return any(profile[key] == setting for profile in played)


PLAYED = used(rules_seamless.ALL.values())
SETTINGS = [(key, setting) for key in Policy.__struct_fields__ for setting in settings(key)]


@pytest.mark.parametrize(
    ("key", "setting"), SETTINGS, ids=[f"{k} {getattr(s, '__name__', s)}" for k, s in SETTINGS]
)
def test_every_setting_of_a_profile_is_played_and_documented(key: str, setting: object) -> None:
    assert under(key, setting, PLAYED)
    row = re.search(rf"^\| `{key}` \|([^|]+)\|", text("docs/profiles.md"), re.MULTILINE)
    assert row
    shown = {str: "text", int: "1 to 9999", dict: "table"}.get(cast(type, setting)) or (
        f"`{str(setting).lower()}`" if isinstance(setting, bool) else f'`"{setting}"`'
    )
    assert shown in row[1]


def test_a_setting_that_is_not_played_is_noticed() -> None:
    bare = used([Case([], "")])
    missed = [(key, setting) for key, setting in SETTINGS if not under(key, setting, bare)]
    assert missed == [
        *[("unknown_bet", int), ("late_bet", "absorb"), ("refund_amount", "exact")],
        *[("settled_bet", "return_stake"), ("refund_by_round", True), ("retransmission", True)],
        *[("codes", dict), ("renumber", dict), ("spellings", dict)],
    ]
