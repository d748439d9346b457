"""Every sentence that a person reads on the page, in English. Plain, short, in the second person; numbers carry units.

`text.py` gives them out in the reader's language; translations/ has the same names in the same shapes.
"""

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

SERVING = "VoiceFactory is open at {address}\nYour voices are kept in {home}"
PORT_TAKEN = "Port {port} is used by another program. Choose another one, for example: PORT=7861 python app.py"

# --- at the side --------------------------------------------------------------------------------------
NO_PROJECTS = "None yet."
PROJECT_EMPTY = "empty"
PROJECT_VOICE = "voice ready"
PROJECT_WAITS = "waiting"
SAMPLES_BUTTON = "Try it with sample recordings"
SAMPLES_NAME = "Sample voice"
SAMPLES_CONSENT = "Sample recordings under CC BY-SA 3.0, taken {day}."

# --- how the steps stand ------------------------------------------------------------------------------
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

# --- on top -------------------------------------------------------------------------------------------
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

# --- 1 recordings -------------------------------------------------------------------------------------
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

# --- 2 transcripts ------------------------------------------------------------------------------------
TRANSCRIPTS_HELP = (
    "The voice learns exactly what is written here. The clips that most need a look come first: pick one, listen, "
    "and say whether its text is right."
)
TRANSCRIPTS_COLUMNS = ("Use", "Text", "Length", "Why look at it", "File")
NO_TRANSCRIPTS = "There are no transcripts yet. Add recordings in step 1 first: they are written down for you."
TRANSCRIPTS_COMING = "Your recordings are being written down. The texts appear here when that is done."
SHOW = "Show"
SHOWS = {
    "all": "All",
    "suspicious": "To look at",
    "foreign": "Another voice",
    "differs": "Second opinion differs",
    "checked": "Checked by you",
    "dropped": "Dropped",
}
SEARCH = "Find in texts and file names"
SEARCH_HINT = "Type, then press Enter"
PAGE_OF = "{first} to {last} of {all}"
PAGE_PREVIOUS, PAGE_NEXT = "Previous page", "Next page"
NOTHING_TO_SHOW = {
    "all": "No clip fits your search.",
    "suspicious": "Nothing is left to look at here.",
    "foreign": "No clip sounds like another voice.",
    "differs": "No second opinion differs. Ask for one below.",
    "checked": "You have not checked a clip yet.",
    "dropped": "You have not dropped a clip.",
}
CHECKED, DROPPED, HEARD_DIFFERENTLY = "checked by you", "dropped", "heard differently"
USE_ROW = "Use the clip “{text}”"
CLIP_PLAYER = "The clip you picked"
CLIP_TEXT = "What is said in it"
CLIP_NOT_CHOSEN = "Pick a clip in the list to hear it."
CLIP_PLACE = "Clip {place} of {all}: {file}"
ACCEPT, DROP, USE_AGAIN, UNDO = "Looks right", "Drop", "Use it again", "Undo"
UNDO_STEPS = {
    "accept": "Undo: looks right ({clips})",
    "drop": "Undo: drop ({clips})",
    "use": "Undo: use again ({clips})",
    "fix": "Undo: another text",
}
PREVIOUS, NEXT_CLIP = "Previous", "Next"
BULK = "Many at once"
BULK_ACCEPT = "All {clips} shown look right"
BULK_DROP = "Drop all {clips} shown"
BULK_USE = "Use all {clips} shown again"
BULK_HELP = "This counts for the clips in the list above, on all its pages. You can undo it."
KEYS_HEAD = "Keys"
KEYS = (
    ("J or ↓", "next clip"),
    ("K or ↑", "previous clip"),
    ("Space", "play or pause"),
    ("A", "looks right"),
    ("D", "drop, or use again"),
    ("E", "change the text; Enter keeps it, Esc leaves the field"),
    ("U", "undo"),
)
SELECT_FIRST = "Pick a clip in the list first."
EMPTY_TEXT = "The text is empty. Write what is said, or drop the clip."
MEASURES = {
    "duration_s": "{value:.1f} s long",
    "snr_db": "speech is {value:.0f} dB above the background",
    "loudness_lufs": "loudness {value:.0f} LUFS",
    "bandwidth_hz": "sound up to {value:.0f} Hz",
    "dnsmos": "sounds {value:.1f} of 5",
    "chars_per_s": "{value:.0f} letters a second",
    "confidence": "Whisper is {value:.0%} sure",
}
LIKE_THE_OTHERS, UNLIKE_THE_OTHERS = "the same voice as the others", "may be another voice"
OPINION_SAYS = "{asr} hears"
OPINION_AGREES = "{asr} hears the same words."
OPINION_TAKE = "Take the other text"
OPINION_WORDS_OURS, OPINION_WORDS_THEIRS = "Your text", "The other"
LISTEN_AGAIN = "Let Whisper listen again"
LISTEN_AGAIN_HELP = (
    "Whisper comes in sizes: a larger one hears better and takes longer. Ask one for a second opinion on the clips "
    "that most need a look, or let it write everything down again. What you checked or typed stays as it is."
)
ASR_SIZE = "Whisper size"
ASR_SIZE_HELP = "Choose one, or type a Hugging Face model id or a folder."
ASR_HERE, ASR_DOWNLOAD = "on this machine", "is downloaded first"
ASR_ROWS = ("Size", "Second opinion", "Everything", "Memory", "")
ASR_UNKNOWN_TIME = "not known yet"
ASR_ENGLISH = "English only"
OPINION_COUNT = "Clips for the second opinion"
OPINION_ASK = "Ask for a second opinion"
REWRITE = "Write everything down again"
ASR_FIRST = "Choose a Whisper size first."
OPINION_NOTHING = "There is no clip left to ask about: you have checked or dropped them all."
OPINION_RUNNING = "A second opinion is being made already. Wait for it, or cancel it first."
OPINION_DONE = "{clips} heard again; {differ} with other words. They are under “Second opinion differs”."
OPINION_CANCELLED = "Cancelled. What was heard is kept: ask again to go on."
NUMBERS = "Numbers and abbreviations"
NUMBERS_HELP = "Words are better for the voice. What you typed stays as it is."
NUMBERS_AS_WRITTEN, NUMBERS_IN_WORDS = "As Whisper writes them: 12 km", "In words: twelve kilometers"
EXPORT = "Take the texts with you"
EXPORT_FORM = "As"
EXPORT_FORMS = {
    "ljspeech": "LJSpeech: a zip with metadata.csv and the sound",
    "jsonl": "JSONL: a zip with data.jsonl and the sound",
    "srt": "SRT subtitles",
    "vtt": "WebVTT subtitles",
}
EXPORT_MAKE, EXPORT_FILE = "Make the file", "Download {name}"
EXPORT_DONE = "{clips} written, {left_out} left out."
EXPORT_NOTHING = "There are no texts to write yet."

# --- 3 reference --------------------------------------------------------------------------------------
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

# --- 3 your data --------------------------------------------------------------------------------------
DATA = "Your data"
NO_DATA = "Your data is counted here once there are clips with texts."
DATA_COMING = "Your data is being counted."
DATA_LINE = "{minutes} in {clips}"
DATA_LEFT_OUT = "{clips} left out (dropped, or without a text)"
DATA_HELPS = "What would help most"
DATA_LENGTHS = "How long the clips are, in seconds"
DATA_LENGTHS_ALT = "Clips by length: {bars}."
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

# --- 4 train ------------------------------------------------------------------------------------------
NO_GPU = "No GPU: training will run on the CPU. That works for a try; a real voice takes very long without a GPU."
ENGINE = "Engine"
MODEL = "Model to start from"
MODEL_HELP = "Choose one, or type a Hugging Face model id or a folder."
PRESET = "How to train"
TOY = (
    "**The toy model makes noise, not speech.** It is there to try the way through without a GPU and a "
    "download. Choose a real model for a voice that you can use."
)
ADVANCED = "Advanced"
ADVANCED_HELP = "The numbers of the chosen way to train. Most people leave them as they are."
PLAN_UNKNOWN = "What training needs is shown here once the model is on this machine, or the Hub can be asked about it."
PLAN_TOY = "The toy model is small. What it needs is shown once it has been built, when training first starts."
PLAN_FITS = "Needs about {needed}; your {device} has {free} free."
PLAN_FITS_CPU = "Needs about {needed} of memory; this machine has {free} free."
PLAN_NOT = "**Does not fit.** It needs about {needed}, and your {device} has {free} free."
PLAN_NOT_CPU = "**Does not fit.** It needs about {needed} of memory, and this machine has {free} free."
PLAN_NOT_QLORA = "Needs an NVIDIA GPU, and there is none here."
PLAN_NEAREST = "**{preset}** does, with {needed}."
PLAN_NONE = "No way to train fits: leave out the longest clips, or free some memory."
PLAN_TIME = "It takes about {low} to {high}: a rough guess from the arithmetic, not yet measured on such a device."
PLAN_AUTO = "Here that means: {numbers}."
PLAN_TERMS_HEAD = "Where the memory goes"
PLAN_TERMS = {
    "weights": "weights",
    "copies": "copies of weights while they are used",
    "gradients": "gradients",
    "optimizer": "optimiser",
    "activations": "activations of the longest batch",
    "codec": "speech tokenizer",
    "overhead": "CUDA and gaps between blocks (assumed)",
}
CONSENT = "I may use this voice: it is mine, or the person it belongs to has agreed."
CONSENT_GIVEN = '{owner} confirmed on {day}: "{statement}"'
CONSENT_FIRST = "Confirm that you may use this voice first (the tick above the button)."
TRAIN = "Train"
CANCEL = "Cancel"
RESUME = "Resume"
LOSS_BEST = "The clips kept aside were predicted best at step {step} ({loss:.3f})."
LEARNING_RATE = "learning rate"
HEARD = "The same sentence on the way, spoken with what was learned so far:"
HEARD_AT = "Step {step}"
HEARD_BEFORE = "Before training"
PROBE = "How it speaks on the way"
PROBE_HELP = "The same sentences at every measurement. The band is where the person's own recordings lie."
PROBE_STOPS = "Training ends by itself when the voice leaves it for the worse twice in a row."
PROBE_WATCHES = "Training is not stopped for it."
PROBE_NOISE = "The toy model makes noise, which has no pace and sounds like nobody."
PROBE_STOPPED = "Training was stopped because the voice drifted away from its speaker. {reason}"
PROBE_PACE = "Pace: 1 is the person's"
PROBE_LIKENESS = "Likeness to the recordings"
PROBE_RUNAWAY = "Sentences that did not end"
PROBE_STEP = "step"
PROBE_POINT = "step {step}: {value}"
PROBE_NOTHING = "nothing to measure yet"
LOSS = "How far it is off when it predicts your recordings. Lower is better; the clips kept aside tell the truth."
LOSS_TRAIN, LOSS_HELD_OUT = "trained on", "kept aside"
LOG = "Log"
SAMPLES = "Samples of the finished voice"
NOT_YET_TRAINED = "Nothing has been trained yet."
NO_CLIPS = "There is nothing to train on yet. Add recordings in step 1 first."
STILL_PREPARING = "Your recordings are still being prepared. Train when that is done."

# --- 5 listen -----------------------------------------------------------------------------------------
LISTEN_HELP = (
    "Type anything and hear it: you hear the first sentence while the next ones are spoken. An empty line makes a "
    "longer pause. The same text, voice and seed give the same result."
)
VOICE = "Voice"
TEXT = "Text"
TEXT_EXAMPLE = "Good morning. This is my new voice."
SPEAKER = "Speaker"
SPEAK_LANGUAGE = "Language of the text"
SAME_LANGUAGE = "As in the recordings"
SEED = "Seed"
SEED_HELP = "Another number gives another reading."
SPEAK = "Speak"
TOY_VOICE = "**This voice makes noise, not speech**, because it comes from the toy model."
HISTORY = "What you heard so far"
HISTORY_COLUMNS, HISTORY_WHEN = ("Text", "Voice", "How"), "When"
HISTORY_LINES = "{text} (and {more} more)"
HISTORY_BESIDE = "{number} side by side"
HISTORY_REMOVE, HISTORY_SURE = "Remove", "Remove?"
HISTORY_GONE = "This is not there any more."
HISTORY_BUSY = "This is being spoken now. Stop it first."
FORM, FORM_HELP = "File", "MP3 is small, FLAC and WAV lose nothing."
FORM_UNKNOWN = "Choose one of {forms} for the file."
SPEAK_STOPPED = "Stopped. What was spoken is kept: press Resume for the rest."
DOWNLOAD_SPOKEN = "Download"
LINES_HEAD = "Many lines at once"
LINES_HELP = (
    "Each line becomes a file of its own. You get them as one zip with a list. The voice, the language, the seed and "
    "the kind of file are those above."
)
LINES = "One sentence or more a line"
LINES_FILE = "Or a .txt, or a .csv with a column “text”"
LINES_SPEAK = "Speak all lines"
LINES_DONE = "{done} of {all} lines are finished."
LINES_MORE = "The first {shown} are shown here. All are in the zip."
BESIDE_HEAD = "Hear side by side"
BESIDE_HELP = "All of them say the text above, with the same seed."
BESIDE_WHO = "Who"
BESIDE_RECORDING = "A recording beside them"
BESIDE_NO_RECORDING = "none"
BESIDE_UNHEARD = "not trained on: {text}"
BESIDE_SAY_IT = "Say what this recording says"
BESIDE_SPEAK = "Let them all say it"
BESIDE_FIRST = "Choose at least two to hear side by side."
BESIDE_MOST = "Choose at most {most} to hear side by side."
BESIDE_RECORDING_FIRST = "Choose a recording first."
BESIDE_RECORDED, BESIDE_OTHER_WORDS = "Recording", "Recording, with other words"
BESIDE_GONE = "This recording has no text any more. Choose another one."
CHECKPOINT_AT = "{voice}, as it was at step {number}"
STRENGTH_AT = "{voice}, adapter at strength {number}"
NO_VOICE = "There is no voice to listen to yet. Train one in step 4 first."
CHOOSE_VOICE = "Choose a voice first."
JUDGE_HEAD = "How good is it, and was training worth it?"
JUDGE_HELP = (
    "The voice and the base model's imitation say the same sentences, and so do earlier stages of training if asked. "
    "Each is compared with the person's own recordings: likeness, what Whisper understands, pace, quality."
)
JUDGE_DEPTH = "How thoroughly"
JUDGE_QUICK = "Quick: 6 sentences, once"
JUDGE_THOROUGH = "Thorough: 24 sentences, twice, and kept checkpoints"
JUDGE = "Judge"
JUDGE_REPORT = "Download the report"
JUDGE_RUNNING = "It is being judged already. Wait for it, or cancel it first."
JUDGE_CANCELLED = "Stopped. What was said and heard is kept: press Judge to go on."
JUDGE_ALL = "All other measures"
JUDGE_HEAR = "Hear them side by side"
JUDGE_OWN = "the recordings: {low:.3f} to {high:.3f}"
JUDGE_NOT_MEASURED = "not measured"
PLACES = {"below": "below the recordings", "above": "above the recordings"}
WORTH = {
    "yes": "Training was worth it.",
    "no": "Training was not worth it: take the imitation without training.",
    "cannot tell": "Whether training was worth it cannot be told.",
}
UNTRAINED_TAKE = "Take the untrained voice instead"
UNTRAINED_HELP = (
    "The base model with your reference, packed like a trained voice: to listen to, to download, to upload. The "
    "reference is part of it."
)
UNTRAINED_READY = "The untrained voice is ready: choose it above, or take it away in step 6."
UNTRAINED_RUNNING = "It is being packed already."
UNTRAINED = "{voice}, not trained"
BLIND_BEGIN = "Test your own ears"
BLIND_AGAIN = "Test again"
BLIND_JUDGE_FIRST = "Press Judge first: the test plays what was spoken for it."
BLIND_WHERE = (
    "Pair {number} of {all}: which one sounds more like the person? You will be told at the end which was which."
)
BLIND_FIRST, BLIND_SECOND, BLIND_SOUND = "A", "B", "One of the two"
BLIND_FIRST_BETTER, BLIND_SECOND_BETTER, BLIND_UNDECIDED = "A is closer", "B is closer", "I cannot tell"
API_NOT_SPOKEN = "There is nothing to hear of this job yet. Ask for its status."
EMPTY_SPEAK = "Type a text to speak first."
ZERO_SHOT = "not trained, imitates the reference: {model}"
RUNAWAY_SOME = "The model did not come to an end in sentence {which} of {of}, so it was cut off. Try another seed."
RUNAWAY_SHORT = "cut off: it did not come to an end"
RUNAWAY = "The model did not come to an end by itself, so this was cut off. Try another seed or a shorter text."

# --- 6 share ------------------------------------------------------------------------------------------
SHARE_HELP = (
    "Before a voice is offered here, it was loaded in a fresh program and spoke a sentence. "
    "What it says is synthetic: say so where you use it."
)
NO_SHARE = "There is nothing to share yet. Train a voice in step 4 first."
DOWNLOAD = "Download the voice"
EXAMPLE = "Use it like this, in the unpacked folder"
HUB = "Put it on the Hugging Face Hub"
REPO = "Repository"
REPO_EXAMPLE = "your-name/my-voice"
REPO_HELP = "Your user name, a slash, and a name for the voice."
TOKEN = "Your token"
TOKEN_HELP = "From huggingface.co/settings/tokens, with write permission. It is used once and not kept."
PRIVATE = "Private: only you can see it"
PUSH = "Upload"
REPO_FIRST = "Write where to put it, for example: your-name/my-voice."
TOKEN_FIRST = "Paste a token with write permission first. You find it at huggingface.co/settings/tokens."
PUSHED = "Uploaded: {url}"

# --- jobs ---------------------------------------------------------------------------------------------
JOB_STEPS = {
    "hub": "Fetching the data set from the Hub",
    "clean": "Cleaning the sound",
    "read": "Listening to what you read",
    "ingest": "Reading your files",
    "segment": "Cutting at pauses",
    "transcribe": "Writing down what is said",
    "analyse": "Measuring the clips",
    "reference": "Choosing the reference",
    "extract": "Getting the clips ready for the model",
    "finetune": "Training",
    "synthesize": "Speaking",
    "package": "Packing the voice and checking that it works",
    "publish": "Uploading",
    "second opinion": "Listening again",
    "sizes": "Looking what this machine can run",
    "export": "Writing the file",
    "preview": "Imitating the candidates",
    "freeze": "Freezing the data set",
    "speak": "Saying the sentences",
    "listen": "Listening to them",
}
JOB_KINDS = {
    "prepare": "Preparing the recordings",
    "clean": "Cleaning the sound",
    "read": "Listening to what you read",
    "train": "Training",
    "synthesize": "Speaking",
    "publish": "Uploading",
    "opinion": "Second opinion",
    "sizes": "Looking what this machine can run",
    "export": "Writing the file",
    "preview": "Previews of the reference",
    "freeze": "Freezing the data set",
    "judge": "Judging the voice",
    "zero-shot": "Packing the untrained voice",
}
STARTING = "Starting"
PROGRESS = "{done} of {total}"
CANCELLING = "Stopping. What was finished is being saved."
QUEUED = "Waiting: {ahead} ahead of you."
QUEUED_NEXT = "Waiting to start."
ENDED = {
    "succeeded": "Done. Your voice is ready: listen to it in step 5.",
    "cancelled": "Cancelled. What was finished is kept: press Resume to go on.",
    "interrupted": "Stopped before it was finished.",
}

# --- amounts, lengths and times -----------------------------------------------------------------------
#: One, and any other number of them.
COUNTS = {
    "recording": ("1 recording", "{number:,} recordings"),
    "clip": ("1 clip", "{number:,} clips"),
    "part": ("1 part", "{number:,} parts"),
    "sentence": ("1 sentence", "{number:,} sentences"),
    "epoch": ("1 epoch", "{number:,} epochs"),
    "step": ("1 step", "{number:,} steps"),
}
SECONDS, MINUTES, MINUTES_SECONDS = "{seconds} s", "{minutes} min", "{minutes} min {seconds} s"
HOURS, HOURS_MINUTES = "{hours} h", "{hours} h {minutes} min"
LEFT, LEFT_BETWEEN = "about {time} left", "{low} to {high} left"
BETWEEN = "{low} to {high}"
RECORDINGS_LINE = "{recordings}, {length}."
RECORDINGS_CUT = "{recordings}, {length}; cut into {clips} with {speech} of speech."
RECORDINGS_FEW = "That is enough for a try; a few minutes or more make a better voice."
WILL_BE_USED = "{used:,} of {clips} will be used."
ONE_NEEDS_A_LOOK, NEED_A_LOOK = "One needs a look.", "{clips:,} need a look."
THIS_MACHINE = "This machine"
MEMORY_BAR = "our jobs {ours}, others {others}, free {free} of {total}"
MEMORY_KEYS = {
    "ours": "our jobs",
    "others": "other programs",
    "free": "free",
    "need": "this training",
    "used": "in use now",
}
PLAN_BAR = "This training needs {needed}; {free} of {total} are free."
GPU_BUSY = "{percent:.0f} % busy"
AUTO_RATE = "learning rate {rate:g}"
AUTO_BATCH = "{clips} at a time"
AUTO_STEPS = "{steps}, {warmup} of them to warm up"
AUTO_NO_WARMUP = "none"
AUTO_CLIPS = "{clips} to learn from, {kept} kept aside"
#: Name and description of the presets that come with VoiceFactory; the descriptions are those of the files.
PRESETS = {
    "chatterbox-style": (
        "Chatterbox style",
        "One fast pass over much data, a thousand clips or more; the speaker encoder stays frozen.",
    ),
    "full-quality": (
        "Full quality",
        "Slower and more careful than quick; for half an hour of clean speech and more.",
    ),
    "gentle": ("Gentle", "The smallest change; keeps most of the base model's way of speaking."),
    "lora": ("LoRA", "Trains a small adapter instead of the weights, in much less memory; it can be kept apart."),
    "low-memory": ("Low memory", "All weights are trained, in less than half the memory of quick; slower."),
    "official": ("Official", "The numbers of the public README, on a loss that is right; slow to change the voice."),
    "qlora": ("QLoRA", "The least memory; needs an NVIDIA GPU and bitsandbytes."),
    "quick": ("Quick", "A good first try, from a few minutes of speech."),
    "text-embedding-only": (
        "Text embedding only",
        "An experiment for new words; also takes texts without audio. Quality unknown.",
    ),
}
STEP = "step"
HOW_SEED = "seed {seed}"
LANGUAGES = {
    "chinese": "Chinese",
    "english": "English",
    "french": "French",
    "german": "German",
    "italian": "Italian",
    "japanese": "Japanese",
    "korean": "Korean",
    "portuguese": "Portuguese",
    "russian": "Russian",
    "spanish": "Spanish",
}
