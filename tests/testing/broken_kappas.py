"""Kappas that break one law on purpose; some break others with it."""

from dataclasses import dataclass

import torch

from lionkit.kappa import Huber, Kappa

SOUND = Huber(0.3)


@dataclass(frozen=True)
class Delegate(Kappa):
    """Keeps every law."""

    def value(self, x):
        return SOUND.value(x)

    def gradient(self, x):
        return SOUND.gradient(x)

    def conjugate(self, y):
        return SOUND.conjugate(y)

    def gauge(self, y):
        return SOUND.gauge(y)

    @property
    def problem(self):
        return SOUND.problem


class LowConjugate(Delegate):
    def conjugate(self, y):
        return SOUND.conjugate(y) - 0.01 * y.abs().sum()


class HighConjugate(Delegate):
    def conjugate(self, y):
        return SOUND.conjugate(y) * (1 + 1e-9)


class Ascends(Delegate):
    def gradient(self, x):
        return -SOUND.gradient(x)


class Root(Delegate):
    """Even and growing, but not convex."""

    def value(self, x):
        return SOUND.value(x).sqrt()


class TooSteep(Delegate):
    def gradient(self, x):
        return SOUND.gradient(x) * (1 + 1e-9)


class WideDirection(Delegate):
    def gradient(self, x):
        return SOUND.gradient(x).sign() * (1 + 1e-12)


class SmallGauge(Delegate):
    def gauge(self, y):
        return SOUND.gauge(y) * (1 - 1e-8)


class FlatGauge(Delegate):
    """Right on the boundary, and nowhere else: it is not homogeneous."""

    def gauge(self, y):
        return torch.where(SOUND.gauge(y) > 1, SOUND.gauge(y), 1.0)


class MovesAtZero(Delegate):
    """As the sign of a float with a sign bit would."""

    def gradient(self, x):
        return torch.where(x == 0, 1.0, SOUND.gradient(x))


class Shifted(Delegate):
    def value(self, x):
        return SOUND.value(x) + 1e-9


class HidesNan(Delegate):
    def gradient(self, x):
        return SOUND.gradient(x).nan_to_num()


class HidesInfinity(Delegate):
    def gradient(self, x):
        return torch.where(x.isinf(), x.sign(), SOUND.gradient(x))


class OtherLists(Delegate):
    """Maps a list in float32, whatever it is of."""

    def foreach_gradient(self, xs):
        return [self.gradient(x.float()).to(x.dtype) for x in xs]


class WideLists(Delegate):
    def foreach_gradient(self, xs):
        return [self.gradient(x).double() for x in xs]


class Nameless(Delegate):
    def __repr__(self):
        return object.__repr__(self)


class Unlike(Delegate):
    def __eq__(self, other):
        return False

    __hash__ = Delegate.__hash__


BROKEN = {
    "fenchel_young": [LowConjugate],
    "equality_at_the_gradient": [HighConjugate, TooSteep, Ascends],
    "monotone": [Ascends, MovesAtZero],
    "convex": [Root],
    "gradient_supports_the_value": [TooSteep, Ascends, Root],
    "direction_within_the_gauge": [WideDirection],
    "gauge_ends_the_conjugate": [SmallGauge, FlatGauge],
    "odd_and_zero_at_zero": [MovesAtZero, Shifted],
    "broken_numbers_show": [HidesNan, HidesInfinity],
    "same_list_by_list": [OtherLists, WideLists],
    "is_a_value": [Nameless, Unlike],
}
