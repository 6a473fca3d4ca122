"""The seamless door, edition 4: `POST /<key>/V4/<Method>`."""

from caisse.dialects.seamless_v4.table import EDITION
from caisse.dialects.wire.seamless_door import SeamlessDoor


class SeamlessV4(SeamlessDoor):
    """The door itself."""

    edition = EDITION
