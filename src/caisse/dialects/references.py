"""The manuals of all doors, in the order in which documents show them. A further dialect is one more line."""

from typing import Final

from caisse.dialects import examples
from caisse.dialects.examples import Example
from caisse.dialects.kyren_v1.reference import KYREN_V1
from caisse.dialects.wire.reference import Manual
from caisse.dialects.wire.reference_seamless import SEAMLESS_V3, SEAMLESS_V4
from caisse.dialects.wire.reference_transfer import TRANSFER_V3, TRANSFER_V4

MANUALS: Final[tuple[Manual, ...]] = (TRANSFER_V3, SEAMLESS_V4, KYREN_V1, TRANSFER_V4, SEAMLESS_V3)

EXAMPLES: Final[tuple[Example, ...]] = (
    *examples.EXAMPLES,
    *(example for manual in MANUALS for example in manual.examples),
)
"""Of all doors, in the order in which they are played."""
