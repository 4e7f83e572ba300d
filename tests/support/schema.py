"""The part of JSON Schema that the pages use, read more strictly: a key that is not documented is a violation too."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TYPES: dict[str, Any] = {
    "string": str, "boolean": bool, "integer": int, "number": (int, float), "array": list, "object": dict,
    "null": type(None),
}  # fmt: skip


def schema_of(page: Path) -> dict[str, Any]:
    """The one schema that a page shows."""
    (text,) = re.findall(r"^```json\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    schema: dict[str, Any] = json.loads(text)
    return schema


def violations(value: Any, schema: dict[str, Any], defs: dict[str, Any], at: str = "$") -> Iterator[str]:
    """What of a value is not as the schema says; `defs` are the definitions that it may refer to."""
    if "$ref" in schema:
        schema = defs[schema["$ref"].rpartition("/")[2]]
    kinds = [schema["type"]] if isinstance(schema.get("type"), str) else schema.get("type", [])
    if kinds and not any(_is(value, kind) for kind in kinds):
        yield f"{at}: {value!r} is no {' or '.join(kinds)}"
        return
    if "const" in schema and value != schema["const"]:
        yield f"{at}: {value!r} is not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: {value!r} is none of {schema['enum']}"
    if "properties" in schema and isinstance(value, dict):
        yield from (f"{at}: lacks {key}" for key in schema.get("required", []) if key not in value)
        yield from (f"{at}: {key} is not documented" for key in value if key not in schema["properties"])
        for key in value.keys() & schema["properties"].keys():
            yield from violations(value[key], schema["properties"][key], defs, f"{at}.{key}")
    for number, item in enumerate(value if "items" in schema and isinstance(value, list) else ()):
        yield from violations(item, schema["items"], defs, f"{at}[{number}]")


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
