"""Byte-level spelling of tokens: one printable character per byte."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa


def byte_chars() -> dict[int, str]:
    """Return the printable character that GPT-2 uses for each byte."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    # The remaining bytes get the characters from U+0100 on, in their order.
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + n) for n, byte in enumerate(others)}


def spellings_by_id(vocab: Mapping[str, int], added: Mapping[int, str]) -> list[str]:
    """Return the byte-level spelling of each id, empty for an id without a token."""
    chars = byte_chars()
    spellings = [""] * (1 + max(*vocab.values(), *added))
    for token, token_id in vocab.items():
        spellings[token_id] = token
    # Added tokens are plain text in the file, so they are brought into the same spelling.
    for token_id, content in added.items():
        spellings[token_id] = "".join(chars[byte] for byte in content.encode())
    return spellings


def token_bytes(spellings: list[str]) -> pa.BinaryArray:
    """Return the bytes of each byte-level spelling."""
    # In byte-level spelling one character is one byte, so all tokens can be translated as one string
    # and the lengths of the spellings are the offsets.
    byte_of = {ord(char): byte for byte, char in byte_chars().items()}
    data = "".join(spellings).translate(byte_of).encode("latin-1")
    offsets = np.zeros(len(spellings) + 1, np.int32)
    np.cumsum([len(token) for token in spellings], out=offsets[1:])
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.binary(), len(spellings), buffers)
