"""Early warnings: hearing from the records that a run goes wrong, before it has."""

from lionkit_lab.watch._alarm import Alarm as Alarm
from lionkit_lab.watch._alarm import Finding as Finding
from lionkit_lab.watch._watch import Watch as Watch
