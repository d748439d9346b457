"""What a visitor has here, how they get rid of it, and what an admin sees of everybody."""

from __future__ import annotations

USED_GB = "{used:,.1f} of {most:,g} GB"
USED_MINUTES = "{used:,.0f} of {most:,g} minutes"
USED_VOICES = "{used:,} of {most:,} voices"
USED = "You have {parts}."
RETENTION_RULE = "Voices that nobody opens for {days} are deleted."
GOES_SOON = "deleted in {days} unless you open it"
GOES_TODAY = "deleted within a day unless you open it"

DELETE_HEAD = "Delete"
DELETE_ONE = "Delete this voice"
DELETE_ALL = "Delete everything of mine"
DELETE_NO = "Keep it"
DELETE_ONE_YES = "Delete for ever"
DELETE_ALL_YES = "Delete everything for ever"
DELETE_ONE_QUESTION = "“{name}” goes for ever: {what}. Nothing of it can be brought back."
DELETE_ALL_QUESTION = (
    "{voices} ({names}) and all your other files here go for ever: {what}. Nothing can be brought back."
)
DELETE_JOBS = "Work on it is stopped."
DELETE_NOTHING = "There is nothing of yours here."
SIZE_MB = "{size:,.1f} MB"

EVERYBODY = "Jobs of everybody"
EVERYBODY_LOOK = "Look again"
EVERYBODY_NONE = "No jobs."
EVERYBODY_COLUMNS = ("job", "what", "whose", "state", "device", "memory", "waited", "ran", "why it waits, or failed")
EVERYBODY_ONLY = "Only whoever runs this page may see that."
JOB_STATES = {
    "queued": "waiting",
    "running": "running",
    "succeeded": "done",
    "failed": "failed",
    "cancelled": "cancelled",
    "interrupted": "interrupted",
}
