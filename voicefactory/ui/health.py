"""/health, for Docker and load balancers: 200 while this app can do its work, otherwise 503.

It asks nobody who they are, and says nothing of anybody's.
"""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING, Any

import anyio
from starlette.responses import JSONResponse

from voicefactory import __version__

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from voicefactory.jobs.scheduler import Scheduler

HEALTH_PATH = "/health"
HANGS_S = 30.0  #: without a finished look at the table; they follow each other within a second


class Health:
    """ASGI middleware; the outermost, so that nothing else is needed for an answer."""

    def __init__(self, app: ASGIApp, scheduler: Scheduler) -> None:
        self._app, self._scheduler = app, scheduler
        self._limiter: anyio.CapacityLimiter | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != HEALTH_PATH or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        # Threads of its own: the page's may all be busy, and that alone is no reason to be restarted.
        self._limiter = self._limiter or anyio.CapacityLimiter(2)
        well, told = await anyio.to_thread.run_sync(report, self._scheduler, limiter=self._limiter)
        answer = JSONResponse(told, status_code=200 if well else 503, headers={"Cache-Control": "no-store"})
        await answer(scope, receive, send)


def report(scheduler: Scheduler) -> tuple[bool, dict[str, Any]]:
    """Whether jobs are looked after, and how things stand."""
    looked_s_ago = time.monotonic() - scheduler.looked
    well = scheduler.alive and looked_s_ago < HANGS_S
    told: dict[str, Any] = {
        "version": __version__,
        "scheduler": {"alive": scheduler.alive, "looked_s_ago": round(looked_s_ago, 1)},
    }
    try:
        states = [job.state for job in scheduler.store.active()]
        told["jobs"] = {state: states.count(state) for state in ("running", "queued")}  # type: ignore[arg-type]
        told["free_disk_gb"] = round(shutil.disk_usage(scheduler.home).free / 1e9, 1)
    except Exception as error:  # noqa: BLE001 - a table that cannot be read: the kind of error is all that is told
        well = False
        told["error"] = type(error).__name__
    return well, {"status": "ok" if well else "down", **told}
