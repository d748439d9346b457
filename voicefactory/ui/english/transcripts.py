"""Step 2."""

from __future__ import annotations

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
