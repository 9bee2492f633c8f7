"""How a momentum is kept: dense in a dtype, or as blockwise codes of 8 or 4 bits."""

from lionkit.momentum._blockwise import BLOCK as BLOCK
from lionkit.momentum._blockwise import Blockwise as Blockwise
from lionkit.momentum._dtypes import INT4 as INT4
from lionkit.momentum._dtypes import INT8 as INT8
from lionkit.momentum._dtypes import MIN_NUMEL as MIN_NUMEL
from lionkit.momentum._dtypes import MomentumDtype as MomentumDtype
from lionkit.momentum._dtypes import codec as codec
from lionkit.momentum._dtypes import dense_dtype as dense_dtype
from lionkit.momentum._state import CODES as CODES
from lionkit.momentum._state import DENSE as DENSE
from lionkit.momentum._state import SCALES as SCALES
from lionkit.momentum._state import decode_state as decode_state
from lionkit.momentum._state import dense_state_dict as dense_state_dict
from lionkit.momentum._state import encode_state as encode_state
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
    "codec",
    "decode_state",
    "dense_dtype",
    "dense_state_dict",
    "encode_state",
    "zero_state",
]
