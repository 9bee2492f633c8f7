"""Workers that agree on every step's direction, a bit a parameter: Distributed Lion, on torch.distributed."""

from lionkit.distributed._agree import agree as agree
from lionkit.distributed._cost import Link as Link
from lionkit.distributed._cost import all_reduce_seconds as all_reduce_seconds
from lionkit.distributed._cost import power_sgd_seconds as power_sgd_seconds
from lionkit.distributed._cost import step_seconds as step_seconds
from lionkit.distributed._cost import vote_seconds as vote_seconds
from lionkit.distributed._cost import wire_bits as wire_bits
from lionkit.distributed._decide import decide as decide
from lionkit.distributed._errors import DivergedWorkerError as DivergedWorkerError
from lionkit.distributed._errors import VoteError as VoteError
from lionkit.distributed._mean import Mean as Mean
from lionkit.distributed._merge import Merging as Merging
from lionkit.distributed._merge import merge_momenta as merge_momenta
from lionkit.distributed._mode import Cast as Cast
from lionkit.distributed._mode import Mode as Mode
from lionkit.distributed._refusals import optimizer_refusals as optimizer_refusals
from lionkit.distributed._sign_of_mean import SignOfMean as SignOfMean
from lionkit.distributed._traffic import Traffic as Traffic
from lionkit.distributed._unbiased_vote import UnbiasedVote as UnbiasedVote
from lionkit.distributed._virtual_workers import VirtualWorkers as VirtualWorkers
from lionkit.distributed._vote import Vote as Vote
from lionkit.distributed._workers import Workers as Workers

__all__ = [
    "Cast",
    "DivergedWorkerError",
    "Link",
    "Mean",
    "Merging",
    "Mode",
    "SignOfMean",
    "Traffic",
    "UnbiasedVote",
    "VirtualWorkers",
    "Vote",
    "VoteError",
    "Workers",
    "agree",
    "all_reduce_seconds",
    "decide",
    "merge_momenta",
    "optimizer_refusals",
    "power_sgd_seconds",
    "step_seconds",
    "vote_seconds",
    "wire_bits",
]
