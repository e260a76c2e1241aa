"""The version, which every result names, and where the package lies."""

from pathlib import Path

__version__ = "0.2.0"

PACKAGE = Path(__file__).parent
