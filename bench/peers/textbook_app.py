"""The textbook: the wallet that a good engineer writes in a day, with what most would reach for today.

FastAPI, SQLAlchemy 2's async ORM, asyncpg. One transaction a request: lock the wallet's row, look whether the
uuid was seen, check the balance, change it, write down the movement; of a bet, its result or its rollback
the round too. Safe and simple, and nothing put in that would make it slower. Same requests and answers as
caisse's.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy import Numeric, String, func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine(
    os.environ["TEXTBOOK_DB"], pool_size=int(os.environ["TEXTBOOK_POOL"]), max_overflow=0, pool_timeout=60
)
session = async_sessionmaker(engine, expire_on_commit=False)
TOKENS = {"bench": hashlib.sha256(os.environ["TEXTBOOK_TOKEN"].encode()).digest()}

Money = Annotated[Decimal, mapped_column(Numeric(32, 18))]


class Base(DeclarativeBase):
    """The tables."""


class Wallet(Base):
    """A player's money in one currency."""

    __tablename__ = "wallet"
    partner: Mapped[str] = mapped_column(String(32), primary_key=True)
    user: Mapped[str] = mapped_column(String(32), primary_key=True)
    currency: Mapped[str] = mapped_column(String(8), primary_key=True)
    balance: Mapped[Money]


class Movement(Base):
    """A request that was decided, under its uuid."""

    __tablename__ = "movement"
    partner: Mapped[str] = mapped_column(String(32), primary_key=True)
    uuid: Mapped[UUID] = mapped_column(primary_key=True)
    user: Mapped[str] = mapped_column(String(32))
    currency: Mapped[str] = mapped_column(String(8))
    amount: Mapped[Money]
    balance: Mapped[Money]
    refused: Mapped[bool]
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class Play(Base):
    """A bet, a result or a rollback that was decided, under its reference: a rollback's is the bet's."""

    __tablename__ = "play"
    partner: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    reference: Mapped[str] = mapped_column(String(128), primary_key=True)
    id: Mapped[UUID]
    user: Mapped[str] = mapped_column(String(32))
    round: Mapped[str] = mapped_column(String(128))
    currency: Mapped[str] = mapped_column(String(8))
    amount: Mapped[Money]
    moved: Mapped[Money]
    """What the balance changed by; 0 if it was refused."""
    balance: Mapped[Money]
    refused: Mapped[bool]
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class Round(Base):
    """A game round: what was bet in it and what was paid."""

    __tablename__ = "round"
    partner: Mapped[str] = mapped_column(String(32), primary_key=True)
    id: Mapped[str] = mapped_column(String(128), primary_key=True)
    user: Mapped[str] = mapped_column(String(32))
    staked: Mapped[Money]
    paid: Mapped[Money]


class Refund(BaseModel):
    """The request."""

    id: str = Field(min_length=1, max_length=32)
    currency: str = Field(min_length=3, max_length=8)
    amount: Decimal = Field(gt=0, max_digits=32, decimal_places=18)
    uuid: UUID


class Game(BaseModel):
    """What bets, results and rollbacks have in common."""

    userId: str = Field(min_length=1, max_length=32)
    providerId: str = Field(min_length=1, max_length=32)
    roundId: str = Field(min_length=1, max_length=128)
    reference: str = Field(min_length=1, max_length=128)
    uuid: UUID


class Bet(Game):
    """A bet, or the result of one."""

    gameId: str = Field(min_length=1, max_length=128)
    currency: str = Field(min_length=3, max_length=8)
    amount: Decimal = Field(ge=0, max_digits=32, decimal_places=18)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """The engine's connections end with the application."""
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


@app.post("/user/refund")
async def refund(partner_id: str, token: str, request: Refund) -> Response:
    """Take money out of a player's wallet, once for each uuid."""
    if not _is_known(partner_id, token):
        return _failed(request, 8, "Unauthorized", 401)
    async with session.begin() as db:
        locked = select(Wallet).with_for_update()
        wallet = await db.scalar(
            locked.where(
                Wallet.partner == partner_id, Wallet.user == request.id, Wallet.currency == request.currency
            )
        )
        if wallet is None:
            return _failed(request, 2, "Have no Wallet")
        movement = await db.get(Movement, (partner_id, request.uuid))
        if movement is None:
            movement = _move(wallet, request)
            db.add(movement)
    if (movement.user, movement.currency, movement.amount) != (request.id, request.currency, request.amount):
        return _failed(request, 5, "UUID Already Used")
    if movement.refused:
        return _failed(request, 3, "Not Enough Balance")
    return JSONResponse(
        {
            "status": "OK",
            "uuid": str(request.uuid),
            "currency": movement.currency,
            "amount": _shown(movement.amount),
            "balance": _shown(movement.balance),
        }
    )


@app.post("/{key}/V4/Bet")
async def bet(key: str, request: Bet) -> Response:
    """Take a bet out of the wallet, once for each reference."""
    if not _is_known("bench", key):
        return _error(4, "Unauthorized", 401)
    async with session.begin() as db:
        wallet = await _locked(db, request.userId, request.currency)
        if wallet is None:
            return _error(100, "Player Not Found")
        play = await db.get(Play, ("bench", "bet", request.reference))
        if play is None:
            if await db.get(Play, ("bench", "rollback", request.reference)):
                return _error(120, "Rolled Back Already")
            round = await _round(db, request)
            if round.user != request.userId:
                return _error(120, "Round Of Another Player")
            refused = wallet.balance < request.amount
            play = _play(db, wallet, "bet", request, request.amount, -request.amount, refused)
            round.staked -= play.moved
    if not _is_same(play, request) or play.amount != request.amount:
        return _error(120, "Reference Already Used")
    if play.refused:
        return _error(1, "Insufficient Balance")
    return _played(play)


@app.post("/{key}/V4/Result")
async def result(key: str, request: Bet) -> Response:
    """Pay what a round won, once for each reference."""
    if not _is_known("bench", key):
        return _error(4, "Unauthorized", 401)
    async with session.begin() as db:
        wallet = await _locked(db, request.userId, request.currency)
        if wallet is None:
            return _error(100, "Player Not Found")
        play = await db.get(Play, ("bench", "result", request.reference))
        if play is None:
            round = await db.get(Round, ("bench", request.roundId))
            if round is None or round.user != request.userId:
                return _error(120, "Round Not Found")
            play = _play(db, wallet, "result", request, request.amount, request.amount)
            round.paid += play.moved
    if not _is_same(play, request) or play.amount != request.amount:
        return _error(120, "Reference Already Used")
    return _played(play)


@app.post("/{key}/V4/Refund")
async def rollback(key: str, request: Game) -> Response:
    """Give a bet back, once. A bet that comes after its rollback finds it and is refused."""
    if not _is_known("bench", key):
        return _error(4, "Unauthorized", 401)
    async with session.begin() as db:
        wallet = await _locked(db, request.userId, "USD")
        if wallet is None:
            return _error(100, "Player Not Found")
        play = await db.get(Play, ("bench", "rollback", request.reference))
        if play is None:
            undone = await db.get(Play, ("bench", "bet", request.reference))
            if undone is not None and undone.user != request.userId:
                return _error(120, "Bet Of Another Player")
            back = -undone.moved if undone else Decimal()
            play = _play(db, wallet, "rollback", request, back, back)
            if back:
                round = await db.get_one(Round, ("bench", undone.round))
                round.staked -= back
    if not _is_same(play, request):
        return _error(120, "Reference Already Used")
    return JSONResponse({"error": "0", "description": "Success", "transactionId": str(play.id)})


def _is_known(partner: str, token: str) -> bool:
    presented = hashlib.sha256(token.encode()).digest()
    return hmac.compare_digest(presented, TOKENS.get(partner, b""))


async def _locked(db: AsyncSession, user: str, currency: str) -> Wallet | None:
    locked = select(Wallet).with_for_update()
    return await db.scalar(
        locked.where(Wallet.partner == "bench", Wallet.user == user, Wallet.currency == currency)
    )


async def _round(db: AsyncSession, request: Bet) -> Round:
    """The round of a bet, begun if it is the first one."""
    round = await db.get(Round, ("bench", request.roundId))
    if round is None:
        nothing = Decimal()
        round = Round(partner="bench", id=request.roundId, user=request.userId, staked=nothing, paid=nothing)
        db.add(round)
    return round


def _play(
    db: AsyncSession,
    wallet: Wallet,
    kind: str,
    request: Game,
    amount: Decimal,
    change: Decimal,
    refused: bool = False,
) -> Play:
    moved = Decimal() if refused else change
    if moved:
        wallet.balance += moved
    play = Play(
        partner=wallet.partner,
        kind=kind,
        reference=request.reference,
        id=uuid4(),
        user=wallet.user,
        round=request.roundId,
        currency=wallet.currency,
        amount=amount,
        moved=moved,
        balance=wallet.balance,
        refused=refused,
    )
    db.add(play)
    return play


def _is_same(play: Play, request: Game) -> bool:
    return (play.user, play.round) == (request.userId, request.roundId)


def _played(play: Play) -> Response:
    shown = {"transactionId": str(play.id), "currency": play.currency, "cash": float(play.balance)}
    return JSONResponse({"error": 0, "description": "Success"} | shown)


def _error(code: int, description: str, status: int = 200) -> Response:
    return JSONResponse({"error": code, "description": description}, status)


def _move(wallet: Wallet, request: Refund) -> Movement:
    refused = wallet.balance < request.amount
    if not refused:
        wallet.balance -= request.amount
    return Movement(
        partner=wallet.partner,
        uuid=request.uuid,
        user=wallet.user,
        currency=wallet.currency,
        amount=request.amount,
        balance=wallet.balance,
        refused=refused,
    )


def _shown(amount: Decimal) -> str:
    text = f"{amount:f}"
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}"


def _failed(request: Refund, code: int, reason: str, status: int = 200) -> Response:
    told = {"status": "Failed", "uuid": str(request.uuid), "code": code, "reason": reason}
    return JSONResponse(told, status)
