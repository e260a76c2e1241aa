"""Files that are not scenarios, from a folder to a malicious one, are refused."""

import contextlib

import pytest
from plan.refusals import assert_refused

from bench.errors import InputError
from bench.pipelines.diffusers_api import vocabulary
from bench.plan.document import MAX_BYTES
from bench.plan.load import load

HEAD = "title: t\nmodel: stable-diffusion-v1-5\n"
GOOD = HEAD + "cases: {a: {}}\n"

UNREADABLE = [
    (bytes(range(256)), "UTF-8"),
    (b"\x89PNG\r\n\x1a\n\x00", "UTF-8"),
    (GOOD.encode("utf-16"), "UTF-8"),
    ("title: é\n".encode("latin-1"), "UTF-8"),
    (b"#" * (MAX_BYTES + 1), "bytes"),
]
UNREADABLE_NAMES = ["binary", "png", "utf-16", "latin-1", "too large"]

NOT_MAPPINGS = ["", "# nothing\n", "---\n", "null\n", "{}\n", "hello\n", "3\n", "- a\n- b\n", "[]\n", "!!set {a, b}\n"]

# the whole text, the line at fault, words of the message
BROKEN = [
    (HEAD + "cases:\n\ta: {}\n", 4, ["\\t"]),
    (HEAD + "call: {a: [1\n", 4, ["']'"]),
    (HEAD + 'note: "x\n', 4, ["end of stream"]),
    (HEAD + "note: a: b\n", 3, ["mapping"]),
    (HEAD + 'note: "\\q"\n', 3, ["escape"]),
    (HEAD + "cases:\n  a: {}\n b: {}\n", 5, []),
    (GOOD + "---\n" + GOOD, 4, ["another document"]),
    (HEAD + "cases: {a: *nowhere}\n", 3, ["nowhere"]),
    (HEAD + "cases:\n  a:\n    <<: *nowhere\n", 5, ["nowhere"]),
    (HEAD + "cases:\n  a:\n    <<: 3\n", 5, ["merg"]),
    (HEAD + "cases:\n  a: &a\n    <<: *a\n", 4, []),
    (HEAD + "cases: &c\n  a: *c\n", 4, []),
    (HEAD + "call: {prompt: &p [*p]}\ncases: {a: {}}\n", 3, ["prompt"]),
    (GOOD + "seed: !!int abc\n", 4, ["abc"]),
    (GOOD + "seed: !!float abc\n", 4, ["abc"]),
    (GOOD + "seed: " + "9" * 5000 + "\n", 4, []),
    (GOOD + "call: {prompt: a\0b}\n", 4, ["0000"]),
    (GOOD + "call: {prompt: !!set {a, b}}\n", 4, ["prompt"]),
    (GOOD + "call: {prompt: !!binary aGVsbG8=}\n", 4, ["prompt"]),
]
BROKEN_NAMES = [ascii(text.removeprefix(HEAD).removeprefix("cases: {a: {}}"))[1:50] for text, _, _ in BROKEN]

HARMFUL = [
    '!!python/object/apply:os.system ["COMMAND"]',
    '!!python/object/new:os.system ["COMMAND"]',
    '!!python/object/apply:subprocess.getoutput ["COMMAND"]',
    "!!python/name:os.system",
    "!!python/tuple [a]",
    "!!omap [height: 512]",
    "!unknown [a]",
    "!unknown {a: b}",
    "!unknown a",
]
PLACES = {
    "top": "HERE\n",
    "prompt": f"{GOOD}call: {{prompt: HERE}}\n",
    "call": f"{GOOD}call: HERE\n",
    "cases": f"{HEAD}cases: HERE\n",
}

# the file that is loaded, the text of parent.yaml beside it, the file and the line at fault, words of the message
EXTENDING = [
    ("extends: scenario.yaml\n", None, ("scenario.yaml", 1), ["itself"]),
    (GOOD + "extends: ./scenario.yaml\n", None, ("scenario.yaml", 4), ["itself"]),
    ("extends: parent.yaml\n", GOOD + "extends: scenario.yaml\n", ("parent.yaml", 4), ["itself", "cycle"]),
    (GOOD + "extends: none.yaml\n", None, ("scenario.yaml", 4), ["none.yaml"]),
    (GOOD + "extends: .\n", None, ("scenario.yaml", 4), ["file"]),
    (GOOD + "extends: ''\n", None, ("scenario.yaml", 4), ["extends"]),
    (GOOD + "extends: 3\n", None, ("scenario.yaml", 4), ["'extends'"]),
    (GOOD + "extends: [parent.yaml]\n", GOOD, ("scenario.yaml", 4), ["'extends'"]),
    (GOOD + 'extends: "a\\0b"\n', None, ("scenario.yaml", 4), ["extends"]),
    (GOOD + f"extends: {'x' * 300}\n", None, ("scenario.yaml", 4), ["xxx"]),
    ("extends: parent.yaml\n", "", ("parent.yaml", 1), ["mapping"]),
    ("extends: parent.yaml\n", "title: [\n", ("parent.yaml", 2), ["not valid YAML"]),
    ("extends: parent.yaml\n", GOOD + "foo: 1\n", ("parent.yaml", 4), ["'foo'"]),
    ("extends: parent.yaml\nfoo: 1\n", GOOD, ("scenario.yaml", 2), ["'foo'"]),
    ("# x\nextends: parent.yaml\n", GOOD + "dtype: fp16\n", ("parent.yaml", 4), ["'dtype'", "fp16"]),
    ("dtype: fp16\nextends: parent.yaml\n", "\n" + GOOD + "dtype: float16\n", ("scenario.yaml", 1), ["'dtype'"]),
    ("extends: parent.yaml\n", GOOD + "call:\n  height: 511\n", ("parent.yaml", 5), ["'height'", "511"]),
    ("extends: parent.yaml\ncall: {width: 9}\n", GOOD + "call: {height: 8}\n", ("scenario.yaml", 2), ["'width'", "9"]),
    ("extends: parent.yaml\ncases: [a]\n", GOOD, ("scenario.yaml", 2), ["'cases'"]),
    ("extends: parent.yaml\ncases: text\n", GOOD, ("scenario.yaml", 2), ["'cases'"]),
    ("extends: parent.yaml\ncases: 3\n", GOOD, ("scenario.yaml", 2), ["'cases'"]),
    ("extends: parent.yaml\ncases: {a: ~}\n", HEAD + "cases: [a]\n", ("parent.yaml", 3), ["'cases'"]),
    ("extends: parent.yaml\ncases: {a: ~}\n", GOOD, ("scenario.yaml", 2), ["no case"]),
    ("extends: parent.yaml\ncases:\n  b: ~\n", GOOD, ("scenario.yaml", 3), ["'b'"]),
    ("extends: parent.yaml\ncases:\n  a:\n    dtpe: x\n", GOOD, ("scenario.yaml", 4), ["'dtpe'", "'dtype'"]),
]
EXTENDING_NAMES = [ascii(f"{text} <- {parent or ''}".replace(HEAD, ""))[1:70] for text, parent, _, _ in EXTENDING]


@pytest.mark.parametrize(("content", "word"), UNREADABLE, ids=UNREADABLE_NAMES)
def test_a_file_that_is_not_text_is_refused(tmp_path, content, word):
    path = tmp_path / "scenario.yaml"
    path.write_bytes(content)
    assert_refused(path, path, word)


@pytest.mark.parametrize("name", ["missing.yaml", "missing/scenario.yaml", ".", "x" * 300 + ".yaml"])
def test_a_file_that_cannot_be_opened_is_refused(tmp_path, name):
    assert_refused(tmp_path / name, tmp_path / name, "cannot be read (")


@pytest.mark.parametrize("text", NOT_MAPPINGS)
def test_a_file_that_is_not_a_mapping_is_refused(write, text):
    path = write(text)
    assert_refused(path, f"{path}:1", "a scenario is a mapping")


@pytest.mark.parametrize("name", ["a b.yaml", "-x.yaml", ".x.yaml", "é.yaml", "a,b.yaml"])
def test_a_file_with_an_unsafe_name_is_refused(write, name):
    path = write(GOOD, name)
    assert_refused(path, f"{path}:1", "name")


@pytest.mark.parametrize(("text", "line", "words"), BROKEN, ids=BROKEN_NAMES)
def test_broken_yaml_is_refused(write, text, line, words):
    path = write(text)
    assert_refused(path, f"{path}:{line}", *words)


@pytest.mark.parametrize("tagged", HARMFUL)
@pytest.mark.parametrize("place", PLACES)
def test_a_tag_never_runs_code(write, tmp_path, tagged, place):
    marker = tmp_path / "harm"
    path = write(PLACES[place].replace("HERE", tagged).replace("COMMAND", f"touch {marker}"))
    with contextlib.suppress(InputError):
        load([path], vocabulary(), compatible=list)
    assert not marker.exists()


@pytest.mark.parametrize(("text", "parent", "place", "words"), EXTENDING, ids=EXTENDING_NAMES)
def test_a_fault_in_files_that_extend_each_other_is_refused_where_it_was_written(write, text, parent, place, words):
    if parent is not None:
        write(parent, "parent.yaml")
    path = write(text)
    assert_refused(path, f"{path.parent / place[0]}:{place[1]}", *words)
