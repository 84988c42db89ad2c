"""A network that is founded with the contracts of a moved ledger."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from node.errors import InvalidConfigError
from node.network.ceremony import FoundingSettings, complete_folder, create_here
from node.network.genesis import moved_contracts
from node.portability.states import read_alloc

NAMES = ("one", "two", "three", "four")
CONTRACTS = {
    f"0x{'aa' * 20}": {
        "nonce": "0x1",
        "code": "0x6001",
        "storage": {f"0x{1:064x}": f"0x{7:064x}"},
    }
}


def test_every_founder_begins_with_the_same_contracts(tmp_path: Path):
    settings = FoundingSettings(20_260_001, 20260, contracts=CONTRACTS)
    network = create_here(tmp_path / "network", NAMES, settings)
    for name in NAMES:
        genesis = (tmp_path / "network" / name / "genesis.json").read_text()
        states = read_alloc(
            {f"0x{a}": one for a, one in moved_contracts(genesis).items()}
        )
        assert states == read_alloc(CONTRACTS)
    plain = create_here(tmp_path / "other", NAMES, FoundingSettings(20_260_001, 20260))
    assert moved_contracts(plain.genesis) == {}
    assert plain.digest != network.digest


def test_a_genesis_that_gives_somebody_coins_is_still_refused(tmp_path: Path):
    settings = FoundingSettings(20_260_001, 20260, contracts=CONTRACTS)
    network = create_here(tmp_path / "network", NAMES, settings)
    document = json.loads(network.genesis)
    chain = json.loads(document["cChainGenesis"])
    chain["alloc"]["bb" * 20] = {"balance": "0x1"}
    document["cChainGenesis"] = json.dumps(chain, sort_keys=True)
    altered = replace(network, genesis=json.dumps(document, indent=1))
    with pytest.raises(InvalidConfigError, match="nobody offered"):
        complete_folder(tmp_path / "network" / "one", network.offers[0], altered)
