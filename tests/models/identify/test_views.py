import torch

from aegis.models.identify.views import natural, plain_shapes, views


def test_parts_of_a_file_without_prefix_normalisation_and_counters():
    tensors = {
        "mean": torch.zeros(3),
        "model.net.10.weight": torch.zeros(5, 2),
        "model.net.2.weight": torch.zeros(2, 3, 1, 1),
        "model.net.3.num_batches_tracked": torch.zeros(()),
        "loss.weight": torch.zeros(5),
    }
    found = {view.prefix: view.shapes for view in views(tensors)}
    assert list(found) == ["", "model.", "model.net.", "model.net.10."]
    assert list(found["model.net."].items()) == [("2.weight", (2, 3, 1, 1)), ("10.weight", (5, 2))]
    assert "mean" not in found[""]
    assert found[""]["loss.weight"] == (5,)
    assert [view.beside for view in views(tensors)] == [0, 0, 0, 1]


def test_numbers_in_names_sort_as_numbers():
    names = ["layer10.1", "layer2.1", "conv", "layer2.0", "fc"]
    assert sorted(names, key=natural) == ["conv", "fc", "layer2.0", "layer2.1", "layer10.1"]


def test_shapes_without_counters():
    norm = torch.nn.BatchNorm2d(4)
    assert plain_shapes(norm.state_dict()) == dict.fromkeys(("weight", "bias", "running_mean", "running_var"), (4,))
