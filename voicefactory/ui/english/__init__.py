"""Every sentence that a person reads on the page, in English. Plain, short, in the second person; numbers carry units.

`text.py` gives them out in the reader's language; translations/ has the same names in the same shapes.
"""

# ruff: noqa: F403 - the parts are one table

from __future__ import annotations

from voicefactory.ui.english.amounts import *
from voicefactory.ui.english.frame import *
from voicefactory.ui.english.jobs import *
from voicefactory.ui.english.listen import *
from voicefactory.ui.english.mine import *
from voicefactory.ui.english.recordings import *
from voicefactory.ui.english.reference import *
from voicefactory.ui.english.share import *
from voicefactory.ui.english.train import *
from voicefactory.ui.english.transcripts import *
