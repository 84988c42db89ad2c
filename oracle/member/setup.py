"""What a member is built from: files, keys, inbox."""

from collections.abc import Callable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Engine

from contracts.directory import Deployment
from contracts.typed_data import stream_id
from oracle.config import MemberSettings
from oracle.database.address import Address, shown
from oracle.errors import ConflictDatabaseError, InvalidSettingsError
from oracle.evidence.evidence import ChainIdentity
from oracle.inbox.inbox import Inbox, InboxSettings
from oracle.inbox.store import REMEDY
from oracle.member.keys import MemberKey, load_key
from oracle.member.memory import Memory
from oracle.member.soundness import check_votes
from oracle.reading.checks import Domain
from oracle.reading.registry import CarrierRegistry
from oracle.reading.suites import SoftwareSigner

DATABASE = "member.db"
"""File of inbox and memory in the member's folder."""


def database_of(settings: MemberSettings) -> Address:
    """Give the address of the member's database: its URL, or the file in its folder."""
    return settings.database_url or settings.data_dir / DATABASE


def open_inbox(
    settings: MemberSettings,
    chain: ChainIdentity,
    key: MemberKey,
    clock: Callable[[], int],
) -> Inbox:
    """Open the member's inbox; it knows no carriers until the chain is followed.

    Args:
        settings: The member's settings.
        chain: Chain and contracts.
        key: The member's key, from which the key of receipts follows.
        clock: Ledger time. [unix s]

    Returns:
        The running inbox.

    Raises:
        UnavailableInboxError: The database cannot be opened.
        ConflictDatabaseError: It is damaged, or another process uses it.
        InvalidSettingsError: The folder cannot be made.
    """
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        message = f"data_dir {settings.data_dir} cannot be made: {exc.strerror}"
        raise InvalidSettingsError(message) from exc
    inbox = InboxSettings(
        database=database_of(settings),
        domain=Domain(chain.chain_id, chain.carriers),
        workers=settings.workers,
    )
    opened = Inbox(inbox, CarrierRegistry(), receipt_signer(key), clock)
    if faults := check_votes(opened.engine, inbox.database):
        opened.close()
        message = f"{shown(inbox.database)} is damaged ({faults[0]}); {REMEDY}"
        raise ConflictDatabaseError(message)
    return opened


def open_memory(settings: MemberSettings, engine: Engine) -> Memory:
    """Open what says from which number on the member may vote.

    Args:
        settings: The member's settings.
        engine: Engine of its database.

    Returns:
        The memory.
    """
    return Memory(engine, database_of(settings), stream_id(settings.stream))


def receipt_signer(key: MemberKey) -> SoftwareSigner:
    """Derive the Ed25519 key that signs receipts from the member's key.

    Args:
        key: The member's key.

    Returns:
        The signer; the same for the same key.
    """
    info = b"ccl/receipt-key/v1"
    derive = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=info)
    secret = derive.derive(key.private.secret)
    return SoftwareSigner(Ed25519PrivateKey.from_private_bytes(secret))


def load_deployment(settings: MemberSettings) -> Deployment:
    """Read the deployment file that the settings name.

    Args:
        settings: The member's settings.

    Returns:
        Chain id and addresses.

    Raises:
        InvalidSettingsError: The file cannot be read.
        ContractsError: It is no deployment file.
    """
    try:
        text = settings.deployment_file.read_text(encoding="utf-8")
    except OSError as exc:
        message = f"deployment file {settings.deployment_file}: {exc.strerror}"
        raise InvalidSettingsError(message) from exc
    return Deployment.from_json(text)


def load_transport_key(settings: MemberSettings, key: MemberKey) -> MemberKey:
    """Open the key that carries transactions.

    Args:
        settings: The member's settings.
        key: The member's key, which serves where no other is named.

    Returns:
        The key.

    Raises:
        InvalidKeyError: The key file does not open.
    """
    if settings.transport_key_file is None:
        return key
    return load_key(settings.transport_key_file, settings.passphrase_file)


def chain_identity(deployment: Deployment) -> ChainIdentity:
    """Name chain and contracts that signatures are bound to.

    Args:
        deployment: Where the contracts are.

    Returns:
        Their identity, as proof packages carry it.
    """
    where = deployment.addresses
    return ChainIdentity(
        deployment.chain_id,
        where["ReadingAnchor"],
        where["EmissionLedger"],
        where["Carriers"],
    )
