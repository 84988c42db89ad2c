"""The ledger as a member uses it: events in, attested reports out."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from contracts.bindings import carbon_codes, emission_ledger, reading_anchor
from contracts.calls import Function, UnsignedCall
from contracts.chain import ChainClient
from contracts.directory import Deployment
from contracts.errors import ConflictError, UnavailableError
from contracts.events import decode
from contracts.sender import Sender
from contracts.solidity import decode_abi
from contracts.structs import Attestation, BatchReport, ReadingProof
from contracts.typed_data import CodeReport, StatementReport, digest, domain
from oracle.member.ports import BlockRef, ChainNews

PAGE_BLOCKS = 5_000
"""Blocks whose logs are asked for at once."""
SUBMIT_GAS = 600_000
"""Gas allowed for a batch: some 60,000 at 3 signatures, with room for 32. [gas]"""
WATCHED = ("Carriers", "ReadingAnchor", "EmissionLedger", "CarbonCodes")
"""Contracts whose events a member follows."""

Report = BatchReport | StatementReport | CodeReport
_Bind = Callable[[Any, Attestation], UnsignedCall]
_NOTHING = BlockRef(-1, bytes(32), 0)


class EvmChain:
    """A chain behind an RPC address.

    Args:
        client: Client of the chain.
        sender: Carries reports into blocks.
        deployment: The contracts in office and those before them.
    """

    def __init__(
        self,
        client: ChainClient,
        sender: Sender,
        deployment: Deployment,
    ) -> None:
        addresses = deployment.addresses
        self._client = client
        self._sender = sender
        self._addresses = addresses
        self._genesis_block = deployment.genesis_block
        # A contract that left office is still heard: what it said is history.
        self._watched = [who for name in WATCHED for who in deployment.every(name)]
        self._chain_id = client.chain_id()
        self._seen = _NOTHING
        self._lock = threading.Lock()
        self._anchor = reading_anchor.ReadingAnchor(client, addresses["ReadingAnchor"])
        self._bindings: dict[
            type[Report], Callable[[Any, Attestation], UnsignedCall]
        ] = {
            BatchReport: self._anchor.submit,
            StatementReport: emission_ledger.EmissionLedger(
                client, addresses["EmissionLedger"]
            ).record,
            CodeReport: carbon_codes.CarbonCodes(
                client, addresses["CarbonCodes"]
            ).issue,
        }

    @property
    def domain(self) -> bytes:
        """EIP-712 domain of `ReadingAnchor`. 32 bytes."""
        return domain(self._chain_id, self._addresses["ReadingAnchor"])

    def report_digest(self, report: Report) -> bytes:
        """Give what members sign for a report.

        Args:
            report: Report of any kind.

        Returns:
            32 bytes, the EIP-712 digest for the contract that takes it.
        """
        contract = {
            BatchReport: "ReadingAnchor",
            StatementReport: "EmissionLedger",
            CodeReport: "CarbonCodes",
        }[type(report)]
        return digest(report, domain(self._chain_id, self._addresses[contract]))

    def follow(self) -> ChainNews:
        """Read the events since the last call.

        Returns:
            Latest block and events; `is_rewound` if seen blocks are gone.

        Raises:
            UnavailableError: The chain does not answer.
        """
        with self._lock:
            head = self._block("latest")
            is_rewound = self._is_rewound(head)
            is_anew = is_rewound or self._seen is _NOTHING
            first = self._genesis_block if is_anew else self._seen.number + 1
            events = self._events(max(first, self._genesis_block), head.number)
            self._seen = head
            return ChainNews(head, tuple(events), is_rewound)

    def block_hash(self, number: int) -> bytes | None:
        """Give the hash of a block, None if there is no such block."""
        block = self._client.block(number)
        return None if block is None else block.hash

    def place_of(self, number: int, block_hash: bytes) -> int:
        """Place a report's reference block in the order of all blocks.

        Args:
            number: Its number in the report.
            block_hash: Its hash in the report, 32 bytes.

        Returns:
            The number, below 0 where it is of a chain that the ledger was moved from.
        """
        return self._client.place_of(number, block_hash)

    def submit(self, report: Report, votes: Attestation) -> None:
        """Carry an attested report to its contract and wait for its block.

        Args:
            report: What the members signed.
            votes: Their signatures.

        Raises:
            ContractsError: The contract refuses, or the chain does not answer.
        """
        call = self._bindings[type(report)](report, votes)
        if isinstance(report, BatchReport):
            # An estimate runs inside the latest block, which may be the reference
            # block itself; its hash is known to the contract only one block later.
            call = replace(call, gas_limit=SUBMIT_GAS)
        self._sender.send(call)

    def settle_inclusion(self, digest: bytes, proof: ReadingProof) -> None:
        """Show the contract the batch that carries a forced reading.

        Args:
            digest: keccak256 of the message, 32 bytes.
            proof: Its place.

        Raises:
            ContractsError: The contract refuses, or the chain does not answer.
        """
        self._sender.send(self._anchor.settle_inclusion(digest, proof))

    def prove_equivocation(
        self,
        place: int,
        first: reading_anchor.SignedReport,
        second: reading_anchor.SignedReport,
    ) -> None:
        """Show the contract two reports that one member signed for one number.

        Args:
            place: Place of the member in the present configuration.
            first: One report with its signature.
            second: Another of the same stream and number.

        Raises:
            ContractsError: The contract sees no double signature, or has punished it
                already; or the chain does not answer.
        """
        self._sender.send(self._anchor.prove_equivocation(place, first, second))

    def attestation(self, tx_hash: bytes) -> Attestation:
        """Read the attestation back from a transaction that carried a report.

        Args:
            tx_hash: 32 bytes.

        Returns:
            Bit set and signatures as they were transmitted.

        Raises:
            ConflictError: The transaction carries no report of ours.
        """
        found = self._client.request("eth_getTransactionByHash", "0x" + tx_hash.hex())
        data = bytes.fromhex(found["input"][2:]) if found else b""
        functions = (
            reading_anchor.SUBMIT,
            emission_ledger.RECORD,
            carbon_codes.ISSUE,
        )
        for function in functions:
            if data[:4] == function.selector:
                return _attestation(function, data[4:])
        message = f"transaction 0x{tx_hash.hex()} carries no report of the members"
        raise ConflictError(message, tx_hash=tx_hash)

    def _block(self, which: str) -> BlockRef:
        block = self._client.block(which)
        if block is None:
            message = f"the chain at {self._client.url} has no block {which}: try again"
            raise UnavailableError(message)
        return BlockRef(block.number, block.hash, block.timestamp)

    def _is_rewound(self, head: BlockRef) -> bool:
        """True if the last block that was seen is no longer on the chain."""
        if self._seen.number < 0 or head == self._seen:
            return False
        return self.block_hash(self._seen.number) != self._seen.hash

    def _events(self, first: int, last: int) -> list[Any]:
        events = []
        for start in range(first, last + 1, PAGE_BLOCKS):
            end = min(start + PAGE_BLOCKS - 1, last)
            for log in self._client.logs(start, end, self._watched):
                event = decode(log)
                if event is not None:
                    events.append(event)
        return events


def _attestation(function: Function, arguments: bytes) -> Attestation:
    """Decode the second argument of a call that takes a report and an attestation."""
    types = function.signature[function.signature.index("(") :]
    _, (signers, signatures) = decode_abi(types, arguments)
    return Attestation(signers, signatures)
