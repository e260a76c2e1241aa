"""LoRAs and IP-Adapters of a scenario: as a plan has them, or refused before anything is built."""

import json

import numpy as np
import pytest
from plan.refusals import assert_refused
from safetensors.numpy import save_file

from bench.pipelines.diffusers_api import vocabulary
from bench.plan.load import load
from bench.plan.stored import read_plan

LORA = "style.safetensors"
DEFAULTS = {"weight": 1.0, "fused": False}


@pytest.fixture
def scenario(write, tmp_path):
    """Return a function that writes a scenario, whose settings are on line 4, beside the files of adapters."""
    for name, tensor in {
        LORA: "unet.to_q.lora_A.weight",
        "folder/one.safetensors": "unet.to_q.lora_A.weight",
        "several/one.safetensors": "unet.to_q.lora_A.weight",
        "several/two.safetensors": "unet.to_q.lora_A.weight",
        "usual/other.safetensors": "weight",
        "usual/pytorch_lora_weights.safetensors": "unet.to_q.lora_A.weight",
        "plain.safetensors": "weight",
        "ip.safetensors": "ip_adapter.1.to_k_ip.weight",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        save_file({tensor: np.zeros(1, np.float32)}, tmp_path / name)
    write("rubbish", "broken.safetensors")
    write("", "weights.bin")
    write("", "empty/notes.txt")

    def path(settings, case="{}"):
        return write(f"title: t\nmodel: stable-diffusion-v1-5\ncall: {{prompt: a}}\n{settings}\ncases:\n  a: {case}\n")

    return path


def case_of(path):
    (case,) = load([path], vocabulary(), list).cases
    return case


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (f"lora: ./{LORA}", [{"path": LORA}]),
        ("lora: folder", [{"path": "folder"}]),
        ("lora: usual", [{"path": "usual"}]),
        (f"lora: {{path: {LORA}, weight: 0.5, fused: true}}", [{"path": LORA, "weight": 0.5, "fused": True}]),
        (f"lora: [{LORA}, {{rank: 4}}]", [{"path": LORA}, {"rank": 4}]),
        (
            "lora: {path: several, weight_name: two.safetensors}",
            [{"path": "several", "weight_name": "two.safetensors"}],
        ),
        ("lora: {path: owner/name, rank: 4}", [{"path": "owner/name", "rank": 4}]),
    ],
)
def test_a_lora_is_written_in_several_ways(scenario, tmp_path, settings, expected):
    found = case_of(scenario(settings)).lora
    assert list(found) == [{**DEFAULTS, **each, **located(each, tmp_path)} for each in expected]


def located(adapter, folder):
    """Return the path of an adapter as a plan has it, if that is beside the scenario."""
    path = folder / adapter.get("path", "")
    return {"path": str(path)} if "path" in adapter and path.exists() else {}


def test_a_case_may_have_none_of_the_loras_of_its_file(scenario):
    assert case_of(scenario("lora: {rank: 4}", "{lora: []}")).lora == ()


def test_a_matrix_may_have_an_axis_of_loras(scenario):
    path = scenario("matrix: {lora: [[], {rank: 4}, style.safetensors]}")
    assert [case.name for case in load([path], vocabulary(), list).cases] == [
        "a-none",
        "a-rank.4",
        "a-style.safetensors",
    ]


def test_an_ip_adapter_gets_its_picture(scenario, tmp_path):
    picture = "{synthetic: noise, height: 64, width: 64}"
    case = case_of(scenario("ip_adapter: ./ip.safetensors", f"{{call: {{ip_adapter_image: {picture}}}}}"))
    assert case.ip_adapter == {"path": str(tmp_path / "ip.safetensors"), "weight": 1.0}


@pytest.mark.parametrize("settings", ["lora: [style.safetensors, {rank: 4}]", "seed: 1"])
def test_a_stored_plan_has_the_adapters_of_the_scenario(scenario, tmp_path, settings):
    plan = load([scenario(settings)], vocabulary(), list)
    stored = {**plan.to_json(), "run": {"device": "cpu", "size": "full"}}
    (tmp_path / "plan.json").write_text(json.dumps(stored), encoding="utf-8")
    assert read_plan(tmp_path / "plan.json")[0] == plan


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("lora: ./nothing", "there is no file or folder './nothing'"),
        ("lora: nothing.safetensors", "there is no file or folder"),
        ("lora: a/b/c", "there is no file or folder"),
        ("lora: a b", "neither a file, a folder nor a hub id"),
        ("lora: ./plain.safetensors", "has no weights of a LoRA"),
        ("lora: ./ip.safetensors", "has no weights of a LoRA"),
        ("lora: ./broken.safetensors", "cannot be read as safetensors"),
        ("lora: ./weights.bin", "not a .safetensors file, the only kind that is read"),
        ("lora: ./empty", "has no .safetensors file"),
        ("lora: ./several", "has 2 .safetensors files; name one as 'weight_name'"),
        ("lora: {path: several, weight_name: three.safetensors}", "does not exist"),
        ("lora: {path: several, weight_name: ../style.safetensors}", "leads out of the adapter's folder"),
        ("lora: {path: several, weight_name: /style.safetensors}", "leads out of the adapter's folder"),
        ("lora: {path: several, subfolder: .., weight_name: style.safetensors}", "leads out of the adapter's folder"),
        ("lora: {path: several, weight_name: one.bin}", "the only kind that is read"),
        ("lora: {path: style.safetensors, weight_name: one.safetensors}", "is a file already"),
        ("lora: {weight: 2}", "it has no weights"),
        ("lora: {path: style.safetensors, targets: [to_k]}", "'targets' belongs to random weights"),
        ("lora: {rank: 4, revision: main}", "belong to a file"),
        ("lora: {rnak: 4}", "did you mean 'rank'?"),
        ("lora: {rank: 0}", "'rank' is 0"),
        ("lora: {rank: 4, weight: .nan}", "'weight': nan is not a finite number"),
        ("lora: [{rank: 4, fused: true}, {rank: 4}]", "some are fused and others are not"),
        ("ip_adapter: ./several", "it does not name a file"),
        ("ip_adapter: ./style.safetensors", "has no weights of an IP-Adapter"),
        ("ip_adapter: ./ip.safetensors", "the call has no picture for it"),
    ],
)  # fmt: skip
def test_an_adapter_that_cannot_be_loaded_is_refused(scenario, settings, words):
    path = scenario(settings)
    assert_refused(path, f"{path}:4", words)


def test_a_picture_for_no_ip_adapter_is_refused(scenario):
    path = scenario("seed: 1", "{call: {ip_adapter_image: {synthetic: noise, height: 64, width: 64}}}")
    assert_refused(path, f"{path}:6", "has no IP-Adapter to use it")
