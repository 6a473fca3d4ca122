"""The benchmark in small: caisse on SQLite and the ceiling, one tiny round, and a report comes out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from bench.__main__ import write
from bench.chart import svg
from bench.contenders.contender import Task
from bench.docs import BEGIN, END, PAGE, with_figures
from bench.harness import benchmark
from bench.load.client import Order, is_whole
from bench.load.drive import LoadFailed, checked, generator, own
from bench.load.heads import KINDS, PLAIN, VARIED
from bench.load.spec import LAG, Spec, Step, requests, steps
from bench.plan import Plan
from bench.ratios import over, ratios
from bench.report import figures
from bench.results import FOLDER, Run, load
from bench.seasoned import SEGMENTS, seasoned
from bench.workloads import Doors, spec

TINY = Plan(
    form="tiny",
    rounds=1,
    warm=0,
    spread=0.3,
    other=0.3,
    players=50,
    connections=8,
    mix=True,
    audit=True,
    shares=(0.5,),
    open_seconds=0.3,
    contenders=("caisse-sqlite", "ceiling"),
)


@pytest.fixture(scope="module")
def measured(any_disk: None) -> Run:
    run, failed = benchmark(TINY, generator("own"))
    assert not failed, run.notes
    return run


@pytest.fixture(scope="module")
def any_disk() -> Iterator[None]:
    """A disk in memory is good enough for a test of the harness itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bench.machine.VOLATILE", set())
        yield


def test_every_workload_is_answered_right(measured: Run) -> None:
    taken = {(s.contender, s.workload, s.heads): s.answers for s in measured.samples}
    asked = [("caisse-sqlite", w) for w in ("spread", "hot", "repeats", "refusals", "mix")]
    assert set(taken) == {(*of, heads) for of in [*asked, ("ceiling", "spread")] for heads in KINDS}
    assert all(answers > 10 for answers in taken.values())
    assert "caisse-sqlite: audited after the run, no findings." in measured.notes


def test_the_report_has_its_tables_and_the_results_are_kept(measured: Run, tmp_path: Path) -> None:
    report = write(measured, tmp_path)
    text = report.read_text()
    assert "| caisse-sqlite: caisse on SQLite, over HTTP |" in text
    assert "| a game's mix ÷ refunds, SQLite | ≥ 0.85 |" in text
    assert "synchronous=2 (full)" in text
    assert load(report.with_suffix(".json")) == measured
    assert report.with_suffix(".svg").read_text() == svg(measured)


def test_a_seasoned_server_has_segments_of_its_log_ready() -> None:
    """And the settings that operations advises."""
    operations = (Path(__file__).parents[2] / "docs/operations.md").read_text()
    with seasoned() as postgres:
        ready = "select count(*) from pg_ls_waldir() where name > pg_walfile_name(pg_current_wal_lsn())"
        assert int(postgres.sql(ready)) >= SEGMENTS - 2
        for name in ("min_wal_size", "max_wal_size", "checkpoint_timeout"):
            assert f"{name} = {postgres.sql(f'show {name}')} " in operations


def test_what_was_not_measured_is_not_claimed(measured: Run) -> None:
    shown = {line.figure: line for line in ratios(measured)}
    assert shown["a game's mix ÷ refunds, SQLite"].reached in (True, False)
    assert shown["HTTP refunds on PostgreSQL ÷ textbook"].reached is None


def test_varied_heads_lead_and_plain_ones_stand_apart(measured: Run) -> None:
    assert measured.lead == VARIED
    assert measured.of("ceiling", "spread") == [
        s for s in measured.samples if (s.contender, s.workload, s.heads) == ("ceiling", "spread", VARIED)
    ]
    rates = {(s.contender, s.workload, s.heads): s.rate for s in measured.samples}
    mix, spread = (rates["caisse-sqlite", workload, VARIED] for workload in ("mix", "spread"))
    shown = {line.figure: line.value for line in ratios(measured)}
    assert shown["a game's mix ÷ refunds, SQLite"] == mix / spread
    varied, plain = (rates["ceiling", "spread", heads] for heads in (VARIED, PLAIN))
    assert f"| ceiling | {plain:,.0f} ({plain / varied:.2f}) |" in figures(measured)


def test_the_worst_round_counts_where_the_figure_says_so() -> None:
    assert over({0: 3.0, 1: 2.0, 2: 9.0}, {0: 1.0, 1: 1.0, 2: 1.0, 3: 1.0}) == 3.0
    assert over({0: 3.0, 1: 2.0, 2: 9.0}, {0: 1.0, 1: 1.0, 2: 1.0, 3: 1.0}, min) == 2.0
    assert over({0: 3.0}, {}) is None


def test_results_without_kinds_of_heads_were_plain() -> None:
    old = load(FOLDER / "reference.json")
    kinds = {s.heads for s in old.samples}
    assert old.lead in kinds
    assert all(old.rate(name, "spread") for name in ("caisse-pg", "pgbench", "textbook"))


def test_the_documentation_takes_the_figures(measured: Run) -> None:
    page = with_figures(PAGE.read_text(), measured)
    before, _, rest = PAGE.read_text().partition(BEGIN)
    assert page.startswith(before + BEGIN)
    assert page.endswith(END + rest.partition(END)[2])
    assert "caisse-sqlite" in page


def orders(kind: str, count: int, players: int = 1000) -> list[Step]:
    made = Spec(kind=kind, templates=[], expect=[], players=players, run="0123456789", lag=1_000)
    return list(islice(steps(made), count))


def test_every_uuid_is_unique_and_repeats_come_eight_times() -> None:
    assert len({uuid for _, _, uuid, _ in orders("spread", 100_000)}) == 100_000
    repeated = orders("repeats", 800)
    assert len(set(repeated)) == 100
    assert repeated[:8] == [repeated[0]] * 8


def test_the_spread_is_even_and_the_hot_player_alone() -> None:
    assert len({player for _, player, _, _ in orders("spread", 20_000)}) == 1000
    assert {player for _, player, _, _ in orders("hot", 100)} == {0}


def test_a_bet_comes_before_its_result_and_belongs_to_the_same_player() -> None:
    bets: dict[str, int] = {}
    after = rolled_back = 0
    for template, player, _, reference in orders("mix", 20_000):
        if template == 0:
            assert reference not in bets
            bets[reference] = player
        else:
            assert bets[reference] == player
            after, rolled_back = after + 1, rolled_back + (template == 2)
    assert after == 10_000 - 1_000
    assert 0.02 < rolled_back / after < 0.04


@pytest.mark.parametrize("heads", KINDS)
@pytest.mark.parametrize("workload", ["spread", "refusals", "mix"])
def test_a_request_says_its_own_length(workload: str, heads: str) -> None:
    made = spec(workload, Doors("?partner_id=bench&token=t", "/key"), 50, heads)
    for request in islice(requests(made), 3_000):
        head, _, body = request.partition(b"\r\n\r\n")
        assert re.search(rb"(?i)\r\ncontent-length: %d(\r\n|$)" % len(body), head)


def test_a_result_comes_when_its_bet_was_answered() -> None:
    """The requests between a bet and its end outnumber those that can be under way."""
    assert spec("mix", Doors("", "/key"), 50, PLAIN, connections=512).lag == 512 * LAG > 512


def test_an_answer_in_pieces_is_awaited() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    assert [n for n in range(len(answer) + 1) if is_whole(answer[:n])] == [len(answer)]


def test_latencies_are_those_after_the_warming_up(tmp_path: Path) -> None:
    from bench.contenders.ceiling import Ceiling
    from bench.world import World

    world = World(tmp_path, None, generator("own"), 10, 2)
    with Ceiling(world).running() as running:
        tally = running.at_rate(400, Task("spread", 0, 0.5, 0.5))
    assert 100 < len(tally.latencies) < 300 < tally.answers
    assert len(tally.late) <= len(tally.latencies)


def test_a_wrong_answer_fails_the_run(tmp_path: Path) -> None:
    from bench.contenders.ceiling import Ceiling
    from bench.world import World

    world = World(tmp_path, None, generator("own"), 10, 2)
    with Ceiling(world).running() as running:
        asked = running.order(Task("refusals", 0, 0, 0.05))
        assert isinstance(asked, Order)
        with pytest.raises(LoadFailed, match="wrong answers"):
            checked(own(asked))
