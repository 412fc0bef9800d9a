"""Attacks classifiers: projected gradient descent, universal perturbations and patches.

>>> import torch
>>> from aegis.attacks.pgd import pgd
>>> from aegis.core.types import Stage
>>> forward = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 2))
>>> images, labels = torch.full((2, 1, 4, 4), 0.5), torch.tensor([0, 1])
>>> (attacked,) = pgd(forward, images, labels, [Stage(epsilon=0.1, step=0.05, iterations=4)])
>>> bool((attacked - images).flatten(1).norm(dim=1).max() < 0.1001)
True
"""
