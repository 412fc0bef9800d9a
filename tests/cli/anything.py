"""Networks and images as strangers write them, most of them odd: any of them ends in a result or in one message."""

import itertools
import threading

import numpy as np
import torch
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

SIDE = 8


class Anything(nn.Module):
    """A small network with a habit, and something that it makes of its logits.

    Args:
        channels, classes: of the images.
        layers: names in ``LAYERS``.
        habit: a name in ``HABITS``.
        ending: a name in ``ENDINGS``.
    """

    def __init__(self, channels: int, classes: int, layers: tuple[str, ...], habit: str, ending: str) -> None:
        super().__init__()
        torch.manual_seed(0)
        made = []
        for layer in layers:
            made.append(LAYERS[layer](channels))
            channels = 4 if layer in WIDENING else channels
        self.body = nn.Sequential(*made)
        self.head = nn.Linear(channels, classes)
        nn.init.normal_(self.head.weight)
        self.habit, self.ending, self.calls = habit, ending, 0
        HABITS[habit](self)

    def forward(self, x):
        """Logits, or what the ending makes of them."""
        self.calls += 1
        x = DURING.get(self.habit, lambda _, x: x)(self, x)
        maps = self.body(x)
        return ENDINGS[self.ending](self.head(maps.flatten(2).mean(2) if maps.ndim > 2 else maps), x)


WIDENING = {"conv", "strided", "transposed", "grouped"}
LAYERS = {
    "conv": lambda c: nn.Conv2d(c, 4, 3, padding=1),
    "strided": lambda c: nn.Conv2d(c, 4, 2, 2),
    "transposed": lambda c: nn.ConvTranspose2d(c, 4, 2),
    "grouped": lambda c: nn.Sequential(nn.Conv2d(c, 4, 1), nn.Conv2d(4, 4, 3, groups=4)),
    "batch norm": nn.BatchNorm2d,
    "batch norm without statistics": lambda c: nn.BatchNorm2d(c, track_running_stats=False),
    "batch norm without weights": lambda c: nn.BatchNorm2d(c, affine=False),
    "instance norm": nn.InstanceNorm2d,
    "relu": lambda _: nn.ReLU(inplace=True),
    "pool": lambda _: nn.MaxPool2d(2),
    "one place": lambda _: nn.AdaptiveAvgPool2d(1),
    "dropout": lambda _: nn.Dropout2d(0.5),
    "weight norm": lambda c: nn.utils.parametrizations.weight_norm(nn.Conv2d(c, c, 1)),
    "attention": lambda c: nn.Sequential(nn.Flatten(2), _Attention(c)),
}


class _Attention(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.attention = nn.MultiheadAttention(channels, 1, batch_first=True)

    def forward(self, x):
        tokens = x.transpose(1, 2)
        return self.attention(tokens, tokens, tokens)[0].transpose(1, 2)


def _raise(*_):
    raise RuntimeError("\x1b[31mno\nway")


def _leave(*_):
    raise SystemExit(1)


def _set(**values):
    return lambda network: network.__dict__.update(values)


def _nan(network):
    network.head.weight.data.fill_(float("nan"))


def _double(network):
    network.double()


def _shared(network):
    network.other = network.head


def _own_tensor(network):
    network.scale = torch.ones(1)


def _hooked(network):
    network.register_forward_hook(lambda *_: None)


def _lazy(network):
    network.more = nn.LazyLinear(3)


def _inference(network):
    with torch.inference_mode():
        network.register_buffer("seen", torch.zeros(2))


HABITS = {
    **dict.fromkeys(("none", "noise", "counts", "raises later", "changes its input", "no gradient"), lambda _: None),
    **dict.fromkeys(
        ("numpy", "stays in training", "one at a time", "more than one", "leaves", "leaves later"), lambda _: None
    ),
    "a generator": _set(endless=itertools.count(), lazy=(i for i in range(3))),
    "a lock": _set(lock=threading.Lock()),
    "no copy": _set(__deepcopy__=_raise),
    "not a number": _nan,
    "double": _double,
    "shared": _shared,
    "a tensor of its own": _own_tensor,
    "a hook": _hooked,
    "lazy": _lazy,
    "inference": _inference,
    "frozen": lambda network: network.requires_grad_(False),
}


def _counted(network, x):
    return x + network.calls


def _later(network, x):
    return _raise() if network.calls > 8 else x


def _leave_later(network, x):
    return _leave() if network.calls > 8 else x


def _one(network, x):
    return _raise() if len(x) > 1 else x


DURING = {
    "noise": lambda _, x: x + torch.randn_like(x),
    "counts": _counted,
    "raises later": _later,
    "leaves later": _leave_later,
    "changes its input": lambda _, x: x.mul_(2),
    "no gradient": lambda _, x: x.detach(),
    "numpy": lambda _, x: torch.from_numpy(x.detach().numpy()),
    "stays in training": lambda network, x: (network.train(), x)[1],
    "one at a time": _one,
    "more than one": lambda _, x: torch.cat([x, x]),
    "leaves": _leave,
}
ENDINGS = {
    "logits": lambda z, _: z,
    "tuple": lambda z, x: (z, x),
    "the second": lambda z, x: (x, z),
    "nested": lambda z, x: {"a": {"b": [z]}, "x": x},
    "two of them": lambda z, _: {"a": z, "b": z},
    "nothing": lambda *_: None,
    "a number": lambda *_: 3,
    "empty": lambda *_: [],
    "an array": lambda z, _: z.detach().numpy(),
    "softmax": lambda z, _: z.softmax(1),
    "log-softmax": lambda z, _: z.log_softmax(1),
    "sigmoid": lambda z, _: z.sigmoid(),
    "labels": lambda z, _: z.argmax(1),
    "one-hot": lambda z, _: functional.one_hot(z.argmax(1), z.shape[1]),
    "complex": lambda z, _: z.to(torch.complex64),
    "half": lambda z, _: z.half(),
    "infinite": lambda z, _: z / 0,
    "constant": lambda z, _: torch.zeros_like(z),
    "first image": lambda z, _: z[:1],
    "one number": lambda z, _: z[:, :1],
    "flat": lambda z, _: z.flatten(),
    "places": lambda z, _: z[:, :, None, None].expand(-1, -1, 2, 2),
    "turned": lambda z, _: z.T,
    "sparse": lambda z, _: z.to_sparse(),
    "summed": lambda z, _: z.sum(),
    "changed": lambda z, _: z.mul_(2),
    "error": _raise,
}

NETWORKS = st.builds(
    dict,
    layers=st.lists(st.sampled_from(sorted(LAYERS)), max_size=4).map(tuple),
    habit=st.one_of(st.just("none"), st.sampled_from(sorted(HABITS))),
    ending=st.one_of(st.just("logits"), st.sampled_from(sorted(ENDINGS))),
)


def arrays(network: dict, channels: int = 1) -> tuple[dict[str, np.ndarray], float]:
    """Images that the network is right about, were it not for its habit and ending; half are of each class.

    Returns:
        The arrays, and what is to be added to the network's bias of the second class.
    """
    random = np.random.default_rng(0)
    sides = (SIDE, SIDE) if channels == 1 else (SIDE, SIDE, channels)
    found = {f"x_{part}": random.integers(0, 256, (count, *sides)).astype(np.uint8) for part, count in COUNTS.items()}
    try:
        ahead = [_ahead(Anything(channels, 2, network["layers"], "none", "logits"), x) for x in found.values()]
    except Exception:  # layers that do not fit each other
        ahead = [np.arange(count) % 2 - 0.5 for count in COUNTS.values()]
    middle = float(np.median(np.concatenate(ahead)))
    return found | {f"y_{part}": (a > middle).astype(int) for part, a in zip(COUNTS, ahead, strict=True)}, -middle


COUNTS = {"train": 40, "test": 60}


def _ahead(network, x):
    pixels = torch.from_numpy(x).float().reshape(len(x), SIDE, SIDE, -1).movedim(3, 1) / 255
    with torch.no_grad():
        logits = network.eval()(pixels)
    return (logits[:, 1] - logits[:, 0]).numpy()


CHANGES = {
    "none": lambda a: a[:0],
    "one": lambda a: a[:1],
    "float": lambda a: a.astype(np.float32) / 255,
    "huge": lambda a: a.astype(np.float64) * 1e300,
    "negative": lambda a: -a.astype(np.int64),
    "not a number": lambda a: np.full(a.shape, np.nan),
    "text": lambda a: a.astype(str),
    "truth": lambda a: a > 1,
    "complex": lambda a: a.astype(np.complex64),
    "one more axis": lambda a: a[..., None],
    "one axis less": lambda a: a[..., 0] if a.ndim > 1 else a[0],
    "one value": np.zeros_like,
    "large labels": lambda a: a.astype(np.int64) + 2**40,
    "in another order": lambda a: np.asfortranarray(a[::-1]),
    "big endian": lambda a: a.astype(">i4"),
}
