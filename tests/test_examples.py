"""The example in each package's docstring gives what it says; run from the project's folder, as a reader would."""

import doctest
import importlib
import tempfile

import pytest

from tests.layers import ROOT

# Pages and commands are used, not called.
PACKAGES = sorted({path.parent.name for path in ROOT.glob("aegis/*/__init__.py")} - {"cli", "ui"})


@pytest.mark.parametrize("package", PACKAGES)
def test_the_example_of_a_package_runs(package, monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    text = importlib.import_module(f"aegis.{package}").__doc__
    example = doctest.DocTestParser().get_doctest(text, {}, package, None, None)
    assert example.examples
    assert doctest.DocTestRunner(verbose=False).run(example).failed == 0
