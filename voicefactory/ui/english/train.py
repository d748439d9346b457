"""Step 4."""

from __future__ import annotations

NO_GPU = "No GPU: training will run on the CPU. That works for a try; a real voice takes very long without a GPU."
ENGINE = "Engine"
MODEL = "Model to start from"
MODEL_HELP = "Choose one, or type a Hugging Face model id or a folder."
MODEL_UNKNOWN = "Choose a base model from the list, or give its name on the Hub: owner/name."
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
