"""The seamless door, edition 4: `POST /<key>/V4/<Method>`."""

from caisse.dialects.seamless_door import SeamlessDoor
from caisse.dialects.seamless_v4_table import EDITION


class SeamlessV4(SeamlessDoor):
    """The door itself."""

    edition = EDITION
