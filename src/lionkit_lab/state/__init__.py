"""All that changes while a run trains."""

from lionkit_lab.state._optimizer import resized_from as resized_from
from lionkit_lab.state._snapshot import restore as restore
from lionkit_lab.state._snapshot import snapshot as snapshot
from lionkit_lab.state._training import NonFiniteLossError as NonFiniteLossError
from lionkit_lab.state._training import TrainingState as TrainingState
from lionkit_lab.state._training import check_warmup as check_warmup
from lionkit_lab.state._training import total_steps as total_steps
