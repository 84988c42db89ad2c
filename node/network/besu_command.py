"""``carbon-node network`` for Besu: an organisation's offer, and the network of offers.

Everything printed says that the files were not run in our tests.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from node.network.besu import (
    NOTICE,
    BesuSettings,
    BesuValidator,
    create_besu_network,
    make_besu_offer,
    read_besu_offer,
)

__all__ = ["besu_offer_command", "create_besu"]


def besu_offer_command(
    folder: Annotated[Path, typer.Argument(help="Your organisation's folder.")],
    name: Annotated[str, typer.Option(help="Your organisation.")],
    host: Annotated[str, typer.Option(help="IP address for other validators.")],
    port: Annotated[int, typer.Option(min=1, max=65535)] = 30303,
) -> None:
    """Make your keys for a Besu network, and the public parts to hand over."""
    path = make_besu_offer(folder, name, host, port)
    typer.echo(NOTICE)
    typer.echo(f"hand over {path}; everything else stays here")


def create_besu(
    folder: Path, names: Sequence[str], offers: Sequence[Path], chain_id: int
) -> None:
    """Write a Besu network: of offers, or for trying with keys made here.

    Args:
        folder: Where the organisations' folders go.
        names: Organisations, where there are no offers.
        offers: Their ``validator.json`` files.
        chain_id: EIP-155 id.

    Raises:
        InvalidConfigError: Something cannot be used; nothing is written then.
    """
    nodes = tuple(map(read_besu_offer, offers)) or tuple(
        BesuValidator(name, f"10.0.0.{number}") for number, name in enumerate(names, 1)
    )
    made = create_besu_network(folder, BesuSettings(chain_id, nodes))
    typer.echo(NOTICE)
    typer.echo(f"{len(made)} folders in {folder}; follow {folder / 'RUNBOOK.md'}")
