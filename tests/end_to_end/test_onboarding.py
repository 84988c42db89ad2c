"""An enterprise and a fifth oracle member come in, act, and go, by signed steps.

Everything goes through one gate that loads its permissions as the organisations sign
them; the institutions' people sign files, and the command carries them out.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from click.testing import Result

from contracts.enumerations import AccountStatus, CarrierStatus, Kind, Rights
from contracts.errors import (
    AccessManagedUnauthorizedError,
    AccessManagerUnauthorizedCallError,
    AccountsRightMissingError,
    AccountsStatusMismatchError,
    RefusedRequestError,
)
from contracts.event_types import BatchAnchored as Anchored
from contracts.events import decode
from contracts.gas import gas_price_wei
from contracts.hashing import keccak256
from contracts.sender import Sender
from contracts.structs import Call, ChangeRepresentative, Signatures
from contracts.transactions import Transaction, sign_transaction
from contracts.typed_data import account_id, address_of, compact_signature, digest
from node.__main__ import app
from node.engine import EngineSettings
from node.errors import InvalidRequestError
from node.gate.ballots import PermissionFolder, add_vote
from node.gate.drafting import begin
from node.gate.open import open_gate
from node.gate.permissions import Organisation
from node.gate.settings import GateSettings
from node.relayer import transport_key
from oracle.config import MemberSettings
from oracle.errors import UnavailableMemberError
from oracle.member.envelope import Mailroom
from oracle.member.keys import MemberKey
from oracle.member.member import MemberNode
from oracle.member.transport import HttpPeers
from tests.servers.chain import FAUCET, fund, open_engine
from tests.simulators.commands import invoked
from tests.simulators.device import DeviceSimulator
from tests.simulators.oracle_park import (
    CHAIN_ID,
    MEMBERS,
    OraclePark,
    free_port,
    key_of,
    member_key,
    wait_until,
)
from tests.simulators.people import signed
from wallet.desk import read_file, write_file
from wallet.signers import KeySigner

FOUNDRY, SECOND = "Foundry", "Second Auditor"
FIFTH = MemberKey(key_of(f"{SECOND} oracle").secret)
TRANSPORT = key_of("Foundry transport")
DEPLOYER = key_of("deployer")
RETURNS_NOTHING = bytes.fromhex("600160005260206000f3")


def address(title: str) -> str:
    return address_of(key_of(title).public_key)


def raw(key_address: str) -> bytes:
    return bytes.fromhex(key_address[2:])


def permitted(
    name: str, *senders: str, deployers: tuple[str, ...] = ()
) -> Organisation:
    keys = sorted(address(f"{name} {part}").lower() for part in ("first", "second"))
    return Organisation(
        name,
        frozenset({"read", "send", "deploy"}),
        tuple(keys),
        frozenset(map(raw, senders)),
        frozenset(map(raw, deployers)),
        (),
    )


@dataclass
class Scene:
    """A park behind its gate, with four members that run."""

    park: OraclePark
    folder: Path
    permissions: PermissionFolder
    nodes: dict[int, MemberNode]
    fifth: MemberSettings
    device: DeviceSimulator

    def run(self, *words: object) -> Result:
        config = ["--config", str(self.folder / "node.toml")]
        return invoked(app, *words, *config)

    def sign_file(self, ceremony: str, institution: str) -> None:
        """Let both representatives of an institution sign its file."""
        title = {"Regulator": "regulator", "Identity Platform": "identity"}[institution]
        path = self.folder / "data" / "ceremonies" / ceremony / f"{title}.json"
        people = [
            KeySigner(key_of(f"{institution} {part}").secret)
            for part in ("first", "second")
        ]
        made = signed(read_file(path), account_id(institution), *people)
        write_file(path, made)

    def vote(self, *names: str) -> None:
        """Let both representatives of organisations sign the proposed permissions."""
        ballot = self.permissions.ballot(self.permissions.in_force())
        assert ballot is not None
        for name in names:
            for part in ("first", "second"):
                signer = KeySigner(key_of(f"{name} {part}").secret)
                add_vote(self.permissions.folder, ballot.proposed, signer)

    def appoint(self, name: str, sender: Sender) -> None:
        """Let an account appoint a third representative, carried by a sender."""
        account = account_id(name)
        instruction = ChangeRepresentative(
            account,
            address(f"{name} third {time.monotonic_ns()}"),
            Rights.APPROVE,
            self.park.ledger.accounts.account_of(account).nonce,
            self.park.now() + 3600,
        )
        made = digest(instruction, self.park.deployment.domain("Accounts"))
        pair = self.park.signatures(name, made)
        sender.send(self.park.ledger.accounts.change_representative(instruction, pair))

    def anchor_one(self, entry: int) -> Any:
        """Deliver a reading and wait until it is anchored; give the batch's event."""
        before = self.park.anchored()
        start = int(time.time()) - 3600
        message = self.device.next(ts=start + self.device.seq)
        answer = httpx.post(
            f"{self.nodes[entry].url}/readings/batch",
            content=message,
            headers={"content-type": "application/cbor-seq"},
            timeout=10,
            trust_env=False,
        )
        assert answer.status_code == 200
        wait_until(lambda: self.park.anchored() > before, 60)
        logs = self.park.client.logs(
            0,
            self.park.client.block_number(),
            [self.park.deployment.addresses["ReadingAnchor"]],
        )
        events = [event for log in logs if isinstance(event := decode(log), Anchored)]
        return events[-1]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("onboarding")
    (folder / "data").mkdir()
    relayer = address_of(transport_key(folder / "data" / "relayer.key").public_key)
    members = [member_key(index).address for index in range(4)]
    organisations = [
        permitted(MEMBERS[0], relayer, address_of(FAUCET.public_key), members[0]),
        permitted(MEMBERS[1], members[1]),
        permitted(MEMBERS[2], members[2]),
        permitted(MEMBERS[3], members[3], deployers=(address_of(DEPLOYER.public_key),)),
    ]
    first = begin(folder / "permissions", CHAIN_ID, organisations).digest
    text = f'chain_id = {CHAIN_ID}\nport = 0\npermissions = "permissions"\n'
    (folder / "gate.toml").write_text(f'{text}permissions_first = "0x{first.hex()}"\n')
    settings = GateSettings(
        CHAIN_ID,
        port=0,
        permissions=folder / "permissions",
        permissions_first=f"0x{first.hex()}",
    )
    with ExitStack() as stack:
        engine = stack.enter_context(
            open_engine(EngineSettings(folder / "chain", CHAIN_ID))
        )
        gate = stack.enter_context(open_gate(settings, engine.rpc_url))
        gated: Any = SimpleNamespace(rpc_url=gate.url)
        park = stack.enter_context(OraclePark(gated, folder, DEPLOYER))
        fund(park.client, relayer)
        (folder / "node.toml").write_text(
            f'data_dir = "data"\ndeployment = "deployment.json"\nport = 0\n'
            f'chain_id = {CHAIN_ID}\npublic_url = "http://node.example"\n'
            f'rpc_url = "{gate.url}"\ngate = "gate.toml"\n'
        )
        fifth_port = free_port()
        urls = {
            **{
                key: f"http://127.0.0.1:{port}"
                for key, port in zip(members, park.ports, strict=True)
            },
            FIFTH.address: f"http://127.0.0.1:{fifth_port}",
        }
        nodes = stack.enter_context(park.running(peers=urls))
        data = folder / "member-4"
        fifth = replace(
            park.settings(0), name=SECOND, data_dir=data, port=fifth_port, peers=urls
        )
        yield Scene(
            park,
            folder,
            PermissionFolder(folder / "permissions", first, CHAIN_ID),
            nodes,
            fifth,
            park.device("meter"),
        )


def plan(scene: Scene, name: str, *lines: str) -> Path:
    path = scene.folder / f"{name}.toml"
    text = [
        f'name = "{name}"',
        f'initiators = ["{address(f"{name} first")}"]',
        f'approvers = ["{address(f"{name} second")}"]',
        'rights = ["send", "read"]',
        *lines,
        "",
    ]
    path.write_text("\n".join(text))
    return path


class TestDeployment:
    """Contracts come by governance: at the gate, and on the chain whatever passes."""

    def creation(self, scene: Scene, key: Any, nonce: int) -> bytes:
        price = gas_price_wei(scene.park.client)
        made = Transaction(CHAIN_ID, nonce, price, 200_000, None, RETURNS_NOTHING)
        return sign_transaction(made, key)

    @pytest.mark.parametrize("who", ["stranger", "Park Operator oracle"])
    def test_a_foreign_one_is_refused_at_the_gate(self, scene: Scene, who: str):
        client, key = scene.park.client, key_of(who)
        nonce = client.transaction_count(address_of(key.public_key), "latest")
        with pytest.raises(RefusedRequestError, match="may not create contracts here"):
            client.send_raw(self.creation(scene, key, nonce))

    def test_an_unregistered_contract_has_no_effect_on_the_ledger(self, scene: Scene):
        park, ledger = scene.park, scene.park.ledger
        nonce = park.client.transaction_count(address_of(DEPLOYER.public_key), "latest")
        tx = park.client.send_raw(self.creation(scene, DEPLOYER, nonce))
        foreign = park.client.wait_receipt(tx, 60).contract_address
        assert foreign is not None
        name = b"Quota".ljust(32, b"\0")
        known = ledger.directory.get(name)
        assert not ledger.accounts.is_authoriser(foreign)
        code_digest = keccak256(park.client.code(foreign))
        call = ledger.directory.set(name, foreign, code_digest)
        for sender in (address_of(DEPLOYER.public_key), foreign):
            with pytest.raises(AccessManagedUnauthorizedError):
                park.client.call(str(call.to), call.data, sender=sender)
        with pytest.raises(AccessManagerUnauthorizedCallError):
            park.govern("Auditor", ledger.access_manager.execute(call))
        self.check_one_person_is_not_two(scene, call)
        assert ledger.directory.get(name) == known

    def check_one_person_is_not_two(self, scene: Scene, call: Any) -> None:
        """The regulator's mandate takes no instruction that one person signed."""
        park = scene.park
        mandate = park.ledger.mandate("Regulator")
        nonce = park.ledger.accounts.account_of(account_id("Regulator")).nonce
        alone = Call(str(call.to), call.data, nonce, park.now() + 3600)
        made = digest(alone, park.deployment.domain(mandate.address))
        once = compact_signature(key_of("Regulator first"), made)
        with pytest.raises(AccountsRightMissingError):
            park.sender.send(mandate.execute(alone, Signatures(once, once)))


class TestEnterprise:
    def test_comes_in_acts_and_goes(self, scene: Scene):
        self.check_it_cannot_act_before(scene)
        self.onboard(scene)
        self.check_it_acts(scene)
        self.remove(scene)
        self.check_it_cannot_act_any_more(scene)

    def sender(self, scene: Scene) -> Sender:
        return Sender(scene.park.client, TRANSPORT)

    def check_it_cannot_act_before(self, scene: Scene) -> None:
        call = scene.park.ledger.access_manager.multicall([])
        with pytest.raises(RefusedRequestError, match="may not send transactions here"):
            self.sender(scene).send(call)

    def onboard(self, scene: Scene) -> None:
        senders = f'senders = ["{address_of(TRANSPORT.public_key)}"]'
        path = plan(scene, FOUNDRY, 'kind = "enterprise"', senders)
        words = ("organisation", "onboard", path)
        begun = scene.run(*words)
        assert begun.exit_code == 2
        assert "Regulator (initiate and approve)" in begun.output
        assert "3 more of" in begun.output
        scene.sign_file(FOUNDRY, "Regulator")
        scene.vote("Auditor", "Regulator")
        half = scene.run(*words)  # the account is opened; the permissions wait
        assert half.exit_code == 2
        assert "1 more of Park Operator, Identity Platform" in half.output
        account = scene.park.ledger.accounts.account_of(account_id(FOUNDRY))
        assert account.kind is Kind.ENTERPRISE
        scene.vote("Identity Platform")
        for _ in range(2):  # and once more changes nothing
            assert scene.run(*words).exit_code == 0
        assert scene.permissions.in_force().version == 2

    def check_it_acts(self, scene: Scene) -> None:
        def acts() -> bool:
            try:
                scene.appoint(FOUNDRY, self.sender(scene))
            except RefusedRequestError:
                return False
            return True

        wait_until(acts, 20, 0.3)
        scene.park.device("foundry-meter", FOUNDRY)

    def remove(self, scene: Scene) -> None:
        reason = scene.folder / "decision.txt"
        reason.write_text("left the park")
        assert scene.run("index").exit_code == 0
        words = ("organisation", "remove", FOUNDRY, "--reason", reason)
        begun = scene.run(*words)
        assert begun.exit_code == 2
        assert "--cutoff IDENTIFIER=SEQ for" in begun.output
        identifier = f"{DeviceSimulator('foundry-meter').identifier}"
        words = (*words, "--cutoff", f"{identifier}=0")
        scene.run(*words)
        scene.sign_file(f"{FOUNDRY}-removal", "Regulator")
        scene.sign_file(f"{FOUNDRY}-removal", "Identity Platform")
        scene.vote("Auditor", "Regulator", "Park Operator")
        assert scene.run(*words).exit_code == 0
        carrier = scene.park.ledger.carriers.carrier(keccak256(identifier.encode()))
        assert (carrier.status, carrier.cutoff_seq) == (CarrierStatus.REVOKED, 0)

    def check_it_cannot_act_any_more(self, scene: Scene) -> None:
        account = scene.park.ledger.accounts.account_of(account_id(FOUNDRY))
        assert account.status is AccountStatus.CLOSED
        with pytest.raises(AccountsStatusMismatchError):
            scene.appoint(FOUNDRY, scene.park.sender)

        def is_refused() -> bool:
            call = scene.park.ledger.access_manager.multicall([])
            try:
                self.sender(scene).send(call)
            except RefusedRequestError as exc:
                return "may not send transactions here" in str(exc)
            return False

        wait_until(is_refused, 20, 0.3)


class TestFifthMember:
    def test_comes_in_signs_and_goes(self, scene: Scene):
        self.onboard(scene)
        fifth = MemberNode(scene.fifth, key=FIFTH)
        try:
            fifth.start()
            self.check_it_signs(scene, fifth)
            self.remove(scene)
            self.check_nobody_listens_to_it(scene)
        finally:
            fifth.stop()

    def onboard(self, scene: Scene) -> None:
        key = f'member_key = "{FIFTH.address}"'
        senders = f'senders = ["{FIFTH.address}"]'
        path = plan(scene, SECOND, 'kind = "verifier"', key, senders)
        words = ("organisation", "onboard", path)
        assert scene.run(*words).exit_code == 2
        scene.sign_file("Second-Auditor", "Regulator")
        scene.vote("Auditor", "Regulator", "Park Operator")
        done = scene.run(*words)
        assert done.exit_code == 0
        assert "every member adds" in done.output
        configuration = scene.park.ledger.anchor.configuration()
        assert [one.key for one in configuration.members][4] == FIFTH.address
        assert configuration.threshold == 4

    def check_it_signs(self, scene: Scene, fifth: MemberNode) -> None:
        """With one of the old four down, four signatures need the fifth.

        A member without memory is silent for the batch that is due when it starts.
        """
        wait_until(lambda: fifth.status()["votes_from"] > 0, 60)
        while scene.park.anchored() < fifth.status()["votes_from"]:
            scene.anchor_one(0)
        scene.nodes[2].stop()
        event = scene.anchor_one(0)
        assert event.signers == 0b11011

    def remove(self, scene: Scene) -> None:
        reason = scene.folder / "decision.txt"
        reason.write_text("mandate ended")
        words = ("organisation", "remove", SECOND, "--reason", reason)
        assert scene.run(*words).exit_code == 2
        scene.sign_file("Second-Auditor-removal", "Regulator")
        # it has a vote itself now: four of five must agree
        scene.vote("Auditor", "Regulator", "Park Operator", "Identity Platform")
        assert scene.run(*words).exit_code == 0
        members = scene.park.ledger.anchor.configuration().members
        assert FIFTH.address not in [one.key for one in members]

    def check_nobody_listens_to_it(self, scene: Scene) -> None:
        event = scene.anchor_one(1)  # three of the old four go on
        assert event.signers == 0b1011
        domain = scene.park.deployment.domain("ReadingAnchor")
        room = Mailroom(FIFTH.private, domain, time.time)
        peers = HttpPeers(room, scene.fifth.peers, 5)
        try:
            with pytest.raises(UnavailableMemberError, match="HTTP status 403"):
                peers.ask(member_key(0).address, "bodies", b"")
        finally:
            peers.close()


def test_an_institution_with_a_role_is_not_simply_removed(scene: Scene):
    reason = scene.folder / "decision.txt"
    reason.write_text("no reason")
    with pytest.raises(InvalidRequestError, match="holds the role of regulator"):
        scene.run("organisation", "remove", "Regulator", "--reason", reason)
    with pytest.raises(InvalidRequestError, match="no account of 'Nobody'"):
        scene.run("organisation", "remove", "Nobody", "--reason", reason)


def test_what_the_contracts_would_refuse_is_put_before_nobody(scene: Scene):
    same = address(f"{FOUNDRY} first")
    path = plan(scene, "Third", 'kind = "enterprise"', f'member_key = "{same}"')
    text = path.read_text().replace(address("Third second"), address("Third first"))
    path.write_text(text)
    with pytest.raises(InvalidRequestError, match="would refuse this step"):
        scene.run("organisation", "onboard", path)
    assert not (scene.folder / "data" / "ceremonies" / "Third").exists()


def test_a_members_new_key_takes_the_place_of_the_lost_one(scene: Scene):
    """The last here: the member that has the old key is none any more."""
    anchor, new = scene.park.ledger.anchor, address("Auditor oracle, made anew")
    before = anchor.configuration()
    path = plan(scene, "Auditor", 'kind = "verifier"', f'member_key = "{new}"')
    words = ("organisation", "onboard", path)
    asked = scene.run(*words)
    assert f"make {new} the oracle's member of Auditor" in asked.output
    scene.sign_file("Auditor", "Regulator")
    assert f"done  make {new}" in scene.run(*words).output
    after = anchor.configuration()
    expected = [one.key for one in before.members]
    expected[2] = new
    assert [one.key for one in after.members] == expected
    assert (after.threshold, len(after.members)) == (3, 4)
