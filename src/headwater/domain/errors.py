"""Operating errors that a person can mend, as one tree.

::

    HeadwaterError                 a one-line message: what was expected, what was found, where, what to do
    ├── ImportRefusedError         a foreign file cannot be believed or understood
    ├── CatalogError               the catalog is missing, damaged, or of a newer format
    ├── UnknownInstrumentError     no rules for this instrument at that time
    ├── OffGridError               a price or size is not on the instrument's grid; names the nearest valid ones
    ├── ConfigurationError         a parameter is unknown, out of range, or contradicts another
    ├── NotModelledError           the data does not allow what was asked (e.g. a mark-triggered stop without marks)
    └── StrategyFault              a strategy raised or asked for the impossible; carries event, time and line
"""

from __future__ import annotations


class HeadwaterError(Exception):
    """Root of the errors that the command line prints as one line, without a traceback."""


class ImportRefusedError(HeadwaterError):
    """A foreign file cannot be believed or understood."""


class CatalogError(HeadwaterError):
    """The catalog is missing, damaged, or written by a newer version."""


class UnknownInstrumentError(HeadwaterError):
    """No rules are known for this instrument at that time."""


class OffGridError(HeadwaterError):
    """A price or a size is not on the instrument's grid."""


class ConfigurationError(HeadwaterError):
    """A parameter is unknown, out of range, or contradicts another."""


class NotModelledError(HeadwaterError):
    """The data does not allow what was asked."""


class StrategyFault(HeadwaterError):  # noqa: N818  (the field's word: a fault, not an error of ours)
    """A strategy raised, or asked for the impossible."""
