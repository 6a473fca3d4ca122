"""R20–R48 over HTTP: bets, results, rollbacks, rounds, awards, under every profile. Cases name their rule."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.cases import (
    Case,
    bet,
    bonus,
    cancel,
    charge,
    end_round,
    expire,
    freeze,
    jackpot,
    of_other,
    play_case,
    play_once,
    promo,
    refund,
    refund_round,
    result,
    same_answers,
    seat,
    spelled,
    unkept,
    wallet,
    withdraw,
)
from tests.support.rig import BY_ROUND, CLOSED_GAME, OCTOBER, RIVAL, House, new_id
from tests.support.server import number

ATOM = "0.000000000000000001"
EURO = [(wallet("EUR"), 0), (charge("50.0", "eur", "EUR"), 0)]
TWO_BETS = [(bet("10.0", "b1"), 0), (bet("20.0", "b2"), 0)]

BETS = {
    "R46 the balance covers it": Case([(bet("300.0"), 0)], "0.0"),
    "R46 the balance lacks an atom": Case([(bet("300.000000000000000001"), 1)], "300.0"),
    "R46 the refusal stays (R2)": Case(
        [(bet("301.0"), 1), (charge("9.0", "c"), 0), (bet("301.0"), 1)], "309.0"
    ),
    "R1 a bet again": Case([(bet(), 0), (bet(), 0)], "290.0"),
    "R1 a bet again, with another uuid, session, clock and details": Case(
        [(bet(), 0), (bet(uuid="u", sessionId="s9", timeStamp="9", roundDetails=["x"], gamename="Y"), 0)],
        "290.0",
    ),
    "R4 uuid is no key": Case([(bet(uuid="same"), 0), (bet("5.0", "b2", uuid="same"), 0)], "285.0"),
    "R4 each kind has its own names": Case(
        [
            *[
                (bet("10.0", "x"), 0),
                (result("1.0", "x"), 0),
                (bonus("2.0", "x"), 0),
                (jackpot("3.0", "x"), 0),
            ],
            *[(promo("4.0", "x"), 0), (refund("y"), 0)],
        ],
        "300.0",
    ),
    "R5 a bet with another amount is 7": Case(
        [(bet(), 0), (bet("11.0"), unkept(7)), (bet("10.00"), 0)], "290.0"
    ),
    "R5 a bet in another round is 7": Case([(bet(), 0), (bet(round_="r2"), unkept(7))], "290.0"),
    "R5 the game does not count": Case([(bet(), 0), (bet(gameId="g2"), 0)], "290.0"),
    "R5 a bet in another currency is 7": Case([*EURO, (bet(), 0), (bet(currency="EUR"), unkept(7))], "290.0"),
    "R5 another player's bet is 7": Case([(bet(), 0), (of_other(bet()), unkept(7))], "290.0"),
    "R5 a bet with usd for USD": Case([(bet(), 0), (bet(currency="usd"), 0)], "290.0"),
    "R5 other content does not stand in the way of the cancel (R8)": Case(
        [(bet(), 0), (bet("11.0"), unkept(7)), (cancel(), 0)], "300.0"
    ),
    "R12 no amount is 10": Case(
        [(bet(amount), unkept(10)) for amount in ("-1", "x", "1e2", "", number("1e2"), number("-1"), True)],
        "300.0",
    ),
    "R15 a frozen player's bet is 6": Case([(freeze, None), (bet(), 6)], "300.0"),
    "R30 a disabled game is 8": Case([(bet(gameId=CLOSED_GAME), 8)], "300.0"),
    "R40 a bet joins its round": Case(TWO_BETS, "270.0"),
    "R40 another currency in the round is 2": Case(
        [*EURO, (bet(), 0), (bet("1.0", "b2", currency="EUR"), 2)], "290.0"
    ),
    "R40 another player's round of that id is another": Case(
        [
            *[(bet(), 0), (of_other(bet("1.0", "b2")), 0), (of_other(refund("b2")), 0)],
            *[(of_other(result(reference="w2")), 120), (result(), 0)],
        ],
        "315.0",
    ),
    "R1 a currency that is not in the table is 2": Case(
        [(bet(currency="QQQ"), 2), (bet(), unkept(7)), (bet("1.0", "b2"), 0)], "299.0"
    ),
    "R1 more decimals than the currency has is 10": Case([(bet("1.5", currency="JPY"), 10)], "300.0"),
    "R1 a bet's key is looked up before the currency table": Case(
        [(bet(), 0), (bet(currency="QQQ"), unkept(7)), (bet("10.5", currency="JPY"), unkept(7))], "290.0"
    ),
    "R40 no wallet in that currency is 2": Case([(bet(currency="EUR"), 2)], "300.0"),
    "R45 a bet of zero": Case([(bet("0"), 0), (bet("0.0"), 0), (refund(), 0)], "300.0"),
    "R45 a bet of zero from an empty wallet": Case([(bet("300.0", "b2"), 0), (bet("0"), 0)], "0.0"),
    "R47 a bet in an ended round is 120": Case(
        [(bet(), 0), (end_round(), 0), (bet("1.0", "b2"), 120)], "290.0"
    ),
    "R47 a bet in a round of which only the end came is 120": Case([(end_round(), 0), (bet(), 120)], "300.0"),
    "R47 a bet in an expired session is 5": Case([(expire(), 0), (bet(sessionId="s1"), 5)], "300.0"),
    "R47 a bet in an unknown session": Case([(expire(), 0), (bet(sessionId="s2"), 0)], "290.0"),
    "R47 a session's end again": Case([(expire(), 0), (expire(), 0)], "300.0"),
}

RESULTS = {
    "R41 a result of a bet": Case([(bet(), 0), (result(), 0)], "315.0"),
    "R41 a result of no bet is 120": Case([(result(), 120)], "300.0"),
    "R41 and stays so (R2)": Case([(result(), 120), (bet(), 0), (result(), 120)], "290.0"),
    "R41 a result of a refunded bet is 120": Case([(bet(), 0), (refund(), 0), (result(), 120)], "300.0"),
    "R41 a result of a refused bet is 120": Case([(bet("301.0"), 1), (result(), 120)], "300.0"),
    "R41 a result with one bet of two left": Case([*TWO_BETS, (refund("b1"), 0), (result(), 0)], "305.0"),
    "R41 a free round's result needs no bet": Case([(result(bonusCode="free"), 0)], "325.0"),
    "R42 a result of zero settles": Case([(bet(), 0), (result("0"), 0), (refund(), 120)], "290.0"),
    "R42 several results add up": Case([(bet(), 0), (result("1.5"), 0), (result("2.5", "w2"), 0)], "294.0"),
    "R1 a result again": Case([(bet(), 0), (result(), 0), (result(), 0)], "315.0"),
    "R5 a result with another amount is 120": Case(
        [(bet(), 0), (result(), 0), (result("26.0"), unkept(120))], "315.0"
    ),
    "R5 a result in another round is 120": Case(
        [(bet(), 0), (bet("1.0", "b2", "r2"), 0), (result(), 0), (result(round_="r2"), unkept(120))], "314.0"
    ),
    "R40 a result in another currency is 2, and the right one is paid (R8)": Case(
        [*EURO, (bet(), 0), (result(currency="EUR"), unkept(2)), (result(), 0)], "315.0"
    ),
    "R8 a result in a currency without a wallet is 2, and the right one is paid": Case(
        [(bet(), 0), (result(currency="QQQ"), unkept(2)), (result(currency=...), 0)], "315.0"
    ),
    "R8 a free round for which no wallet is clear is 2, and is paid when one is": Case(
        [
            *EURO,
            (result(bonusCode="free", currency=...), unkept(2)),
            *[(result(bonusCode="free", currency="USD"), 0), (result(bonusCode="free", currency=...), 0)],
        ],
        "325.0",
    ),
    "R56 a result's currency that is none is 7, and the right one is paid": Case(
        [(bet(), 0), (result(currency="DOLLARS"), unkept(7)), (result(), 0)], "315.0"
    ),
    "R56 half of a promotional win is 7, and the whole is paid": Case(
        [
            (bet(), 0),
            (result("1.0", promoWinReference="p1"), unkept(7)),
            *[
                (result("1.0", promoWinAmount="5.0"), unkept(7)),
                (result("1.0", promoWinAmount="x"), unkept(7)),
            ],
            (result("1.0", promoWinAmount="5.0", promoWinReference="p1"), 0),
        ],
        "296.0",
    ),
    "R5 a promotional win that the first did not have is 120": Case(
        [
            *[(bet(), 0), (result("1.0"), 0)],
            (result("1.0", promoWinAmount="5.0", promoWinReference="p1"), unkept(120)),
        ],
        "291.0",
    ),
    "R40 a result for another player is 120 (R41)": Case([(bet(), 0), (of_other(result()), 120)], "290.0"),
    "R43 a result of a closed round is paid": Case([(bet(), 0), (end_round(), 0), (result(), 0)], "315.0"),
    "R43 the end of a round again": Case([(bet(), 0), (end_round(), 0), (end_round(), 0)], "290.0"),
    "R43 another player's end of it ends nothing": Case(
        [(bet(), 0), (of_other(end_round()), 0), (bet("1.0", "b2"), 0)], "289.0"
    ),
    "R5 of a round's end only the player counts": Case(
        [(bet(), 0), (end_round(), 0), (end_round(gameId="g2", sessionId="s9"), 0)], "290.0"
    ),
    "R30 a frozen player, an expired session": Case(
        [(bet(sessionId="s1"), 0), (freeze, None), (expire(), 0), (result(sessionId="s1"), 0)], "315.0"
    ),
    "R30 a disabled game's result": Case([(bet(), 0), (result(gameId=CLOSED_GAME), 0)], "315.0"),
    "R48 a promotional win rides along": Case(
        [(bet(), 0), (result("1.0", promoWinAmount="5.0", promoWinReference="p1"), 0)], "296.0"
    ),
    "R48 once for each of its references": Case(
        [
            *[(bet(), 0), (result("1.0", promoWinAmount="5.0", promoWinReference="p1"), 0)],
            (result("2.0", "w2", promoWinAmount="5.0", promoWinReference="p1"), 0),
        ],
        "298.0",
    ),
    "R48 in the name space of PromoWin": Case(
        [
            (bet(), 0),
            (promo("5.0", "p1"), 0),
            (result("1.0", promoWinAmount="5.0", promoWinReference="p1"), 0),
        ],
        "296.0",
    ),
    "R48 with other content is 120, and nothing is paid": Case(
        [
            *[(bet(), 0), (promo("5.0", "p1"), 0)],
            (result("1.0", promoWinAmount="6.0", promoWinReference="p1"), unkept(120)),
            (result("1.0"), 0),
        ],
        "296.0",
    ),
    "R48 not with a refused result": Case(
        [(result("1.0", promoWinAmount="5.0", promoWinReference="p"), 120)], "300.0"
    ),
    "R44 awards need no bet": Case([(bonus(), 0), (jackpot(), 0), (promo(), 0)], "315.25"),
    "R44 awards are paid once": Case([(bonus(), 0), (bonus(), 0), (jackpot(), 0), (jackpot(), 0)], "312.0"),
    "R44 awards of zero": Case([(bonus("0"), 0), (jackpot("0"), 0), (promo("0"), 0)], "300.0"),
    "R5 an award with another amount is 120": Case([(bonus(), 0), (bonus("6.0"), unkept(120))], "305.0"),
    "R5 another player's award is 120": Case(
        [(bonus(), 0), (of_other(bonus(round_="r2")), unkept(120))], "305.0"
    ),
    "R44 an award in a round of another player needs no bet": Case(
        [(bet(), 0), (of_other(bonus()), 0)], "290.0", "105.0"
    ),
    "an award in the round's currency": Case(
        [*EURO, (bet("5.0", currency="EUR"), 0), (bonus("8.0"), 0)], "300.0"
    ),
    "R8 an award in one of two wallets is 2, and is paid when one is named": Case(
        [*EURO, (bonus(), unkept(2)), (bonus(currency="USD"), 0)], "305.0"
    ),
    "R8 an award in another currency than its round is 2": Case(
        [*EURO, (bet(), 0), (bonus(currency="EUR"), unkept(2)), (bonus(), 0)], "295.0"
    ),
    "R8 a prize in a currency without a wallet is 2": Case(
        [(promo(currency="QQQ"), unkept(2)), (promo(), 0)], "303.25"
    ),
    "R56 an award's currency that is none is 7": Case(
        [
            (bonus(currency="DOLLARS"), unkept(7)),
            (bonus(), 0),
            (jackpot(currency=[]), unkept(7)),
            (jackpot(), 0),
        ],
        "312.0",
    ),
    "R15 the frozen are awarded": Case(
        [(freeze, None), (bonus(), 0), (jackpot(), 0), (promo(), 0)], "315.25"
    ),
}

SETTLED = [(bet(), 0), (result("5.0"), 0)]

ROLLBACKS = {
    "R20 a known bet": Case([(bet(), 0), (refund(), 0)], "300.0"),
    "R20 by cancel": Case([(bet(), 0), (cancel(), 0)], "300.0"),
    "R20 after its money is gone": Case([(bet(), 0), (withdraw("290.0", "w"), 0), (refund(), 0)], "10.0"),
    "R20 one of two bets": Case([*TWO_BETS, (refund("b2"), 0)], "290.0"),
    "R20 whatever round and game it names": Case(
        [(bet(), 0), (refund(roundId="r9", gameId="g9"), 0)], "300.0"
    ),
    "R20 a cancel in another currency gives back the bet's": Case(
        [*EURO, (bet(), 0), (cancel(currency="EUR"), 0)], "300.0"
    ),
    "R21 again, and by the other way": Case(
        [(bet(), 0), (refund(), 0), (refund(uuid="u2"), 0), (cancel(), 0), (cancel(uuid="u3"), 0)], "300.0"
    ),
    "R21 first by cancel": Case([(bet(), 0), (cancel(), 0), (refund(), 0)], "300.0"),
    "R21 again with another amount": Case([(bet(), 0), (refund(), 0), (refund(amount="5.0"), 0)], "300.0"),
    "R22 an unknown bet": Case([(refund(), 0)], "300.0"),
    "R22 an unknown bet by cancel": Case([(cancel(), 0)], "300.0"),
    "R22 an unknown bet is the profile's code": Case(
        [(refund(), 17), (cancel(), 17)], "300.0", profile="code"
    ),
    "R23 a late bet is 120": Case([(refund(), 0), (bet(), 120)], "300.0"),
    "R23 a late bet after a cancel is 120": Case([(cancel(), 0), (bet(), 120)], "300.0"),
    "R23 a late bet is absorbed": Case([(refund(), 0), (bet(), 0)], "300.0", profile="absorb"),
    "R23 a late bet after the profile's code is 120": Case(
        [(refund(), 17), (bet(), 120)], "300.0", profile="code"
    ),
    "R23 an absorbed bet wins nothing (R41)": Case(
        [(refund(), 0), (bet(), 0), (result(), 120)], "300.0", profile="absorb"
    ),
    "R23 other bets of the round are taken": Case([(refund(), 0), (bet(reference="b2"), 0)], "290.0"),
    "R23 another player's late bet is 7": Case([(refund(), 0), (of_other(bet()), unkept(7))], "300.0"),
    "R24 again": Case(
        [(refund(), 0), (refund(uuid="u"), 0), (cancel(), 0), (bet(), 120), (refund(), 0)], "300.0"
    ),
    "R24 again after the profile's code": Case(
        [(refund(), 17), (refund(uuid="u"), 17)], "300.0", profile="code"
    ),
    "R25 amount equal": Case([(bet(), 0), (refund(amount=number("10.00")), 0)], "300.0"),
    "R25 amount absent, null or empty": Case([(bet(), 0), (refund(amount=None), 0)], "300.0"),
    "R25 amount smaller": Case([(bet(), 0), (refund(amount="4.0"), 0), (refund(), 0)], "294.0"),
    "R25 amount smaller closes the bet": Case(
        [(bet(), 0), (refund(amount=ATOM), 0), (result(), 120)], "290." + ATOM[2:]
    ),
    "R25 amount smaller is 10 where exact": Case(
        [(bet(), 0), (refund(amount="4.0"), unkept(10)), (refund(amount="10.0"), 0)], "300.0", profile="exact"
    ),
    "R25 amount greater is 10": Case(
        [(bet(), 0), (refund(amount="10." + ATOM[2:]), unkept(10)), (refund(), 0)], "300.0"
    ),
    "R25 amount zero is 10": Case([(bet(), 0), (refund(amount="0"), unkept(10)), (refund(), 0)], "300.0"),
    "R25 amount zero of a bet of zero": Case([(bet("0"), 0), (refund(amount="0.0"), 0)], "300.0"),
    "R25 amount of a bet of zero is 10": Case([(bet("0"), 0), (refund(amount=ATOM), unkept(10))], "300.0"),
    "R56 an amount that is none is 7, and claims nothing (R8)": Case(
        [(bet(), 0), (refund(amount="x"), unkept(7)), (refund(amount=-1), unkept(7)), (refund(), 0)], "300.0"
    ),
    "R56 nor does it stand in the way of a repeat": Case(
        [(bet(), 0), (refund(), 0), (refund(amount="x"), 0)], "300.0"
    ),
    "R26 a settled bet is 120": Case([*SETTLED, (refund(), 120), (cancel(), 120)], "295.0"),
    "R26 a bet of an ended round is 120": Case([(bet(), 0), (end_round(), 0), (refund(), 120)], "290.0"),
    "R26 the stake of a settled bet": Case([*SETTLED, (refund(), 0)], "305.0", profile="return"),
    "R26 the stake of an ended round's bet": Case(
        [(bet(), 0), (end_round(), 0), (refund(), 0)], "300.0", profile="return"
    ),
    "R26 a bet after the result is open": Case(
        [*SETTLED, (bet("20.0", "b2"), 0), (refund("b2"), 0)], "295.0"
    ),
    "R26 the refusal stays under another profile": Case(
        [*SETTLED, (refund(), 120), (refund(profile="return"), 120)], "295.0"
    ),
    "R27 a refused bet": Case([(bet("301.0"), 1), (refund(), 0), (bet("301.0"), 1)], "300.0"),
    "R27 a refused bet, when there is money": Case(
        [(bet("301.0"), 1), (charge("9.0", "c"), 0), (refund(), 0), (bet("301.0"), 1)], "309.0"
    ),
    "R27 a refused bet is the profile's code": Case(
        [(bet("301.0"), 1), (refund(), 17)], "300.0", profile="code"
    ),
    "R28 another player's bet is 7": Case(
        [(of_other(bet()), 0), (refund(), unkept(7)), (cancel(), unkept(7))], "300.0", "90.0"
    ),
    "R28 and does not stand in the way (R8)": Case(
        [(of_other(bet()), 0), (refund(), unkept(7)), (of_other(refund()), 0)], "300.0"
    ),
    "R29 a rollback cannot be rolled back": Case(
        [(bet(), 0), (refund(), 0), (refund("b1"), 0), (bet(), 0)], "300.0"
    ),
    "R29 a result's reference is no bet's": Case([*SETTLED, (refund("w1"), 0)], "295.0"),
    "R30 frozen, expired, disabled": Case(
        [(bet(sessionId="s1"), 0), (freeze, None), (expire(), 0), (refund(gameId=CLOSED_GAME), 0)], "300.0"
    ),
    "R45 the rollback of a bet of zero": Case([(bet("0"), 0), (refund(), 0), (refund(), 0)], "300.0"),
    "R47 a rollback in an expired session": Case(
        [(bet(sessionId="s1"), 0), (expire(), 0), (cancel(sessionId="s1"), 0)], "300.0"
    ),
}

AS_ROUND = refund("b1", roundId="r1", profile=BY_ROUND)
"""The same bytes as `refund("b1", roundId="r1")`, when the connection's profile refunded rounds."""

BY_ROUND_CASES = {
    "R32 every open bet": Case([*TWO_BETS, (refund_round(), 0)], "300.0", profile=BY_ROUND),
    "R32 again": Case(
        [*TWO_BETS, (refund_round(), 0), (refund_round(uuid="u"), 0)], "300.0", profile=BY_ROUND
    ),
    "R32 those undone are skipped": Case(
        [*TWO_BETS, (refund("b1"), 0), (refund_round(), 0)], "300.0", profile=BY_ROUND
    ),
    "R32 then one bet of it": Case(
        [*TWO_BETS, (refund_round(), 0), (refund("b1"), 0), (cancel("b2"), 0)], "300.0", profile=BY_ROUND
    ),
    "R32 a late bet is 120": Case(
        [*TWO_BETS, (refund_round(), 0), (bet("5.0", "b3"), 120)], "300.0", profile=BY_ROUND
    ),
    "R32 a late bet of an unknown round is 120": Case(
        [(refund_round(), 0), (bet(), 120)], "300.0", profile=BY_ROUND
    ),
    "R32 a late bet is absorbed": Case([(refund_round(), 0), (bet(), 0)], "300.0", profile="round-absorb"),
    "R32 an unknown round is the profile's code": Case(
        [(refund_round(), 17), (bet(), 120)], "300.0", profile="round-code"
    ),
    "R32 an amount says nothing": Case(
        [*TWO_BETS, (refund_round(amount="1.0"), 0)], "300.0", profile=BY_ROUND
    ),
    "R32 another player's round of that id is another (R40)": Case(
        [(of_other(bet()), 0), (refund_round(), 0), (of_other(bet("20.0", "b2")), 0)],
        "300.0",
        "70.0",
        profile=BY_ROUND,
    ),
    "R32 and each is refunded by itself": Case(
        [(of_other(bet()), 0), (refund_round(), 0), (of_other(refund_round()), 0)], "300.0", profile=BY_ROUND
    ),
    "R32 a round with a paid win is 120": Case(
        [(bet(), 0), (result("5.0"), 0), (bet("20.0", "b2"), 0), (refund_round(), 120)],
        "275.0",
        profile=BY_ROUND,
    ),
    "R32 and it is closed": Case(
        [*SETTLED, (refund_round(), 120), (bet("1.0", "b2"), 120)], "295.0", profile=BY_ROUND
    ),
    "R32 a result afterwards is 120": Case(
        [*TWO_BETS, (refund_round(), 0), (result(), 120)], "300.0", profile=BY_ROUND
    ),
    "R26 a settled round is 120": Case([*SETTLED, (refund_round(), 120)], "295.0", profile=BY_ROUND),
    "R26 only the open bets of a round": Case(
        [(bet(), 0), (result("0"), 0), (bet("20.0", "b2"), 0), (refund_round(), 0)], "290.0", profile=BY_ROUND
    ),
    "R26 a round that lost is settled, too": Case(
        [(bet(), 0), (result("0"), 0), (refund_round(), 120)], "290.0", profile=BY_ROUND
    ),
    "R32 the stake of a settled bet does not come back by its round": Case(
        [(bet(), 0), (result("0"), 0), (refund_round(), 120)], "290.0", profile="round-return"
    ),
    "R32 nor where a win was paid": Case([*SETTLED, (refund_round(), 120)], "295.0", profile="round-return"),
    "R32 not without the profile": Case([(bet(), 0), (refund_round(), unkept(7))], "290.0"),
    "R32 neither reference nor round is 7": Case([(refund(...), unkept(7))], "300.0", profile=BY_ROUND),
    "R32 a reference of its own claims nothing": Case(
        [*TWO_BETS, (refund("b1", roundId="r1"), 0), (refund("own", roundId="r1"), 0)],
        "300.0",
        profile=BY_ROUND,
    ),
    "R32 with an amount it is of the bet": Case(
        [*TWO_BETS, (refund("b1", roundId="r1", amount="10.0"), 0)], "280.0", profile=BY_ROUND
    ),
    "R32 without the profile an unknown reference moves nothing": Case(
        [*TWO_BETS, (refund("own", roundId="r1"), 0), (refund("b1"), 0)], "280.0"
    ),
    "R1 what was refunded by the bet stays so under the profile": Case(
        [*TWO_BETS, (refund("b1", roundId="r1"), 0), (refund("b1", profile=BY_ROUND, roundId="r1"), 0)],
        "280.0",
    ),
    "R1 a round with a paid win stays refused under a profile that returns stakes": Case(
        [*SETTLED, (AS_ROUND, 120), (refund("b1", roundId="r1", profile="return"), 120)], "295.0"
    ),
    "R1 settled bets stay refused under a profile that returns stakes": Case(
        [(bet(), 0), (result("0"), 0), (AS_ROUND, 120), (refund("b1", roundId="r1", profile="return"), 120)],
        "290.0",
    ),
    "R1 another player's bet under the round's reference stays unseen": Case(
        [*TWO_BETS, (of_other(AS_ROUND), 0), (of_other(refund("b1", roundId="r1")), 0)], "270.0"
    ),
    "R32 a refund with an amount is none of the round": Case(
        [*SETTLED, (AS_ROUND, 120), (refund("b1", roundId="r1", amount="10.0", profile="return"), 0)], "305.0"
    ),
}

PROFILES = {
    "retransmission: a bet again": Case([(bet(), 0), (bet(), 0)], "290.0", profile="marked"),
    "retransmission: a refusal again": Case([(bet("301.0"), 1), (refund(), 0)], "300.0", profile="marked"),
    "codes: a verdict has the profile's code": Case([(bet("301.0"), 50)], "300.0", profile="worded"),
    "renumber: a final refusal has the edition's number": Case(
        [(result("1.0"), 999)], "300.0", profile=OCTOBER
    ),
    "codes: also on Refund": Case([(bet(), 0), (result("5.0"), 0), (refund(), 6)], "295.0", profile="worded"),
    "R1 under another profile the verdict stands": Case(
        [(bet("301.0"), 1), (bet("301.0", profile="worded"), 50), (refund(), 0), (refund(profile="code"), 0)],
        "300.0",
    ),
}

ALL = {**BETS, **RESULTS, **ROLLBACKS, **BY_ROUND_CASES, **PROFILES}


@pytest.mark.parametrize("name", ALL)
def test_the_rules_of_the_seamless_door(house: House, name: str) -> None:
    play_case(house, ALL[name])


def test_R1_after_a_restart_every_answer_is_the_same_to_the_byte(own_house: House) -> None:
    server = own_house.server.start()
    played = [p for case in ALL.values() for p in play_once(seat(own_house, case.profile), case)]
    before = own_house.counts()["journal"]
    server.kill()
    server.start()
    same_answers(own_house, played)
    assert own_house.counts()["journal"] == before
    own_house.audit()


# -- answers that a code alone does not tell --


def test_R1_a_round_refunded_before_its_late_bet_keeps_its_transaction_under_another_profile(
    house: House,
) -> None:
    at = seat(house)
    named = {"reference": f"{at.tag}-b1", "roundId": f"{at.tag}-r1"}
    first = house.told(at.game(BY_ROUND).play("Refund", at.user, **named))
    assert house.send(at.game().play("Bet", at.user, **named)).code == 120
    again = house.told(at.game().play("Refund", at.user, **named))
    assert (again.raw, house.balance(at.user)) == (first.raw, "300.0")


def test_R21_refund_and_cancel_of_one_bet_are_one_transaction(house: House) -> None:
    at = seat(house)
    house.told(at.game().bet(at.user, "10.0", f"{at.tag}-b1", f"{at.tag}-r1"))
    first = house.told(at.game().refund(at.user, f"{at.tag}-b1"))
    again = house.told(at.game().refund(at.user, f"{at.tag}-b1", amount="10.0"))
    assert again.raw == first.raw
    assert house.told(at.game().cancel(at.user, f"{at.tag}-b1")).body["reference"] == f"{at.tag}-b1"


def test_R22_a_tombstone_is_a_row_of_its_own_and_R24_stays_one(house: House) -> None:
    at = seat(house)
    before = house.counts()["journal"]
    answers = [house.told(at.game().refund(at.user, f"{at.tag}-b1")) for _ in range(3)]
    house.told(at.game().cancel(at.user, f"{at.tag}-b1"))
    assert len({answer.raw for answer in answers}) == 1
    assert house.counts()["journal"] == before + 1


def test_R23_an_absorbed_bet_shows_the_balance_it_left_alone(house: House) -> None:
    at = seat(house, "absorb")
    tombstone = house.told(at.game().refund(at.user, f"{at.tag}-b1"))
    said = house.told(at.game().bet(at.user, "10.0", f"{at.tag}-b1", f"{at.tag}-r1")).body
    assert (said["currency"], said["cash"]) == ("USD", "300.0")
    assert said["transactionId"] != tombstone.body["transactionId"]


def test_R28_nothing_of_the_other_player_is_shown(house: House) -> None:
    at = seat(house)
    house.told(at.game().bet(at.other, "10.0", f"{at.tag}-b1", f"{at.tag}-r1"))
    answer = house.send(at.game().refund(at.user, f"{at.tag}-b1"))
    assert list(answer.body) == ["error", "description"]
    assert at.other.encode() not in answer.raw


def test_R48_the_result_shows_the_balance_before_the_promotional_win_or_after_it(house: House) -> None:
    """Which of the two the contract leaves open; that the money is there, it does not."""
    at = seat(house)
    house.told(at.game().bet(at.user, "10.0", f"{at.tag}-b1", f"{at.tag}-r1"))
    promotion = {"promoWinAmount": "5.0", "promoWinReference": f"{at.tag}-p1"}
    call = at.game().result(at.user, "1.0", f"{at.tag}-w1", f"{at.tag}-r1", **promotion)
    assert house.told(call).body["cash"] in ("291.0", "296.0")
    assert house.balance(at.user) == "296.0"


def test_R4_keys_are_within_the_provider(house: House) -> None:
    at = seat(house)
    reference, round_ = new_id("b"), new_id("r")
    for game in (house.game(), house.game(RIVAL)):
        house.told(game.bet(at.user, "10.0", reference, round_))
    assert house.balance(at.user) == "280.0"
    house.told(house.game(RIVAL).refund(at.user, reference))
    assert house.balance(at.user) == "290.0"
    assert house.send(house.game(RIVAL).result(at.user, "1.0", new_id("w"), round_)).code == 120
    house.told(house.game().result(at.user, "1.0", new_id("w"), round_))


# -- tolerant names, strict values --

SPELLINGS: list[dict[str, str]] = [
    {"userId": "userid", "roundId": "roundid", "timeStamp": "timestamp", "gamename": "gameName"},
    {"userId": "UserId", "sessionId": "sessionid", "providerId": "ProviderID", "uuid": "UUID"},
    {"reference": "Reference", "amount": "AMOUNT", "currency": "Currency", "roundDetails": "rounddetails"},
]


@pytest.mark.parametrize("names", SPELLINGS, ids=lambda names: "-".join(names))
def test_names_match_without_regard_to_letter_case(house: House, names: dict[str, str]) -> None:
    at = seat(house)
    call = at.game().bet(at.user, "10.0", f"{at.tag}-b1", f"{at.tag}-r1")
    first = house.told(call)
    body = call.body
    for name, other in names.items():
        assert f'"{name}"'.encode() in body
        body = body.replace(f'"{name}"'.encode(), f'"{other}"'.encode())
    assert house.told(call._replace(body=body)).raw == first.raw


def test_a_profiles_aliases_are_understood(house: House) -> None:
    at = seat(house, "worded")
    fields: dict[str, Any] = {"userId": ..., "account": at.user, "amount": ..., "STAKE": "10.0"}
    call = at.game().play("Bet", at.user, **{"reference": new_id("b"), "roundId": new_id("r"), **fields})
    house.told(call)
    assert house.balance(at.user) == "290.0"
    for account, code, balance in (
        (at.user, 0, "280.0"),
        ("x", 7, "280.0"),
    ):  # the same twice is no harm (R56)
        both = at.game().play("Bet", at.user, reference=new_id("b"), roundId=new_id("r"), account=account)
        assert house.send(both).code == code
        assert house.balance(at.user) == balance
    assert house.send(call._replace(path=call.path.replace(at.game().path, at.game("exact").path))).code == 7


TWICE = [b'"userid":"x"', b'"userId":"x"', b'"AMOUNT":"1.0"']
NO_HARM = [
    b'"roundDetails":{"a":1,"a":2}',
    b'"roundDetails":1,"rounddetails":2',
    b'"PLATFORM":1,"platform":2',
]


@pytest.mark.parametrize("more", TWICE)
def test_a_needed_field_with_two_values_is_7(house: House, more: bytes) -> None:
    at = seat(house)
    call = at.game().play("Bet", at.user, amount="10.0", reference=new_id("b"))
    answer = house.send(call._replace(body=call.body[:-1] + b"," + more + b"}"))
    assert (answer.status, answer.code) == (200, 7)
    assert house.balance(at.user) == "300.0"


@pytest.mark.parametrize("more", NO_HARM)
def test_R56_what_is_only_recorded_may_be_there_twice(house: House, more: bytes) -> None:
    at = seat(house)
    call = at.game().play("Bet", at.user, amount="10.0", reference=new_id("b"), roundId=new_id("r"))
    house.told(call._replace(body=call.body[:-1] + b"," + more + b"}"))
    assert house.balance(at.user) == "290.0"


@pytest.mark.parametrize("amount", [number("10.0"), number("10"), "10", "10.00"])
def test_an_amount_is_text_or_a_number(house: House, amount: Any) -> None:
    at = seat(house)
    answer = house.told(at.game().bet(at.user, amount, new_id("b"), new_id("r")))
    assert b'"cash":290.0' in answer.raw


@pytest.mark.parametrize(
    "amount", ["0.000000000000000001", "99999.89999999", "12345678901234.123456789012345678"]
)
def test_cash_is_a_number_with_every_digit(house: House, amount: str) -> None:
    user = house.player(amount)
    assert f'"cash":{amount}'.encode() in house.told(house.game().balance(user)).raw


BAD_FIELDS: dict[str, list[Any]] = {
    "userId": ["", -421, 4.5, None, "x" * 65, "a\u0000", ["421"], "\u0085"],
    "uuid": ["", 7, "x" * 65, "\u00e9", "a\nb", None],
    "reference": ["", -7, "x" * 129, "a\rb", {}, None],
    "roundId": ["", number("1e3"), "x" * 129, "\u001f", True],
    "gameId": ["", 1.5, "x" * 129],
    "providerId": ["", 1, None],
    "currency": ["", "US", "USDTX", 840, None],
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n in BAD_FIELDS for v in BAD_FIELDS[n]], ids=spelled)
def test_a_bad_field_is_7(house: House, name: str, value: Any) -> None:
    answer = house.send(house.game().play("Bet", "nobody", **{"reference": new_id("b"), name: value}))
    assert (answer.status, answer.code) == (200, 7)


ODD: list[dict[str, Any]] = [
    {"roundDetails": ["spin", 1, None, {"a": {"b": 1.5}}]},
    {"roundDetails": {}, "timeStamp": 1482429190374},
    {"roundDetails": number("1" * 400), "timeStamp": number("1e400")},
    {"roundDetails": "\u0000\ud7ff\U0001f600'\";--", "timeStamp": "yesterday"},
    {"jackpotContribution": number("0.00000000000000000000001"), "jackpotId": None, "jackpotDetails": []},
    {"uuid": "4a5d375ac1311b04fba2ea66d067b8e5"},
    {"uuid": "x"},
    {"uuid": " ~" * 32},
    {"reference": "\u6f22" * 100, "roundId": "'; drop table journal; --", "gameId": "\U0001f3b0"},
    {"unheard": {"of": [1]}, "": 0},
    {"sessionId": "x" * 129},
    {"sessionId": 7, "gameId": 5103188801},
]


@pytest.mark.parametrize("fields", ODD, ids=lambda fields: "-".join(fields) + repr(fields)[:30])
def test_what_is_only_recorded_may_be_any_json(house: House, fields: dict[str, Any]) -> None:
    at = seat(house)
    own = {"reference": new_id("b"), "roundId": new_id("r")}
    for name in own:
        fields = {**fields, name: own[name] + fields.get(name, "")}
    call = at.game().play("Bet", at.user, **fields)
    first = house.told(call)
    assert house.told(call).raw == first.raw
    assert house.balance(at.user) == "290.0"
