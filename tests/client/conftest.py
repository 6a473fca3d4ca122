"""Both engines, as the HTTP suite serves them."""

from tests.http.conftest import house

__all__ = ["house"]
