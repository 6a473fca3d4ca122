"""The documents are whole and sound: nothing is added without its words, and no link leads nowhere."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import click
import httpx2
import pytest

from caisse.audit.audit import CHECKS
from caisse.cli.demo import server as demo_server
from caisse.cli.main import EPILOG, cli
from caisse.core.entries import MOVES, Entry, Kind
from caisse.core.policy import Policy
from caisse.core.verdicts import ACCEPTED, UNKEPT, Verdict
from caisse.dialects.references import MANUALS
from caisse.dialects.seamless_v3 import table as seamless_v3_table
from caisse.dialects.transfer_v3 import door as transfer_v3
from caisse.dialects.transfer_v4 import table as transfer_v4_table
from caisse.dialects.wire import seamless
from caisse.dialects.wire.table import Endpoint
from caisse.profiles.reader import profiles
from caisse.settings import VARIABLES
from caisse.store import migrate
from caisse.story.words import RULES
from caisse.web.server.exchange import Limits as HttpLimits
from caisse.writer.writer import Limits
from tests.docs import documents, field_tables
from tests.docs.documents import ROOT, everything, headings, section, text
from tests.support.running import caisse

ALL = documents.documents()
API, COMMANDS, RULES_MD = "docs/http-api.md", "docs/commands.md", "docs/rules.md"
OPERATIONS, JOURNAL, PROFILES = "docs/operations.md", "docs/journal.md", "docs/profiles.md"

OTHERWISE_WRAPPED = {"CONTRIBUTING.md", "docs/performance.md"}

NUMBERS = [*range(1, 16), *range(20, 34), *range(40, 49), *range(50, 60)]
"""Every rule of the money."""

FORBIDDEN = re.compile(
    rf"{re.escape(str(ROOT))}|{re.escape(str(Path.home()))}/|/(root|home|Users|tmp)/"
    r"|127\.0\.0\.1:(?!8080)\d|index-url|\b(TODO|FIXME)\b"
    r"|\b(blazing|world-class|revolutionary|cutting-edge|effortless|best-in-class)",
    re.IGNORECASE,
)
"""A machine's own paths and hosts, what is unfinished, and praise without a figure."""


# -- soundness --


@pytest.mark.parametrize("path", ALL)
def test_every_link_leads_somewhere(path: str) -> None:
    for link in documents.links(path):
        if link.startswith(("https://", "mailto:")):
            continue
        file, _, anchor = link.partition("#")
        target = (ROOT / path).parent / file if file else ROOT / path
        assert target.exists(), link
        if anchor:
            assert anchor in documents.anchors(str(target.resolve().relative_to(ROOT))), link


@pytest.mark.parametrize("path", ALL)
def test_no_document_speaks_of_machines_or_boasts(path: str) -> None:
    found = FORBIDDEN.search(text(path))
    assert found is None, found


@pytest.mark.parametrize("bad", [f"see {ROOT}/x", "cd /root/x", "/home/me", "TODO: more", "blazing fast"])
def test_a_forbidden_word_is_noticed(bad: str) -> None:
    assert FORBIDDEN.search(bad)


@pytest.mark.parametrize("path", sorted({*ALL} - OTHERWISE_WRAPPED))
def test_a_document_has_one_title_and_no_overlong_lines(path: str) -> None:
    assert [h.level for h in headings(path)].count(1) == 1
    for line in documents.prose(path).splitlines():
        assert len(line) <= 130 or line.startswith(("|", "* **", "#")) or "](" in line, line


@pytest.mark.parametrize("path", ALL)
def test_every_make_target_exists(path: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE))
    assert set(re.findall(r"`?\bmake ([a-z-]+)`", text(path))) <= targets


@pytest.mark.parametrize("path", ALL)
def test_every_path_of_the_source_that_is_named_exists(path: str) -> None:
    named = re.findall(r"`((?:core|cli|dialects|store|web|profiles)/[\w/]+\.py)`", text(path))
    named += [m.removeprefix("src/caisse/") for m in re.findall(r"`(src/caisse/[\w/]+\.py)`", text(path))]
    if path != RULES_MD:
        assert [name for name in named if not (ROOT / "src/caisse" / name).exists()] == []
    tests = re.findall(r"`tests/([\w/]+(?:\.py)?)`", text(path))
    assert [name for name in tests if not (ROOT / "tests" / name).exists()] == []


def test_the_package_shows_the_readme() -> None:
    assert 'readme = "README.md"' in text("pyproject.toml")


# -- the HTTP API --

ENDPOINTS = [(manual.id, endpoint) for manual in MANUALS for endpoint in manual.endpoints]


def test_every_endpoint_is_documented_with_its_fields_answers_and_refusals() -> None:
    """As `python -m tests.docs.field_tables` makes them from the tables that serve the requests."""
    assert field_tables.updated(text(API)) == text(API)


def test_a_table_that_drifts_is_noticed() -> None:
    for told, other in (
        ("| `roundId` |", "| `round` |"),
        ("| yes |", "| no |"),
        ("120 `Bet not found`", "7"),
    ):
        spoilt = text(API).replace(told, other, 1)
        assert spoilt != text(API)
        assert field_tables.updated(spoilt) == text(API)


def test_every_refund_is_said_to_be_of_money_out_or_of_a_bet() -> None:
    """ "Refund" means two things in the contract; each endpoint's first line says which."""
    for _, endpoint in ENDPOINTS:
        if endpoint.path.lower().endswith(("refund", "cancel")):
            assert endpoint.summary.startswith(
                ("Refund (money out): ", "Refund of a bet: ", "Refund of a round: ")
            )


@pytest.mark.parametrize(("door", "endpoint"), ENDPOINTS, ids=[e.path for _, e in ENDPOINTS])
def test_every_endpoint_has_an_example_that_is_played(door: str, endpoint: Endpoint) -> None:
    played = [block.text for block in documents.blocks(API, "http")]
    assert any(re.match(rf"POST (/acme-key-0001)?{re.escape(endpoint.path)}[?\n]", shown) for shown in played)


def test_no_endpoint_is_documented_that_is_not_served() -> None:
    titles = {h.title for h in headings(API) if h.title.startswith("`POST")}
    assert titles == {f"`POST {endpoint.path}`" for _, endpoint in ENDPOINTS}


def test_the_limits_are_as_documented() -> None:
    limits, http = Limits(), HttpLimits()
    said = " ".join(text(API).split())
    for shown in (
        f"| requests that wait for a verdict | {limits.queue:,};",
        f"| wait for a verdict | {limits.patience_seconds:.0f} s,",
        f"| open connections | {http.connections:,};",
        f"| silence between two requests on a connection | {http.idle_seconds:.0f} s |",
        f"| whole request, from first byte to last | {http.receive_seconds:.0f} s |",
        f"| an answer that the client does not take | {http.receive_seconds:.0f} s,",
        f"| answers that all clients together have not taken | {http.unsent_bytes >> 20} MiB,",
        f"at most {http.body_bytes // 1024} KiB",
        f"more than {http.header_count} header lines",
    ):
        assert shown in said, shown


# -- commands and settings --


def leaves(command: click.Command, name: str, ctx: click.Context) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield name, command
        return
    for word in command.list_commands(ctx):
        inner = command.get_command(ctx, word)
        assert inner is not None
        yield from leaves(inner, f"{name} {word}", click.Context(inner, info_name=word, parent=ctx))


LEAVES = dict(leaves(cli, "caisse", click.Context(cli, info_name="caisse")))
COMMON = {"--db", "--json", "--help"}


@pytest.mark.parametrize("name", LEAVES)
def test_every_command_and_option_is_documented(name: str) -> None:
    said = section(COMMANDS, f"`{name}`")
    options = {o for p in LEAVES[name].params if isinstance(p, click.Option) for o in p.opts}
    assert {o for o in options - COMMON if f"`{o}`" not in said and f"`{o} " not in said} == set()
    assert set(re.findall(r"^\| `(--[\w-]+)", said, re.MULTILINE)) <= options


def test_no_command_is_documented_that_there_is_not() -> None:
    assert {h.title.strip("`") for h in headings(COMMANDS) if h.level == 2} == set(LEAVES)


@pytest.mark.parametrize("path", ["README.md", "CHANGELOG.md"])
def test_the_list_of_commands_is_whole(path: str) -> None:
    assert all(f"`{name}`" in text(path) for name in cli.list_commands(click.Context(cli)))


@pytest.mark.parametrize("path", [COMMANDS, OPERATIONS])
def test_every_exit_code_is_documented(path: str) -> None:
    told = re.findall(r"^  (\d+) ", EPILOG, re.MULTILINE)
    assert len(told) == 6
    assert all(re.search(rf"^\| {code} \|", text(path), re.MULTILINE) for code in told)


@pytest.mark.parametrize("name", VARIABLES)
def test_every_setting_is_documented(name: str) -> None:
    assert f"| `{name}` |" in section(OPERATIONS, "Settings")


def test_no_setting_is_documented_that_there_is_not() -> None:
    assert set(re.findall(r"\bCAISSE_[A-Z]+\b", everything())) - {"CAISSE_TEST", "CAISSE_COMPLETE"} == set(
        VARIABLES
    )


@pytest.mark.parametrize("key", Policy.__struct_fields__)
def test_every_key_of_a_profile_is_documented(key: str) -> None:
    assert f"| `{key}` |" in text(PROFILES)


def test_every_profile_is_documented() -> None:
    assert all(f"| `{name}` |" in text(PROFILES) for name in profiles())


def test_every_metric_is_documented_and_no_other(tmp_path: Path) -> None:
    db = f"sqlite:///{tmp_path}/caisse.db"
    assert caisse("migrate", "--db", db).code == 0
    with demo_server.server(db, 0, tmp_path / "serve.log") as running:
        told = httpx2.get(f"{running.url}/metrics", trust_env=False).text
    served = set(re.findall(r"^# TYPE (\w+)", told, re.MULTILINE))
    listed = set(re.findall(r"^\| `(caisse_\w+)` \|", section(OPERATIONS, "Monitoring"), re.MULTILINE))
    assert served == listed
    assert set(re.findall(r"\bcaisse_(?:writer|http|queue)_\w+", everything())) <= served


# -- rules, verdicts, journal --


def test_every_rule_is_documented_and_no_other() -> None:
    assert [h.title for h in headings(RULES_MD) if h.level == 3] == [f"R{number}" for number in NUMBERS]
    assert set(RULES) <= {f"R{number}" for number in NUMBERS}


def thing_named(name: str) -> object:
    """`core.book.Round.settled`: a module of ours, and what to look up in it."""
    parts = name.split(".")
    files = [
        (ROOT / "src/caisse").joinpath(*parts[:n]).with_suffix(".py").exists() for n in range(len(parts) + 1)
    ]
    depth = files.index(True)
    thing: object = importlib.import_module(".".join(["caisse", *parts[:depth]]))
    for part in parts[depth:]:
        thing = getattr(thing, part)
    return thing


@pytest.mark.parametrize("number", NUMBERS)
def test_a_rule_says_truly_where_it_is_decided_and_tested(number: int) -> None:
    said = section(RULES_MD, f"R{number}")
    decided = re.search(r"\*Decided:\* `([\w.]+)`", said)
    assert decided
    assert thing_named(decided[1]) is not None
    tests = re.findall(r"`([\w/]+\.py)`", said.partition("*Tested:*")[2])
    assert tests
    for name in tests:
        file = ROOT / "tests" / name
        assert file.exists(), name
        source = file.read_text("utf-8")
        assert re.search(rf"\bR{number}(?!\d)", source.replace("_", " ")) or in_a_range(number, source), name


def in_a_range(number: int, source: str) -> bool:
    """Whether a test says that it is about R20–R33, for one."""
    return any(int(a) <= number <= int(b) for a, b in re.findall(r"\bR(\d+)–R(\d+)", source))


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_is_documented_with_its_codes(verdict: Verdict) -> None:
    row = re.search(rf"^\| `{verdict}` \|(.+)\|$", section(RULES_MD, "Verdicts"), re.MULTILINE)
    assert row
    _, kept, *told = [cell.strip() for cell in row[1].split(" | ")]
    assert kept == ("no" if verdict in UNKEPT else "yes")
    if verdict in ACCEPTED:
        assert told[2:] == ["0", "`OK`"]
        return
    failure, refusal = transfer_v3.FAILURES.get(verdict), transfer_v4_table.REFUSALS.get(verdict)
    word = seamless_v3_table.WORDS.get(verdict)
    assert told[0] == (str(failure.code) if failure else "–")
    assert told[1] == (refusal.error if refusal else "–")
    played = seamless.REFUSALS.get(verdict)
    assert told[2].partition(",")[0] == (str(played.error) if played else "–")
    assert told[3] == (f"`{word}`" if word else "–")


def test_the_verdicts_stand_in_order_of_precedence() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", section(RULES_MD, "Verdicts"), re.MULTILINE)
    assert listed == [verdict.value for verdict in Verdict]


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_row_is_documented_with_its_move(kind: Kind) -> None:
    rows = [line for line in section(JOURNAL, "Accounts and moves").splitlines() if f"`{kind}`" in line]
    assert len(rows) == 1
    move = MOVES.get(kind)
    cells = [cell.strip() for cell in rows[0].strip("|").split("|")]
    if move is None:
        assert cells[1] == "no"
    else:
        contra = move.contra.format(partner="<partner>", provider="<provider>")
        assert cells[1:] == ["yes", "+" if move.sign > 0 else "−", f"`{contra}`"]


def test_every_column_of_the_journal_is_documented() -> None:
    first_cells = re.findall(r"^\| (`.+?) \| ", section(JOURNAL, "A row"), re.MULTILINE)
    assert re.findall(r"`(\w+)`", " ".join(first_cells)) == list(Entry.__struct_fields__)


def test_the_order_of_the_hashed_values_is_as_documented() -> None:
    order = re.search(r"in exactly this order: (.+?)\.\n", section(JOURNAL, "The hash"), re.DOTALL)
    assert order
    assert re.findall(r"`(\w+)`", order[1]) == list(Entry.__struct_fields__[:-1])


def test_every_table_and_invariant_is_documented() -> None:
    for url in ("sqlite:///x", "postgresql://x/x"):
        made = {
            t for _, _, script in migrate.migrations(url) for t in re.findall(r"create table (\w+)", script)
        }
        for table in made | {"migration"}:
            assert f"`{table}`" in section("ARCHITECTURE.md", "The tables"), table
    claims = re.findall(
        r"^\| `([a-z ]+)` \| (.+\.) \|$", section(JOURNAL, "What an audit proves"), re.MULTILINE
    )
    assert dict(claims) == {name: check.claim for name, check in CHECKS.items()}
    assert all(f"`{name}`" in section(COMMANDS, "`caisse audit`") for name in CHECKS)


# -- decisions --

RECORDS = sorted(p.name for p in (ROOT / "docs/decisions").glob("0*.md"))


def test_the_decisions_are_numbered_and_listed() -> None:
    numbers = [int(name[:4]) for name in RECORDS]
    assert numbers == sorted(set(numbers))
    assert documents.links("docs/decisions/README.md") == RECORDS


@pytest.mark.parametrize("name", RECORDS)
def test_a_decision_has_its_three_parts_and_is_short(name: str) -> None:
    path = f"docs/decisions/{name}"
    assert [h.title for h in headings(path) if h.level == 2] == ["Context", "Decision", "Consequence"]
    title = headings(path)[0].title
    assert title.startswith(f"{name[:4]} ")
    assert f"[{title[5:]}]({name})" in text("docs/decisions/README.md")
    assert len(text(path).splitlines()) <= 30


def test_every_document_is_in_the_index() -> None:
    """All that say something: a title alone is no document yet."""
    linked = set(documents.links("docs/README.md"))
    told = {path.removeprefix("docs/") for path in ALL if re.fullmatch(r"docs/\w[\w-]*\.md", path)}
    assert {path for path in told if len(headings(f"docs/{path}")) > 1} - {"README.md"} <= linked
