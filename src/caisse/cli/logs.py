"""The server's log on standard error: JSON lines for machines, colours on a terminal.

Everything goes through the standard library's records, those of other libraries too. No traceback shows
local variables: they may hold secrets.
"""

import logging
import os
import sys

import structlog
from structlog.typing import Processor


def start() -> None:
    """Send every record from INFO on to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(terminal=sys.stderr.isatty()))
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)


def _formatter(*, terminal: bool) -> structlog.stdlib.ProcessorFormatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(terminal)],
    )


def _rendering(terminal: bool) -> list[Processor]:
    if terminal:
        return [
            structlog.dev.ConsoleRenderer(
                colors="NO_COLOR" not in os.environ, exception_formatter=structlog.dev.plain_traceback
            )
        ]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
