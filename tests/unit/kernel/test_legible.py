"""What a person is shown holds nothing that hides or turns."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from stayaway.kernel.legible import legible


def test_what_turns_the_direction_is_written_out() -> None:
    assert legible("ABC\u202e123\u2066") == "ABC\\u202e123\\u2066"
    assert legible("a\x1b[31m\rb\u200b") == "a\\u001b[31m\\u000db\\u200b"


def test_letters_lines_and_joined_scripts_stay() -> None:
    for text in ("one\ntwo", "José Müller", "نیم\u200cفاصله", "\u65e5\u672c", "\U0001f600"):
        assert legible(text) == text


@given(st.text())
def test_nothing_hidden_is_left_and_nothing_visible_is_lost(text: str) -> None:
    shown = legible(text)
    hidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert not any(unicodedata.category(c) in hidden for c in shown if c not in "\n\u200c\u200d")
    assert legible(shown) == shown
    visible = [c for c in text if unicodedata.category(c) not in hidden]
    rest = iter(shown)
    assert all(c in rest for c in visible)
