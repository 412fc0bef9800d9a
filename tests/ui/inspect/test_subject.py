"""The selection of one class as files."""

import io
import zipfile

import numpy as np

from aegis.records.record import config_of
from aegis.ui.caches import UploadCache, look_for_images
from aegis.ui.components.palette import palette
from aegis.ui.inspect.subject import Subject, bundle
from aegis.ui.scans import find_finding
from tests.finished import TESTED


def test_a_selection_is_exported(finished, monkeypatch):
    monkeypatch.setenv("AEGIS_STORE", str(finished.store))
    finding, label = find_finding(finished.record, TESTED[1]), TESTED[1]
    rows = np.zeros(len(finding.embeddings[0].points), bool)
    rows[[0, 60, 61]] = True
    data = look_for_images(finished.record, finished.key, UploadCache())[0]
    about, shown = (finished.key, finished.record, finding, data, config_of(finished.record)), finding.clusters[0]
    subject = Subject(*about, 0, rows, shown, palette(None))
    content = bundle(subject)
    assert content == bundle(subject)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        lines = archive.read("selection.csv").decode().splitlines()
    assert {"translated-1.png", "seed-1.png", "difference-1.png", "training-1.png", "mean.png"} <= set(names)
    assert len(lines) == 4
    assert lines[1].startswith(f"0,training,{finding.evidence.train_index[0]},{label},")
    source = int(data.train.labels[finding.evidence.seed_index[0]])
    assert lines[2].startswith(f"60,translated,{finding.evidence.seed_index[0]},{source},")
    assert not any(",=bag" in line for line in lines)
