"""The contract of this library's parts, for parts that others make: it needs torch alone, and no test runner."""

from lionkit.testing._checks import Report as Report
from lionkit.testing._codec import check_codec as check_codec
from lionkit.testing._kappa import check_kappa as check_kappa
from lionkit.testing._optimizer import check_optimizer as check_optimizer

__all__ = ["Report", "check_codec", "check_kappa", "check_optimizer"]
