"""A verification as lines for the terminal, as JSON and as one HTML page.

Pure: text in, text out. The page stands alone, without scripts, fonts or links.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from html import escape
from typing import Any

from contracts.typed_data import struct_hash
from oracle.evidence.messages import OUTCOMES, STAGE_NAMES, TEXTS
from oracle.evidence.stages import Outcome, StageResult, VerificationReport

LOCAL_TIME = timezone(timedelta(hours=8))
"""Asia/Shanghai, which keeps no daylight saving time."""
GRAMS_PER_TONNE = 1_000_000

_MARKS = {Outcome.PASSED: "✔", Outcome.FAILED: "✘", Outcome.NOT_REACHED: "·"}
_STYLE = """
body { font: 15px/1.5 sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em }
table { border-collapse: collapse; width: 100% }
td, th { border-bottom: 1px solid #ccc; padding: .4em; text-align: left;
  vertical-align: top; overflow-wrap: anywhere }
td:nth-child(2), th:nth-child(2) { white-space: nowrap }
.passed { color: #176b2c } .failed { color: #a3131b } .not_reached { color: #777 }
.verdict { font-size: 1.25em; font-weight: bold }
"""


def render_lines(report: VerificationReport, language: str) -> Iterator[str]:
    """Write a verification for the terminal.

    Args:
        report: Finished verification.
        language: `zh` or `en`.

    Yields:
        One line for each stage, notice and unconfirmed item, then the verdict.
    """
    for one in report.stages:
        name = STAGE_NAMES[language][one.stage]
        outcome = OUTCOMES[language][one.outcome]
        line = f"{_MARKS[one.outcome]} {one.stage:2d} {name}: {outcome}"
        details = _details(one, language)
        yield f"{line} ({details})" if details else line
    yield from _remarks(report, language)
    yield render_verdict(report, language)


def render_verdict(report: VerificationReport, language: str) -> str:
    """Write the verdict as one sentence.

    Args:
        report: Finished verification.
        language: `zh` or `en`.

    Returns:
        What is proven, or the stage that failed.
    """
    texts = TEXTS[language]
    if report.failed is not None:
        name = STAGE_NAMES[language][report.failed.stage]
        return texts["refused"].format(stage=int(report.failed.stage), name=name)
    statement = report.statement
    if statement is None:
        raise ValueError("an accepted package has a statement")
    return texts["accepted"].format(
        tonnes=tonnes_text(statement.grams),
        start=_day(statement.period_start),
        end=_day(statement.period_end),
    )


def render_json(report: VerificationReport, name: str) -> str:
    """Write a verification for programs.

    Args:
        report: Finished verification.
        name: Name of the file.

    Returns:
        JSON object with the verdict, every stage and the first failure.
    """
    statement = report.statement
    content: dict[str, Any] = {
        "file": name,
        "sha256": report.package_digest.hex(),
        "accepted": report.is_accepted,
        "exit_code": report.exit_code,
        "stages": [_stage_json(one) for one in report.stages],
    }
    if report.is_accepted and statement is not None:
        content["notices"] = list(report.notices)
        content["unconfirmed"] = list(report.unconfirmed)
        content["statement"] = {
            "id": "0x" + struct_hash(statement).hex(),
            "grams": str(statement.grams),
            "period_start": statement.period_start,
            "period_end": statement.period_end,
            "purpose": int(statement.purpose),
        }
    return json.dumps(content, ensure_ascii=False, indent=2)


def render_page(report: VerificationReport, name: str, language: str) -> str:
    """Write a verification as one HTML page.

    Args:
        report: Finished verification.
        name: Name of the file.
        language: `zh` or `en`.

    Returns:
        The page.
    """
    texts = TEXTS[language]
    verdict = "passed" if report.is_accepted else "failed"
    heads = "".join(f"<th>{texts[key]}</th>" for key in ("stage", "outcome", "found"))
    rows = "".join(_page_row(one, language) for one in report.stages)
    remarks = "".join(f"<li>{escape(one)}</li>" for one in _remarks(report, language))
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        f"<title>{texts['title']}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{texts['title']}</h1>"
        f"<p>{texts['file']}: {escape(name)}<br>"
        f"{texts['digest']}: {report.package_digest.hex()}</p>"
        f'<p class="verdict {verdict}">'
        f"{escape(render_verdict(report, language))}</p>"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        f"<ul>{remarks}</ul><p>{texts['limits']}</p></body></html>\n"
    )


def tonnes_text(grams: int) -> str:
    """Write grams as tonnes without losing any.

    Args:
        grams: Mass. [g]

    Returns:
        Decimal number with six places. [t]
    """
    sign = "-" if grams < 0 else ""
    whole, rest = divmod(abs(grams), GRAMS_PER_TONNE)
    return f"{sign}{whole}.{rest:06d}"


def _page_row(one: StageResult, language: str) -> str:
    name = f"{one.stage:d} {STAGE_NAMES[language][one.stage]}"
    outcome = f'<td class="{one.outcome}">{OUTCOMES[language][one.outcome]}</td>'
    details = escape(_details(one, language))
    return f"<tr><td>{name}</td>{outcome}<td>{details}</td></tr>"


def _remarks(report: VerificationReport, language: str) -> Iterator[str]:
    """Write what a reader must know of an accepted figure."""
    if not report.is_accepted:
        return
    texts = TEXTS[language]
    for key, items in (
        ("unconfirmed", report.unconfirmed),
        ("notice", report.notices),
    ):
        for item in items:
            yield _printable(texts[key].format(item=item))


def _details(one: StageResult, language: str) -> str:
    if one.failure is None:
        pairs = (f"{name} {value}" for name, value in one.found.items())
        return _printable(", ".join(pairs))
    text = TEXTS[language]["failure"].format(
        subject=one.failure.subject,
        expected=one.failure.expected,
        given=one.failure.given,
    )
    return _printable(text)


def _printable(text: str) -> str:
    """Replace what would drive a terminal; a file may hold anything."""
    return "".join(char if char.isprintable() else "�" for char in text)


def _stage_json(one: StageResult) -> dict[str, Any]:
    content: dict[str, Any] = {
        "stage": int(one.stage),
        "name": one.stage.name.lower(),
        "outcome": str(one.outcome),
        "found": dict(one.found),
    }
    if one.failure is not None:
        content["failure"] = {
            "subject": one.failure.subject,
            "expected": one.failure.expected,
            "given": one.failure.given,
        }
    return content


def _day(ts: int) -> str:
    """Write a time as local day and minute."""
    return datetime.fromtimestamp(ts, UTC).astimezone(LOCAL_TIME).strftime("%F %R")
