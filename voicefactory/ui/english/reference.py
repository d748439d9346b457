"""Step 3: the reference, and the data in figures."""

from __future__ import annotations

REFERENCE_HELP = (
    "One clip of 3 to 10 seconds tells the model whose voice it is; it is used with every clip. These three suit best. "
    "Listen, and choose the one that sounds most like the voice you want."
)
NO_REFERENCE = "There is nothing to choose from yet. Add recordings in step 1 first."
REFERENCE_COMING = "Your clips are being compared. The candidates appear here in a moment."
NO_CANDIDATE = (
    "None of your clips is between 3 and 10 seconds long with a good text. "
    "Add a recording with a few calm sentences, or bring a file of your own below."
)
CANDIDATE = "Clip {number}"
PREVIEW_OF = "Clip {number}, imitated without training"
PREVIEW = "Hear what the model makes of them now"
PREVIEW_HELP = (
    "The model imitates each clip without any training. A good reference is one whose imitation sounds like the "
    "person already."
)
PREVIEW_NOISE = "The toy model makes noise, not speech, so its imitations tell nothing."
PREVIEW_RUNNING = "The previews are being made already."
PREVIEW_CANCELLED = "Cancelled. Press the button again to go on."
REFERENCE_PICK = "Your choice"
REFERENCE_OWN = "Use a file of your own instead"
REFERENCE_FILE = "3 to 10 seconds of the voice"
REFERENCE_KEPT = "Reference chosen."

DATA = "Your data"
NO_DATA = "Your data is counted here once there are clips with texts."
DATA_COMING = "Your data is being counted."
DATA_LINE = "{minutes} in {clips}"
DATA_LEFT_OUT = "{clips} left out (dropped, or without a text)"
DATA_HELPS = "What would help most"
DATA_LENGTHS = "How long the clips are, in seconds"
DATA_LENGTHS_ALT = "Clips by length in seconds: {bars}."
DATA_SNR = "How far speech stands out from the pauses, in dB"
DATA_SNR_ALT = "Clips by how far speech stands out, in dB: {bars}."
DATA_SOUNDS = "Sounds of the language"
DATA_READ = "Sentences that would bring what is missing"
DATA_WARNINGS = "Look at this"
DATA_NO_WARNINGS = "Nothing stands out."
FREEZE = "Freeze this data set"
FREEZE_HELP = (
    "Training sees a frozen copy only, so that what you change later cannot change a voice that was made. "
    "Training freezes what there is by itself; do it here to keep a state to come back to."
)
FROZEN_HEAD = "Frozen data sets"
FROZEN_COLUMNS = ("Name", "Frozen", "Clips", "Length", "Since then")
FROZEN_SAME = "nothing changed"
FROZEN_NONE = "None yet."
FREEZE_RUNNING = "The data set is being frozen already."
FREEZE_CANCELLED = "Cancelled. Nothing was frozen."
