"""What of a class's name space counts as the project's own."""

from __future__ import annotations

import enum
import types
from typing import Any

_SKIPPED = {
    "__module__", "__qualname__", "__doc__", "__dict__", "__weakref__", "__annotations__", "__annotate__",
    "__annotate_func__", "__annotations_cache__", "__firstlineno__", "__static_attributes__", "__orig_bases__",
    "__parameters__", "__abstractmethods__", "_abc_impl", "__match_args__", "__dataclass_fields__",
    "__dataclass_params__", "__classcell__", "__type_params__", "__protocol_attrs__", "_is_protocol",
    "_is_runtime_protocol", "__non_callable_proto_members__", "__classdictcell__",
    "_member_map_", "_member_names_", "_value2member_map_", "_hashable_values_", "_unhashable_values_",
    "_unhashable_values_map_", "_member_type_", "_value_repr_", "_use_args_", "_new_member_", "_flag_mask_",
    "_singles_mask_", "_all_bits_", "_boundary_", "_inverted_", "__new_member__", "_generate_next_value_",
    "__attrs_attrs__", "__attrs_own_setattr__", "__attrs_props__", "__required_keys__", "__optional_keys__",
    "__total__", "__readonly_keys__", "__mutable_keys__", "__callable_proto_members_only__",
    "__orig_class__", "_field_defaults", "_fields", "__getnewargs__",
}  # fmt: skip
# A class body may hold these, and then they count.
BY_HAND = {"__match_args__", "__getnewargs__", "_fields", "_field_defaults"}
_MAKERS = {"dataclasses", "typing", "collections", "functools", "enum", "abc", "reprlib", "attr", "attrs"}
# What makers of classes note in one; a function by such a name is a hook that the project has written.
_NOTED = ("__pydantic", "__attrs", "__struct", "__pivot")
_CODE = (types.FunctionType, staticmethod, classmethod)


def is_made(value: Any) -> bool:
    """Whether a maker of classes put this function into one: which ones it does changes with its version."""
    function = value.__func__ if isinstance(value, staticmethod | classmethod) else value
    if not isinstance(function, types.FunctionType):
        return False
    homes = (str(function.__module__), str(function.__globals__.get("__name__")))
    return any(home.partition(".")[0] in _MAKERS for home in homes)


def counts(name: str, value: object) -> bool:
    """Whether a name of a class says what the class is, as far as its source does not say it."""
    if name in _SKIPPED or (name.startswith(_NOTED) and not isinstance(value, _CODE)):
        return False
    if isinstance(value, types.MemberDescriptorType | types.GetSetDescriptorType):
        return False
    if type(value).__name__ in ("_tuplegetter", "CField"):
        return False
    return not (type(value) is types.FunctionType and value.__code__.co_filename.startswith("<"))


def set_by_hand(kind: enum.EnumType, member: enum.Enum) -> dict[str, Any]:
    """What a `__new__` of the project has set in a member beside its value: no value tells it."""
    maker = getattr(kind, "_new_member_", None)
    if type(maker) is not types.FunctionType or is_made(maker):
        return {}
    return {name: held for name, held in vars(member).items() if not (name.startswith("_") and name.endswith("_"))}
