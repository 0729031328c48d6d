"""The seal over a keys file: opens only what it sealed, and never falls back to plain bytes."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stayaway.platform.seal import BLIND_BITS, SYSTEM_SCOPE, SealError
from support.keys import made_keys

TEXT = b"8AK471, Ann Example, 1 Elm Street"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.jsonl"


@given(plaintext=st.binary(max_size=4096), purpose=st.text(min_size=1, max_size=20))
@settings(max_examples=50)
def test_what_was_sealed_opens(
    tmp_path_factory: pytest.TempPathFactory, plaintext: bytes, purpose: str
) -> None:
    purpose = purpose.encode(errors="replace").decode()
    seal = made_keys(tmp_path_factory.getbasetemp() / "property-keys.jsonl")
    sealed = seal.seal(SYSTEM_SCOPE, purpose, plaintext)
    assert seal.unseal(SYSTEM_SCOPE, purpose, sealed) == plaintext
    assert len(sealed) == len(plaintext) + 29


def test_sealed_bytes_differ_each_time_and_show_nothing(path: Path) -> None:
    seal = made_keys(path)
    one, other = (seal.seal(SYSTEM_SCOPE, "p", TEXT) for _ in range(2))
    assert one != other
    assert TEXT not in one


def test_another_scope_or_purpose_does_not_open_it(path: Path) -> None:
    seal = made_keys(path)
    seal.ensure(["O1", "O2"])
    sealed = seal.seal("O1", "sighting", TEXT)
    for scope, purpose in (("O2", "sighting"), ("O1", "decision"), (SYSTEM_SCOPE, "sighting")):
        with pytest.raises(SealError):
            seal.unseal(scope, purpose, sealed)


def test_any_changed_byte_is_found(path: Path) -> None:
    seal = made_keys(path)
    sealed = seal.seal(SYSTEM_SCOPE, "p", b"ab")
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(SealError):
            seal.unseal(SYSTEM_SCOPE, "p", bytes(changed))
    for length in range(len(sealed)):
        with pytest.raises(SealError):
            seal.unseal(SYSTEM_SCOPE, "p", sealed[:length])


def test_without_a_key_nothing_is_done(path: Path) -> None:
    """Unknown scopes are refused, whatever is asked; no key is made in passing."""
    seal = made_keys(path)
    attempts: tuple[Callable[[], bytes], ...] = (
        lambda: seal.seal("O1", "p", TEXT),
        lambda: seal.unseal("O1", "p", b"\x01" + bytes(40)),
        lambda: seal.reference("O1", "x"),
    )
    for attempt in attempts:
        with pytest.raises(SealError, match="no key for scope 'O1'"):
            attempt()
    assert len(path.read_text().splitlines()) == 1


def test_references_are_equal_only_for_equal_text_and_scope(path: Path) -> None:
    seal = made_keys(path)
    seal.ensure(["O1", "O2"])
    assert seal.reference("O1", "ann") == made_keys(path).reference("O1", "ann")
    assert len(seal.reference("O1", "ann")) == 32
    others = {seal.reference("O1", "ann"), seal.reference("O2", "ann"), seal.reference("O1", "bob")}
    assert len(others) == 3


def test_an_empty_scope_is_refused(path: Path) -> None:
    with pytest.raises(SealError, match="scope is empty"):
        made_keys(path).ensure([""])


def test_more_scopes_than_are_kept_derived(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forgotten keys are derived anew; nothing else shows."""
    monkeypatch.setattr("stayaway.platform.seal._MAX_DERIVED", 3)
    seal = made_keys(path)
    seal.ensure(f"O{n}" for n in range(10))
    sealed = [seal.seal(f"O{n}", "p", b"%d" % n) for n in range(10)]
    assert [seal.unseal(f"O{n}", "p", text) for n, text in enumerate(sealed)] == [
        b"%d" % n for n in range(10)
    ]


# ---------------------------------------------------------------- tokens


def test_a_token_is_the_same_for_every_scope_and_process_and_another_with_other_keys(
    path: Path, tmp_path: Path
) -> None:
    one, other, stranger = made_keys(path), made_keys(path), made_keys(tmp_path / "others")
    texts = [f"plate {number}" for number in range(200)]
    tokens = [one.blind(text) for text in texts]
    assert [other.blind(text) for text in texts] == tokens
    assert len(set(tokens)) > 190
    assert all(0 <= token < 1 << BLIND_BITS for token in tokens)
    assert max(tokens) > 1 << (BLIND_BITS - 2)  # all bits are used
    assert sum(stranger.blind(text) == token for text, token in zip(texts, tokens, strict=True)) < 5


def test_a_token_is_no_part_of_a_reference(path: Path) -> None:
    """Its key is of its own: what a reference shows helps nobody to a token."""
    seal = made_keys(path)
    references = {seal.reference(SYSTEM_SCOPE, f"plate {number}")[:3] for number in range(50)}
    assert not references & {seal.blind(f"plate {number}").to_bytes(3, "big") for number in range(50)}


# ---------------------------------------------------------------- keys that must be there
