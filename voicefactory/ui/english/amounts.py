"""Amounts, lengths, times, and names that come with VoiceFactory."""

from __future__ import annotations

#: One, and any other number of them.
COUNTS = {
    "recording": ("1 recording", "{number:,} recordings"),
    "clip": ("1 clip", "{number:,} clips"),
    "part": ("1 part", "{number:,} parts"),
    "sentence": ("1 sentence", "{number:,} sentences"),
    "epoch": ("1 epoch", "{number:,} epochs"),
    "day": ("1 day", "{number:,} days"),
    "voice": ("1 voice", "{number:,} voices"),
    "finished voice": ("1 finished voice", "{number:,} finished voices"),
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
