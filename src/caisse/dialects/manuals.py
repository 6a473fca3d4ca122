"""The manuals of all doors, in the order in which documents show them."""

from typing import Final

from caisse.dialects.manual import Manual
from caisse.dialects.manual_seamless import SEAMLESS_V3, SEAMLESS_V4
from caisse.dialects.manual_transfer import TRANSFER_V3, TRANSFER_V4

MANUALS: Final[tuple[Manual, ...]] = (TRANSFER_V3, SEAMLESS_V4, TRANSFER_V4, SEAMLESS_V3)
