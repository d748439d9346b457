"""How the page is served: to whom, with what around it, and what is printed when it is open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.middleware import Middleware

from voicefactory import owners
from voicefactory.jobs.scheduler import Scheduler
from voicefactory.settings import settings
from voicefactory.ui import text
from voicefactory.ui.guard import Guard
from voicefactory.ui.headers import SafeHeaders
from voicefactory.ui.health import Health
from voicefactory.ui.mended_tabs import MendedTabs
from voicefactory.ui.sessions import CAPACITY
from voicefactory.ui.theme import CSS, theme
from voicefactory.ui.visitors import Visitors


def launch_settings(host: str, port: int, scheduler: Scheduler) -> dict[str, Any]:
    """To this machine unless told otherwise, and nothing but what the page needs."""
    return {
        "server_name": host,
        "server_port": port,
        "i18n": text.translations(),
        "theme": theme(),
        "css": CSS,
        "ssr_mode": False,
        "share": False,
        "show_error": False,
        "footer_links": [],
        "enable_monitoring": False,
        "mcp_server": False,
        "allowed_paths": [],
        "state_session_capacity": CAPACITY,
        "max_file_size": f"{settings().max_recording_mb:.0f}mb",
        "app_kwargs": {
            "docs_url": None,
            "redoc_url": None,
            "openapi_url": None,
            "middleware": _around(scheduler),
        },
    }


def serving(address: str, home: Path) -> str:
    """What is printed: where the page is open, and for whom. The one place where the key of the home is shown."""
    if settings().on_space:
        return str(text.SERVING_SPACE).format(address=address, home=home)
    own = f"{address.rstrip('/')}/?key={owners.home_key(home)}"
    return str(text.SERVING).format(address=address, own_address=own, home=home)


def _around(scheduler: Scheduler) -> list[Middleware]:
    """The outermost first."""
    key = None if settings().on_space else owners.home_key(scheduler.home)
    return [
        Middleware(SafeHeaders, on_space=settings().on_space),
        Middleware(Health, scheduler=scheduler),
        Middleware(Visitors, home=key),
        Middleware(Guard, login=settings().on_space),
        Middleware(MendedTabs),
    ]
