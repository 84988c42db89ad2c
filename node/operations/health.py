"""The node's health, part by part, with a light each. Pure.

Red is a raised alarm or a part that does not work; yellow is on the way there, or not
known; green is well. The worst light is the node's.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from node.operations.alarms import AlarmKind, Judgement, judge
from node.operations.catalogue import Language, say
from node.operations.facts import CarrierFacts, Facts
from node.operations.settings import OperationsSettings

__all__ = ["Light", "Part", "assess", "worst"]

Light = Literal["green", "yellow", "red"]
"""How a part is."""
_LIGHTS: tuple[Light, ...] = get_args(Light)
_BYTES_PER_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the node and its light."""

    name: str
    """Which kind of part."""
    subject: str
    """Which of its kind; empty where there is one."""
    light: Light
    figures: dict[str, str]
    """Figures of its sentence."""

    def title(self, language: Language) -> str:
        """Name the part."""
        return say(language, f"part.{self.name}")

    def sentence(self, language: Language) -> str:
        """Say how it is."""
        return say(language, f"health.{self.name}.{self.light}", **self.figures)

    def advice(self, language: Language) -> str:
        """Say what to do, empty where nothing is."""
        is_well = self.light == "green"
        return "" if is_well else say(language, f"advice.{self.name}", **self.figures)


def assess(facts: Facts, settings: OperationsSettings) -> list[Part]:
    """Give every part its light.

    Args:
        facts: What was found.
        settings: What is allowed.

    Returns:
        The parts in the order of the page.
    """
    judgement = judge(facts, settings)
    parts = (_core, _streams, _members, _carriers, _disks)
    return [part for one in parts for part in one(facts, judgement)]


def worst(parts: list[Part]) -> Light:
    """Give the worst light of the parts."""
    return max((part.light for part in parts), key=_LIGHTS.index, default="green")


def _light(judgement: Judgement, kind: AlarmKind, subject: str) -> Light:
    if (kind, subject) in judgement.raised:
        return "red"
    return "yellow" if (kind, subject) in judgement.kept else "green"


def _core(facts: Facts, judgement: Judgement) -> Iterator[Part]:
    chain, index, work = facts.chain, facts.index, facts.work
    light = _light(judgement, "chain_stalled", "chain")
    if light == "green" and chain.state != "ready":
        light = "yellow"
    figures = {
        "height": _known(chain.height),
        "pending": _known(chain.pending),
        "stalled_s": f"{chain.stalled_s:.0f}",
        "message": chain.message,
    }
    yield Part("chain", "", light, figures)
    light = _light(judgement, "indexer_behind", "index")
    figures = {"block": _known(index.block), "lag_blocks": _known(index.lag_blocks)}
    yield Part("index", "", light, figures | {"behind_s": f"{index.behind_s:.0f}"})
    size_mb = "?" if work is None else str(work.database_bytes // _BYTES_PER_MB)
    figures = {"size_mb": size_mb, "fault": facts.fault}
    yield Part("database", "", "red" if facts.fault else "green", figures)
    if work is not None:
        sending = work.instructions.get("sending", 0)
        figures = {"sending": str(sending)} | {
            "pending": str(work.instructions.get("pending", 0))
        }
        yield Part("relayer", "", "yellow" if sending else "green", figures)
        light = "yellow" if work.notices else "green"
        yield Part("notices", "", light, {"waiting": str(work.notices)})


def _streams(facts: Facts, judgement: Judgement) -> Iterator[Part]:
    for one in facts.streams:
        subject = f"0x{one.stream_id.hex()}"
        figures = {
            "batches": str(one.batches),
            "age_s": str(one.age_s),
            "max_silence_s": str(one.max_silence_s),
        }
        light = _light(judgement, "stream_stale", subject)
        yield Part("stream", subject, light, figures)
    for item in facts.forced:
        subject = f"0x{item.digest.hex()}"
        light = _light(judgement, "inclusion_overdue", subject)
        figures = {"overdue_s": str(max(0, item.overdue_s))}
        figures["due_in_s"] = str(max(0, -item.overdue_s))
        yield Part("forced", subject, light, figures)


def _members(facts: Facts, judgement: Judgement) -> Iterator[Part]:
    for one in facts.members:
        figures = {
            "url": one.url,
            "silent_s": f"{one.silent_s:.0f}",
            "batches": str(one.status.get("batches", "?")),
        }
        light = _light(judgement, "member_down", one.address)
        yield Part("member", one.address, light, figures)


def _carriers(facts: Facts, _judgement: Judgement) -> Iterator[Part]:
    if facts.carriers is not None:
        silent = facts.carriers.silent
        figures = {"active": str(facts.carriers.active), "silent": str(len(silent))}
        figures["names"] = _names(facts.carriers)
        yield Part("carriers", "", "red" if silent else "green", figures)


def _disks(facts: Facts, judgement: Judgement) -> Iterator[Part]:
    for one in facts.disks:
        figures = {
            "free_mb": str(one.free_bytes // _BYTES_PER_MB),
            "free_inodes_percent": str(one.free_inodes_percent),
        }
        light = _light(judgement, "disk_low", one.folder)
        yield Part("disk", one.folder, light, figures)


def _names(carriers: CarrierFacts) -> str:
    shown = [name for name, _ in carriers.silent[:5]]
    return ", ".join(shown) + (" …" if len(carriers.silent) > len(shown) else "")


def _known(value: int | None) -> str:
    return "?" if value is None else str(value)
