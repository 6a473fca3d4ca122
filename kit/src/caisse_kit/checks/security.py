"""Security: probes that are safe on a test system."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from caisse_client import Client, Unavailable
from caisse_kit.check import PRACTICE, SHOULD, Failed, Group, NotRun
from caisse_kit.play import Play, Sent
from caisse_kit.reply import Reply

group: Group[Play] = Group("security", PRACTICE)

TRACES = (
    b"Traceback",
    b"Exception in",
    b"stack trace",
    b" at line ",
    b".java:",
    b".php on line",
    b"SQLSTATE",
)


@group.check(
    "wrong-key",
    "A URL whose key is changed by one character opens nothing.",
    "Anybody who knows the address moves players' money.",
)
def wrong_key(p: Play) -> None:
    url = p.target.url.rstrip("/")
    if not urlsplit(url).path.strip("/"):
        raise NotRun("the URL holds no key")
    other = url[:-1] + ("x" if url[-1] != "x" else "y")
    request = p.request("Bet", p.bet_fields())
    with Client(other, p.target.timeout) as client:
        try:
            reply = Reply.of(client.exchange(request))
        except Unavailable:
            return
    p.remember(request, reply, "with one character of the key changed")
    if reply.ok:
        raise Failed(f"with another key a bet was answered {reply}")
    p.unmoved("after a bet under another key")


@group.check(
    "quotes",
    "Ids with quotes and SQL in them are plain text: nobody is found by them, nothing fails.",
    "An id in a request can read and change the wallet's books.",
)
def quotes(p: Play) -> None:
    for odd in ("' OR '1'='1", "x'; --", '"', "${7*7}", "../../etc", "%00", "{{7*7}}"):
        p.refused(p.read(odd), f"no player is called {odd}")
        sent = p.bet(reference=p.new(odd))
        if sent.answer.crashed:
            raise Failed(f"a reference with {odd} in it: {sent.answer}")
        p.cancel(sent)
    p.unmoved("after bets with odd references, and their cancels")


@group.check(
    "no-traces",
    "No answer shows the wallet's program: no traces, no statements.",
    "What an attacker must know stands in each answer.",
    severity=SHOULD,
)
def no_traces(p: Play) -> None:
    sends = [p.odd_bet(amount={"a": []}), p.odd_bet(reference="'"), p.send("Bet", {}), p.send("Nothing", {})]
    sends.append(Sent("Bet", {}, p.exchange(replace(p.request("Bet", {}), body=b"{"))))
    for sent in sends:
        found = [trace.decode().strip() for trace in TRACES if trace in sent.answer.raw]
        if found:
            raise Failed(f"an answer holds {found[0]!r}")


@group.check(
    "deep-json",
    "A body that is nested 10,000 levels deep is refused by an answer, and the wallet lives on.",
    "One request stops the wallet for everybody.",
)
def deep_json(p: Play) -> None:
    for body in (b"[" * 10_000, b'{"a":' * 10_000 + b"1" + b"}" * 10_000):
        reply = p.exchange(replace(p.request("Bet", {}), body=body))
        if reply.crashed or reply.ok:
            raise Failed(f"a deeply nested body: {reply}")
    p.unmoved("after deeply nested bodies")


@group.check(
    "huge-body",
    "A body of 2 MiB is refused, and the wallet lives on.",
    "A few requests fill the wallet's memory.",
    severity=SHOULD,
)
def huge_body(p: Play) -> None:
    sent = p.odd_bet(roundDetails="x" * 2 * 1024 * 1024)
    if sent.ok:
        raise Failed("a body of 2 MiB was read and its bet taken")
    p.unmoved("after a huge body")


@group.check(
    "control-characters",
    "Ids with line feeds and other control characters are refused.",
    "Lines are forged in the operator's logs, exports and headers.",
    severity=SHOULD,
)
def control_characters(p: Play) -> None:
    for odd in ("a\r\nb", "a\x00b", "a\x1b[31mb"):
        p.refused(p.bet(reference=p.new(odd)), "the reference holds control characters")
    p.unmoved("after bets with control characters")
