"""Results of parts as bytes, and back: flat dataclasses of numbers, texts and arrays.

What lives here: `bytes_of` and `result_of`. What does not: files (`run_folder`). Nothing that is
read can run code, as a pickle could.
"""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final, TypeVar

import numpy as np

from benchmarks.studies.tables import texts

T = TypeVar("T")
PLAIN: Final = "plain"
"""Name of the array that holds what is no array, as JSON."""
_SEPARATOR: Final = "/"
"""Between the name of a field and a key of its mapping."""


class NotKept(ValueError):
    """Bytes that are no result of this kind."""


def bytes_of(result: Any) -> bytes:
    """Return a flat dataclass as bytes: numbers, texts, tuples of texts, arrays, maps of arrays.

    Arrays of objects are taken as texts or None.
    """
    plain: dict[str, object] = {}
    arrays: dict[str, Any] = {}
    for field in fields(result):
        value = getattr(result, field.name)
        if isinstance(value, np.ndarray):
            _put(arrays, plain, field.name, value)
        elif isinstance(value, Mapping):
            plain[field.name] = list(value)
            for key, array in value.items():
                assert _SEPARATOR not in key, key
                _put(arrays, plain, f"{field.name}{_SEPARATOR}{key}", np.asarray(array))
        else:
            plain[field.name] = value
    text = np.frombuffer(json.dumps(plain).encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{PLAIN: text, **arrays})
    return buffer.getvalue()


def _put(arrays: dict[str, Any], plain: dict[str, object], name: str, array: Any) -> None:
    if array.dtype == object:
        plain[f"{name}{_SEPARATOR}"] = array.tolist()
    else:
        arrays[name] = array


def result_of(kind: type[T], content: bytes) -> T:
    """Return the dataclass that was kept.

    Raises
    ------
    NotKept
        It is another, or damaged.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            plain = json.loads(arrays[PLAIN].tobytes())
            values = {
                field.name: _value(field.name, arrays, plain)
                for field in fields(kind)  # type: ignore[arg-type]
            }
    except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile) as problem:
        raise NotKept(str(problem)) from None
    return kind(**values)


def _value(name: str, arrays: Any, plain: Mapping[str, Any]) -> Any:
    if name in arrays or f"{name}{_SEPARATOR}" in plain:
        return _array(name, arrays, plain)
    value = plain[name]
    if isinstance(value, list):
        parts = {key: f"{name}{_SEPARATOR}{key}" for key in value if isinstance(key, str)}
        if value and all(one in arrays or f"{one}{_SEPARATOR}" in plain for one in parts.values()):
            return {key: _array(one, arrays, plain) for key, one in parts.items()}
        return tuple(value)
    return value


def _array(name: str, arrays: Any, plain: Mapping[str, Any]) -> Any:
    if name in arrays:
        return arrays[name]
    return texts(plain[f"{name}{_SEPARATOR}"])
