"""What runs, and what became of it."""

from __future__ import annotations

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
    "ingest": "Reading your files",
    "transcribe": "Writing down what is said",
    "package": "Packing the voice",
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
QUEUED_FIRST = "Waiting: you are next."
QUEUED_START = "It will start in about {time}."
QUEUED_NEXT = "Waiting to start."
ENDED = {
    "succeeded": "Done. Your voice is ready: listen to it in step 5.",
    "cancelled": "Cancelled. What was finished is kept: press Resume to go on.",
    "interrupted": "Stopped before it was finished.",
}
