"""The switch's own tests use it too."""

from tests.asterisk.fixtures import asterisk

__all__ = ["asterisk"]
