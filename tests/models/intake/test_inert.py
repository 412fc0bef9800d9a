"""Whatever a pickle names is put in as something that does nothing, and the tensors around it are read."""

import argparse
import collections
import datetime
import pathlib
import types

import numpy as np
import pytest
import torch
from torch import nn

from aegis.core.errors import CheckpointError
from aegis.models.intake.inert import DEEPEST, MOST, Inert, NumPyValue, is_harmless, stand_in
from aegis.models.intake.pickles import UNNAMED
from aegis.models.intake.torch_files import read_torch
from tests.hostile.inert import archived, doubled
from tests.hostile.pickles import LEGACY

W = torch.arange(6.0).reshape(2, 3)
RAN = []


class Settings:
    """As a training script defines its own."""

    def __init__(self, **values):
        self.__dict__.update(values)

    def __setstate__(self, state):
        RAN.append(state)


class Spy:
    """Tells when it is made."""

    def __reduce__(self):
        return ran, (1,)


def ran(*values):
    RAN.append(values)


def read(path, content, **options):
    torch.save(content, path, **options)
    return read_torch(path, "torch pickle" if options else "torch zip")


BESIDE = {
    "settings": argparse.Namespace(lr=0.1, eps=8),
    "log": collections.defaultdict(list, {"acc": [1.0, 2.0]}),
    "queue": collections.deque([1, 2]),
    "path": pathlib.PurePosixPath("runs/1"),
    "date": datetime.datetime(2026, 1, 2, 3, 4, 5),
    "names": types.SimpleNamespace(a=1),
    "own": Settings(width=32),
    "spy": Spy(),
    "schedule": torch.optim.lr_scheduler.StepLR(torch.optim.SGD([nn.Parameter(torch.zeros(2))], 0.1), 3),
    "loss": nn.CrossEntropyLoss(weight=torch.ones(4)),
    "random": np.random.default_rng(0).bit_generator.state,
}


@pytest.mark.parametrize("name", BESIDE)
def test_what_lies_beside_the_weights_is_left_there(tmp_path, name):
    found = read(tmp_path / "a.pt", {"state_dict": {"w": W}, name: BESIDE[name]})
    assert [(name, shape) for name, _, shape, _ in found.tensors] == [("w", [2, 3])]
    assert (found.entry, found.others) == ("state_dict", ())
    assert RAN == []


class Block(nn.Module):
    """With a parameter, two buffers, one of which is not saved, and itself within."""

    def __init__(self, depth=0):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)
        self.norm = nn.BatchNorm2d(2)
        self.scale = nn.Parameter(torch.ones(2))
        self.register_buffer("seen", torch.zeros(2))
        self.register_buffer("passing", torch.zeros(2), persistent=False)
        self.inner = Block(depth - 1) if depth else None


MODULES = {
    "linear": lambda: nn.Sequential(nn.Linear(3, 2)),
    "of ones own": lambda: Block(2),
    "parallel": lambda: nn.DataParallel(Block(1)),
    "list": lambda: nn.ModuleList([Block(), nn.Linear(2, 2)]),
    "attention": lambda: nn.MultiheadAttention(4, 2),
}


@pytest.mark.parametrize("make", MODULES.values(), ids=MODULES)
@pytest.mark.parametrize(
    "wrap", [lambda module: module, lambda module: {"model": module, "epoch": 3}], ids=["it", "in"]
)
@pytest.mark.parametrize("options", [{}, LEGACY], ids=["zip", "older"])
@pytest.mark.filterwarnings("ignore:Couldn't retrieve source code")
def test_a_whole_module_gives_its_state_dictionary(tmp_path, make, wrap, options):
    module = make()
    found = read(tmp_path / "a.pt", wrap(module), **options)
    state = module.state_dict()
    assert {name: bytes(data) for name, _, _, data in found.tensors} == {
        name: tensor.numpy().tobytes() for name, tensor in state.items()
    }
    assert any(name.startswith("torch.nn.modules.") for name in found.code)


def test_a_module_beside_another_network_is_one_of_two(tmp_path):
    module = Block()
    other = {name: tensor + 1 for name, tensor in module.state_dict().items()}
    with pytest.raises(CheckpointError, match="2 networks"):
        read(tmp_path / "a.pt", {"model": module, "ema": other})
    assert read(tmp_path / "a.pt", {"model": module, "state_dict": module.state_dict()}).others == ()
    # Also one that hides in what looks like settings.
    with pytest.raises(CheckpointError, match=r"2 networks.*args/weights"):
        read(tmp_path / "a.pt", {"model": module, "args": argparse.Namespace(weights=other)})


@pytest.mark.parametrize(
    "name",
    [
        *("os.system", "posix.system", "nt.system", "builtins.eval", "__builtin__.exec", "builtins.getattr"),
        *("subprocess.Popen", "runpy.run_path", "importlib.import_module", "pathlib.Path.touch", "operator.attrgetter"),
        *(
            "functools.partial",
            "types.CodeType",
            "types.FunctionType",
            "pickle.loads",
            "marshal.loads",
            "code.interact",
        ),
        *(
            "torch.load",
            "torch.hub.load",
            "torch.jit._script.unpackage_script_module",
            "torch.utils.cpp_extension.load",
        ),
        *("torch.serialization.load", "numpy.load", "numpy.testing._private.utils.runstring", "joblib.load"),
        *("dill._dill._create_function", "cloudpickle.cloudpickle._make_function", "pip.main", "ctypes.CDLL"),
        *("webbrowser.open", "socket.socket", "shutil.copyfile", "multiprocessing.Process", "timeit.timeit"),
    ],
)
def test_names_that_only_an_attack_has_a_use_for_are_refused(tmp_path, name):
    assert not is_harmless(name)
    module, _, last = name.rpartition(".")
    weights, command = b"X\x01\0\0\0wK\x01", b"X\x02\0\0\0id\x85R"
    called = b"\x80\x02}(" + weights + b"X\x01\0\0\0x" + f"c{module}\n{last}\n".encode() + command + b"u."
    (tmp_path / "a.pt").write_bytes(called)
    with pytest.raises(CheckpointError, match=r"runs code|something else"):
        read_torch(tmp_path / "a.pt", "torch pickle")


def test_stand_ins_keep_what_they_are_given_and_do_nothing():
    kind, name = stand_in("__builtin__.set")
    assert (kind, name) == (Inert, "builtins.set")
    one = kind(1, [2])
    one.__setstate__({"a": 3})
    assert (one.parts, one.state) == ([1, [2], {"a": 3}], {"a": 3})
    assert Inert().state == {}
    assert stand_in("numpy.core.multiarray.scalar")[0] is NumPyValue
    assert stand_in("collections.defaultdict")[0](list) == {}


def test_modules_that_hold_themselves_end(tmp_path):
    module = nn.Sequential(nn.Linear(2, 2))
    module._modules["itself"] = module
    assert 2 < len(read(tmp_path / "a.pt", module).tensors) <= 2 * (DEEPEST + 1)


def test_a_name_that_is_put_together_is_refused():
    assert not is_harmless(UNNAMED)


def test_modules_that_stand_in_more_places_than_can_be_counted_are_refused_at_once(tmp_path):
    (tmp_path / "a.pt").write_bytes(archived(doubled(60)))
    with pytest.raises(CheckpointError, match=f"at most {MOST:,} modules"):
        read_torch(tmp_path / "a.pt", "torch zip")


def test_a_tensor_whose_methods_are_replaced_is_read_as_it_is(tmp_path):
    replaced = nn.Parameter(W)
    replaced.__dict__ |= {"detach": torch.Tensor, "numel": torch.Tensor}
    [(_, _, shape, data)] = read(tmp_path / "a.pt", {"model": {"w": replaced}}).tensors
    assert (shape, bytes(data)) == ([2, 3], W.numpy().tobytes())


def test_a_network_beside_the_settings_of_an_optimiser_is_found(tmp_path):
    beside = {"param_groups": [], "state": {0: {"exp_avg": W}}, "net": {"w": W + 1}}
    with pytest.raises(CheckpointError, match=r"2 networks: model .*, other/net "):
        read(tmp_path / "a.pt", {"model": {"w": W}, "other": beside})
