"""Make the textbook's tables from its own models."""

import asyncio

from bench.peers.textbook_app import Base, engine


async def make() -> None:
    """All of them."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)


if __name__ == "__main__":
    asyncio.run(make())
