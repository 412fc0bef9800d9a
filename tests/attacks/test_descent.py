"""Steps are those of torch's own optimiser and gradients those of autograd."""

import torch

from aegis.attacks.descent import LEARNING_RATE, Adam, carried_back


def test_adam_is_torch_s():
    ours, theirs = (torch.tensor([1.0, -2.0, 0.5]) for _ in range(2))
    adam, optimiser = Adam([ours]), torch.optim.Adam([theirs], lr=LEARNING_RATE)
    for step in range(5):
        theirs.grad = torch.tensor([0.3, -0.1 * step, 2.0])
        adam.step([theirs.grad])
        optimiser.step()
    assert torch.equal(ours, theirs)


def test_a_gradient_is_carried_back_as_autograd_does():
    pattern = torch.rand(3, requires_grad=True)
    stamped, gradient = pattern**2 * torch.arange(12.0).view(4, 3), torch.randn(4, 3)
    (found,) = carried_back(stamped, gradient, [pattern])
    torch.testing.assert_close(found, 2 * pattern.detach() * (gradient * torch.arange(12.0).view(4, 3)).sum(0))
