"""Idempotency keys as a client knows them: what it sends under one key, and what it must be told.

A key has one effect, whoever sends what under it: the first content decides, others are told that the key is
taken. Knows nothing of the server but the protocol.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from caisse.core.money import UNIT, show
from tests.support.rig import House, new_id
from tests.support.server import Answer, Call, new_uuid

TRANSFER_TAKEN, BET_TAKEN, PLAY_TAKEN, FOREIGN_BET = 5, 7, 120, 7
"""What another content is told: R5 and R28."""
NEVER = -1


@dataclass(eq=False)
class Content:
    """One content: one verdict for all who send it, and the same bytes for the same request."""

    user: str
    change: int
    """What an acceptance does to the player's balance; of a rollback, the bet says it."""
    taken: int
    """The code that tells: this key is another content's."""
    calls: tuple[Call, ...]
    """Its spellings."""
    answers: dict[Call, list[Answer]] = field(default_factory=dict)

    def hear(self, call: Call, answer: Answer) -> None:
        self.answers.setdefault(call, []).append(answer)

    @property
    def heard(self) -> list[Answer]:
        return [answer for answers in self.answers.values() for answer in answers]

    @property
    def codes(self) -> set[int]:
        return {answer.code for answer in self.heard}


@dataclass(eq=False)
class Key:
    """Everything that is sent under one key."""

    name: str
    contents: Sequence[Content]
    undoes: Key | None = None
    """The bet that is given back, if it was taken."""

    @property
    def winner(self) -> Content | None:
        """The content that was accepted."""
        return next((content for content in self.contents if 0 in content.codes), None)

    @property
    def change(self) -> tuple[str, int]:
        """Whose balance it changed, and by how much."""
        if self.winner is None:
            return self.contents[0].user, 0
        if self.undoes is not None:
            user, stake = self.undoes.change
            return user, -stake
        return self.winner.user, self.winner.change

    def findings(self) -> Iterator[str]:
        """R1, R5 and R6, of this key's answers alone."""
        for content in self.contents:
            yield from (f"{self.name}: {finding}" for finding in _of_one_content(content))
        decided = [c for c in self.contents if c.codes - {c.taken}]
        if len(decided) != 1:
            yield f"{self.name}: {len(decided)} contents were decided under one key"


def _of_one_content(content: Content) -> Iterator[str]:
    for call in content.calls:
        answers = {answer.raw for answer in content.answers.get(call, [])}
        if len(answers) != 1:
            yield f"{len(answers)} different answers to {_method(call)}: {sorted(answers)}"
    if len(content.codes) > 1:
        yield f"one content was told {sorted(content.codes)}"
    transactions = {str(a.body["transactionId"]) for a in content.heard if "transactionId" in a.body}
    if len(transactions) > 1:
        yield f"one content is {len(transactions)} transactions"


def _method(call: Call) -> str:
    return call.path.partition("?")[0].rpartition("/")[2]


class KeyRing:
    """Makes keys for some players of a house: one of each kind, with other contents beside the first."""

    def __init__(self, house: House, chance: random.Random, users: Sequence[str]) -> None:
        self._house = house
        self._chance = chance
        self._users = users

    def one_of_each(self) -> list[Key]:
        """The bets that some of them need are made now."""
        late = self._bet(late=True)
        return [
            *(self._transfer("charge"), self._transfer("refund"), self._bet(), self._result()),
            *(self._bonus(), self._undo(), late, self._undo_of(late)),
        ]

    def _transfer(self, verb: str) -> Key:
        """R3: the other contents are another amount, another player and the other verb."""
        user, other = self._two_users()
        amount, uuid, partner = self._amount(), new_uuid(), self._house.partner
        spell, opposite, sign = partner.charge, partner.refund, 1
        if verb == "refund":
            spell, opposite, sign = opposite, spell, -1
        calls = (spell(user, show(amount), uuid), spell(user, f"{show(amount)}0", uuid))
        contents = [
            Content(user, sign * amount, TRANSFER_TAKEN, calls),
            Content(user, sign * 2 * amount, TRANSFER_TAKEN, (spell(user, show(2 * amount), uuid),)),
            Content(other, sign * amount, TRANSFER_TAKEN, (spell(other, show(amount), uuid),)),
            Content(user, -sign * amount, TRANSFER_TAKEN, (opposite(user, show(amount), uuid),)),
        ]
        return Key(f"{verb} {uuid}", contents)

    def _bet(self, late: bool = False) -> Key:
        """R4: neither session nor uuid is content. Of one that is undone meanwhile, all are one player's."""
        user, other = self._two_users()
        amount, reference, round_, game = self._amount(), new_id("b"), new_id("r"), self._house.game()
        calls = tuple(game.bet(user, show(amount), reference, round_, sessionId=s) for s in ("s1", "s2"))
        contents = [
            Content(user, -amount, BET_TAKEN, calls),
            Content(user, -2 * amount, BET_TAKEN, (game.bet(user, show(2 * amount), reference, round_),)),
            Content(user, -amount, BET_TAKEN, (game.bet(user, show(amount), reference, new_id("r")),)),
        ]
        if not late:
            strange = game.bet(other, show(amount), reference, new_id("r"))
            contents.append(Content(other, -amount, BET_TAKEN, (strange,)))
        return Key(f"bet {reference}", contents)

    def _result(self) -> Key:
        (user, _), round_, game = self._two_users(), new_id("r"), self._house.game()
        self._house.told(game.bet(user, "0", new_id("b"), round_))
        amount, reference = self._amount(), new_id("w")
        return Key(
            f"result {reference}",
            [
                Content(user, much, PLAY_TAKEN, (game.result(user, show(much), reference, round_),))
                for much in (amount, 2 * amount)
            ],
        )

    def _bonus(self) -> Key:
        (user, other), amount, reference = self._two_users(), self._amount(), new_id("a")

        def content(who: str, much: int) -> Content:
            call = self._house.game().play("BonusWin", who, amount=show(much), reference=reference)
            return Content(who, much, PLAY_TAKEN, (call,))

        contents = [content(user, amount), content(user, 2 * amount), content(other, amount)]
        return Key(f"bonus {reference}", contents)

    def _undo(self) -> Key:
        """R21: a bet that was decided, given back by Refund and by Cancel; and by a stranger (R28)."""
        user, other = self._two_users()
        reference, stake = new_id("b"), self._amount()
        call = self._house.game().bet(user, show(stake), reference, new_id("r"))
        bet = Content(user, -stake, BET_TAKEN, (call,))
        bet.hear(call, self._house.send(call))
        undo = self._undo_of(Key(f"bet {reference}", [bet]))
        stranger = Content(other, 0, FOREIGN_BET, (self._house.game().refund(other, reference),))
        return Key(undo.name, [*undo.contents, stranger], undo.undoes)

    def _undo_of(self, bet: Key) -> Key:
        """By both methods; whether before or after the bet, and whichever amount that has (R22, R23, R31)."""
        reference, user = bet.name.removeprefix("bet "), bet.contents[0].user
        calls = (self._house.game().refund(user, reference), self._house.game().cancel(user, reference))
        return Key(f"undo {reference}", [Content(user, 0, NEVER, calls)], bet)

    def _two_users(self) -> list[str]:
        return self._chance.sample(self._users, 2)

    def _amount(self) -> int:
        return self._chance.randrange(1, 3000) * UNIT // 100
