"""Entry point of the page: `python app.py`, and what a Hugging Face Space runs."""

import sys

from voicefactory.errors import VoiceFactoryError
from voicefactory.ui.app import serve

if __name__ == "__main__":
    try:
        serve()
    except VoiceFactoryError as error:
        sys.exit(str(error))
