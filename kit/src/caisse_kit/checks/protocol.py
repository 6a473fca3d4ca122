"""Protocol: the provider reads answers by machine, and repeats whatever it cannot read."""

from __future__ import annotations

from dataclasses import replace

from caisse_kit.check import HTTP, MUST, SEAMLESS, SHOULD, Failed, Group
from caisse_kit.play import Play, Sent

group: Group[Play] = Group("protocol", SEAMLESS)

REPEATED = "The provider takes the answer for none, repeats the request, and then cancels the bet."


@group.check("refusal-status", "A refusal is answered with HTTP 200.", REPEATED, severity=MUST)
def refusal_status(p: Play) -> None:
    for sent in (p.bet(p.start + p.stake), p.result(p.ghost(), p.stake), p.read(p.new("nobody"))):
        if sent.answer.status != 200:
            raise Failed(f"{sent} was refused with HTTP {sent.answer.status}: {sent.answer}")


@group.check(
    "unreadable-status", "A body that cannot be read is answered with HTTP 200.", REPEATED, severity=SHOULD
)
def unreadable_status(p: Play) -> None:
    reply = p.exchange(replace(p.request("Bet", {}), body=b"{"))
    if reply.status != 200:
        raise Failed(f"HTTP {reply.status}")


@group.check("error-field", "Each answer has `error`, a whole number as number or text.", REPEATED)
def error_field(p: Play) -> None:
    bet = p.took(p.bet())
    for sent in (
        p.read(),
        bet,
        p.bet(p.start * 2),
        p.result(bet, p.stake),
        p.refund(bet),
        p.refund(p.ghost()),
    ):
        code = sent.answer.code
        if not code.lstrip("-").isdecimal():
            raise Failed(f"the error of {sent} is {code!r}")


@group.check(
    "content-type", "Answers are announced as application/json.", REPEATED, severity=SHOULD, source=HTTP
)
def content_type(p: Play) -> None:
    for sent in (p.took(p.bet()), p.bet(p.start * 2)):
        kind = (sent.answer.headers or {}).get("content-type", "")
        if kind.partition(";")[0].strip().lower() != "application/json":
            raise Failed(f"the content type is {kind or 'missing'}")


@group.check(
    "get",
    "GET is not answered with success, and moves nothing.",
    "Robots and prefetching move money.",
    source=HTTP,
)
def get(p: Play) -> None:
    request = p.request("Bet", p.bet_fields())
    reply = p.exchange(replace(request, method="GET"))
    if reply.ok:
        raise Failed(f"GET: {reply}")
    p.unmoved("after GET")


@group.check(
    "charset",
    "A charset behind application/json is accepted.",
    "Requests of one sender are refused.",
    source=HTTP,
)
def charset(p: Play) -> None:
    fields = p.bet_fields()
    request = replace(
        p.request("Bet", fields), headers=(("Content-Type", "application/json; charset=utf-8"),)
    )
    p.took(Sent("Bet", fields, p.exchange(request)), "a charset parameter")
    p.moved(-p.stake, "after a bet with a charset")


@group.check(
    "unknown-method",
    "A method that does not exist is not answered with success.",
    "The provider believes that something was done.",
)
def unknown_method(p: Play) -> None:
    sent = p.send("Bonanza", p.bet_fields())
    if sent.ok:
        raise Failed(f"the method Bonanza: {sent.answer}")
    p.unmoved("after a method that does not exist")


@group.check(
    "path-case",
    "Paths count in any letter case, as later editions write them.",
    "After the next edition nothing is served.",
    severity=SHOULD,
)
def path_case(p: Play) -> None:
    fields = p.bet_fields()
    request = p.request("Bet", fields)
    p.took(
        Sent("Bet", fields, p.exchange(replace(request, path=request.path.lower()))),
        "a path in small letters",
    )
    p.moved(-p.stake, "after a bet at a path in small letters")


@group.check(
    "chunked",
    "A body that is sent in chunks, without its length, is read.",
    "Requests through one proxy are refused.",
    severity=SHOULD,
    source=HTTP,
)
def chunked(p: Play) -> None:
    fields = p.bet_fields()
    sent = Sent("Bet", fields, p.exchange_in_chunks(p.request("Bet", fields)))
    p.took(sent, "a body in chunks")
    p.moved(-p.stake, "after a bet in chunks")


@group.check(
    "cancel-echo",
    "Cancel answers the reference, the transaction id and the cash: each edition asks for another of them.",
    "Some editions of the provider take the answer for none, and cancel for ever.",
    severity=SHOULD,
)
def cancel_echo(p: Play) -> None:
    bet = p.took(p.bet())
    answer = p.took(p.cancel(bet)).answer
    missing = [name for name in ("transactionId", "currency", "cash") if not answer.text(name)]
    if p.target.dialect == "seamless-v4" and answer.text("reference") != bet.reference:
        missing.insert(0, "reference")
    if missing:
        raise Failed(f"the answer has no {', '.join(missing)}")
