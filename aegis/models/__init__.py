"""Builds, loads and describes classifiers; modules are imported one by one, because reading a card needs no torch.

>>> import torch
>>> from aegis.models.architectures import build
>>> from aegis.models.classifier import Classifier
>>> classifier = Classifier(build("aegis:cnn16", in_channels=1, classes=10), shape=(1, 28, 28)).eval()
>>> classifier.logits(torch.zeros(2, 1, 28, 28)).shape
torch.Size([2, 10])
"""
