"""Cases of a tiny model, and somebody who follows their run."""

from dataclasses import replace

from bench.plan.case import Case
from bench.plan.settings import RunSettings

CASE = Case("test", "case", "stable-diffusion-v1-5", call={"prompt": "a cat", "num_inference_steps": 5})
LONG = replace(CASE, name="long", call={"prompt": "a cat", "num_inference_steps": 2500})
TINY = RunSettings("cpu", "tiny")


class ActOnce:
    """A listener that acts once, at the first event of a kind; it knows the worker's process id."""

    def __init__(self, kind=None, act=None):
        self.kind, self.act, self.pid = kind, act, None

    def begin(self, job):
        pass

    def event(self, job, event):
        if event["event"] == "started":
            self.pid = event["pid"]
        if event["event"] == self.kind and self.act is not None:
            act, self.act = self.act, None
            act(self.pid)

    def end(self, job, record):
        pass
