"""Find the secrets in a text."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.metadata import version
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, NamedTuple

from seta_dag.secret_scan.views import View, views
from seta_dag.store.user_cache import user_cache

if TYPE_CHECKING:
    from kingfisher_sdk import Scanner

BY_PLACE = "credential-field"
"""Kind of a secret that is one by its place in a JSON document."""

_LIBRARY = "kingfisher-secret-scanner"
# They report `user:password@localhost`; ours for passwords in URLs wants a longer, more varied one.
_LEFT_OUT = ("betterleaks.generic-credential-uri", "betterleaks.curl-auth-user")
_BY_CONTEXT = frozenset({"bearer", "url-password", "env-secret", "kw-bare", "kw-any", BY_PLACE})
"""Kinds that say less than any other rule that finds the same."""


_REPLACED = re.compile(r"""(?s)\[REDACTED:[a-z0-9-]+\](?:[\\"'\s].*)?""")
"""What stands in the place of a secret, to its end: nothing that follows at once may hide behind it."""


class Secret(NamedTuple):
    """A secret in a text.

    Attributes:
        start: offset of its first byte in the text in UTF-8.
        end: offset after its last byte. The range may hold more, if the secret was encoded.
        kind: name of the rule, such as `github-pat`.
        value: the secret itself.
    """

    start: int
    end: int
    kind: str
    value: str


def find_secrets(text: bytes, named: Iterable[str] = ()) -> list[Secret]:
    """Return the secrets in a text in UTF-8, sorted, none of which overlap.

    `named` are values that are secrets wherever they are, such as the `credentials` of a log.
    Nothing in the text can switch a rule off. The first call of a user takes three seconds.
    """
    found: list[Secret] = []
    values = [value.encode("utf-8", "surrogatepass") for value in dict.fromkeys(named)]
    for view in views(text):
        found += _by_rule(view)
        found += _by_value(view, values)
    return list(_without_overlaps(found))


def rules_identity() -> str:
    """Return what changes with the rules; part of the fingerprint of rows that were redacted by them."""
    ours = files("seta_dag.secret_scan").joinpath("rules.yaml").read_bytes()
    return f"{version(_LIBRARY)} {hashlib.sha256(ours).hexdigest()[:16]}"


@lru_cache(maxsize=1)
def _scanner() -> Scanner:
    from kingfisher_sdk import Rules, Scanner

    # Compiled rules, which are checked by their hash; without them this takes 3 seconds each time.
    compiled = user_cache() / "secret_rules"
    compiled.mkdir(mode=0o700, exist_ok=True)
    with as_file(files("seta_dag.secret_scan").joinpath("rules.yaml")) as ours:
        # No policy: with one, a comment in the text can ask to be ignored. Base64 is undone by `views`, from
        # shorter pieces.
        return Scanner(Rules([ours], cache_dir=compiled), base64=False)


def _by_rule(view: View) -> Iterator[Secret]:
    for one in _scanner().scan(view.data):
        if one.visible and one.rule_id not in _LEFT_OUT:
            start, end = one.location["start_offset"], one.location["end_offset"]
            value = view.data[start:end].decode("utf-8", "replace")
            if not _REPLACED.fullmatch(value):
                yield Secret(*view.source(start, end), _kind(one.rule_id), value)


def _by_value(view: View, values: Iterable[bytes]) -> Iterator[Secret]:
    for value in values:
        at = view.data.find(value)
        while at >= 0:
            place = view.source(at, at + len(value))
            yield Secret(*place, BY_PLACE, value.decode("utf-8", "replace"))
            at = view.data.find(value, at + len(value))


def _kind(rule_id: str) -> str:
    return rule_id.replace("/", ".").rpartition(".")[2]


def _without_overlaps(found: Iterable[Secret]) -> Iterator[Secret]:
    """Yield one secret for each place, with all bytes that any rule found there."""
    kept: Secret | None = None
    for one in sorted(found, key=lambda one: (one.start, -one.end, one.kind in _BY_CONTEXT, one.kind)):
        if kept is None or one.start >= kept.end:
            if kept is not None:
                yield kept
            kept = one
        else:
            better = one if kept.kind in _BY_CONTEXT and one.kind not in _BY_CONTEXT else kept
            kept = better._replace(start=kept.start, end=max(kept.end, one.end))
    if kept is not None:
        yield kept
