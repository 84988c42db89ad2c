"""What every table shares: base class, column types, the stamp of a fact.

The ledger's tables hold *facts*: one row a log entry (or a part of one), stamped with
block and log index, never changed. Present state is a query over facts
(``queries``), so dropping the rows above a block is all that a rewind needs::

    block 7 ── block 8 ── block 9        facts of 8 and 9 are deleted,
                 └─ block 8'             facts of 8' are inserted: same tables
                                         as an index made afresh
"""

from typing import Any, cast

from sqlalchemy import BigInteger, LargeBinary, String, Table, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

__all__ = ["MAX_INT64", "Base", "DecimalText", "Fact", "PartOfFact", "table_of"]

MAX_INT64 = 2**63 - 1
"""Greatest whole number a column holds."""


class DecimalText(TypeDecorator[int]):
    """A whole number of any size, kept as decimal text: uint256 fits no integer."""

    impl = String(79)
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> str | None:
        """Write the number."""
        del dialect
        return None if value is None else str(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:
        """Read the number."""
        del dialect
        return None if value is None else int(value)


class Base(DeclarativeBase):
    """Base of every table."""

    type_annotation_map = {int: BigInteger, bytes: LargeBinary, str: Text}  # noqa: RUF012  # the declared interface of SQLAlchemy


def table_of(model: type[Base]) -> Table:
    """Give the table of a model."""
    return cast("Table", model.__table__)


class Fact:
    """Where in the chain a row comes from; the key of most ledger tables."""

    block_number: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, sort_order=-3
    )
    """Block of the log entry."""
    log_index: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, sort_order=-2
    )
    """Place of the log entry in its block."""


class PartOfFact(Fact):
    """A row of several that one log entry makes."""

    part: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, sort_order=-1
    )
    """Place among them."""
