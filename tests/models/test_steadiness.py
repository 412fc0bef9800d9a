"""Random answers, and answers that depend on a batch, are found by passing images again."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from aegis.models.classifier import Classifier
from aegis.models.steadiness import RANDOM, TOGETHER, unsteadiness

SHAPE = (3, 8, 8)


class Net(nn.Module):
    def __init__(self, before=None, after=None, norm=None) -> None:
        super().__init__()
        self.before, self.after = before, after
        self.conv, self.norm, self.fc = nn.Conv2d(3, 4, 3), norm or nn.BatchNorm2d(4), nn.Linear(4, 5)

    def forward(self, x):
        x = self.before(x) if self.before else x
        hidden = self.norm(self.conv(x)).relu().mean((2, 3))
        return self.fc(self.after(hidden) if self.after else hidden)


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (Net(), ()),
        (Net(norm=nn.InstanceNorm2d(4)), ()),
        (Net(before=lambda x: x + 0.1 * torch.randn_like(x)), (RANDOM,)),
        (Net(after=lambda x: functional.dropout(x, 0.3)), (RANDOM,)),
        (Net(after=nn.Dropout(0.3)), ()),
        (Net(norm=nn.BatchNorm2d(4, track_running_stats=False)), (TOGETHER,)),
        (Net(before=lambda x: x - x.mean()), (TOGETHER,)),
    ],
    ids=["plain", "instance norm", "noise", "dropout that stays", "dropout", "batch norm", "mean of the batch"],
)
def test_it_is_said_what_answers_depend_on(network, said):
    torch.manual_seed(0)
    classifier = Classifier(network, SHAPE).eval()
    before = torch.random.get_rng_state()
    assert unsteadiness(classifier) == said
    assert torch.equal(torch.random.get_rng_state(), before)
