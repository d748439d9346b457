"""Every sentence that a person reads on the page. Plain, short, in the second person; numbers carry units."""

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

# --- on top -------------------------------------------------------------------------------------------
PROJECT = "Your voices"
NEW_NAME = "Name of a new voice"
NEW_NAME_EXAMPLE = "for example: Anna"
CREATE = "Create"
NAME_FIRST = "Give your voice a name and press Create first."
WELCOME = "Give your voice a name and press **Create**. You can come back to it at any time."
OUR_FAULT = (
    "Something went wrong on our side. Nothing was lost. The details are in the window that VoiceFactory "
    "was started from."
)
NOTICE = "Please note"
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
REFUSED = "Not used, and why"
REFUSED_COLUMNS = ("File", "Why")
REMOVE = "Remove a file"
REMOVE_WHICH = "File"
REMOVE_BUTTON = "Remove it"
REMOVE_FIRST = "Choose the file to remove first."
NO_RECORDINGS = "Nothing here yet. Drop files above, or record yourself."
NONE_USABLE = "None of your files could be used. The reasons are below; drop others above, or record yourself."
TEXTS_TAKEN = "The texts are kept. Now add the recordings that they belong to."
EMPTY_MICROPHONE = "Nothing was recorded. Press Record, speak, press Stop, then add it."
ADD_TAKE = "Add this recording"

# --- 2 transcripts ------------------------------------------------------------------------------------
TRANSCRIPTS_HELP = (
    "Check that each text is exactly what is said: the voice learns from it. The least certain ones come first. "
    "Select a row to hear it; change the text in the table or below it. Take the tick off a clip that should not "
    "be used."
)
TRANSCRIPTS_COLUMNS = ("Use", "Text", "Length", "Look at it because", "File", "Clip")
NO_TRANSCRIPTS = "There are no transcripts yet. Add recordings in step 1 first: they are written down for you."
TRANSCRIPTS_COMING = "Your recordings are being written down. The texts appear here when that is done."
CLIP_PLAYER = "The clip you selected"
CLIP_TEXT = "What is said in it"
CLIP_USE = "Use this clip"
SAVE = "Save"
SAVE_NEXT = "Save and next"
SELECT_FIRST = "Select a row in the table first."
EMPTY_TEXT = "The text is empty. Write what is said, or take the tick off to leave the clip out."
SAVED = "Saved."

# --- 3 reference --------------------------------------------------------------------------------------
REFERENCE_HELP = (
    "One clip of 3 to 10 seconds tells the model whose voice it is. These are your best ones. "
    "Listen, and choose the one that sounds most like the voice you want."
)
NO_REFERENCE = "There is nothing to choose from yet. Add recordings in step 1 first."
NO_CANDIDATE = (
    "None of your clips is between 3 and 10 seconds long with a good text. "
    "Add a recording with a few calm sentences, or bring a file of your own below."
)
CANDIDATE = "Clip {number}"
REFERENCE_PICK = "Your choice"
REFERENCE_OWN = "Use a file of your own instead"
REFERENCE_FILE = "3 to 10 seconds of the voice"
REFERENCE_KEPT = "Reference chosen."

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
LOSS = "How far it is off when it predicts your recordings. Lower is better; the clips kept aside tell the truth."
LOSS_TRAIN, LOSS_HELD_OUT = "trained on", "kept aside"
LOG = "Log"
SAMPLES = "Samples of the finished voice"
NOT_YET_TRAINED = "Nothing has been trained yet."
NO_CLIPS = "There is nothing to train on yet. Add recordings in step 1 first."
STILL_PREPARING = "Your recordings are still being prepared. Train when that is done."

# --- 5 listen -----------------------------------------------------------------------------------------
LISTEN_HELP = "Type anything and hear it. The same text, voice and seed give the same result."
VOICE = "Voice"
TEXT = "Text"
TEXT_EXAMPLE = "Good morning. This is my new voice."
SPEAKER = "Speaker"
SPEAK_LANGUAGE = "Language of the text"
SAME_LANGUAGE = "As in the recordings"
SEED = "Seed"
SEED_HELP = "Another number gives another reading."
SPEAK = "Speak"
AUDIO = "Result"
TOY_VOICE = "**This voice makes noise, not speech**, because it comes from the toy model."
HISTORY = "What you heard so far"
HISTORY_COLUMNS = ("Text", "Voice", "How")
NO_VOICE = "There is no voice to listen to yet. Train one in step 4 first."
CHOOSE_VOICE = "Choose a voice first."
EMPTY_SPEAK = "Type a text to speak first."
ZERO_SHOT = "not trained, imitates the reference: {model}"
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
}
JOB_KINDS = {
    "prepare": "Preparing the recordings",
    "clean": "Cleaning the sound",
    "read": "Listening to what you read",
    "train": "Training",
    "synthesize": "Speaking",
    "publish": "Uploading",
}
STARTING = "Starting"
CANCELLING = "Stopping. What was finished is being saved."
QUEUED = "Waiting: {ahead} ahead of you."
QUEUED_NEXT = "Waiting to start."
ENDED = {
    "succeeded": "Done. Your voice is ready: listen to it in step 5.",
    "cancelled": "Cancelled. What was finished is kept: press Resume to go on.",
    "interrupted": "Stopped before it was finished.",
}
