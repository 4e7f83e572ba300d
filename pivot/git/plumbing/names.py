"""Names of stages that come from notes and records of anybody: which are believed."""

from __future__ import annotations

import re

# Controls (C0, DEL, C1), separators of lines, and marks that turn the direction of text around.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
# Below folders, whose names may be anything: what `Pipeline.register` makes of a name, a pipeline and a variant.
_STAGE = re.compile(r"\w\S*")
_LONGEST = 1000


def is_stage_name(name: str) -> bool:
    """Whether `register` could have made this name; a note line or an info of any other is void."""
    if not name or len(name) > _LONGEST or _CONTROLS.search(name):
        return False
    return _STAGE.fullmatch(name.rpartition("/")[2]) is not None
