"""``carbon-node check``: the findings as lines or JSON, the worst as exit code."""

import json
from pathlib import Path
from typing import Annotated

import typer

from node.config import load_settings
from node.operations.check import check_node
from oracle.operations.findings import Finding, Level, exit_code, to_json

__all__ = ["check_command"]

_MARKS: dict[Level, str] = {"ok": "ok  ", "warn": "WARN", "fail": "FAIL"}
_WIDEST = 28
"""Longest subject that has its details behind it on one line."""


def check_command(
    config: Annotated[Path, typer.Option("--config", help="Settings file (TOML).")],
    as_json: Annotated[bool, typer.Option("--json", help="Findings as JSON.")] = False,
) -> None:
    """Check settings, disk, keys, database, engine, chain, contracts and members.

    Starts and changes nothing. Exit code 0: all is well; 4: something wants a look;
    1: something is wrong.
    """
    findings = check_node(load_settings(config))
    if as_json:
        typer.echo(json.dumps(to_json(findings), ensure_ascii=False))
    else:
        for one in findings:
            typer.echo(_line(one))
    raise typer.Exit(exit_code(findings))


def _line(one: Finding) -> str:
    subject = one.subject.ljust(_WIDEST)
    return f"{_MARKS[one.level]}  {subject}  {one.detail}"
