"""Playing the demo's steps over HTTP: each answer is held against the documented one and shown."""

import json
from typing import Any, Self

import httpx2
from rich.console import Console

from caisse.cli.demo.pages import Step

TIMEOUT_SECONDS = 10.0
"""What a provider waits for an answer."""


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with its keys in order."""


class _Number(str):
    """A JSON number by its characters."""

    __slots__ = ()


def parse(text: str) -> object:
    """JSON with nothing lost: the order of keys, the characters of numbers. None if it is none."""
    try:
        return json.loads(text, object_pairs_hook=_Pairs, parse_float=_Number, parse_int=_Number)
    except ValueError:
        return None


def is_as_documented(documented: object, given: object, open_texts: dict[str, str]) -> bool:
    """Whether two parsed answers agree; what the contract leaves open is noted, and must stay the same."""
    if type(documented) is not type(given):
        return False
    if isinstance(documented, _Pairs) and isinstance(given, _Pairs):
        return len(documented) == len(given) and all(
            key == found and is_as_documented(value, shown, open_texts)
            for (key, value), (found, shown) in zip(documented, given, strict=True)
        )
    if type(documented) is str and documented[:1] == "<" and type(given) is str:
        return bool(given) and open_texts.setdefault(documented, given) == given
    return documented == given


class Player:
    """Plays steps against one server and counts the answers that were not as documented."""

    def __init__(self, url: str, console: Console) -> None:
        self._console = console
        self._http = httpx2.Client(base_url=url, timeout=TIMEOUT_SECONDS, trust_env=False)
        self._open_texts: dict[str, str] = {}
        self.played = 0
        self.wrong = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def play(self, step: Step) -> None:
        """Send a request, show it and its answer."""
        self._show(f"{self.played + 1}. {step.title}", style="bold")
        self._show(f"   POST {step.path}", style="cyan")
        self._show(_indented(step.body))
        status, answer = self._answer(step)
        right = status == 200 and self._is_right(step, answer)
        self._show(f"   {status}", style="cyan")
        self._show(_indented(answer))
        if right:
            self._show("   as documented\n", style="green")
        else:
            self._show(f"   NOT AS DOCUMENTED, which is:\n{_indented(step.answer)}\n", style="bold red")
        self.played += 1
        self.wrong += not right

    def _is_right(self, step: Step, answer: str) -> bool:
        return is_as_documented(parse(step.answer), parse(answer), self._open_texts)

    def _answer(self, step: Step) -> tuple[int, str]:
        try:
            reply = self._http.post(
                step.path, content=step.body.encode(), headers={"Content-Type": "application/json"}
            )
        except httpx2.HTTPError as error:
            return 0, f"no answer: {error}"
        return reply.status_code, reply.text

    def _show(self, text: str, style: str = "") -> None:
        self._console.print(text, style=style, markup=False)


def _indented(text: str) -> str:
    return "\n".join(f"   {line}" for line in text.splitlines())
