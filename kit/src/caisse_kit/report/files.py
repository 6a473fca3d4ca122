"""A run as files: JSON, and JUnit XML for pipelines."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec

from caisse_kit.runner import Run

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_encoder = msgspec.json.Encoder()


class UnreadableReport(Exception):
    """A file that is no report of the kit."""


def write_json(run: Run, path: Path) -> None:
    """Everything, each exchange included."""
    path.write_bytes(msgspec.json.format(_encoder.encode(run), indent=1))


def read_json(path: Path) -> Run:
    """What `write_json` wrote. Raises UnreadableReport."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Run)
    except (OSError, msgspec.MsgspecError) as error:
        raise UnreadableReport(f"{path}: {error}") from None


def junit(run: Run) -> bytes:
    """One suite; a failed MUST is a failure, a failed SHOULD or INFO is told in its output."""
    suite = ET.Element(
        "testsuite", name=f"caisse-kit {run.dialect}", timestamp=run.started, time=str(run.seconds)
    )
    failures = skipped = 0
    for result in run.results:
        case = ET.SubElement(
            suite,
            "testcase",
            classname=f"caisse-kit.{result.id.partition('.')[0]}",
            name=result.id,
            time=str(result.seconds),
        )
        if result.outcome == "not run":
            skipped += 1
            ET.SubElement(case, "skipped", message=_clean(result.message))
        elif result.outcome == "failed":
            story = "\n".join([result.proves, result.money, *_exchanges(run, result.id)])
            if result.severity == "MUST":
                failures += 1
                failure = ET.SubElement(case, "failure", message=_clean(result.message), type=result.severity)
                failure.text = _clean(story)
            else:
                ET.SubElement(case, "system-out").text = _clean(
                    f"{result.severity}: {result.message}\n{story}"
                )
    suite.set("tests", str(len(run.results)))
    suite.set("failures", str(failures))
    suite.set("skipped", str(skipped))
    suite.set("errors", "0")
    text: str = ET.tostring(suite, encoding="unicode")
    return ('<?xml version="1.0" encoding="utf-8"?>\n' + text).encode()


def _exchanges(run: Run, name: str) -> list[str]:
    (result,) = (r for r in run.results if r.id == name)
    return [f"$ {e.curl()}\n  HTTP {e.status} {e.answer}" for e in result.exchanges[-12:]]


def _clean(text: str) -> str:
    """XML has no place for most control characters."""
    return _CONTROL.sub("\ufffd", text)
