"""Binance as a capture of frames and REST answers: depth snapshots and exchangeInfo come by REST."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qs, urlsplit

import msgspec

from headwater.storage.capture_rows import CaptureRows
from headwater.storage.frames.binance import BinanceFrames, Payload, instrument_id
from headwater.storage.hot_frames import FrameTable

decode_answer: Final = msgspec.json.Decoder(Payload).decode


class BinanceCapture:
    """Hands frames and answers to :class:`BinanceFrames`.

    Parameters
    ----------
    market : ``spot``, ``usdm`` or ``coinm``
    rows : of the file
    """

    def __init__(self, market: str, rows: CaptureRows) -> None:
        self._market = market
        self._rows = rows
        self._frames = BinanceFrames(market, rows, {})

    def on_connect(self, conn: str, address: str) -> None:
        """Update ids are the venue's, not the connection's: nothing begins anew."""

    def on_answer(self, line: int, ts_local: int, url: str, body: str) -> None:
        """A depth snapshot, or the rules of exchangeInfo."""
        parts = urlsplit(url)
        if parts.path.endswith("/depth"):
            symbol = parse_qs(parts.query)["symbol"][0]
            self._frames.on_snapshot(line, ts_local, decode_answer(body), symbol)
        elif parts.path.endswith("/exchangeInfo"):
            self._learn(body)

    def on_frame(self, line: int, ts_local: int, conn: str, body: str | bytes) -> None:  # noqa: ARG002
        """One frame of a stream."""
        self._frames.on_frame(line, ts_local, body)

    def run(self, table: FrameTable, frame: int, behind: int) -> int:
        """Frames that only continue what is known."""
        return self._frames.run(table, frame, behind)

    def finish(self) -> None:
        """The file ends."""
        self._frames.finish()

    def _learn(self, body: str) -> None:
        for item in msgspec.json.decode(body)["symbols"]:
            filters = {one["filterType"]: one for one in item["filters"]}
            if "PRICE_FILTER" in filters and "LOT_SIZE" in filters:
                self._rows.learn_grid(
                    instrument_id(self._market, item["symbol"]),
                    filters["PRICE_FILTER"]["tickSize"],
                    filters["LOT_SIZE"]["stepSize"],
                )
