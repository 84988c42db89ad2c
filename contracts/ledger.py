"""All contracts of one deployment, bound to one chain."""

from contracts.bindings import (
    AccessManager,
    Accounts,
    CarbonCodes,
    Carriers,
    Cash,
    Directory,
    EmissionLedger,
    Mandate,
    Market,
    Quota,
    ReadingAnchor,
    Rulebook,
)
from contracts.chain import BlockId, ChainClient
from contracts.directory import Deployment
from contracts.errors import InvalidInputError


class Ledger:
    """The contracts of a deployment.

    Args:
        client: The chain.
        deployment: Where the contracts are.
        block: The state that reads see.
    """

    def __init__(
        self, client: ChainClient, deployment: Deployment, block: BlockId = "latest"
    ) -> None:
        where = deployment.addresses
        self.client = client
        self.deployment = deployment
        self.access_manager = AccessManager(client, where["AccessManager"], block)
        self.directory = Directory(client, where["Directory"], block)
        self.accounts = Accounts(client, where["Accounts"], block)
        self.rulebook = Rulebook(client, where["Rulebook"], block)
        self.carriers = Carriers(client, where["Carriers"], block)
        self.anchor = ReadingAnchor(client, where["ReadingAnchor"], block)
        self.emissions = EmissionLedger(client, where["EmissionLedger"], block)
        self.codes = CarbonCodes(client, where["CarbonCodes"], block)
        self.quota = Quota(client, where["Quota"], block)
        self.cash = Cash(client, where["Cash"], block)
        self.market = Market(client, where["Market"], block)

    def mandate(self, organisation: str) -> Mandate:
        """Bind an institution's mandate.

        Args:
            organisation: The institution's name.

        Returns:
            The mandate.

        Raises:
            InvalidInputError: The organisation has none.
        """
        mandates = self.deployment.mandates
        if organisation not in mandates:
            message = (
                f"expected an institution with a mandate ({', '.join(mandates)}), "
                f"got {organisation!r}"
            )
            raise InvalidInputError(message, organisation=organisation)
        return Mandate(self.client, mandates[organisation])
