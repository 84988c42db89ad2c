"""What representatives do on the chain: build, sign by two, carry.

The same instructions, signatures and checks that `carbon-wallet` uses; only the two
people sit in one process.
"""

from collections.abc import Sequence

from contracts.calls import UnsignedCall
from contracts.chain import Receipt
from contracts.ledger import Ledger
from contracts.sender import Sender
from contracts.typed_data import TYPES, account_id
from node.demo.people import People
from node.services.relay import call_of
from wallet.instructions import Instruction, build
from wallet.signers import sign_instruction

VALID_S = 86_400
"""How long an instruction of the demo may be carried. [s]"""


class Acts:
    """Acts for every organisation of the demo.

    Args:
        ledger: The contracts.
        sender: Carries transactions; decides nothing.
        people: The representatives.
    """

    def __init__(self, ledger: Ledger, sender: Sender, people: People) -> None:
        self.ledger = ledger
        self._sender = sender
        self._people = people

    def instruct(self, kind: str, organisation: str, **fields: object) -> Receipt:
        """Carry out an instruction of one organisation.

        Args:
            kind: Kind of instruction.
            organisation: Who instructs.
            fields: Its fields but account, nonce and deadline, as a person types them.

        Returns:
            The receipt of its transaction.
        """
        account = account_id(organisation)
        texts = {name: str(value) for name, value in fields.items()}
        texts |= {"account": account, "nonce": self._nonce(organisation)}
        contract = self.ledger.deployment.addresses[TYPES[kind]]
        return self._sign_and_send(kind, contract, texts, (organisation,))

    def trade(self, seller: str, buyer: str, **fields: object) -> Receipt:
        """Carry out a block trade that both sides signed.

        Args:
            seller: Who delivers quota.
            buyer: Who pays.
            fields: Vintage, tonnes and price.

        Returns:
            The receipt of its transaction.
        """
        texts = {name: str(value) for name, value in fields.items()}
        texts |= {
            "seller": account_id(seller),
            "buyer": account_id(buyer),
            "seller_nonce": self._nonce(seller),
            "buyer_nonce": self._nonce(buyer),
        }
        market = self.ledger.deployment.addresses["Market"]
        return self._sign_and_send("BlockTrade", market, texts, (seller, buyer))

    def govern(self, institution: str, calls: Sequence[UnsignedCall]) -> Receipt:
        """Let an institution make governed calls through its mandate, all or none.

        Args:
            institution: Who governs.
            calls: What to call.

        Returns:
            The receipt of the transaction.
        """
        texts = {
            "targets": ",".join(str(call.to) for call in calls),
            "data": ",".join("0x" + call.data.hex() for call in calls),
            "nonce": self._nonce(institution),
        }
        mandate = self.ledger.deployment.mandates[institution]
        return self._sign_and_send("CallBatch", mandate, texts, (institution,))

    def _sign_and_send(
        self, kind: str, contract: str, texts: dict[str, str], signers: tuple[str, ...]
    ) -> Receipt:
        texts["deadline"] = str(self._now() + VALID_S)
        chain_id = self.ledger.deployment.chain_id
        institution = account_id(signers[0])
        made = build(kind, contract, chain_id, texts, institution)
        for organisation in signers:
            made = self._sign(made, organisation)
        return self._sender.send(call_of(made))

    def _sign(self, made: Instruction, organisation: str) -> Instruction:
        account, pair = account_id(organisation), self._people.pair(organisation)
        made = sign_instruction(made, account, "initiate", pair.initiator)
        return sign_instruction(made, account, "approve", pair.approver)

    def _nonce(self, organisation: str) -> str:
        return str(self.ledger.accounts.account_of(account_id(organisation)).nonce)

    def _now(self) -> int:
        block = self._sender.client.block()
        return block.timestamp if block else 0
