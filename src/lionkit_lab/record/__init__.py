"""The run folder: what a run leaves behind, and how it is read back.

Nothing here needs torch; what describes a run does, and stands apart in `lionkit_lab.manifest`.
"""

from lionkit_lab.record._folder import claim as claim
from lionkit_lab.record._folder import open_manifest as open_manifest
from lionkit_lab.record._lines import Lines as Lines
from lionkit_lab.record._read import FORMAT as FORMAT
from lionkit_lab.record._read import Record as Record
from lionkit_lab.record._read import Run as Run
from lionkit_lab.record._read import Status as Status
from lionkit_lab.record._read import find_runs as find_runs
from lionkit_lab.record._read import read_run as read_run
