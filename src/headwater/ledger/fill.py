"""A fill in decimals: what the ledger books."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from headwater.domain.identity import InstrumentId, UnixNanos
from headwater.domain.order import FillKind, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One execution.

    Attributes
    ----------
    ts : UTC ns, when it was matched
    price, size : > 0, in quote currency and units of size
    fee : in `fee_currency`; > 0 paid, < 0 rebate
    """

    instrument: InstrumentId
    ts: UnixNanos
    side: Side
    price: Decimal
    size: Decimal
    fee: Decimal = Decimal(0)
    fee_currency: str = ""
    is_maker: bool = False
    kind: FillKind = FillKind.TRADE

    def __post_init__(self) -> None:
        for name in ("price", "size"):
            value = getattr(self, name)
            if not value.is_finite() or value <= 0:
                raise ValueError(f"{self.instrument}: Fill.{name} must be a finite number > 0, was {value}")
        if not self.fee.is_finite():
            raise ValueError(f"{self.instrument}: Fill.fee must be a finite number, was {self.fee}")
        if self.fee and not self.fee_currency:
            raise ValueError(f"{self.instrument}: Fill.fee_currency must name the currency of fee {self.fee}")

    @property
    def signed_size(self) -> Decimal:
        """Change of the position: > 0 bought, < 0 sold."""
        return self.size * int(self.side)
