"""Checks that the server in this repository fails today, each with the rule that it still breaks.

A check leaves this table when its rule is kept: `test_caisse.py` fails as long as one of these passes.
"""

PENDING: dict[str, str] = {
    "results.without-session": "R56: an automatic closing has no session",
    "results.without-currency": "R56: the currency of a result is optional",
    "results.award-foreign-currency": "wire.md 3: an award's currency names its wallet",
    "content.result-promotional-part": "R5: a promotional part is content",
    "players.one-round-two-players": "R40: rounds are the player's own",
    "players.one-round-one-rollback": "R40: rounds are the player's own",
    "players.one-round-one-end": "R40: rounds are the player's own",
    "fields.minimal-bet": "R56: required is what deciding needs",
    "fields.minimal-result": "R56: required is what deciding needs",
    "fields.minimal-cancel": "R56: required is what deciding needs",
    "fields.minimal-end": "R56: required is what deciding needs",
    "fields.minimal-awards": "R56: required is what deciding needs",
    "fields.null": "R56: sessionId and roundDetails are optional",
    "fields.integer-ids": "wire.md 0: ids may arrive as JSON integers",
    "fields.cancel-path": "wire.md 3: also /Cancel",
    "malformed.byte-order-mark": "wire.md 0: a byte order mark is skipped",
    "protocol.cancel-echo": "wire.md 3: Cancel answers all its fields",
}

BY_ROUND: dict[str, str] = {
    **PENDING,
    **dict.fromkeys(
        (
            *("rollback.refund", "rollback.whole-round", "rollback.round-with-win"),
            *("order.refund-first", "order.result-after-rollback", "order.bet-in-refunded-round"),
            *("repetition.refund", "repetition.refund-new-uuid", "fields.minimal-refund"),
        ),
        "R32: a Refund with a roundId and no amount is by round, whatever its reference",
    ),
}
"""The same under the profile by round."""
