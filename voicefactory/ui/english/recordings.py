"""Step 1."""

from __future__ import annotations

RECORDINGS_HELP = (
    "Add recordings of **one** voice: a few minutes make a first try, half an hour or more makes a good voice. "
    "Quiet room, no music, no second speaker. Long recordings are fine: they are cut at pauses."
)
FILES = "Drop audio files or a zip of them here"
FILES_MORE = (
    "wav, flac, mp3, ogg, opus, m4a, webm or aiff. If you have the texts already (a metadata.csv, "
    "a .txt for each file, or JSONL), drop them too and they are used instead of listening."
)
MICROPHONE = "Or record yourself"
LANGUAGE = "Language of the recordings"
LANGUAGE_AUTO = "Detect it"
RECORDINGS = "Recordings"
RECORDINGS_COLUMNS = ("File", "Length", "Remarks")
MORE_ROWS = "And {more} more."
REFUSED = "Not used, and why"
REFUSED_COLUMNS = ("File", "Why")
REMOVE = "Remove a file"
REMOVE_WHICH = "File"
REMOVE_BUTTON = "Remove it"
REMOVE_FIRST = "Choose the file to remove first."
NO_RECORDINGS = "Nothing here yet. Drop files above, or record yourself."
NONE_USABLE = "None of your files could be used. The reasons are below; drop others above, or record yourself."
CLOSE = "Close"
TEXTS_TAKEN = "The texts are kept. Now add the recordings that they belong to."
EMPTY_MICROPHONE = "Nothing was recorded. Press Record, speak, press Stop, then add it."
ADD_TAKE = "Add this recording"
SOURCES = ("Files", "Read aloud", "Hub")
READ_ALOUD = "Read aloud: “{line}”"
HUB_DATA_HELP = (
    "A public data set of recordings on the Hugging Face Hub, by its name. Its texts are used where it has them. "
    "Make sure that you may use this voice."
)
HUB_DATA = "Data set"
HUB_DATA_EXAMPLE = "owner/name, or owner/name:part"
HUB_DATA_ADD = "Add it"
HUB_DATA_FIRST = "Write the data set's name first, for example: keithito/lj_speech."
HUB_DATA_NAMES = "Data sets of this voice"
WAVE = "Waveform of {name} from {start} to {end}: {clips}."
WAVE_REFUSED = "{parts} not used."
WAVE_KEY_CLIP = "used as a clip"
WAVE_KEY_REFUSED = "speech that is not used"
WAVE_KEY_PAUSE = "a pause, left out"
PART = "Minute of the recording"
READ_HELP = (
    "Read one sentence at a time, as you would tell it to a friend. Each is listened to at once, so that you know "
    "that it can be used. Ten minutes make a good start, thirty are better; stop whenever you like and go on later."
)
READ_LANGUAGE = "Language you read in"
READ_CHOOSE = "Choose the language that you want to read in."
READ_ALL = (
    "You have read every sentence of this language. For more, talk freely: tell what you did today, and record it "
    "under Files."
)
READ_ONLY_SKIPPED = "Only the sentences that you skipped are left."
READ_MICROPHONE = "Press Record, read the sentence, press Stop"
READ_METER = "How loud you are"
READ_KEEP = "Keep it, next sentence"
READ_ANYWAY = "Keep it anyway"
READ_CHECK = "Check it again"
READ_RETAKE = "Read it again"
READ_SKIP = "Skip this sentence"
READ_UNSKIP = "Show the skipped sentences"
READ_TAKE = "What you just recorded"
READ_OK = "Good: your sentence was heard."
READ_HEARD = "Heard: {heard}"
READ_MISSED = "not heard"
READ_GOAL = "{done} of {goal} minutes"
READ_COUNT = "{read} read, {left} to go in this language."
READ_EMPTY = "Nothing was recorded. Press Record, read the sentence, press Stop."
READ_NO_SENTENCE = "There is no sentence to read now. Choose a language first."
READ_NOTHING_TO_KEEP = "There is nothing to keep yet. Record the sentence first."
READ_WAITING = "{sentences} kept. They join your recordings when you pause for a moment."
READ_TAKE_IN = "Add them now"
READ_AGAIN = "Read a sentence again"
READ_AGAIN_WHICH = "Sentence that you kept"
READ_AGAIN_BUTTON = "Throw it away and read it again"
READ_AGAIN_FIRST = "Choose the sentence first."
LEVEL_LOW, LEVEL_GOOD, LEVEL_HIGH = "Your voice: rather quiet", "Your voice: good", "Your voice: rather loud"
NOISE_GOOD = "Background: quiet, {snr} dB below your voice"
NOISE_BAD = "Background: noisy, only {snr} dB below your voice"
CLEAN = "Clean the sound"
CLEAN_HELP = (
    "Only if you hear something that bothers you: cleaning can also take away a little of the voice. "
    "Your recordings are kept as they are, and you can take it back at any time."
)
CLEAN_WHAT = "What to do"
CLEAN_STEPS = {
    "highpass": "Take away rumble below the voice",
    "denoise": "Take away noise",
    "level": "Make everything equally loud",
}
CLEAN_SCOPE = "To what"
CLEAN_SCOPES = {"all": "All clips", "recording": "The recording above", "clip": "The clip below"}
CLEAN_CLIP = "A clip of the recording above, to hear before and after"
CLEAN_START = "Clean"
CLEAN_UNDO = "Take it back"
CLEAN_TICK_FIRST = "Tick what to do first."
CLEAN_NO_CLIPS = "There are no clips yet. Add recordings first."
CLEAN_NONE_HERE = "There is no clip in what is shown above. Pick another recording or another minute."
CLEAN_RUNNING = "Cleaning is still running. Wait for it, or cancel it first."
CLEAN_NOTHING_TO_UNDO = "There is nothing to take back: these clips are as they were cut."
CLEAN_CANCELLED = "Cancelled. The clips are as they were before."
CLEAN_COUNT = "{done} of {all} cleaned."
CLEAN_NOT_YET = "This clip has not been cleaned."
CLEAN_DONE = "Done to this clip: {steps}. Speech was {before} dB above the pauses and is now {after} dB."
CLEANED = "cleaned"
BEFORE, AFTER = "Before", "After"
