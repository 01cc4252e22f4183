"""As much of JSON Schema as the schemas here use: what in a document is not as one says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_TYPES = {"object": dict, "array": list, "string": str, "integer": int}
_TYPES |= {"number": (int, float), "null": type(None)}
_KNOWN = {
    *("$schema", "$defs", "$ref", "title", "description", "type", "const", "enum", "anyOf"),
    *("required", "properties", "additionalProperties", "items"),
}


def faults(
    value: Any, schema: dict[str, Any], whole: dict[str, Any], at: str = ""
) -> Iterator[str]:
    """Each place where a value is not as the schema says; keys that it does not name are told too.

    Documents may have such keys, and a schema that is shipped should name those that there are.
    """
    assert set(schema) <= _KNOWN, f"{set(schema) - _KNOWN} is not looked at"
    if "$ref" in schema:
        yield from faults(value, whole["$defs"][schema["$ref"].rpartition("/")[2]], whole, at)
        return
    if "anyOf" in schema:
        if all(any(faults(value, one, whole, at)) for one in schema["anyOf"]):
            yield f"{at}: {value!r} is none of them"
        return
    if "const" in schema and value != schema["const"]:
        yield f"{at}: {value!r} is not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: {value!r} is not in {schema['enum']}"
    if "type" in schema and not _is_of(value, schema["type"]):
        yield f"{at}: {value!r} is not of {schema['type']}"
    if isinstance(value, dict) and "properties" in schema:
        yield from (f"{at}.{key} is missing" for key in schema["required"] if key not in value)
        yield from (f"{at}.{key} is not named" for key in value if key not in schema["properties"])
    if isinstance(value, dict):
        for key, inner in value.items():
            known = schema.get("properties", {}).get(key, schema.get("additionalProperties"))
            if known is not None:
                yield from faults(inner, known, whole, f"{at}.{key}")
    if isinstance(value, list) and "items" in schema:
        for number, inner in enumerate(value):
            yield from faults(inner, schema["items"], whole, f"{at}[{number}]")


def _is_of(value: Any, types: str | list[str]) -> bool:
    names = [types] if isinstance(types, str) else types
    if isinstance(value, bool):
        return "boolean" in names
    return any(isinstance(value, _TYPES[name]) for name in names if name in _TYPES)
