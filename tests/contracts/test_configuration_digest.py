from typing import Any

from oracle.evidence.evidence import ChainIdentity, configuration_digest
from oracle.member.quorum import Configuration


class TestConfigurationDigest:
    def test_the_verifier_hashes_a_configuration_as_the_contract_does(self, park: Any):
        anchor = park.ledger.anchor
        given = anchor.configuration()
        configuration = Configuration(
            given.version, given.threshold, tuple(given.members)
        )
        addresses = park.deployment.addresses
        chain = ChainIdentity(
            park.client.chain_id(),
            addresses["ReadingAnchor"],
            addresses["EmissionLedger"],
            addresses["Carriers"],
        )
        assert configuration_digest(configuration, chain) == anchor.config_digest()
