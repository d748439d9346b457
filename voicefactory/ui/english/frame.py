"""Around the steps: the title, the list at the side, how the steps stand, what is said on top."""

from __future__ import annotations

TITLE = "VoiceFactory"
LEAD = "Turn recordings of a voice into a voice that speaks any text."

STEPS = {
    "recordings": "1 Recordings",
    "transcripts": "2 Transcripts",
    "reference": "3 Reference",
    "train": "4 Train",
    "listen": "5 Listen",
    "share": "6 Share",
}
NEXT = {
    "recordings": "Next: check the transcripts",
    "transcripts": "Next: choose the reference",
    "reference": "Next: train",
    "train": "Next: listen",
    "listen": "Next: share",
}

SERVING = (
    "VoiceFactory is open at {address}\n"
    "Open it with your own key, and keep that to yourself: {own_address}\n"
    "Others see only what they make. Voices are kept in {home}"
)
SERVING_SPACE = "VoiceFactory is open at {address}\nVoices are kept in {home}"
NO_KEY = "It is not known which voices are yours. Allow cookies for this page and reload it; scripts send their key."
FILE_GONE = "This file is not here any more. Upload it again."
OTHER_BROWSER = "Open in another browser"
OTHER_BROWSER_WHY = "Your voices are kept for this browser. Whoever has this link sees them: treat it as a password."
OTHER_BROWSER_LINK = "Your own link"
KEY_QUESTION = (
    "This link opens VoiceFactory with the key of whoever made it: they see what you make. This browser will not show "
    "what it made before. Go on only if the link is your own."
)
KEY_GO_ON = "The link is my own: go on"
PORT_TAKEN = "Port {port} is used by another program. Choose another one, for example: PORT=7861 python app.py"

NO_PROJECTS = "None yet."
PROJECT_EMPTY = "empty"
PROJECT_VOICE = "voice ready"
PROJECT_WAITS = "waiting"
SAMPLES_BUTTON = "Try it with sample recordings"
SAMPLES_NAME = "Sample voice"
SAMPLES_CONSENT = "Sample recordings under CC BY-SA 3.0, taken {day}."

STANDS = {"done": "done", "now": "can be done now", "running": "in progress", "missing": "not yet"}
ALL_DONE = "All done."
WHY_RECORDINGS = "Drop files, or record yourself."
WHY_PREPARING = "They are being read and listened to."
WHY_NO_RECORDINGS = "Recordings are missing."
WHY_LOOK = "{clips} to look at, the riskiest first."
WHY_LOOKED = "Nothing is left to look at."
WHY_CHOSEN = "Chosen."
WHY_BEST = "The best clip is taken, unless you choose another one."
WHY_COMPARING = "Clips are being compared."
WHY_TRAIN = "Press the button."
WHY_TRAINING = "It trains."
WHY_TRAINED = "A voice is ready."
WHY_NO_VOICE = "No voice has been trained yet."
WHY_HEAR = "Let the voice say something."
WHY_HEARD = "You have heard it."
WHY_SHARE = "Download the voice, or push it to the Hub."
WHY_SHARED = "It is on the Hub."

PROJECT = "Your voices"
NEW_NAME = "Name of a new voice"
NEW_NAME_EXAMPLE = "for example: Anna"
CREATE = "Create"
NAME_FIRST = "Give your voice a name and press Create first."
WELCOME = (
    "Give your voice a name and press **Create**. You can come back to it at any time. To see the whole way first, "
    "press **Try it with sample recordings**: soon there is a voice. It makes noise, because its model is a toy."
)
OUR_FAULT = (
    "Something went wrong on our side. Nothing was lost. The details are in the window that VoiceFactory "
    "was started from."
)
LOG_IN = "Log in with Hugging Face first, so that your voices are kept apart from those of others."
