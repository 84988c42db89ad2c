"""Stakes of the organisations: how long they last, renewing, admitting newcomers.

On avalanchego's primary network a validator is whoever has staked: from the genesis,
or by a transaction that locks the stake until a given end. It ends then and not
before; its owner gets it back and may stake again. A newcomer has nothing to stake:
more than half of the organisations each give it their share from their reserve, and no
smaller number can (``ceremony.quorum_of_sponsors``).
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coincurve import PrivateKey

from node.errors import (
    ConflictLedgerError,
    InvalidCallError,
    InvalidConfigError,
    UnavailableEngineError,
)
from node.network.apis import ValidatorApi
from node.network.ceremony import p_chain_address, p_chain_key, quorum_of_sponsors
from node.network.formats import (
    bech32_short_id,
    cb58_decode,
    checksum,
    short_hash,
)
from node.network.genesis import DAY_S, STAKE
from node.network.home import ValidatorHome
from node.network.keys import read_identity
from node.network.offer import NetworkFile, Offer
from node.network.permitted import require_permitted
from node.network.transactions import (
    Output,
    Stake,
    Utxo,
    decode_utxo,
    payment,
    sign,
    staking,
)

__all__ = ["PChain", "Validation", "renew_stake", "sponsor"]

FEE = 1_000_000
"""Far above what a transaction needs at any load of ours. [nAVAX]"""
_COMMIT_TIMEOUT_S = 60.0
_POLL_S = 0.2
_PAGE = 256
_MARGIN_S = 600
"""So that a stake of the longest time is not refused for a clock that differs. [s]"""


@dataclass(frozen=True, slots=True)
class Validation:
    """A present stake."""

    node_id: str
    end: int
    """[unix s]"""
    amount: int
    """[nAVAX]"""
    is_connected: bool
    """Whether the validator that was asked sees it."""


class PChain:
    """The P-Chain as one validator sees it.

    Args:
        api: The validator's APIs.
        network_id: Id of its network.
    """

    def __init__(self, api: ValidatorApi, network_id: int) -> None:
        self._api = api
        self._network_id = network_id

    def validations(self) -> list[Validation]:
        """Give the present stakes, the one that ends first in front."""
        answer = self._api.ask("bc/P", "platform.getCurrentValidators")
        found = [
            Validation(
                one["nodeID"],
                int(one["endTime"]),
                int(one["weight"]),
                bool(one.get("connected")),
            )
            for one in answer["validators"]
        ]
        return sorted(found, key=lambda one: one.end)

    def validation_of(self, node_id: str) -> Validation | None:
        """Give the present stake of a validator, None if it has none."""
        return next((one for one in self.validations() if one.node_id == node_id), None)

    def pay(self, keys: Sequence[PrivateKey], amount: int, to: bytes) -> str:
        """Pay an amount from what keys own.

        Args:
            keys: Whose outputs are spent; the first gets the change.
            amount: [nAVAX]
            to: Whom, 20 bytes.

        Returns:
            The accepted transaction's id.

        Raises:
            InvalidConfigError: If the keys own too little.
            UnavailableEngineError: If it is not accepted in time.
        """
        inputs, rest = self._inputs(keys, amount + FEE)
        outputs = [Output(inputs[0].asset, amount, to)]
        outputs += _change(inputs, rest, keys[0])
        unsigned = payment(self._network_id, inputs, outputs)
        return self._issue(sign(unsigned, inputs, keys))

    def stake(self, keys: Sequence[PrivateKey], stake: Stake) -> str:
        """Lock a stake from what keys own; returns as ``pay`` does."""
        inputs, rest = self._inputs(keys, stake.amount + FEE)
        change = _change(inputs, rest, keys[0])
        unsigned = staking(self._network_id, inputs, change, stake)
        return self._issue(sign(unsigned, inputs, keys))

    def balance(self, key: PrivateKey) -> int:
        """Give what a key owns and may spend, in nAVAX."""
        return sum(one.amount for one in self._owned([key]))

    def _owned(self, keys: Sequence[PrivateKey]) -> list[Utxo]:
        addresses = [f"P-{p_chain_address(key)}" for key in keys]
        answer = self._api.ask(
            "bc/P", "platform.getUTXOs", addresses=addresses, limit=_PAGE,
            encoding="hex",
        )  # fmt: skip
        raw = (bytes.fromhex(text[2:])[:-4] for text in answer["utxos"])
        return [found for data in raw if (found := decode_utxo(data))]

    def _inputs(
        self, keys: Sequence[PrivateKey], needed: int
    ) -> tuple[list[Utxo], int]:
        """Choose outputs, the largest first; give them and what they leave."""
        chosen: list[Utxo] = []
        for one in sorted(self._owned(keys), key=lambda one: -one.amount):
            if sum(each.amount for each in chosen) >= needed:
                break
            chosen.append(one)
        held = sum(each.amount for each in chosen)
        if held < needed:
            raise InvalidConfigError(
                f"The stake and reserve keys hold {held} nAVAX, and {needed} are "
                f"needed: has the stake ended, or have enough organisations sponsored "
                "it? See carbon-node network status."
            )
        return chosen, held - needed

    def _issue(self, signed: bytes) -> str:
        """Hand over a transaction and wait until it is accepted."""
        text = "0x" + (signed + checksum(signed)).hex()
        try:
            answer = self._api.ask("bc/P", "platform.issueTx", tx=text, encoding="hex")
        except InvalidCallError as exc:
            raise ConflictLedgerError(
                f"The P-Chain refuses the transaction: {exc.message}."
            ) from exc
        deadline = time.monotonic() + _COMMIT_TIMEOUT_S
        while time.monotonic() < deadline:
            state = self._api.ask("bc/P", "platform.getTxStatus", txID=answer["txID"])
            if state["status"] == "Committed":
                return str(answer["txID"])
            if state["status"] in {"Dropped", "Aborted"}:
                raise ConflictLedgerError(
                    f"The P-Chain dropped the transaction: {state.get('reason')}."
                )
            time.sleep(_POLL_S)
        raise UnavailableEngineError(
            f"Transaction {answer['txID']} is not accepted after "
            f"{_COMMIT_TIMEOUT_S:g} s; look later with carbon-node network status."
        )


def sponsor(folder: Path, network: NetworkFile, newcomer: Offer) -> str:
    """Give a newcomer this organisation's share of a stake.

    Args:
        folder: The sponsor's folder; its validator runs.
        network: The network.
        newcomer: Its offer.

    Returns:
        The transaction's id.

    Raises:
        InvalidConfigError: If the reserve is spent, or the newcomer is a founder.
        InvalidAccessError: If the sponsor's permissions do not let it validate.
    """
    require_permitted(folder, newcomer.node_id, newcomer.name)
    if newcomer.node_id in {one.node_id for one in network.offers}:
        raise InvalidConfigError(f"{newcomer.name} validates already.")
    share = -(-STAKE // quorum_of_sponsors(len(network.offers))) + FEE
    chain = _chain(folder, network.network_id)
    owner = bech32_short_id(newcomer.reserve_address)
    return chain.pay([p_chain_key(folder, "reserve")], share, owner)


def renew_stake(folder: Path, network_id: int, duration_s: int) -> Validation:
    """Stake for the validator of a folder, anew or for the first time.

    Args:
        folder: The organisation's folder; its validator runs.
        network_id: Id of the network.
        duration_s: How long, at most 365 days. [s]

    Returns:
        The stake.

    Raises:
        InvalidConfigError: If it validates already, or the keys hold too little.
        InvalidAccessError: If the folder's permissions do not let it validate.
    """
    chain = _chain(folder, network_id)
    identity = read_identity(ValidatorHome(folder).keys)
    require_permitted(folder, identity.node_id, folder.resolve().name)
    if (present := chain.validation_of(identity.node_id)) is not None:
        left_d = (present.end - time.time()) / DAY_S
        raise InvalidConfigError(
            f"{identity.node_id} validates already, for another {left_d:.2f} days; a "
            "stake can be renewed once it has ended."
        )
    owned, reserve = (p_chain_key(folder, one) for one in ("stake", "reserve"))
    now = int(time.time())
    end = now + min(duration_s, 365 * DAY_S - _MARGIN_S)
    stake = Stake(
        cb58_decode(identity.node_id.removeprefix("NodeID-")),
        now,
        end,
        STAKE,
        bytes.fromhex(identity.bls_public_key[2:]),
        bytes.fromhex(identity.proof_of_possession[2:]),
        short_hash(owned.public_key.format()),
    )
    chain.stake([reserve, owned], stake)
    found = chain.validation_of(identity.node_id)
    return found or Validation(identity.node_id, end, STAKE, is_connected=True)


def _chain(folder: Path, network_id: int) -> PChain:
    return PChain(ValidatorApi(ValidatorHome(folder).base_url), network_id)


def _change(inputs: Sequence[Utxo], rest: int, key: PrivateKey) -> list[Output]:
    owner = short_hash(key.public_key.format())
    return [Output(inputs[0].asset, rest, owner)] if rest else []
