"""The rules of money: pure functions over plain frozen data.

Nothing in here reads or writes anything, asks for the time, draws chance, logs or awaits. What is decided
depends only on what is handed in, so every decision can be taken again, and checked, from the journal alone.
"""
