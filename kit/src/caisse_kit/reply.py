"""An answer as a check looks at it: whatever came, even nothing."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from caisse_client.calls import Response
from caisse_client.money import read_amount


@dataclass(frozen=True)
class Reply:
    """One answer. A wallet that did not answer in time has status 0."""

    status: int
    fields: dict[str, Any] | None
    seconds: float
    raw: bytes = b""
    headers: dict[str, str] | None = None

    @classmethod
    def of(cls, response: Response) -> Reply:
        headers = {name.lower(): value for name, value in response.headers.items()}
        return cls(response.status, response.object(), response.seconds, response.body, headers)

    @property
    def code(self) -> str:
        """`error`, `code` or `status` of the answer, as text; empty if there is none."""
        found = self.fields or {}
        if "error" in found:
            return str(found["error"])
        if "code" in found:
            return str(found["code"])
        return "0" if found.get("status") == "OK" else str(found.get("status", ""))

    @property
    def ok(self) -> bool:
        """A success that the provider takes for one."""
        return self.status == 200 and self.code == "0"

    @property
    def crashed(self) -> bool:
        """No answer, or the server's own failure."""
        return self.status == 0 or self.status >= 500

    def amount(self, name: str) -> Decimal | None:
        try:
            return read_amount((self.fields or {}).get(name))
        except ValueError:
            return None

    def text(self, name: str) -> str:
        value = (self.fields or {}).get(name)
        return "" if value is None else str(value)

    def __str__(self) -> str:
        if self.status == 0:
            return "no answer"
        if self.fields is None:
            return f"HTTP {self.status} without a JSON object"
        said = self.text("description") or self.text("reason")
        shown = (
            f"success {self.text('transactionId')}".strip() if self.ok else f"code {self.code} {said}".strip()
        )
        return shown if self.status == 200 else f"HTTP {self.status}, {shown}"


NO_ANSWER = Reply(0, None, 0.0)
