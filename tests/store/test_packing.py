"""Results in the store's files: what comes out is what went in."""

import numpy as np
import pytest

from aegis.core.types import Applicability
from aegis.store.packing import pack_applicability, pack_evidence, unpack_applicability, unpack_evidence
from tests.stored import assert_same, evidence


@pytest.mark.parametrize("label", [1, 2])
@pytest.mark.parametrize("triggers", [0, 1, 2, 4])
def test_evidence_comes_back_bit_for_bit(store, label, triggers):
    found = evidence(label, triggers)
    store.keep("key", pack_evidence(found))
    assert_same(unpack_evidence(store.load("key")), found)


@pytest.mark.parametrize("called", [None, np.arange(18).reshape(2, 3, 3)], ids=["unknown", "known"])
@pytest.mark.parametrize("radii", [(), (1 / 3, 2.0)], ids=["unmeasured", "measured"])
def test_applicability_comes_back_bit_for_bit(store, called, radii):
    measured = Applicability(0.1 + 0.2, (0.25, 0.5), (1 / 3, 0.0), called, radii, radii[:1])
    store.keep("key", pack_applicability(measured))
    assert_same(unpack_applicability(store.load("key")), measured)
