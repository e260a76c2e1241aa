import pytest

from bench.records.outcomes import FAULTS, MEASURED, Remark, RemarkKind, Status

REMARKS = {
    "idle(vae_slicing)": Remark(RemarkKind.IDLE, subject="vae_slicing"),
    "never-warm": Remark(RemarkKind.NEVER_WARM),
    "host-bound:0.71": Remark(RemarkKind.HOST_BOUND, 0.71),
    "image-differs(bfloat16):31.5": Remark(RemarkKind.IMAGE_DIFFERS, 31.5, "bfloat16"),
    "overridden(NAME=a:b)": Remark(RemarkKind.OVERRIDDEN, subject="NAME=a:b"),
    "overridden(NAME=a:b):2": Remark(RemarkKind.OVERRIDDEN, 2.0, "NAME=a:b"),
}


@pytest.mark.parametrize(("text", "remark"), REMARKS.items())
def test_a_remark_has_one_text(text, remark):
    assert str(remark) == text


@pytest.mark.parametrize(("text", "remark"), REMARKS.items())
def test_a_remark_is_read_back_from_its_text(text, remark):
    assert Remark.parse(text) == remark


@pytest.mark.parametrize("text", ["", "slow", "idle(vae", "idle:fast", "host-bound: the device waits"])
def test_any_other_text_is_not_a_remark(text):
    with pytest.raises(ValueError, match=r"not a|could not convert"):
        Remark.parse(text)


def test_a_status_is_measured_or_a_fault_or_an_answer_but_never_two_of_them():
    assert set(MEASURED) & set(FAULTS) == set()


@pytest.mark.parametrize("status", Status)
def test_a_status_says_whether_it_has_samples(status):
    assert status.measured == (status in {"ok", "unstable", "differs"})
