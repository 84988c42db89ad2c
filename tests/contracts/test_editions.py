from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contracts.chain import ChainClient
from contracts.creation import NOBODY, PREDECESSOR
from contracts.directory import CONTRACTS, artifact, load_artifact
from contracts.editions import expected_code, follow, is_as_shipped, registry
from contracts.errors import InvalidInputError

EDITIONS = Path(__file__).parents[2] / "contracts" / "artifacts" / "editions"


class TestExpectedCode:
    @pytest.mark.parametrize("name", CONTRACTS)
    def test_is_what_lies_on_the_chain(self, park: Any, client: ChainClient, name: str):
        where = park.deployment.addresses
        code = expected_code(
            artifact(name),
            park.deployment.chain_id,
            where[name],
            where | {PREDECESSOR: NOBODY},
        )
        assert code == client.code(where[name])

    def test_differs_when_a_contract_was_given_another_one(
        self, park: Any, client: ChainClient
    ):
        where = park.deployment.addresses
        wrong = where | {"Accounts": where["Cash"]}
        code = expected_code(artifact("Cash"), 20260, where["Cash"], wrong)
        assert code != client.code(where["Cash"])
        assert len(code) == len(client.code(where["Cash"]))

    def test_refuses_an_immutable_that_is_unknown(self, park: Any):
        strange = replace(artifact("Cash"), immutables={"OWNER": [0]})
        where = park.deployment.addresses
        with pytest.raises(InvalidInputError, match="got 'OWNER'"):
            expected_code(strange, 20260, where["Cash"], where)


class TestRegistry:
    def test_names_every_contract_as_shipped(self, park: Any, client: ChainClient):
        held = registry(client, park.deployment)
        first = [one for one in held if one.version == 1 and one.name in CONTRACTS]
        assert [one.name for one in first] == list(CONTRACTS)
        for one in first:
            assert one.address == park.deployment.addresses[one.name]
            assert one.since_block > park.deployment.genesis_block
            assert is_as_shipped(one, client, park.deployment)

    def test_tells_other_code(self, park: Any, client: ChainClient):
        (cash,) = [
            one for one in registry(client, park.deployment) if one.name == "Cash"
        ]
        quota = park.deployment.addresses["Quota"]
        for other in (
            replace(cash, address=quota),
            replace(cash, code_digest=b"\x01" * 32),
        ):
            assert not is_as_shipped(other, client, park.deployment)


class TestFollow:
    def test_changes_nothing_before_the_first_upgrade(
        self, park: Any, client: ChainClient
    ):
        followed = follow(client, park.deployment)
        assert followed == park.deployment
        assert followed.founding == park.deployment.addresses
        assert followed.every("Cash") == (park.deployment.addresses["Cash"],)


class TestLoadArtifact:
    def test_reads_an_edition(self):
        edition = load_artifact(EDITIONS / "CarbonCodes.json")
        assert edition.name == "CarbonCodes"
        assert edition.code != artifact("CarbonCodes").code

    @pytest.mark.parametrize("text", ["", "[]", '{"contractName": "Cash"}', "{"])
    def test_refuses_another_file(self, tmp_path: Path, text: str):
        path = tmp_path / "file.json"
        path.write_text(text)
        with pytest.raises(InvalidInputError, match="expected a compiled contract"):
            load_artifact(path)

    def test_refuses_a_file_that_is_not_there(self, tmp_path: Path):
        with pytest.raises(InvalidInputError, match="expected a compiled contract"):
            load_artifact(tmp_path / "none.json")
