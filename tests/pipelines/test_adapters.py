"""LoRAs and IP-Adapters: loaded or random, in effect, written into the code, or refused with the reason."""

from dataclasses import replace

import pytest
import torch
from pipelines.test_components import called
from pipelines.test_snippet import CALL, assert_same, case_of
from safetensors.torch import save_file

from bench.pipelines.build import build
from bench.pipelines.errors import NotInEffectError, UnsupportedError
from bench.plan import adapters as plan_adapters
from bench.plan.adapters import Lora
from bench.plan.settings import RunSettings

pytestmark = pytest.mark.usefixtures("default_flags")

CPU = RunSettings("cpu", "full")
CLIP_WIDTH, TOKENS = 32, 4


def lora(**given):
    return plan_adapters.plain(Lora.model_validate(given))


def lora_case(saved_pipeline, *loras, **settings):
    return case_of(saved_pipeline, lora=tuple(lora(**each) for each in loras), **settings)


@pytest.fixture(scope="session")
def saved_lora(saved_pipeline, tmp_path_factory):
    """A folder with a LoRA of rank 4 for the saved pipeline, as diffusers saves one."""
    from diffusers import DiffusionPipeline
    from diffusers.utils import convert_state_dict_to_diffusers
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    folder = tmp_path_factory.mktemp("lora")
    pipeline = DiffusionPipeline.from_pretrained(saved_pipeline, safety_checker=None)
    torch.manual_seed(3)
    pipeline.unet.add_adapter(LoraConfig(r=4, init_lora_weights=False, target_modules=["to_q", "to_v"]))
    layers = convert_state_dict_to_diffusers(get_peft_model_state_dict(pipeline.unet))
    type(pipeline).save_lora_weights(folder, unet_lora_layers=layers)
    return folder


@pytest.fixture(scope="session")
def saved_ip_adapter(saved_pipeline, tmp_path_factory):
    """A folder with an IP-Adapter for the saved pipeline, and its image encoder."""
    from diffusers import DiffusionPipeline
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    folder = tmp_path_factory.mktemp("ip_adapter")
    torch.manual_seed(4)
    config = CLIPVisionConfig(
        hidden_size=32, intermediate_size=37, projection_dim=CLIP_WIDTH, num_hidden_layers=1, num_attention_heads=2,
        image_size=32, patch_size=8,
    )  # fmt: skip
    CLIPVisionModelWithProjection(config).save_pretrained(folder / "models" / "image_encoder")
    unet = DiffusionPipeline.from_pretrained(saved_pipeline, safety_checker=None).unet
    width = unet.config.cross_attention_dim
    tensors = {
        "image_proj.proj.weight": torch.randn(TOKENS * width, CLIP_WIDTH),
        "image_proj.proj.bias": torch.randn(TOKENS * width),
        "image_proj.norm.weight": torch.ones(width),
        "image_proj.norm.bias": torch.zeros(width),
    }
    crossing = [name for name in unet.attn_processors if name.endswith("attn2.processor")]
    for index, name in enumerate(crossing):
        out = unet.get_submodule(name.removesuffix(".processor")).to_k.out_features
        for part in ("k", "v"):
            tensors[f"ip_adapter.{2 * index + 1}.to_{part}_ip.weight"] = torch.randn(out, width)
    save_file(tensors, folder / "models" / "adapter.safetensors")
    return folder


def with_ip_adapter(saved_pipeline, saved_ip_adapter, **settings):
    picture = {"synthetic": "photo-like", "height": 64, "width": 64}
    adapter = {
        "path": str(saved_ip_adapter),
        "subfolder": "models",
        "weight_name": "adapter.safetensors",
        "weight": 0.6,
    }
    return case_of(saved_pipeline, call={**CALL, "ip_adapter_image": picture}, ip_adapter=adapter, **settings)


def pictures(case):
    ready = build(case, "full", CPU)
    ready.seed()
    return ready.call().images[0].tobytes()


@pytest.mark.parametrize("fused", [False, True])
def test_a_lora_changes_the_picture(saved_pipeline, saved_lora, fused):
    case = lora_case(saved_pipeline, {"path": str(saved_lora), "fused": fused})
    assert pictures(case) != pictures(replace(case, lora=()))


def test_a_fused_lora_leaves_no_layer_behind(saved_pipeline, saved_lora):
    plain = build(lora_case(saved_pipeline), "full", CPU).pipeline.unet
    fused = build(lora_case(saved_pipeline, {"path": str(saved_lora), "fused": True}), "full", CPU).pipeline.unet
    assert [name for name, _ in fused.named_modules()] == [name for name, _ in plain.named_modules()]


@pytest.mark.parametrize("fused", [False, True])
def test_random_weights_of_a_rank_stand_in_for_a_file(saved_pipeline, fused):
    ready, seen = called(lora_case(saved_pipeline, {"rank": 2, "fused": fused}))
    ready.verify(seen)
    assert ready.adapters["lora"][0]["weights"] == "random"


def test_a_row_says_where_the_weights_of_a_lora_come_from(saved_pipeline, saved_lora):
    found = build(lora_case(saved_pipeline, {"path": str(saved_lora), "weight": 0.5}), "full", CPU).adapters
    file = str(saved_lora / "pytorch_lora_weights.safetensors")
    assert found == {
        "lora": [{"path": str(saved_lora), "weight": 0.5, "fused": False, "weights": "folder", "name": file}]
    }


@pytest.mark.parametrize(
    "loras",
    [
        [{"rank": 4}],
        [{"rank": 4, "weight": 0.5, "fused": True}],
        [{"rank": 3, "targets": ["to_k"]}, {"path": "SAVED", "weight": -0.3}],
        [{"path": "SAVED", "fused": True}],
    ],
)
def test_the_code_of_loras_draws_what_the_harness_drew(saved_pipeline, saved_lora, loras, tmp_path, monkeypatch):
    given = [{**each, "path": str(saved_lora)} if "path" in each else each for each in loras]
    assert_same(lora_case(saved_pipeline, *given), tmp_path, monkeypatch)


def test_a_lora_on_the_hub_has_random_weights_where_the_hub_is_unreachable(saved_pipeline):
    ready = build(lora_case(saved_pipeline, {"path": "nobody/nothing", "rank": 4}), "full", CPU)
    assert ready.adapters["lora"][0]["weights"] == "random"


def test_a_lora_on_the_hub_without_a_rank_is_skipped_where_the_hub_is_unreachable(saved_pipeline):
    with pytest.raises(UnsupportedError, match="add 'rank:'"):
        build(lora_case(saved_pipeline, {"path": "nobody/nothing"}), "full", CPU)


def test_a_pipeline_that_takes_no_lora_is_skipped(tmp_path):
    import small

    small.ddpm().save_pretrained(tmp_path / "ddpm")
    case = lora_case(tmp_path / "ddpm", {"rank": 4}, call={"num_inference_steps": 2})
    with pytest.raises(UnsupportedError, match="lora: DDPMPipeline has no load_lora_weights"):
        build(case, "full", CPU)


def test_a_lora_for_modules_that_do_not_exist_is_skipped(saved_pipeline):
    with pytest.raises(UnsupportedError, match="no module of the unet is called nothing"):
        build(lora_case(saved_pipeline, {"rank": 4, "targets": ["nothing"]}), "full", CPU)


def test_a_lora_of_weights_that_are_zero_fails_the_case(saved_pipeline):
    ready, seen = called(lora_case(saved_pipeline, {"rank": 4}))
    for module in ready.pipeline.unet.modules():
        if hasattr(module, "lora_B"):
            torch.nn.init.zeros_(module.lora_B["lora_0"].weight)
    with pytest.raises(NotInEffectError, match="weights of zero"):
        ready.verify(seen)


def test_a_lora_that_fits_nothing_of_the_pipeline_fails_the_case(saved_pipeline, tmp_path):
    weights = {f"unet.elsewhere.to_q.lora_{part}.weight": torch.randn(4, 4) for part in "AB"}
    save_file(weights, tmp_path / "other.safetensors")
    case = lora_case(saved_pipeline, {"path": str(tmp_path / "other.safetensors")})
    with pytest.raises((NotInEffectError, ValueError), match=r"none of its weights|elsewhere|Target modules"):
        build(case, "full", CPU)


def test_fused_projections_that_leave_a_lora_out_fail_the_case(saved_pipeline):
    ready, seen = called(lora_case(saved_pipeline, {"rank": 4}))
    ready.pipeline.fuse_qkv_projections(unet=True, vae=False)
    with pytest.raises(NotInEffectError, match="fused projections"):
        ready.verify(seen)


def test_the_operations_of_a_lora_are_counted(saved_pipeline):
    from bench.pipelines import operations

    counts = []
    for loras in ((), ({"rank": 4},), ({"rank": 4, "fused": True},)):
        ready, seen = called(lora_case(saved_pipeline, *loras))
        counts.append(operations.count(ready.pipeline, seen.counted))
    assert counts[0] == counts[2]
    assert counts[0] < counts[1]


def test_a_tiny_model_takes_random_weights_of_a_rank():
    case = lora_case("stable-diffusion-v1-5", {"path": "nobody/nothing", "rank": 4})
    assert build(case, "tiny", CPU).adapters["lora"][0]["weights"] == "random"


def test_a_tiny_model_takes_no_file(saved_lora):
    with pytest.raises(UnsupportedError, match="does not fit a tiny model"):
        build(lora_case("stable-diffusion-v1-5", {"path": str(saved_lora)}), "tiny", CPU)


def test_an_ip_adapter_is_loaded_and_used(saved_pipeline, saved_ip_adapter):
    ready, seen = called(with_ip_adapter(saved_pipeline, saved_ip_adapter))
    ready.verify(seen)
    assert seen.visits["image_encoder"].calls >= 1
    assert ready.adapters["ip_adapter"]["weights"] == "folder"


def test_the_code_of_an_ip_adapter_draws_what_the_harness_drew(saved_pipeline, saved_ip_adapter, tmp_path, monkeypatch):
    assert_same(with_ip_adapter(saved_pipeline, saved_ip_adapter), tmp_path, monkeypatch)


def test_attention_that_does_not_see_the_picture_fails_the_case(saved_pipeline, saved_ip_adapter):
    ready, seen = called(with_ip_adapter(saved_pipeline, saved_ip_adapter))
    ready.pipeline.unet.set_default_attn_processor()
    with pytest.raises(NotInEffectError, match="attention that does not see it"):
        ready.verify(seen)


def test_a_pipeline_that_takes_no_ip_adapter_is_skipped(saved_ip_adapter, tmp_path):
    import small

    small.ddpm().save_pretrained(tmp_path / "ddpm")
    with pytest.raises(UnsupportedError, match="ip_adapter: DDPMPipeline has no load_ip_adapter"):
        build(with_ip_adapter(tmp_path / "ddpm", saved_ip_adapter), "full", CPU)


def test_the_operations_of_every_lora_are_counted(saved_pipeline):
    from bench.pipelines import operations

    def extra(*loras):
        ready, seen = called(lora_case(saved_pipeline, *loras))
        return operations.count(ready.pipeline, seen.counted) - without

    without = 0
    without = extra()
    assert extra({"rank": 4}, {"rank": 2}) == extra({"rank": 4}) + extra({"rank": 2})
