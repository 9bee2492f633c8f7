"""What a run computes on, in and with: device, precision, processes.

accelerate starts the processes, finds the device and feeds the trackers. Precision, DDP and FSDP2 are torch's own: an
`accelerate.Accelerator` has one precision a process, where a sweep trains in several, refuses float16 and FSDP2 on a
CPU, where they are tested, and would stand between the loop and every step.
"""

from lionkit_lab.engine._agreement import bits_a_parameter as bits_a_parameter
from lionkit_lab.engine._agreement import check_agreement as check_agreement
from lionkit_lab.engine._engine import Engine as Engine
from lionkit_lab.engine._processes import Processes as Processes
