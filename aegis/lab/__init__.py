"""Makes models with known backdoors: triggers, poisoned data, training, and the bank of suspects.

>>> from aegis import load_dataset
>>> from aegis.lab.poison import poison
>>> from aegis.lab.triggers import TriggerSpec, make_trigger
>>> data, spec = load_dataset("samples:mnist"), TriggerSpec(kind="localised", target=7)
>>> poisoned = poison(data.train, make_trigger(spec, data.shape), spec.goal, rate=0.01)
>>> len(poisoned) - len(data.train)
50
"""
