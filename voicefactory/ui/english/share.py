"""Step 6."""

from __future__ import annotations

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
