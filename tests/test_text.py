"""Text that somebody else may have written."""

import pytest

from bench import text


@pytest.mark.parametrize(
    "letter", ["\x1b", "\x9b", "\u202e", "\u2066", "\n", "\r", "\x07", "\u2028", "\ud800", "\u200b"]
)
def test_what_has_no_glyph_is_escaped(letter):
    assert text.printable(f"a{letter}b") == "a" + repr(letter)[1:-1] + "b"


def test_ordinary_text_of_any_language_is_kept():
    assert text.printable("Grüße, 日本 0.5 s ± 1 %") == "Grüße, 日本 0.5 s ± 1 %"


@pytest.mark.parametrize(
    "line", ["::error title=x::y", "  ::set-output name=a::b", "##[error]x", "a ##vso[task.x]", "##teamcity[y]"]
)
def test_no_line_is_a_command_of_a_runner(line):
    found = text.printed_line(line)
    assert not found.lstrip().startswith("::")
    assert "##[" not in found
    assert "##vso[" not in found
    assert "##teamcity[" not in found


def test_colons_within_a_line_are_kept():
    assert text.printed_line("torch::nn ## a [b]") == "torch::nn ## a [b]"


def test_every_line_is_made_harmless():
    assert text.printed_lines("a\n::error::b\x1b") == "a\n: :error::b\\x1b"


@pytest.mark.parametrize(
    "secret",
    [
        "https://user:pa55w0rd@example.org/x",
        "https://pa55w0rd@example.org/x",
        "hf_pa55w0rdpa55w0rdpa55w0rd",
        "ghp_pa55w0rdpa55w0rdpa55w0rd",
        "Authorization: Bearer pa55w0rdpa55w0rd",
        "https://example.org/x?token=pa55w0rd&b=1",
    ],
)
def test_no_secret_is_kept(secret):
    assert "pa55w0rd" not in text.without_secrets(f"failed: {secret} (404)")


@pytest.mark.parametrize("line", ["https://example.org/a@b", "sk-learn", "a//b", "mail@example.org"])
def test_what_is_no_secret_is_kept(line):
    assert text.without_secrets(line) == line
