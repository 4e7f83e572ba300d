"""Remotes by name: `pivot-remote.<name>.url` in Git configuration or `.pivotconfig`; `pivot.remote` is the default."""

from __future__ import annotations

import difflib
import re

from msgspec import Struct

from pivot.errors import SettingError, TargetError
from pivot.git.plumbing.config import SHARED_FILE, Settings, trust_address, unset_setting, write_setting
from pivot.git.plumbing.locate import RepositoryLocation
from pivot.project import Project
from pivot.sync.remote.known_stores import KnownStores

SECTION = "pivot-remote"
NO_REMOTE = "there is no remote for outputs"
ADD_REMOTE = "Run `git pivot remote add NAME URL`."
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Named(Struct, frozen=True):
    """A remote as the settings know it."""

    name: str
    url: str
    is_default: bool


def named_remotes(settings: Settings) -> list[Named]:
    """Every remote that has a URL."""
    names = [name for name in settings.subsections(SECTION) if settings.get(f"{SECTION}.{name}.url")]
    default = _default(settings, names)
    return [Named(name, settings.get(f"{SECTION}.{name}.url") or "", name == default) for name in names]


def has_remote(settings: Settings) -> bool:
    return bool(named_remotes(settings))


def default_named(settings: Settings) -> Named | None:
    """The remote that is meant where none is named; None where there is none, or nothing says which."""
    return next((one for one in named_remotes(settings) if one.is_default), None)


def choose_named(settings: Settings, name: str | None = None) -> Named:
    """The remote of this name; without a name the default one, or the only one.

    Raises:
        TargetError: there is none, or nothing says which.
    """
    known = named_remotes(settings)
    if (name is None and not known) or f"{SECTION}.{name}.url" in {one.key for one in settings.unconfirmed}:
        _refuse_unconfirmed(settings)
    if name is not None:
        found = next((one for one in known if one.name == name), None)
        if found is None:
            near = difflib.get_close_matches(name, [one.name for one in known], n=1)
            hint = f"Did you mean {near[0]}?" if near else f"git pivot remote add {name} URL"
            raise TargetError(f"there is no remote {name}", hint=hint)
        return found
    default = default_named(settings)
    if default is None and not known:
        raise TargetError(NO_REMOTE, hint=ADD_REMOTE)
    if default is None:
        names = ", ".join(one.name for one in known)
        raise TargetError(f"which remote? There are {names}", hint=f"git config pivot.remote {known[0].name}")
    return default


def _refuse_unconfirmed(settings: Settings) -> None:
    """The remote that is meant may be in `.pivotconfig`, at an address that this clone has not agreed to."""
    urls = [one for one in settings.unconfirmed if one.key.startswith(f"{SECTION}.")]
    if urls:
        what = f"this clone has not agreed to an address in {SHARED_FILE}: {urls[0]}"
        raise TargetError(what, hint="Run `git pivot trust` to allow it.")


def add_remote(project: Project, name: str, url: str, *, default: bool, scope: str) -> None:
    """Write a remote into the settings.

    Raises:
        SettingError: a name or URL that cannot be, or a name that is taken.
    """
    if not _NAME.fullmatch(name):
        raise SettingError(f"{name!r} is no name for a remote", hint="Use letters, digits, dots and dashes.")
    # What a user says of it alone, such as a key in ~/.gitconfig, may stand there first.
    if project.settings.get(f"{SECTION}.{name}.url"):
        raise SettingError(f"there is a remote {name} already", hint=f"git pivot remote remove {name}")
    for key, value in {f"{SECTION}.{name}.url": url, **({"pivot.remote": name} if default else {})}.items():
        write_setting(project.location, key, value, scope=scope)
        if scope == "shared":  # whoever writes it here has agreed to it
            trust_address(project.location, project.settings, key, value)


def remove_remote(location: RepositoryLocation, settings: Settings, name: str) -> None:
    """Take a remote out of the settings, wherever it stands in this repository; its bytes stay.

    Raises:
        TargetError: there is none of this name.
    """
    KnownStores(location.common_dir, choose_named(settings, name).url).forget()
    for scope in ("local", "shared"):
        keys = [key for key in settings.values if key.startswith(f"{SECTION}.{name}.")]
        for key in keys:
            unset_setting(location, key, scope=scope)
    if settings.get("pivot.remote") == name:
        for scope in ("local", "shared"):
            unset_setting(location, "pivot.remote", scope=scope)


def _default(settings: Settings, names: list[str]) -> str | None:
    wanted = settings.get("pivot.remote")
    if wanted is not None:
        return wanted if wanted in names else None
    return names[0] if len(names) == 1 else None
