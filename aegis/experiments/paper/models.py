"""The paper's thirty models: data sets, kinds of triggers, and names in the bank."""

from __future__ import annotations

from aegis.lab.bank.suspects import TWIN

# A data set and a kind of trigger, which tell the fifteen robust models apart.
Key = tuple[str, str]
DATA = ("mnist", "fashion_mnist", "cifar10")
TRIGGERS = ("localised", "distributed", "static", "adversarial", "clean")
BACKDOORS = TRIGGERS[:4]
VISIBLE, INVISIBLE = BACKDOORS[:2], BACKDOORS[2:]
ROBUST: tuple[Key, ...] = tuple((data, trigger) for data in DATA for trigger in TRIGGERS)

CLASSES, TARGET = 10, 7
# The largest number of clusters of a benign class (Section 4, step 4).
BENIGN = 2


def name_of(robust: bool, data: str, trigger: str) -> str:
    """Gives the name of a suspect in the bank.

    Args:
        robust: whether it is trained adversarially.
        data: its data set.
        trigger: its kind of trigger, or *clean*.

    Returns:
        The name.
    """
    return f"{data}_{trigger}{'' if robust else TWIN}"


def robust_models(*triggers: str) -> tuple[Key, ...]:
    """Lists robust models by kind of trigger.

    Args:
        triggers: the kinds, of which *clean* may be one.

    Returns:
        Data set and trigger of each, in the paper's order.
    """
    return tuple(key for key in ROBUST if key[1] in triggers)
