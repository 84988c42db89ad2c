"""Challenge and token: what holds how long, and what a wallet does not sign."""

from collections.abc import Iterator
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from fastapi import FastAPI

from contracts.typed_data import account_id
from node.api.server import ApiServer
from node.errors import InvalidLoginError
from node.services.login import CHALLENGE_LIFE_S, Login
from node.store.database import open_database
from wallet.client import NodeClient
from wallet.errors import ConflictSignatureError, UnavailableNodeError
from wallet.signers import KeySigner

SIGN_IN = "x wants you to sign in with your Ethereum account:\n"
SIGNER = KeySigner(bytes(31) + b"\x09")


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.time = 1_700_000_000

    def now(self) -> int:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def login(database_url: str, clock: Clock) -> Iterator[Login]:
    database = open_database(database_url)
    yield Login(database, "https://node.example/api", 20260, 900, clock.now)
    database.close()


class TestChallenge:
    def test_is_over_after_sixty_seconds(self, login: Login, clock: Clock):
        challenge = login.challenge(SIGNER.address)
        clock.time += CHALLENGE_LIFE_S + 1
        with pytest.raises(InvalidLoginError, match="held for 60 s"):
            login.answer(challenge.message, SIGNER.sign_text(challenge.message))

    def test_holds_in_its_last_second(self, login: Login, clock: Clock):
        challenge = login.challenge(SIGNER.address)
        clock.time += CHALLENGE_LIFE_S
        answer = login.answer(challenge.message, SIGNER.sign_text(challenge.message))
        assert answer.address == SIGNER.address

    def test_takes_signatures_of_other_wallets(self, login: Login):
        challenge = login.challenge(SIGNER.address)
        signed = Account.sign_message(
            encode_defunct(text=challenge.message), (9).to_bytes(32)
        )
        answer = login.answer(challenge.message, bytes(signed.signature))
        assert answer.address == SIGNER.address

    def test_is_spent_by_a_wrong_answer(self, login: Login):
        challenge = login.challenge(SIGNER.address)
        with pytest.raises(InvalidLoginError, match="cannot be read"):
            login.answer(challenge.message, bytes(64))
        with pytest.raises(InvalidLoginError, match="was used"):
            login.answer(challenge.message, SIGNER.sign_text(challenge.message))

    def test_has_another_nonce_every_time(self, login: Login):
        made = {login.challenge(SIGNER.address).message for _ in range(20)}
        assert len(made) == 20


class TestToken:
    def test_ends_with_its_life(self, login: Login, clock: Clock):
        challenge = login.challenge(SIGNER.address)
        token = login.answer(challenge.message, SIGNER.sign_text(challenge.message))
        assert login.caller(token.token).address == SIGNER.address
        clock.time += 901
        with pytest.raises(InvalidLoginError, match="log in again"):
            login.caller(token.token)

    def test_of_a_key_without_account_sees_nothing(self, login: Login):
        challenge = login.challenge(SIGNER.address)
        token = login.answer(challenge.message, SIGNER.sign_text(challenge.message))
        caller = login.caller(token.token)
        assert (caller.scope, caller.sees_all) == (frozenset(), False)


def _false_node(message: str) -> FastAPI:
    app = FastAPI()

    @app.get("/status")
    def status() -> dict[str, Any]:
        return {"chain_id": 20260, "contracts": {}, "mandates": {}}

    @app.post("/login/challenge")
    def challenge() -> dict[str, str]:
        return {"message": message}

    return app


class TestNames:
    def test_that_are_false_are_left_out(self):
        app = FastAPI()
        steel, glass = account_id("steel"), account_id("glass")

        @app.get("/status")
        def status() -> dict[str, Any]:
            return {"chain_id": 20260, "contracts": {}, "mandates": {}}

        @app.get("/accounts")
        def accounts() -> list[dict[str, str]]:
            true = {"account": steel, "name": "steel"}
            return [true, {"account": glass, "name": "steel"}]

        server = ApiServer(app, "127.0.0.1", 0)
        server.start()
        try:
            client = NodeClient(f"http://127.0.0.1:{server.port}", SIGNER)
            assert client.names() == {steel: "steel"}
            client.__exit__()
        finally:
            server.stop()


class TestWallet:
    @pytest.mark.parametrize(
        "message",
        [
            "I owe you 100 t",
            f"{SIGN_IN}0x00\n\nVersion: 1\nChain ID: 20260",
            f"{SIGN_IN}{SIGNER.address}\n\nVersion: 1\nChain ID: 1",
        ],
    )
    def test_signs_nothing_but_its_own_login(self, message: str):
        server = ApiServer(_false_node(message), "127.0.0.1", 0)
        server.start()
        try:
            client = NodeClient(f"http://127.0.0.1:{server.port}", SIGNER)
            with pytest.raises(ConflictSignatureError, match="nothing was signed"):
                client.__enter__()
            client.__exit__()
        finally:
            server.stop()

    def test_says_when_something_else_answers(self):
        server = ApiServer(FastAPI(docs_url=None), "127.0.0.1", 0)
        server.start()
        try:
            with (
                pytest.raises(UnavailableNodeError, match="is no node of the ledger"),
                NodeClient(f"http://127.0.0.1:{server.port}") as client,
            ):
                client.get("/redoc")
        finally:
            server.stop()
