"""What a run that is continued was begun on: `--resume` keeps to its device, and to its card where that is there."""

from dataclasses import dataclass, replace

from bench import files
from bench.analyze.run import newest
from bench.errors import InputError
from bench.records import store
from bench.records.environment import CARD_UUID, earlier_cards
from bench.session.plan import RESULTS
from bench.session.request import AUTO, RunRequest


@dataclass(frozen=True)
class Begun:
    """A run on file: its device, and its card; None if unknown, or if no run is continued."""

    device: str | None = None
    card_uuid: str | None = None

    def on_its_device(self, request: RunRequest) -> RunRequest:
        """Return a request for the device of the run.

        Raises:
            InputError: another one was asked for.
        """
        if self.device is None or request.device_kind == self.device:
            return request
        if request.device != AUTO:
            raise InputError(
                f"{request.option('device')}: the run was begun on {self.device}, and one run has one device; leave "
                f"{request.option_prefix}device out, or start a new run with another {request.option_prefix}output"
            )
        return request if self.device == "cuda" else replace(request, device=self.device)


def begun(request: RunRequest) -> Begun:
    """Return what the run that a request continues was begun on."""
    if not request.resume:
        return Begun()
    folder = request.output or newest(RESULTS)
    if not (folder / store.PROCESSES).exists():
        return Begun()
    facts = store.read_json(files.within(folder, store.ENVIRONMENT))
    cards = [*earlier_cards(facts), facts.get(CARD_UUID)]
    return Begun(_text(facts.get("device")), _text(cards[0]))


def _text(fact: object) -> str | None:
    return fact if isinstance(fact, str) else None
