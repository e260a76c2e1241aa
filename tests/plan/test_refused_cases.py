"""Cases, claims and matrices that cannot be measured as written are refused."""

import pytest
from plan.refusals import assert_refused, refusal

HEAD = "title: t\nmodel: stable-diffusion-v1-5\n"

# what follows HEAD, from line 3 on
CASES = [
    ("seed: 0", 1, ["no case", "cases", "matrix"]),
    ("cases:", 3, ["no case"]),
    ("cases: []", 3, ["'cases'"]),
    ("cases: {}", 3, ["no case"]),
    ("cases: text", 3, ["'cases'", "text"]),
    ("cases:\n  - a", 3, ["'cases'"]),
    ("cases: {a: }", 3, ["'a'", "empty", "a: {}"]),
    ("cases:\n  b: {}\n  a:\n", 5, ["'a'", "empty", "a: {}"]),
    ("cases:\n  a: 3", 4, ["'a'", "3"]),
    ("cases:\n  a: []", 4, ["'a'", "[]"]),
    ("cases:\n  a: {}\n  b: {}\n  a: {dtype: float16}", 6, ['"a"', "duplicate"]),
    ("cases:\n  a: {seed: 0,\n    dtype: float16, seed: 1}", 5, ['"seed"', "duplicate"]),
    ("model: a/b\ncases: {a: {}}", 3, ['"model"', "duplicate"]),
    ("cases:\n  a: {}\n  b: {}", 5, ["'b'", "'a'"]),
    ("cases:\n  a: {}\n  b: {dtype: float32, seed: 0, note: the defaults}", 5, ["'b'", "'a'"]),
    ("cases:\n  a: {optimizations: [tf32, compile]}\n  b: {optimizations: [compile, tf32]}", 5, ["'b'", "'a'"]),
    ("cases:\n  a: {extends: b.yaml}", 4, ["'extends'"]),
    ("cases:\n  a: {title: x}", 4, ["'title'"]),
    ("cases:\n  a: {matrix: {height: [512]}}", 4, ["'matrix'"]),
    ("cases:\n  a:\n    dtpe: float16", 5, ["'dtpe'", "did you mean 'dtype'?"]),
    ("cases:\n  a: {seed: 1,\n    optimisations: [tf32]}", 5, ["'optimisations'", "did you mean 'optimizations'?"]),
    ("cases:\n  a: {optimizations: [\n    tf32,\n    tf23]}", 4, ["'tf23'", "did you mean 'tf32'?"]),
    ("cases:\n  a: {baseline: b}", 4, ["'b'", "not a case"]),
    ("baseline: baseline\ncases:\n  base-line: {}", 3, ["'baseline'", "did you mean 'base-line'?"]),
    ("baseline: b\ncases:\n  a: {baseline: ''}\n  b: {seed: 1}", 5, ["baseline"]),
    *((f"cases:\n  {name}:\n    dtpe: x", 5, ["'dtpe'", "'dtype'"]) for name in ("claim", "source", "matrix")),
    *((f"cases:\n  {name}:\n    dtype: fp16", 5, ["'dtype'", "fp16"]) for name in ("int", "str", "bool", '"x[1]"')),
    *((f"cases:\n  {name}: {{}}", 4, ["quotes"]) for name in ("1", "1.5", "true", "~", "2020-01-01")),
]

UNSAFE = ["a/b", "..", "../x", ".hidden", "a b", '""', "-x", "=x", "é", '"a\\n"', '"a\\\\b"', "'a:b'", "a*", "a" * 300]

CLAIMS = [
    ("{}", ["'claim'", "figure"]),
    ("{note: x}", ["'claim'", "figure"]),
    ("{approximate: true}", ["'claim'", "figure"]),
    ("{latency_s: .nan}", ["'latency_s'", "nan"]),
    ("{latency_s: .inf}", ["'latency_s'", "inf"]),
    ("{latency_s: 0}", ["'latency_s'", "0"]),
    ("{latency_s: -1}", ["'latency_s'", "-1"]),
    ("{latency_s: '5'}", ["'latency_s'", "5"]),
    ("{latency_s: true}", ["'latency_s'", "True"]),
    ("{latency_reduction: 43}", ["'latency_reduction'", "43"]),
    ("{status: ok}", ["'status'", "ok", "oom"]),
    ("{over_calls: 3, speedup: 2}", ["'over_calls'", "latency_s"]),
    ("{over_calls: 0, latency_s: 2}", ["'over_calls'", "0"]),
    ("{latency: 3}", ["'latency'", "did you mean 'latency_s'?"]),
    ("[3]", ["'claim'", "[3]"]),
    ("3", ["'claim'", "3"]),
]

MATRICES = [
    ("matrix: text", 3, ["'matrix'", "text"]),
    ("matrix: []", 3, ["'matrix'"]),
    ("matrix: {}", 3, ["matrix"]),
    ("matrix:\n  num_inference_steps: 20", 4, ["'num_inference_steps'", "list"]),
    ("matrix:\n  num_inference_steps: []", 4, ["'num_inference_steps'", "list"]),
    ("matrix:\n  num_inference_steps:", 4, ["'num_inference_steps'", "list"]),
    ("matrix:\n  scheduler: all", 4, ["'scheduler'", "list"]),
    ("matrix: {num_inference_steps: [20, 20]}", 3, ["'20'", "twice"]),
    ("matrix:\n  num_inference_step: [20]", 4, ["'num_inference_step'", "did you mean 'num_inference_steps'?"]),
    ("matrix:\n  cases: [a, b]", 4, ["'cases'"]),
    ("matrix:\n  1: [2]", 4, ["1", "quotes"]),
    ("matrix:\n  true: [2]", 4, ["True", "quotes"]),
    ("matrix:\n  height: [512, 510]", 4, ["'height'", "510"]),
    ("matrix:\n  width: [512]\n  dtype: [fp16]", 5, ["'dtype'", "float16"]),
    ("matrix:\n  width: [512]\n  scheduler: [DDIMSchedular]", 5, ["did you mean 'DDIMScheduler'?"]),
    ("matrix:\n  optimizations: [tf32, compile]", 4, ["'optimizations'", "list"]),
    ("matrix:\n  optimizations: [[], [tf32, ieee_fp32]]", 4, ["'tf32'", "'ieee_fp32'", "conflict"]),
    ("matrix:\n  num_images_per_prompt: [1, 2]\n  seed: [0, [0, 1]]", 5, ["2 seeds", "1 image"]),
    ("matrix: {height: [512], exclude: [{height: 512}]}", 3, ["nothing", "exclude less"]),
    ("matrix:\n  height: [512]\n  exclude: {height: 512}", 5, ["'exclude'", "list"]),
    ("matrix:\n  height: [512, 768]\n  exclude:\n    - {hieght: 512}", 6, ["'hieght'", "did you mean 'height'?"]),
    ("matrix:\n  height: [512]\n  include: [a]", 5, ["a"]),
    ("matrix:\n  height: [512]\n  include:\n    - {height: 511}", 6, ["'height'", "511"]),
    ("matrix:\n  height: [512]\n  include:\n    - {height: 512, dtype: fp16}", 6, ["'dtype'", "float16"]),
    ("matrix:\n  height: [512]\n  include:\n    - {height: 512, wdth: 512}", 6, ["'wdth'", "did you mean 'width'?"]),
    ("matrix: {height: [512], include: [{height: 768, seed: 1}, {height: 768, seed: 2}]}", 3, ["'768'"]),
    ("baseline: a\ncases: {a: {}, b: {seed: 1}}\nmatrix: {height: [512]}", 3, ["'a'", "a-512"]),
    ("cases:\n  a: {call: {height: 512}}\nmatrix:\n  height: [510]", 6, ["'height'", "510"]),
    ("load: {dtype: float16}\nmatrix:\n  dtype: [float16]", 3, ["'dtype' cannot be set here"]),
]

REFUSED = [
    *((HEAD + text + "\n", line, words) for text, line, words in CASES),
    *((f"{HEAD}{text}\ncall: {{prompt: a}}\n", line, words) for text, line, words in MATRICES),
    *((f"{HEAD}cases:\n  ok: {{}}\n  {name}: {{seed: 1}}\n", 5, ["file name"]) for name in UNSAFE),
    *((f"{HEAD}cases:\n  a:\n    claim: {claim}\n", 5, words) for claim, words in CLAIMS),
    ("title: t\nmatrix:\n  scheduler: compatible\n  model: [stable-diffusion-v1-5]\n", 3, ["compatible", "model"]),
]
NAMES = [
    text.removeprefix(HEAD).removesuffix("call: {prompt: a}\n").replace("\n", " ").strip()[:60]
    for text, _, _ in REFUSED
]


@pytest.mark.parametrize(("text", "line", "words"), REFUSED, ids=NAMES)
def test_a_wrong_case_is_refused(write, text, line, words):
    path = write(text)
    assert_refused(path, f"{path}:{line}", *words)


@pytest.mark.parametrize("text", ["cases: {a: 3}", "cases: {a: {claim: 3}}", "cases: []", "matrix: 3", "seed: -1"])
def test_a_refusal_does_not_mention_the_classes_behind_the_schema(write, text):
    message = refusal(write(f"{HEAD}{text}\n"))
    assert [word for word in ("CaseEntry", "Claim", "Matrix", "dictionary", "constrained") if word in message] == []
