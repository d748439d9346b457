"""What a visitor has here beside their projects: what is used of what one may have, and whether they are an admin."""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path

from voicefactory import owners
from voicefactory.settings import settings
from voicefactory.ui import text, views
from voicefactory.usage import Usage, usage_of

_MAX_AGE_S = 5.0  #: every open page asks once a second
_GB, _MINUTE_S = 1e9, 60.0


@dataclass(frozen=True)
class Account:
    """Of one visitor."""

    usage: Usage | None = None  #: None where nothing is limited
    admin: bool = False  #: may see everybody's jobs, but not what they are about


NOBODY = Account()


def account_of(owner: str, home: Path) -> Account:
    """The account as it is now, or was a few seconds ago."""
    limits = settings()
    limited = limits.max_owner_gb or limits.max_owner_minutes or limits.max_owner_projects
    return Account(usage_of(owner, home, max_age_s=_MAX_AGE_S) if limited else None, is_admin(owner))


def is_admin(owner: str) -> bool:
    """Whether `owner` is named in VOICEFACTORY_ADMINS, or is the person at this computer."""
    named = {name.strip() for name in settings().admins.split(",") if name.strip()}
    if owner == owners.LOCAL:
        return not settings().on_space
    return owner in named or owner in {owners.owner_of_user(name) for name in named}


def usage_html(account: Account) -> str:
    """How much is used of each limit, and when voices are deleted; empty where neither is set."""
    lines = [text.USED.format(parts=", ".join(_parts(account.usage)))] if account.usage else []
    if days := settings().retention_days:
        lines.append(text.RETENTION_RULE.format(days=views.count(max(1, round(days)), "day")))
    return "".join(f'<p class="quiet">{html.escape(line)}</p>' for line in lines)


def _parts(usage: Usage) -> list[str]:
    limits = settings()
    parts = []
    if limits.max_owner_gb:
        parts.append(text.USED_GB.format(used=usage.bytes / _GB, most=limits.max_owner_gb))
    if limits.max_owner_minutes:
        parts.append(text.USED_MINUTES.format(used=usage.seconds / _MINUTE_S, most=limits.max_owner_minutes))
    if limits.max_owner_projects:
        parts.append(text.USED_VOICES.format(used=usage.projects, most=limits.max_owner_projects))
    return parts
