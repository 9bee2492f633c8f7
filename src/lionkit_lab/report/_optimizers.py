"""How optimizers are called and in which order they stand."""

from __future__ import annotations

_TITLES = {
    "lion": "Lion",
    "adamw": "AdamW",
    "sgd": "SGD",
    "cautious_lion": "CautiousLion",
    "clion": "CLion",
    "lion_igt": "LionIGT",
    "lion_k": "LionK",
    "lion_vr": "LionVR",
    "mars_lion": "MARSLion",
    "mlorc_lion": "MLorcLion",
    "muon": "Muon",
    "rlion": "RLion",
    "sign_sgd": "SignSGD",
    "signum": "Signum",
    "sto_sign_sgd": "StoSignSGD",
    "tiger": "Tiger",
}
"""The classes by what recipes call them, in the order of a report: no report imports the optimizers."""


def optimizer_title(name: str) -> str:
    """The name of its class, such as ``AdamW``; one that this version does not know stays as it is."""
    return _TITLES.get(name, name)


def optimizer_order(name: str) -> tuple[int, str]:
    """Sort key: Lion, AdamW and SGD, then the rest of the family by name, then whatever is not known."""
    known = list(_TITLES)
    return (known.index(name) if name in known else len(known), name)
