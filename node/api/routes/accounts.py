"""Accounts, login, and instructions that wait for signatures."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, status

from node.api.access import Anyone, Known, Paging, PartsOf, Transaction, parse_hash
from node.api.models import (
    AccountDetailModel,
    AccountModel,
    AnswerRequest,
    AuthorisedModel,
    CallerModel,
    ChallengeModel,
    ChallengeRequest,
    PageModel,
    TokenModel,
    WaitingModel,
)
from node.services import accounts
from node.services.pending import Waiting
from wallet.fields import parse_account, parse_address, parse_bytes
from wallet.instruction_file import to_json

router = APIRouter(tags=["accounts"])


@router.post("/login/challenge", response_model=ChallengeModel)
def post_challenge(parts: PartsOf, request: ChallengeRequest) -> Any:
    """Give a text to sign (EIP-4361); it holds for 60 seconds and once."""
    return parts.login.challenge(parse_address(request.address, "address"))


@router.post("/login/answer", response_model=TokenModel)
def post_answer(parts: PartsOf, request: AnswerRequest) -> Any:
    """Exchange the signed text for a bearer token."""
    signature = parse_bytes(request.signature, "signature")
    return parts.login.answer(request.message, signature)


@router.get("/caller", response_model=CallerModel)
def get_caller(caller: Anyone) -> Any:
    """Say who the node thinks you are and what you represent."""
    return caller


@router.get("/accounts", response_model=list[AccountModel])
def get_accounts(connection: Transaction, caller: Known) -> Any:
    """List every account: the register of who takes part."""
    del caller
    return accounts.list_accounts(connection, None)


@router.get("/accounts/{account}", response_model=AccountDetailModel)
def get_account(
    connection: Transaction, parts: PartsOf, caller: Known, account: str
) -> Any:
    """Describe an account, by id or registered name; its number is the chain's.

    Representatives are shown to those who may see the account's details.
    """
    found = accounts.one_account(connection, parse_account(account))
    nonce = parts.ledger.accounts.account_of(found["account"]).nonce
    if not caller.may_see(found["account"]):
        found["representatives"] = None
    return {**found, "nonce": nonce}


@router.get(
    "/accounts/{account}/instructions", response_model=PageModel[AuthorisedModel]
)
def get_authorised(
    connection: Transaction, caller: Known, account: str, page: Paging
) -> Any:
    """List the instructions that the chain accepted for an account."""
    where = parse_account(account)
    caller.require_sight_of(where)
    return accounts.authorised(connection, where, page.cursor, page.limit)


@router.get("/instructions", response_model=list[WaitingModel])
def get_instructions(parts: PartsOf, caller: Known) -> Any:
    """List what waits for signatures of your accounts."""
    return [_shown(one) for one in parts.desk.inbox(caller)]


@router.post(
    "/instructions", response_model=WaitingModel, status_code=status.HTTP_201_CREATED
)
def post_instruction(
    parts: PartsOf, caller: Known, document: Annotated[dict[str, Any], Body()]
) -> Any:
    """Bring an instruction's file, or the same with more signatures (approval)."""
    return _shown(parts.desk.bring(caller, document))


@router.get("/instructions/{digest}", response_model=WaitingModel)
def get_instruction(parts: PartsOf, caller: Known, digest: str) -> Any:
    """Follow an instruction."""
    return _shown(parts.desk.find(caller, parse_hash(digest, "digest")))


@router.post("/instructions/{digest}/submit", response_model=WaitingModel)
def post_submit(parts: PartsOf, caller: Known, digest: str) -> Any:
    """Carry a fully signed instruction to the chain."""
    return _shown(parts.desk.submit(caller, parse_hash(digest, "digest")))


def _shown(waiting: Waiting) -> dict[str, Any]:
    instruction = waiting.instruction
    return {
        "digest": instruction.digest,
        "status": waiting.status,
        "created_by": waiting.created_by,
        "tx_hash": waiting.tx_hash,
        "reason": waiting.reason,
        "missing": [
            {"account": account, "role": role} for account, role in instruction.missing
        ],
        "instruction": to_json(instruction),
    }
