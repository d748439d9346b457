"""At the side: the visitor's own link, to open their voices in another browser. Closed, and empty until it is opened.

The key is in a cookie that scripts cannot read, so that only a wish of the visitor brings it onto the page.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import gradio as gr

from voicefactory.settings import settings
from voicefactory.ui import text
from voicefactory.ui.access import visitor_at
from voicefactory.ui.page import Call, Page


def build(page: Page) -> None:
    """Add the panel. A Space has none: whoever logs in there has their voices."""
    if settings().on_space:
        return
    with gr.Accordion(text.OTHER_BROWSER, open=False, elem_id="other-browser") as panel:
        gr.Markdown(text.OTHER_BROWSER_WHY, elem_classes="quiet")
        link = gr.Textbox(label=text.OTHER_BROWSER_LINK, interactive=False, elem_id="own-link", buttons=["copy"])
    page.on(panel.expand, _own_link, [], [link], changes=False)
    page.on(panel.collapse, lambda call: "", [], [link], changes=False)


def _own_link(call: Call) -> str:
    """The address of the page as this browser sees it, with its key."""
    here = urlsplit(str(call.request.headers.get("referer") or call.request.request.base_url))  # type: ignore[union-attr]
    return f"{here.scheme}://{here.netloc}{here.path}?key={visitor_at(call.request).key}"
