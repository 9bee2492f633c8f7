"""The data: two sets that ship with the package, and the user's own in the same formats."""

from lionkit_lab.data._files import DataFile as DataFile
from lionkit_lab.data._hub import HUB_PREFIX as HUB_PREFIX
from lionkit_lab.data._text import Text as Text
from lionkit_lab.data._text import load_text as load_text
