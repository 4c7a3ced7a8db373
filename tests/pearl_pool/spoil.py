"""Every way to spoil a member of a message, as bytes of a line."""
import copy
import json

MARK = "@spoilt@"
OTHERS = {"number": b"17", "negative": b"-1", "real": b"1.5", "huge": b"1" + b"0" * 400, "text": b'"x"',
          "empty": b'""', "long": b'"' + b"a" * 5000 + b'"', "null": b"null", "true": b"true", "list": b"[]",
          "object": b"{}", "no UTF-8": b'"\xff\xfe"', "half a character": b'"\xe2\x82"',
          "control": b'"a\\u0000b"'}


def _holder(message, path):
    for step in path[:-1]:
        message = message[step]
    return message


def with_raw(message, path, raw):
    """The line with raw bytes where path leads."""
    copied = copy.deepcopy(message)
    _holder(copied, path)[path[-1]] = MARK
    return json.dumps(copied, separators=(",", ":")).encode().replace(f'"{MARK}"'.encode(), raw) + b"\n"


def without(message, path):
    copied = copy.deepcopy(message)
    del _holder(copied, path)[path[-1]]
    return json.dumps(copied, separators=(",", ":")).encode() + b"\n"


def twice(message, path):
    """The member stands there twice (lists have no names: the element does)."""
    value = json.dumps(_holder(message, path)[path[-1]], separators=(",", ":")).encode()
    if isinstance(path[-1], int):
        return with_raw(message, path, value + b"," + value)
    return with_raw(message, path, value + b',"' + path[-1].encode() + b'":' + value)


def ways(message, path):
    """{name: line}"""
    found = {name: with_raw(message, path, raw) for name, raw in OTHERS.items()}
    return {**found, "absent": without(message, path), "twice": twice(message, path)}
