"""One member, put together and running.

    carriers ─► inbox ─► gossip ─► peers          HTTP server thread, handlers
    chain ─► follower ─► rounds ─► transactions   cycle thread

Everything concrete is chosen here. A member is started and stopped as a whole; several
can run in one process, each with its own key, database and port. Nothing is decided
here that the parts do not decide themselves.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Self

import cbor2
from starlette.types import ASGIApp

from accounting.statement import Methods
from contracts.directory import Deployment
from contracts.editions import follow
from contracts.enumerations import Purpose
from contracts.errors import ContractsError
from contracts.history import open_client
from contracts.sender import Sender
from contracts.structs import ReadingProof
from contracts.typed_data import stream_id
from oracle.config import MemberSettings
from oracle.errors import (
    InvalidEnvelopeError,
    InvalidProposalError,
    OracleError,
    UnavailableQuorumError,
)
from oracle.evidence.evidence import StatementEvidence
from oracle.evidence.package import build_package
from oracle.inbox.reader import StoredReading
from oracle.member.chain import EvmChain
from oracle.member.codes import Codes
from oracle.member.desk import Desk, RoundRules
from oracle.member.envelope import Mailroom
from oracle.member.evidence import statement_evidence
from oracle.member.figures import MemberParts, status_of, watched_inbox
from oracle.member.follow import BODIES_PER_REQUEST, Follower
from oracle.member.forced import ForcedReadings
from oracle.member.gossip import Gossip
from oracle.member.intake import MemberIntake
from oracle.member.keys import MemberKey, load_key
from oracle.member.reading_proof import reading_proof
from oracle.member.refs import join_refs, split_refs
from oracle.member.rounds import Rounds
from oracle.member.server import HttpServer
from oracle.member.setup import (
    chain_identity,
    database_of,
    load_deployment,
    load_transport_key,
    open_inbox,
    open_memory,
)
from oracle.member.signatures import SignatureStore
from oracle.member.statements import Statements
from oracle.member.store import AnchoredBatch, MemberStore
from oracle.member.transport import (
    Handler,
    HttpPeers,
    create_app,
    only_certified,
)
from oracle.member.view import Period
from oracle.member.votes import Voter
from oracle.member.wire import read_array
from oracle.member.witness import Witness

logger = logging.getLogger(__name__)

POLL_S = 0.1
"""Pause between two looks at the chain. [s]"""
STOP_TIMEOUT_S = 10.0


class MemberNode:
    """A member of the oracle.

    Args:
        settings: How it runs.
        clock: Ledger time [unix s]; None takes what the settings say.
        key: The member's key; None opens the key file of the settings.

    Raises:
        InvalidKeyError: The key file does not open.
        InvalidSettingsError: A file that the settings name cannot be used.
        ContractsError: The chain does not answer, or is another one.
        UnavailableInboxError: The database cannot be opened.
    """

    def __init__(
        self,
        settings: MemberSettings,
        clock: Callable[[], int] | None = None,
        key: MemberKey | None = None,
    ) -> None:
        self.settings = settings
        self.key = key or load_key(settings.key_file, settings.passphrase_file)
        deployment = load_deployment(settings)
        self.client = open_client(settings.rpc_url, settings.history_file)
        self.client.require_chain(deployment.chain_id)
        deployment = follow(self.client, deployment)
        self._clock = clock or self._ledger_time
        self._identity = chain_identity(deployment)
        self.inbox = open_inbox(settings, self._identity, self.key, self._clock)
        self._intake = MemberIntake(self.inbox, database_of(settings))
        self._open_desk(deployment)
        self._build_parts()
        self._stop = threading.Event()
        self._cycle = threading.Thread(target=self._run, name="rounds", daemon=True)
        self._cycles, self._slowest_s, self._last_error = 0, 0.0, ""

    def _open_desk(self, deployment: Deployment) -> None:
        """Choose what the parts see of chain, peers, database and clock."""
        settings = self.settings
        sender = Sender(self.client, load_transport_key(settings, self.key).private)
        chain = EvmChain(self.client, sender, deployment)
        self._mailroom = Mailroom(self.key.private, chain.domain, time.time)
        peers = {a: u for a, u in settings.peers.items() if a != self.key.address}
        self._peers = HttpPeers(self._mailroom, peers, settings.timeout_s, settings.tls)
        self._desk = Desk(
            key=self.key,
            stream_id=stream_id(settings.stream),
            chain=chain,
            inbox=self._intake,
            store=MemberStore(self.inbox.engine, database_of(settings)),
            memory=open_memory(settings, self.inbox.engine),
            peers=self._peers,
            clock=self._clock,
            rules=RoundRules(
                settings.window_s,
                settings.timeout_s,
                settings.heartbeat_s,
                settings.max_batch,
            ),
        )

    def _build_parts(self) -> None:
        desk = self._desk
        self.follower = Follower(desk)
        self.voter = Voter(desk, self.follower)
        seen = SignatureStore(self.inbox.engine, database_of(self.settings))
        self.witness = Witness(desk, self.follower, seen)
        self.rounds = Rounds(desk, self.follower, self.voter, self.witness)
        self.statements = Statements(desk, self.follower, Methods.shipped())
        self.codes = Codes(desk, self.follower, self.statements)
        self.forced = ForcedReadings(desk, self.follower, self.inbox.stored)
        start_after = self._intake.first_pending_row()
        addresses = self._peers.addresses
        self.gossip = Gossip(self._intake, self._peers, addresses, start_after)
        self._parts = MemberParts(
            desk, self.inbox, self.follower, self.voter, self.gossip, self.settings
        )
        inbox_app, self._durations = watched_inbox(self._parts)
        app = create_app(
            self._mailroom,
            self._handlers(),
            self._member_addresses,
            self.status,
            inbox_app,
        )
        self._server = self._serving(app)

    # ------------------------------------------------------------------------- life

    def start(self) -> None:
        """Follow the chain, open the port, start rounds and gossip.

        Raises:
            ContractsError: The chain does not answer.
            InvalidSettingsError: The port cannot be used.
        """
        self.follower.follow()
        self._server.start()
        self.gossip.start()
        self._cycle.start()
        logger.info("started member=%s url=%s", self.settings.name, self.url)

    def stop(self) -> None:
        """Finish the present step, then stop everything."""
        self._stop.set()
        self.gossip.stop()
        self._server.stop()
        if self._cycle.ident is not None:
            self._cycle.join(STOP_TIMEOUT_S)
        self._peers.close()
        self.inbox.close()
        self.client.close()

    def hasten(self) -> None:
        """Wait no longer for what is being answered, at the end."""
        self._server.hasten()

    def __enter__(self) -> Self:
        """Start the member."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the member."""
        self.stop()

    @property
    def url(self) -> str:
        """Address of the member's HTTP server, once it listens."""
        return self._server.url

    def step(self) -> None:
        """Run one step of the rounds; what goes wrong is kept for the status."""
        started, seq = time.monotonic(), self.follower.position.seq
        try:
            self.rounds.step(started)
            self.forced.step()
            self._last_error = ""
        except (OracleError, ContractsError) as exc:
            self._note(exc, is_expected=isinstance(exc, UnavailableQuorumError))
        except Exception as exc:
            logger.exception("a step of member=%s failed", self.settings.name)
            self._last_error = f"unexpected: {exc!r}"
        self._cycles += 1
        ended = time.monotonic()
        self._slowest_s = max(self._slowest_s, ended - started)
        self._durations.steps.observe(ended - started)
        if self.follower.position.seq > seq and self.rounds.opened_at > 0:
            self._durations.rounds.observe(ended - self.rounds.opened_at)

    def _serving(self, app: ASGIApp) -> HttpServer:
        """Serve over TLS where the settings name files, to certified peers alone."""
        settings, tls = self.settings, self.settings.tls
        guarded = app if tls is None else only_certified(app, self._handlers())
        return HttpServer(guarded, settings.host, settings.port, tls)

    # ------------------------------------------------------------- what others call

    def propose_statement(self, period: Period, purpose: Purpose) -> bytes:
        """Compute a statement, have a quorum sign it, and record it.

        Args:
            period: Boundary and time.
            purpose: For what it is calculated.

        Returns:
            Id of the statement, 32 bytes.

        Raises:
            OracleError: It cannot be computed, or too few members agree.
            ContractsError: The contract refuses, or the chain does not answer.
        """
        return self.statements.propose(period, purpose)

    def propose_code(self, statement: bytes) -> int:
        """Grade a confirmed statement, have a quorum sign it, and issue the code.

        Args:
            statement: Id of the statement, 32 bytes.

        Returns:
            Token of the certificate.

        Raises:
            OracleError: No grade can be given, or too few members agree.
            ContractsError: The contract refuses, or the chain does not answer.
        """
        return self.codes.propose(statement)

    def statement_evidence(self, statement: bytes) -> StatementEvidence:
        """Gather what a proof package of a statement is built from.

        Args:
            statement: Id of the statement, 32 bytes.

        Returns:
            The evidence, for `oracle.evidence.package.build_package`.

        Raises:
            OracleError: The statement is unknown, or this member finds another result.
            ContractsError: The chain does not answer.
        """
        self.follower.follow()
        return statement_evidence(
            statement, self._identity, self._desk, self.follower, self.statements
        )

    def batch(self, seq: int) -> AnchoredBatch | None:
        """Give an adopted batch by its number; None before it is adopted."""
        return self._desk.store.batch(seq)

    def reading_proof(self, reading: StoredReading) -> ReadingProof:
        """Prove a reading against the stream's present head.

        Args:
            reading: A reading of this member's inbox that is in an adopted batch.

        Returns:
            The proof, for `ReadingAnchor.verifyReading`.

        Raises:
            InvalidProposalError: The reading is in no batch yet.
        """
        return reading_proof(reading, self._desk)

    def status(self) -> dict[str, Any]:
        """Tell what an operator may know: progress, trouble, figures."""
        return status_of(self._parts, self._identity.chain_id) | {
            "last_error": self._last_error,
            "cycles": self._cycles,
            "slowest_cycle_s": round(self._slowest_s, 3),
        }

    # ----------------------------------------------------------------------- inside

    def _run(self) -> None:
        while not self._stop.wait(POLL_S):
            self.step()

    def _note(self, exc: Exception, is_expected: bool) -> None:
        level = logging.INFO if is_expected else logging.WARNING
        if str(exc) != self._last_error:
            logger.log(level, "member=%s: %s", self.settings.name, exc)
        self._last_error = str(exc)

    def _handlers(self) -> dict[str, Handler]:
        return {
            "gossip": self.gossip.receive,
            "bodies": self._give_bodies,
            "batch": self._give_batch,
            "proposal": self.voter.answer_offer,
            "lock": self.voter.answer_lock,
            "sign": self.voter.answer_sign,
            "ballot": self.voter.answer_ballot,
            "round": self.rounds.hear_round,
            "signed": self.witness.hear,
            "statement-proposal": self.statements.answer,
            "code-proposal": self.codes.answer,
            "statement-request": self._take_statement_request,
            "code-request": self._take_code_request,
            "package-request": self._take_package_request,
        }

    def _give_bodies(self, _sender: str, body: bytes) -> bytes:
        """Answer with the messages that are here, as a CBOR array."""
        refs = split_refs(body)[:BODIES_PER_REQUEST]
        return cbor2.dumps(list(self._intake.bodies(refs).values()))

    def _give_batch(self, _sender: str, body: bytes) -> bytes:
        """Answer with the names of the readings of an adopted batch."""
        (seq,) = read_array(body, int)
        batch = self._desk.store.batch(seq)
        return join_refs(batch.refs) if batch else b""

    def _take_statement_request(self, sender: str, body: bytes) -> bytes:
        """Propose a statement for this member's own operator."""
        self._require_own(sender)
        boundary, start, end, purpose = read_array(body, bytes, int, int, int)
        if purpose not in set(Purpose):
            expected = f"one of {', '.join(str(int(one)) for one in Purpose)}"
            raise InvalidProposalError("purpose", expected, str(purpose))
        return self.propose_statement(Period(boundary, start, end), Purpose(purpose))

    def _take_code_request(self, sender: str, body: bytes) -> bytes:
        """Propose a certificate for this member's own operator."""
        self._require_own(sender)
        return self.propose_code(body).to_bytes(32, "big")

    def _take_package_request(self, sender: str, body: bytes) -> bytes:
        """Build a statement's proof package for this member's own operator."""
        self._require_own(sender)
        return build_package(self.statement_evidence(body))

    def _require_own(self, sender: str) -> None:
        if sender != self.key.address:
            raise InvalidEnvelopeError(f"a request of {self.key.address}", sender)

    def _member_addresses(self) -> list[str]:
        return [member.key for member in self.follower.view.configuration.members]

    def _ledger_time(self) -> int:
        if self.settings.clock == "chain":
            return self.follower.head.timestamp
        return int(time.time())
