"""How a momentum is kept: dense in a dtype, as blockwise codes of 8 or 4 bits, or as the factors of a low rank."""

from lionkit.momentum._blockwise import BLOCK as BLOCK
from lionkit.momentum._blockwise import Blockwise as Blockwise
from lionkit.momentum._dense_state_dict import dense_state_dict as dense_state_dict
from lionkit.momentum._dtypes import CODES as CODES
from lionkit.momentum._dtypes import INT4 as INT4
from lionkit.momentum._dtypes import INT8 as INT8
from lionkit.momentum._dtypes import MIN_NUMEL as MIN_NUMEL
from lionkit.momentum._dtypes import MomentumDtype as MomentumDtype
from lionkit.momentum._dtypes import codec as codec
from lionkit.momentum._dtypes import codec_of as codec_of
from lionkit.momentum._dtypes import dense_dtype as dense_dtype
from lionkit.momentum._low_rank import check_rank as check_rank
from lionkit.momentum._low_rank import is_low_rank as is_low_rank
from lionkit.momentum._state import DENSE as DENSE
from lionkit.momentum._state import SCALES as SCALES
from lionkit.momentum._state import convert_state as convert_state
from lionkit.momentum._state import decode_state as decode_state
from lionkit.momentum._state import encode_state as encode_state
from lionkit.momentum._state import has_momentum as has_momentum
from lionkit.momentum._state import zero_state as zero_state

__all__ = [
    "BLOCK",
    "CODES",
    "DENSE",
    "INT4",
    "INT8",
    "MIN_NUMEL",
    "SCALES",
    "Blockwise",
    "MomentumDtype",
    "check_rank",
    "codec",
    "codec_of",
    "convert_state",
    "decode_state",
    "dense_dtype",
    "dense_state_dict",
    "encode_state",
    "has_momentum",
    "is_low_rank",
    "zero_state",
]
