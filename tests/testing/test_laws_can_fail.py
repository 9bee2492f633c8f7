"""Every law of the public checks is broken by somebody, and the check names it."""

import broken_codecs
import broken_kappas
import broken_optimizers
import pytest

from lionkit import testing


def each(broken):
    pairs = [(law, culprit) for law, culprits in broken.items() for culprit in culprits]
    return [pytest.param(*pair, id=f"{pair[0]}-{getattr(pair[1], '__name__', 'maximises')}") for pair in pairs]


def assert_named(law, check):
    with pytest.raises(AssertionError) as caught:
        check()
    assert f"FAILED {law}: " in str(caught.value)


@pytest.mark.parametrize(("law", "culprit"), each(broken_kappas.BROKEN))
def test_a_broken_kappa_is_named(law, culprit):
    assert_named(law, lambda: testing.check_kappa(culprit()))


@pytest.mark.parametrize(("law", "culprit"), each(broken_optimizers.BROKEN))
def test_a_broken_optimizer_is_named(law, culprit):
    assert_named(law, lambda: testing.check_optimizer(culprit))


@pytest.mark.parametrize(("law", "culprit"), each(broken_codecs.BROKEN))
def test_a_broken_codec_is_named(law, culprit):
    assert_named(law, lambda: testing.check_codec(culprit(), error=broken_codecs.ERROR))


def test_there_is_a_culprit_for_every_law_and_none_in_what_they_are_made_of():
    assert set(testing.check_kappa(broken_kappas.Delegate()).passed) == set(broken_kappas.BROKEN)
    assert set(testing.check_optimizer(broken_optimizers.SGD).passed) == set(broken_optimizers.BROKEN)
    codec = testing.check_codec(broken_codecs.Delegate(), error=broken_codecs.ERROR)
    assert set(codec.passed) == set(broken_codecs.BROKEN)
