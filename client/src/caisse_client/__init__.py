"""A client for both doors of the wallet contract: transfer V3 and V4, seamless V4, V3 and Kyren V1.

A door makes calls, a client sends them: `client.send(door.refund(...))`. Amounts are `Decimal` in and out.
"""

from caisse_client.calls import Call, Door, Request, Response, new_uuid
from caisse_client.clients import AsyncClient, Client
from caisse_client.errors import ProtocolError, Refused, Unauthorized, Unavailable, WalletError
from caisse_client.outbox import Outbox, Settled
from caisse_client.seamless import Cash, KyrenV1, Played, SeamlessV4
from caisse_client.seamless_v3 import PlayedV3, SeamlessV3
from caisse_client.transfer import PlayerInfo, SlotRow, Transfer, TransferV3, TransferV4

__all__ = [
    "AsyncClient",
    "Call",
    "Cash",
    "Client",
    "Door",
    "KyrenV1",
    "Outbox",
    "Played",
    "PlayedV3",
    "PlayerInfo",
    "ProtocolError",
    "Refused",
    "Request",
    "Response",
    "SeamlessV3",
    "SeamlessV4",
    "Settled",
    "SlotRow",
    "Transfer",
    "TransferV3",
    "TransferV4",
    "Unauthorized",
    "Unavailable",
    "WalletError",
    "new_uuid",
]
