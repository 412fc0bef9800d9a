"""A tiny robust model with a planted backdoor, its clean twin, and what a scan of each finds."""

from dataclasses import dataclass

import pytest

from aegis.core.types import Dataset, Goal
from aegis.detect.scan import ScanResult, scan
from tests.detect.toy import ONE, SMALL, TARGET, pictures, planted, trained
from tests.shared import once


@pytest.fixture(scope="session")
def data():
    return Dataset("waves", pictures(0, 150), pictures(1, 30))


@pytest.fixture(scope="session")
def infected(data, tmp_path_factory):
    return once(tmp_path_factory, "toy-infected", lambda _: trained(planted(data.train, Goal(target=TARGET), share=2)))


@pytest.fixture(scope="session")
def clean(data, tmp_path_factory):
    return once(tmp_path_factory, "toy-clean", lambda _: trained(data.train))


@dataclass(frozen=True)
class Scans:
    """The same scan of the infected model and of its clean twin."""

    infected: ScanResult
    clean: ScanResult


@pytest.fixture(scope="session")
def scans(infected, clean, data, tmp_path_factory):
    def make(_):
        return Scans(scan(infected, data, SMALL, runtime=ONE), scan(clean, data, SMALL, runtime=ONE))

    return once(tmp_path_factory, "toy-scans", make)
