"""What a person is told at once: one sentence in the corner, until it is closed or something else is done.

Not Gradio's own messages: those come through its queue, and actions do not (ADR 0008).
"""

from __future__ import annotations

import html
import secrets
import sys
import traceback

import gradio as gr

from voicefactory.errors import VoiceFactoryError, as_sentence
from voicefactory.ui import text
from voicefactory.ui.told import told

_CLOSE = """
element.addEventListener('click', (event) => {
  if (event.target.closest('button')) { element.querySelector('.message').remove(); }
});
"""


def build() -> gr.HTML:
    """Where it is shown."""
    return gr.HTML("", elem_id="message", js_on_load=_CLOSE)


def message_html(error: Exception) -> str:
    """An error as its sentence; what is a defect of ours goes to the app's own window, too."""
    sentence = as_sentence(error)
    if sentence is None:
        traceback.print_exception(error, file=sys.stderr)
        sentence = VoiceFactoryError(text.OUR_FAULT)
    line = html.escape(told(str(sentence)))
    # Another id each time: the same sentence again must be shown again, also if it was closed.
    return (
        f'<div class="message" role="alert" id="message-{secrets.token_hex(4)}"><p>{line}</p>'
        f'<button type="button" aria-label="{text.CLOSE}">×</button></div>'
    )
