"""`caisse explain`: the story of any id, in order of time."""

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import click

from caisse.cli import options, output
from caisse.cli.commands.partner_token import refuse_unknown_partner
from caisse.cli.database import to_read
from caisse.cli.failures import Failed
from caisse.core.attempts import Attempt
from caisse.core.entries import Entry
from caisse.core.money import show as money
from caisse.core.policy import DEFAULT_POLICY, Policy
from caisse.dialects import answering
from caisse.dialects.answering import Told
from caisse.dialects.policies import policies
from caisse.dialects.wire.table import Echo
from caisse.store import directory
from caisse.store import search as finding
from caisse.store.search import Story
from caisse.story.events import Event, events, moved
from caisse.story.words import VERDICTS, asked_in_words, row_in_words, rule_in_words, verdict_in_words

UNKNOWN_PROFILE = "as a profile says that is not known here; see --profiles"
UNREAD = "same as the first answer, whose row was not read"
UNDERSTOOD = (
    "a transaction's id, a uuid, a reference, a round, a session, a partner's TransactionId or a user,"
    " each exactly as it was sent"
)


class Context(NamedTuple):
    """What an answer depends on besides what was decided."""

    profiles: Mapping[tuple[str, str], list[str]]
    """(partner, provider) -> the profiles of its connections."""
    policies: Mapping[str, Policy]


class Answered(NamedTuple):
    """What was answered to callers under these profiles; none: the door has no profile."""

    profiles: list[str]
    told: Told | None
    """None: it cannot be told, for a reason that `why_not` gives."""
    why_not: str = ""


@click.command
@click.argument("id", type=options.ANY_ID)
@click.option("--partner", type=options.PARTNER, help="Look only at this partner's data.")
@options.profiles
@options.database
@options.as_json
def explain(id: str, partner: str | None, profiles: Path | None, url: str, as_json: bool) -> None:
    """Show what happened to ID: who asked what and when, which rule decided, what was written and answered.

    ID is a transaction's id, a uuid, a reference, a round, a session, a partner's TransactionId or a user.
    Repeats, refusals that claim no key, and requests that could not be read are shown with their counts.
    They appear about a second after their answer and stay until 'caisse attempts prune' deletes them.
    Reads, and requests with a wrong token or key, leave no trace.
    """
    story, context = asyncio.run(_look(url, id, partner or "", policies(profiles)))
    if not story.rows and not story.attempts:
        raise Failed(_nothing(id, partner))
    try:
        told = events(story.rows, story.attempts)
    except ValueError as error:
        raise Failed(f"what was recorded of {id} cannot be read: {error}. Run 'caisse audit'") from error
    if as_json:
        output.emit(_document(id, story, told, context))
    else:
        _print(story, told, context)


async def _look(url: str, id_: str, partner: str, known: Mapping[str, Policy]) -> tuple[Story, Context]:
    async with to_read(url) as db:
        await db.begin_snapshot()
        if partner:
            await refuse_unknown_partner(db, partner)
        profiles: dict[tuple[str, str], list[str]] = {}
        for registered in await directory.connections(db):
            c = registered.connection
            named = profiles.setdefault((c.partner, c.provider), [])
            named += [c.profile] if c.profile not in named else []
        return await finding.find(db, id_, partner), Context(profiles, known)


def _nothing(id_: str, partner: str | None) -> str:
    whose = f" of partner {partner}" if partner else ""
    return (
        f"nothing{whose} is known under {id_}. Understood are {UNDERSTOOD}. Reads, and requests that were"
        " not authenticated, leave nothing behind; what could not be read, and a repeat, show about a second"
        " after their answer"
    )


def _answers(event: Event, context: Context) -> list[Answered]:
    """One for each answer that could have been given: the journal does not say over which connection."""
    if event.replay and event.row is None:
        return [Answered([], None, UNREAD)]
    provider = event.row.provider if event.row else event.asked.get("provider", "")
    if not provider:
        told = _told(event, DEFAULT_POLICY)
        return [Answered([], told)] if told else []
    answers: dict[Told | None, list[str]] = {}
    for name in context.profiles.get((event.partner, provider), ()):
        policy = context.policies.get(name)
        answers.setdefault(_told(event, policy) if policy else None, []).append(name)
    return [Answered(names, told, "" if told else UNKNOWN_PROFILE) for told, names in answers.items()]


def _told(event: Event, policy: Policy) -> Told | None:
    currency = event.row.currency if event.row else event.asked.get("currency", "")
    echo = Echo(event.player, event.uuid, currency, event.asked.get("reference", ""))
    return answering.told(event.endpoint, policy, echo, event.decision)


def _document(id_: str, story: Story, told: list[Event], context: Context) -> dict[str, object]:
    return {
        "id": id_,
        "found_as": story.found_as,
        "requests": sum(event.count for event in told) + sum(a.count for a in unread(story)),
        "cut": story.cut,
        "events": [_event_document(event, _answers(event, context)) for event in told],
        "unread": [_unread_document(attempt) for attempt in unread(story)],
        "moved": [
            {"partner": partner, "user": user, "currency": currency, "amount": money(amount)}
            for (partner, user, currency), amount in moved(story.own).items()
        ]
        if not story.cut
        else None,
    }


def unread(story: Story) -> list[Attempt]:
    """The requests that could not be read; no verdict was given."""
    return [attempt for attempt in story.attempts if not attempt.verdict]


def _unread_document(a: Attempt) -> dict[str, object]:
    return {
        "at": output.when(a.first_at),
        "last_at": output.when(a.last_at),
        **output.pick(a, ("count", "partner", "provider")),
        "user": a.player,
        **output.pick(a, ("endpoint", "uuid", "reference", "round", "fault", "rule")),
        "rule_text": rule_in_words(a.rule),
    }


def _event_document(event: Event, answers: list[Answered]) -> dict[str, object]:
    return {
        "at": output.when(event.at),
        "last_at": output.when(event.last_at),
        "count": event.count,
        "partner": event.partner,
        "user": event.player,
        "endpoint": event.endpoint,
        "uuid": event.uuid,
        "asked": {"for": event.kind, **event.asked},
        "asked_text": asked_in_words(event),
        "verdict": event.verdict,
        "verdict_text": VERDICTS[event.verdict],
        "rule": event.rule,
        "rule_text": rule_in_words(event.rule),
        "first_rule": event.first_rule,
        "replay": event.replay,
        "flagged": event.flagged,
        "rows": [_row_document(row) for row in event.rows],
        "answers": [_answer_document(answered) for answered in answers],
    }


def _row_document(row: Entry) -> dict[str, object]:
    return {
        "transaction": row.id,
        **output.pick(row, ("seq", "part", "kind", "verdict", "rule", "currency")),
        "amount": money(row.amount),
        "balance": money(row.balance),
        **output.pick(row, ("key", "reference", "round")),
    }


def _answer_document(answered: Answered) -> dict[str, object]:
    told = answered.told._asdict() if answered.told else dict.fromkeys(Told._fields)
    return {"profiles": answered.profiles, **told, "why_not": answered.why_not or None}


def _print(story: Story, told: list[Event], context: Context) -> None:
    number = sum(event.count for event in told) + sum(a.count for a in unread(story))
    count = output.counted(number, "request")
    more = "; there is more than is shown" if story.cut else ""
    click.echo(f"found as {' and '.join(story.found_as)}: {count}, in order of time (UTC){more}\n")
    for event in told:
        click.echo(output.visible(_headline(event)))
        for name, text in _lines(event, _answers(event, context)):
            click.echo(f"  {name.ljust(9)}  {output.visible(text)}")
        click.echo()
    for attempt in unread(story):
        _print_unread(attempt)
    for (partner, user, currency), amount in () if story.cut else moved(story.own).items():
        text = f"moved in all: {money(amount)} {currency} for {user} of partner {partner}"
        click.echo(output.visible(text))
    click.echo("Repeats and requests that could not be read appear about a second after their answer.")


def _print_unread(a: Attempt) -> None:
    when = _second(a.first_at) + (f" to {_second(a.last_at)}" if a.count > 1 else "")
    times = "" if a.count == 1 else f", {a.count} times"
    click.echo(output.visible(f"{when}  {a.endpoint}, could not be read{times}"))
    ids = {"user": a.player, "uuid": a.uuid, "reference": a.reference, "round": a.round}
    named = "; ".join(f"{name} {value}" for name, value in ids.items() if value) or "no id"
    provider = f", provider {a.provider}" if a.provider else ""
    for name, text in (
        ("read", f"{named}; partner {a.partner}{provider}"),
        ("at fault", a.fault),
        (f"rule {a.rule}", rule_in_words(a.rule)),
        ("wrote", "nothing"),
    ):
        click.echo(f"  {name.ljust(9)}  {output.visible(text)}")
    click.echo()


def _headline(event: Event) -> str:
    when = _second(event.at)
    if event.count > 1:
        when = f"{when} to {_second(event.last_at)}"
    times = "" if event.count == 1 else f", {event.count} times"
    again = ", again" if event.replay else ""
    return f"{when}  {event.endpoint}{again}{times}"


def _lines(event: Event, answers: list[Answered]) -> Iterable[tuple[str, str]]:
    uuid = f"; uuid {event.uuid}" if event.uuid else ""
    yield "asked", f"{asked_in_words(event)}; user {event.player} of partner {event.partner}{uuid}"
    yield "verdict", verdict_in_words(event)
    yield f"rule {event.rule}", rule_in_words(event.rule)
    if event.first_rule != event.rule:
        yield f"first {event.first_rule}", rule_in_words(event.first_rule)
    for row in event.rows:
        yield "wrote", row_in_words(row)
    if not event.rows:
        yield "wrote", "nothing"
    for profiles, told, why_not in answers:
        under = f"  (profile {', '.join(profiles)})" if len(answers) > 1 else ""
        yield "answered", f"{told.body if told else why_not}{under}"
    if event.flagged:
        yield "look", "money may be owed outside caisse: a person should look at it"


def _second(at: int) -> str:
    return output.when(at)[:-4].replace("T", " ")
