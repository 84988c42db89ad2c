"""`make bench`: every figure to reach, measured in one run beside its baseline.

Prints a table and JSON, writes ``var/bench/summary.json``. Ratios count; absolute
rates change from machine to machine and from run to run.
"""

import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from scripts.bench_bft import measure_bft
from scripts.bench_disk import measure_disk
from scripts.bench_gas import measure_gas, ratios
from scripts.bench_indexer import measure_indexer
from scripts.bench_ingest import measure_ingest
from scripts.bench_latency import measure_latency
from scripts.bench_proofs import measure_proofs

BARS = {
    "ingest_efficiency": (">=", 0.45),
    "gas_ratio_4096": (">=", 6000),
    "proof_p99_ratio": ("<=", 1.0),
    "indexer_ratio": (">=", 5),
    "block_trade_gas_ratio": ("<=", 1.6),
    "proofs_per_second_core": (">=", 20_000),
    "bft_ratio": (">=", 0.8),
    "disk_ratio": ("<=", 1.5),
}
"""Figure → what it must reach."""

BASELINES = {
    "ingest_efficiency": "raw_verify_per_s",
    "gas_ratio_4096": "gas_naive_reference",
    "proof_p99_ratio": "proof_bound_s",
    "indexer_ratio": "web3_events_per_s",
    "block_trade_gas_ratio": "gas_two_transfers",
    "bft_ratio": "anchored_per_s_embedded",
    "disk_ratio": "raw_row_bytes",
}
"""Figure → the baseline of the same run."""


def measure() -> dict[str, float]:
    """Run every bench, one after the other.

    Returns:
        All figures.
    """
    console = Console(stderr=True)
    figures: dict[str, float] = {}
    for step in (
        measure_ingest,
        measure_gas,
        measure_latency,
        measure_indexer,
        measure_proofs,
        measure_disk,
        measure_bft,
    ):
        with console.status(step.__name__.replace("_", " ")):
            figures |= step()
    return figures | ratios(figures)


def is_met(figures: dict[str, float], name: str) -> bool:
    """Say whether a figure reaches its bar."""
    sign, bar = BARS[name]
    return figures[name] >= bar if sign == ">=" else figures[name] <= bar


def _bars(figures: dict[str, float]) -> Table:
    """Show each figure to reach beside its bar and baseline."""
    table = Table("figure", "measured", "bar", "met", "baseline of this run")
    for name, (sign, bar) in BARS.items():
        baseline = BASELINES.get(name)
        beside = f"{baseline} = {figures[baseline]:,.2f}" if baseline else ""
        met = "yes" if is_met(figures, name) else "NO"
        table.add_row(name, f"{figures[name]:,.3f}", f"{sign} {bar:,}", met, beside)
    return table


def _details(figures: dict[str, float]) -> Table:
    """Show everything that was measured."""
    table = Table("measured", "value")
    for name, value in figures.items():
        table.add_row(name, f"{value:,.4f}")
    return table


def main() -> None:
    """Measure, print, write."""
    figures = measure()
    console = Console()
    console.print(_bars(figures))
    console.print(_details(figures))
    beside = {
        name: {"name": one, "value": figures[one]} for name, one in BASELINES.items()
    }
    text = json.dumps({**figures, "baselines": beside}, indent=1)
    print(text)
    path = Path("var/bench/summary.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
