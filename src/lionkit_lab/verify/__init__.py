"""Every theorem measured against its bound, on problems whose constants are known, and each assumption broken."""

from lionkit_lab.verify._broken import Broken as Broken
from lionkit_lab.verify._broken import broken as broken
from lionkit_lab.verify._cells import EFFORTS as EFFORTS
from lionkit_lab.verify._cells import Effort as Effort
from lionkit_lab.verify._grid import default_workers as default_workers
from lionkit_lab.verify._grid import measure as measure
from lionkit_lab.verify._lyapunov import Check as Check
from lionkit_lab.verify._lyapunov import checks as checks
from lionkit_lab.verify._observe import Observation as Observation
from lionkit_lab.verify._statements import STATEMENTS as STATEMENTS
from lionkit_lab.verify._statements import Finding as Finding
from lionkit_lab.verify._statements import find as find
