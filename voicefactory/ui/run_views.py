"""A run's numbers as curves and sentences."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, TypeGuard

import pandas as pd

from voicefactory.ui import text


def loss_points(metrics: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """step, loss, curve: one row a point of either curve; rows without a number are left out."""
    points = []
    for row in metrics:
        for key, curve in (("loss", text.LOSS_TRAIN), ("eval_loss", text.LOSS_HELD_OUT)):
            value = row.get(key)
            if _is_number(value):
                points.append((int(row["step"]), float(value), curve))
    return pd.DataFrame(points, columns=["step", "loss", "curve"])


def both_curves(points: pd.DataFrame) -> pd.DataFrame:
    """The points, with an empty one for a curve that has none yet: a plot that meets a new curve may leave it out."""
    missing = [name for name in (text.LOSS_TRAIN, text.LOSS_HELD_OUT) if name not in set(points["curve"])]
    if points.empty or not missing:
        return points
    empty = pd.DataFrame([(int(points["step"].min()), math.nan, name) for name in missing], columns=points.columns)
    return pd.concat([points, empty], ignore_index=True)


def best_line(metrics: Iterable[dict[str, Any]]) -> str:
    """Where the clips that were kept aside were predicted best; empty before the first measurement."""
    measured = [(loss, int(row["step"])) for row in metrics if _is_number(loss := row.get("eval_loss"))]
    return text.LOSS_BEST.format(step=min(measured)[1], loss=min(measured)[0]) if measured else ""


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and math.isfinite(value)
