"""What is put to the test, and what the kit may use there: addresses, players, limits."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlsplit

from caisse_client.masking import masked_url, secrets_of

SEAMLESS_DIALECTS = ("seamless-v4", "kyren-v1")
TRANSFER_DIALECTS = ("transfer-v3", "transfer-v4")
DIALECTS = (*SEAMLESS_DIALECTS, *TRANSFER_DIALECTS)

_TEST_WORDS = re.compile(
    r"(^|[.-])(test|tests|testing|stage|staging|stg|dev|qa|uat|sandbox|demo|int|ci|local)\d*([.-]|$)"
)


@dataclass(frozen=True)
class Target:
    """A wallet under test. Players must exist and be the kit's alone while it runs."""

    url: str
    dialect: str
    currency: str
    user: str = ""
    second_user: str = ""
    provider: str = ""
    partner: str = ""
    token: str = ""
    game: str = "kit-game"
    session: str = "kit-session"
    stake: Decimal = Decimal("1")
    timeout: float = 10.0
    """How long the vendor waits for an answer, in seconds."""
    later: float = 3.0
    """How long `later` is for repeats that come later, in seconds."""
    callers: int = 8
    """How many requests are sent at once."""
    restart: Callable[[], None] | None = None
    """Restarts the wallet and returns when that was begun."""

    @property
    def seamless(self) -> bool:
        return self.dialect in SEAMLESS_DIALECTS

    @property
    def shown_url(self) -> str:
        return masked_url(self.url)

    @property
    def secrets(self) -> tuple[str, ...]:
        return tuple(secret for secret in (*secrets_of(self.url), self.token) if secret)


def looks_like_production(url: str) -> bool:
    """Whether a URL is neither this machine's, nor a private network's, nor named like a test system's."""
    host = (urlsplit(url).hostname or "").lower()
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        pass
    if "." not in host or host.endswith((".local", ".localhost", ".internal", ".example")):
        return False
    return _TEST_WORDS.search(host) is None
