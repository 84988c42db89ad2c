"""Representatives at a node's API: logged in, with instructions that they signed."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from wallet.instructions import ROLES, Instruction
from wallet.signers import KeySigner, sign_instruction


def signed(instruction: Instruction, account: str, *signers: KeySigner) -> Instruction:
    """Let a first person initiate and, if there is one, a second approve."""
    for role, signer in zip(ROLES, signers, strict=False):
        instruction = sign_instruction(instruction, account, role, signer)
    return instruction


@contextmanager
def logged_in(url: str, signer: KeySigner) -> Iterator[httpx.Client]:
    """Log in at a node; the client carries the token."""
    with httpx.Client(base_url=url, timeout=20, trust_env=False) as http:
        log_in(http, signer)
        yield http


def log_in(http: httpx.Client, signer: KeySigner) -> None:
    """Get a token by a signed challenge and send it from now on."""
    http.headers.pop("Authorization", None)
    asked = http.post("/login/challenge", json={"address": signer.address})
    message = asked.raise_for_status().json()["message"]
    answer = {"message": message, "signature": f"0x{signer.sign_text(message).hex()}"}
    token = http.post("/login/answer", json=answer).raise_for_status().json()["token"]
    http.headers["Authorization"] = f"Bearer {token}"
