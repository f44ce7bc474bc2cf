"""Which instrument a file is of: what the file says, and what the user says with ``--instrument``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from headwater.domain.errors import ImportRefusedError
from headwater.ports.importer import ImportContext
from headwater.storage.importers._order import listed_names


def told_instrument(path: Path, context: ImportContext, example: str) -> str:
    """The instrument that the user names, for files that do not say it.

    Raises
    ------
    ImportRefusedError
        The user did not name one.
    """
    if context.instrument is None or "*" in context.instrument:
        raise ImportRefusedError(
            f"{path}: expected to be told the instrument, which is not in the file; pass --instrument, e.g. "
            f"--instrument {example}"
        )
    return context.instrument


def told_instruments(path: Path, context: ImportContext, ids: Mapping[str, str]) -> dict[str, str]:
    """Symbol in the file -> instrument id, for the symbols that are to be imported.

    Without ``--instrument`` all of `ids`. ``--instrument '*-PERP.BYBIT'`` puts each symbol in place of the
    star; an id that occurs in `ids` takes that symbol alone; any other id names the symbol of a file that
    has only one.

    Parameters
    ----------
    ids : symbol in the file -> the id that it has by default

    Raises
    ------
    ImportRefusedError
        No symbol of the file is the instrument asked for.
    """
    told = context.instrument
    if told is None:
        return dict(ids)
    if "*" in told:
        return {
            symbol: told.replace("*", default.split(".")[0].removesuffix("-PERP"))
            for symbol, default in ids.items()
        }
    chosen = {symbol: default for symbol, default in ids.items() if told in (default, symbol)}
    if chosen:
        return chosen
    if len(ids) == 1:
        return dict.fromkeys(ids, told)
    raise ImportRefusedError(
        f"{path}: expected instrument {told}, found {len(ids)} others ({listed_names(list(ids.values()))}); "
        "name one of them, or all with a star, e.g. --instrument '*-PERP.BINANCE'"
    )
