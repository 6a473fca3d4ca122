"""The textbook: the wallet that a good engineer writes in a day, with what most would reach for today.

FastAPI, SQLAlchemy 2's async ORM, asyncpg. One transaction a request: lock the wallet's row, look whether the
uuid was seen, check the balance, change it, write down the movement. Safe and simple, and nothing put in that
would make it slower. Same requests and answers as caisse's.
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
from uuid import UUID

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy import Numeric, String, func, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
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


class Refund(BaseModel):
    """The request."""

    id: str = Field(min_length=1, max_length=32)
    currency: str = Field(min_length=3, max_length=8)
    amount: Decimal = Field(gt=0, max_digits=32, decimal_places=18)
    uuid: UUID


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """The engine's connections end with the application."""
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


@app.post("/user/refund")
async def refund(partner_id: str, token: str, request: Refund) -> Response:
    """Take money out of a player's wallet, once for each uuid."""
    presented = hashlib.sha256(token.encode()).digest()
    if not hmac.compare_digest(presented, TOKENS.get(partner_id, b"")):
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
