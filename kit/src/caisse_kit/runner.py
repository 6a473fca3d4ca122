"""Runs checks against a target, one after another, and keeps what came of each."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Sequence
from decimal import Context, localcontext

import msgspec

from caisse_client import Client, WalletError
from caisse_kit.bank import Bank
from caisse_kit.check import AnyCheck, Check, Failed, NotRun
from caisse_kit.play import Play
from caisse_kit.policy import Policy
from caisse_kit.stage import Stage
from caisse_kit.tape import Exchange
from caisse_kit.target import Target

EXACT = Context(prec=80)
"""More digits than two amounts of (32,18) have together, so that the kit's own sums are exact."""


class Result(msgspec.Struct, frozen=True):
    """What came of one check."""

    id: str
    outcome: str
    """`passed`, `failed` or `not run`."""
    severity: str
    proves: str
    money: str
    rule: str
    source: str
    message: str
    """Why it failed or was not run."""
    seconds: float
    exchanges: list[Exchange]


class Run(msgspec.Struct, frozen=True):
    """All of one run, as it is reported and stored."""

    url: str
    """Without its secrets."""
    dialect: str
    profile: str
    policy: list[str]
    """The wallet's policy in words."""
    seed: int
    started: str
    seconds: float
    results: list[Result]
    slowest_milliseconds: float

    def failed(self, severity: str = "") -> list[Result]:
        return [r for r in self.results if r.outcome == "failed" and severity in ("", r.severity)]

    @property
    def exit_code(self) -> int:
        """1 if a MUST failed."""
        return 1 if self.failed("MUST") else 0


Progress = Callable[[Result], None]


def run_checks(
    target: Target,
    checks: Sequence[AnyCheck],
    policy: Policy,
    *,
    seed: int = 0,
    words: Iterable[str] = (),
    progress: Progress = lambda result: None,
) -> Run:
    """Every check in turn. `seed` decides all that is chosen at random; ids are new in every run."""
    begun, started = time.monotonic(), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    results = []
    with localcontext(EXACT), Client(target.url, target.timeout) as client:
        for check in checks:
            results.append(run_check(check, target, client, policy, seed))
            progress(results[-1])
    waits = [e.milliseconds for r in results for e in r.exchanges]
    return Run(
        url=target.shown_url,
        dialect=target.dialect,
        profile=policy.name,
        policy=list(words),
        seed=seed,
        started=started,
        seconds=round(time.monotonic() - begun, 3),
        results=results,
        slowest_milliseconds=max(waits, default=0.0),
    )


def run_check(check: AnyCheck, target: Target, client: Client, policy: Policy, seed: int) -> Result:
    """One check. Its player ends with the balance that it began with, where the wallet allows."""
    begun = time.monotonic()
    stage: Stage | None = None
    outcome, message = "passed", ""
    try:
        stage = staged(check, target, client, policy, seed)
        check.play(stage)
    except Failed as failed:
        outcome, message = "failed", str(failed)
    except NotRun as reason:
        outcome, message = "not run", str(reason)
    exchanges = list(stage.tape.exchanges) if stage else []
    if isinstance(stage, Play) and outcome != "not run":
        restored(stage)
    return Result(
        id=check.id,
        outcome=outcome,
        severity=check.severity,
        proves=check.proves,
        money=check.money,
        rule=check.rule,
        source=check.source,
        message=message,
        seconds=round(time.monotonic() - begun, 3),
        exchanges=exchanges,
    )


def staged(check: Check[Stage], target: Target, client: Client, policy: Policy, seed: int) -> Stage:
    """The stage for a check. Raises NotRun if something that it needs is not there."""
    chance = random.Random(f"{seed} {check.id}")  # noqa: S311 - it must be repeatable
    run = f"{time.time_ns():x}"
    for need in check.needs:
        if missing := missing_for(need, target, policy):
            raise NotRun(missing)
    if target.seamless:
        return Play(target, client, run, chance, policy)
    return Bank(target, client, run, chance)


def missing_for(need: str, target: Target, policy: Policy) -> str:
    """Why a need is not met; empty if it is."""
    if need == "second-user":
        return "" if target.second_user else "needs --second-user"
    if need == "restart":
        return "" if target.restart else "needs --restart-command"
    if need == "by-reference":
        return "this wallet's Refund names a round, not a bet" if policy.refund_by_round else ""
    if need == "by-round":
        return "" if policy.refund_by_round else "this wallet's Refund names a bet, not a round"
    if need == "named-profile":
        return "needs --profile NAME" if policy.name == "auto" else ""
    if need in ("seamless-v4", "transfer-v4", "transfer-v3"):
        return "" if target.dialect == need else f"only for {need}"
    raise AssertionError(f"nobody knows the need {need}")


def restored(play: Play) -> None:
    """Best effort: a wallet that is wrong may not let the kit."""
    try:
        play.restore()
    except (Failed, WalletError):
        return


LEAST_STAKES = 100
"""What a player must have for the checks, in stakes."""


def preflight(target: Target) -> None:
    """Whether anything can be checked at all. Raises Failed: the wallet, the login or a player is missing."""
    with localcontext(EXACT), Client(target.url, target.timeout) as client:
        chance, run = random.Random(), f"{time.time_ns():x}"  # noqa: S311 - no secret
        if not target.seamless:
            Bank(target, client, run, chance).player(1)
            return
        play = Play(target, client, run, chance, Policy())
        for user in filter(None, (target.user, target.second_user)):
            held = play.balance(user)
            if held < target.stake * LEAST_STAKES:
                raise Failed(f"{user} has {held} {target.currency}; {target.stake * LEAST_STAKES} are needed")
