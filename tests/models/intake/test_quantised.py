"""Quantised networks are refused as such, in every way in which they are saved."""

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from aegis.core.errors import CheckpointError
from aegis.models.intake.quantised import check_not_quantised
from aegis.models.intake.torch_files import read_torch
from aegis.models.intake.worker import convert

W = torch.arange(6.0).reshape(2, 3)
MADE = {
    "tensors": lambda: {"w": torch.quantize_per_tensor(W, 0.1, 0, torch.qint8)},
    "channels": lambda: {"w": torch.quantize_per_channel(W, torch.ones(2), torch.zeros(2), 0, torch.quint8)},
    "layers": lambda: {"model": torch.ao.quantization.quantize_dynamic(nn.Sequential(nn.Linear(2, 2))).state_dict()},
    "a whole module": lambda: torch.ao.quantization.quantize_dynamic(nn.Sequential(nn.Linear(2, 2))),
}


@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
@pytest.mark.filterwarnings("ignore")
def test_what_torch_quantised_is_named(tmp_path, make):
    torch.save(make(), tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match="a quantised one"):
        read_torch(tmp_path / "a.pt", "torch zip")


@pytest.mark.parametrize("name", ["fc.qweight", "fc.SCB", "fc.weight.quant_state.bitsandbytes__nf4", "fc.zero_point"])
def test_what_other_libraries_quantised_is_named(tmp_path, name):
    save_file({"fc.bias": torch.ones(2), name: torch.ones(2, dtype=torch.uint8)}, tmp_path / "a.safetensors")
    with pytest.raises(CheckpointError, match="a quantised one"):
        convert(tmp_path / "a.safetensors", tmp_path / "out")


def test_ordinary_names_and_types_pass():
    check_not_quantised(
        ("scale", "layer.weight", "q.weight", "zero_points.weight"),
        ("torch.float32", "torch.int8"),
        ("torch.nn.Linear",),
    )
