"""Memory as bars: what is used on each device and by whom, and what a plan needs beside what is free."""

from __future__ import annotations

import html
from collections.abc import Sequence

from voicefactory.device_memory import DeviceMemory
from voicefactory.hardware import CPU
from voicefactory.pipeline.plan import RunPlan
from voicefactory.ui import text, views


def devices_html(devices: Sequence[DeviceMemory]) -> str:
    """A bar for each device: our jobs, others, free."""
    if not devices:
        return ""
    missing = views.note_html(text.NO_GPU) if devices[0].device == CPU else ""
    return missing + "".join(_device(one) for one in devices) + _legend(("ours", "others", "free"))


def plan_html(found: RunPlan | None) -> str:
    """What a run needs, beside what is in use, on the memory of the device that would be taken."""
    if found is None:
        return ""
    best, needed = found.best, found.plan.peak_bytes
    used = best.total_bytes - best.free_bytes
    width = max(best.total_bytes, used + needed)
    told = text.PLAN_BAR.format(
        needed=views.gib(needed), free=views.gib(best.free_bytes), total=views.gib(best.total_bytes)
    )
    stretches = [("others", used), ("ours" if best.fits else "over", needed)]
    return _bar(stretches, width, told, end=best.total_bytes) + _legend(("need", "used", "free"))


def terms_html(found: RunPlan | None) -> str:
    """The parts of what a run needs, the largest first."""
    if found is None:
        return ""
    terms = sorted(((size, name) for name, size in found.plan.memory.items() if size), reverse=True)
    rows = "".join(
        f"<tr><td>{html.escape(text.PLAN_TERMS[name])}</td><td>{html.escape(views.gib(size))}</td>"
        f'<td class="share"><span style="width:{100 * size / terms[0][0]:.1f}%"></span></td></tr>'
        for size, name in terms
    )
    return f"<table>{rows}</table>"


def _device(one: DeviceMemory) -> str:
    name = text.THIS_MACHINE if one.device == CPU else f"GPU {one.device.removeprefix('cuda:')}: {one.name}"
    told = text.MEMORY_BAR.format(
        ours=views.gib(one.ours_bytes),
        others=views.gib(one.others_bytes),
        free=views.gib(one.free_bytes),
        total=views.gib(one.total_bytes),
    )
    busy = text.GPU_BUSY.format(percent=one.load_percent)
    head = (
        f'<p class="device"><b>{html.escape(name)}</b> <span class="quiet">{html.escape(f"{told}, {busy}")}</span></p>'
    )
    return head + _bar([("ours", one.ours_bytes), ("others", one.others_bytes)], one.total_bytes, f"{name}: {told}")


def _bar(stretches: Sequence[tuple[str, int]], width: int, told: str, end: int | None = None) -> str:
    """Stretches of memory in a row, all in bytes; `end` marks how much there is where they go beyond it."""
    parts = "".join(f'<span class="{kind}" style="width:{100 * size / width:.1f}%"></span>' for kind, size in stretches)
    mark = f'<i style="left:{100 * end / width:.1f}%"></i>' if end is not None and end < width else ""
    return f'<div class="memory" role="img" aria-label="{html.escape(told, quote=True)}">{parts}{mark}</div>'


def _legend(keys: Sequence[str]) -> str:
    kinds = {"ours": "ours", "need": "ours", "others": "others", "used": "others", "free": "free"}
    words = "".join(f'<span><i class="{kinds[key]}"></i>{html.escape(text.MEMORY_KEYS[key])}</span>' for key in keys)
    return f'<div class="legend memory-key" aria-hidden="true">{words}</div>'
