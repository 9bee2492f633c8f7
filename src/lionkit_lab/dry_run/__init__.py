"""What a recipe needs, before it runs: sizes, memory, steps, data, and what is missing; no data are loaded for it."""

from lionkit_lab.dry_run._dry_run import DryRun as DryRun
from lionkit_lab.dry_run._dry_run import dry_run as dry_run
from lionkit_lab.dry_run._missing import Missing as Missing
