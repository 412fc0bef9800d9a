"""The store of a node during one piece of a fleet's work: what came along is found, what was used goes back."""

from __future__ import annotations

from collections.abc import Mapping

from aegis.core.errors import StoreError
from aegis.store.audit import arrays_in
from aegis.store.packing import Arrays
from aegis.store.store import Store, encoded


class Carried:
    """Keeps arrays as the store does, and remembers which of them were used.

    Args:
        store: of this node.
        given: contents of files that came with the work.
        shared: whether the driver uses this very store, so that nothing needs to be sent.
    """

    def __init__(self, store: Store, given: Mapping[str, bytes], shared: bool) -> None:
        self._store, self._given, self._shared = store, given, shared
        self._made: dict[str, bytes] = {}
        self.used: list[str] = []

    def claim(self, key: str) -> None:
        """Protects arrays while the work runs, as the store does."""
        self.used.append(key)
        try:
            self._store.claim(key)
        except StoreError:
            # A full disk of a node is no loss where the arrays travel anyway; so it is in ``keep``.
            if self._shared:
                raise

    def load(self, key: str) -> Arrays | None:
        """Reads arrays from the store, or from what came with the work."""
        found = self._store.load(key)
        return arrays_in(self._given[key]) if found is None and key in self._given else found

    def keep(self, key: str, arrays: Arrays) -> None:
        """Writes arrays to the store.

        Raises:
            StoreError: if they cannot be written and only the store would bring them to the driver.
        """
        content = encoded(arrays)
        try:
            self._store.put(key, content)
        except StoreError:
            if self._shared:
                raise
            self._made[key] = content

    def content(self, key: str) -> bytes:
        """Reads the file of arrays as it is.

        Raises:
            StoreError: if it is neither here nor came along.
        """
        for known in (self._made, self._given):
            if key in known:
                return known[key]
        return self._store.content(key)

    def to_send(self) -> dict[str, bytes]:
        """Gives the files that the driver does not have yet."""
        return {} if self._shared else {key: self.content(key) for key in self.used if key not in self._given}
