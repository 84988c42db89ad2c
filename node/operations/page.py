"""The health page: one HTML document that stands alone, without scripts or links out.

Lights are words and signs beside their colour; the page reads from top to bottom on a
narrow screen as well.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any

from node.operations.catalogue import Language, say
from node.operations.health import Light, Part, worst

__all__ = ["CONTENT_POLICY", "PageFacts", "render_page"]

_SIGNS: dict[Light, str] = {"green": "●", "yellow": "▲", "red": "■"}
_STYLE = """
:root{color-scheme:light dark}
body{font:1rem/1.5 system-ui,sans-serif;max-width:56rem;margin:0 auto;padding:1rem;
 color:#1b1f24;background:#fff}
h1{font-size:1.5rem;margin:.2em 0}h2{font-size:1.1rem;margin:1.6em 0 .4em}
header nav{float:right}a{color:#0a58ca}
.verdict{font-size:1.15rem;font-weight:600}
ul{list-style:none;margin:0;padding:0}
li{display:grid;grid-template-columns:6.5rem 1fr;gap:.2rem .8rem;padding:.6rem .2rem;
 border-bottom:1px solid #d0d7de}
li>*{min-width:0;overflow-wrap:anywhere}
h3{font-size:1rem;margin:0}p{margin:.1em 0}
.light{font-weight:600;white-space:nowrap}
.green{color:#116329}.yellow{color:#7a4e00}.red{color:#a40e26}
.subject{font:.85em/1.4 ui-monospace,monospace;color:#57606a}
.advice{border-left:.25rem solid currentcolor;padding-left:.6rem}
footer{margin-top:2em;color:#57606a;font-size:.9em}
@media (max-width:30rem){li{grid-template-columns:1fr}}
@media (prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}
 a{color:#79b8ff}.green{color:#56d364}.yellow{color:#e3b341}.red{color:#ff7b72}
 li{border-color:#30363d}.subject,footer{color:#9198a1}}
"""
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
CONTENT_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
"""Content security policy of the page: its own style and nothing else."""


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What the page shows."""

    at: int
    """When the node was looked at. [unix s]"""
    chain_id: int
    parts: list[Part]
    alarms: list[dict[str, Any]]
    """Documents of the raised alarms."""


def render_page(facts: PageFacts, language: Language) -> str:
    """Write the page.

    Args:
        facts: What it shows.
        language: ``en`` or ``zh``.

    Returns:
        The HTML document.
    """
    light = worst(facts.parts)
    title = escape(say(language, "page.title"))
    at = say(language, "page.at", at=_moment(facts.at), chain_id=str(facts.chain_id))
    other: Language = "zh" if language == "en" else "en"
    verdict = escape(say(language, f"page.{light}"))
    return f"""<!doctype html>
<html lang="{language}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{_SIGNS[light]} {title}</title><style>{_STYLE}</style></head><body>
<header><nav><a href="?lang={language}">{escape(say(language, "page.again"))}</a> ·
<a href="?lang={other}" lang="{other}" hreflang="{other}">{
        escape(say(language, "page.other_language"))
    }</a></nav>
<h1>{title}</h1></header><main>
<p class="verdict {light}" role="status">{_SIGNS[light]} {verdict}</p>
<p>{escape(at)}</p>
<h2>{escape(say(language, "page.alarms"))}</h2>
{_alarms(facts.alarms, language)}
<h2>{escape(say(language, "page.parts"))}</h2>
<ul>{"".join(_part(part, language) for part in facts.parts)}</ul></main>
<footer>{escape(say(language, "page.runbooks"))}</footer></body></html>
"""


def _part(part: Part, language: Language) -> str:
    subject = part.subject and f'<p class="subject">{escape(part.subject)}</p>'
    advice = part.advice(language)
    advised = advice and f'<p class="advice {part.light}">{escape(advice)}</p>'
    return (
        f"<li>{_light(part.light, language)}<div>"
        f"<h3>{escape(part.title(language))}</h3>{subject}"
        f"<p>{escape(part.sentence(language))}</p>{advised}</div></li>"
    )


def _alarms(alarms: list[dict[str, Any]], language: Language) -> str:
    if not alarms:
        return f"<p>{escape(say(language, 'page.no_alarms'))}</p>"
    rows = []
    for one in alarms:
        since = say(language, "page.since", at=_moment(one["raised_at"]))
        rows.append(
            f"<li>{_light('red', language)}<div><p>"
            f"{escape(one['sentence'][language])}</p>"
            f'<p class="subject">{escape(since)}</p></div></li>'
        )
    return f"<ul>{''.join(rows)}</ul>"


def _light(light: Light, language: Language) -> str:
    word = escape(say(language, f"light.{light}"))
    return (
        f'<span class="light {light}"><span aria-hidden="true">{_SIGNS[light]}</span> '
        f"{word}</span>"
    )


def _moment(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"
