"""Every story of a small mechanism, the shorter ones first, told without the checker.

A story is a sequence of acts from an opening. It is made of the kernel's ``step`` and ``exact`` alone: nothing is sliced,
no configurations are merged, so that a path that the checker calls shortest can be held against all shorter ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from fengsui.ledger.kernel.shapes import Act, Guard, Mechanism
from fengsui.ledger.kernel.step import Choice, Core, choices, exact, opened, spent, step

Allowed = Callable[[Core, Act], bool]


@dataclass(frozen=True)
class Story:
    """Acts and the core after each."""

    acts: tuple[Act, ...]
    cores: tuple[Core, ...]

    @property
    def path(self) -> tuple[str, ...]:
        return tuple(act.name for act in self.acts)

    @property
    def now(self) -> Core:
        return self.cores[-1]

    @property
    def before(self) -> Core:
        """The core before the last act."""
        return self.cores[-2] if len(self.cores) > 1 else Core("")

    @property
    def last(self) -> Act:
        return self.acts[-1]


def anybody(core: Core, act: Act) -> bool:
    return True


def possible(mechanism: Mechanism, core: Core, act: Act) -> bool:
    """Bounds, exact guards, running clocks and open children; registered guards may hold."""
    if spent(act, core) and act.then is None:
        return False
    if not all(_true(core, guard) for guard in act.needs) or not any(_there(by, core) for by in act.by):
        return False
    return not any(mechanism.children[kind].at_once == 1 and kind in core.open_kids for kind in act.opens)


def _true(core: Core, guard: Guard) -> bool:
    return exact(core, guard) is not False


def _there(by: str, core: Core) -> bool:
    head, _, rest = by.partition(".")
    if head == "clock":
        return rest in core.running
    if head == "child":
        return rest.partition(".")[0] in core.open_kids
    return True


def acts_in(mechanism: Mechanism, core: Core) -> tuple[Act, ...]:
    state = mechanism.states.get(core.state)
    return state.actions if state else ()


def stories(
    mechanism: Mechanism,
    longest: int,
    *,
    may: Allowed = anybody,
    played: bool = False,
    start: Callable[[Act], bool] | None = None,
) -> Iterator[Story]:
    """Breadth first, all of at most ``longest`` acts; ``played``: one natural person does what persons do."""
    openings = [act for act in mechanism.opening.values() if start is None or start(act)]
    level = [Story((act,), (opened(mechanism, act, Choice(played=played)),)) for act in openings]
    for _ in range(longest):
        yield from level
        level = [longer for story in level for longer in _longer(mechanism, story, may, played)]


def _longer(mechanism: Mechanism, story: Story, may: Allowed, played: bool) -> Iterator[Story]:
    for act in acts_in(mechanism, story.now):
        if possible(mechanism, story.now, act) and may(story.now, act):
            for choice in choices(mechanism, story.now, act):
                chosen = Choice(choice.last, choice.keeps, choice.given, played)
                yield Story((*story.acts, act), (*story.cores, step(mechanism, story.now, act, chosen)))


def cores(mechanism: Mechanism, starts: Iterable[Core], may: Allowed = anybody) -> set[Core]:
    """Every core that can follow, the starts among them."""
    found = set(starts)
    queue = list(found)
    for core in queue:
        for act in acts_in(mechanism, core):
            if possible(mechanism, core, act) and may(core, act):
                for choice in choices(mechanism, core, act):
                    after = step(mechanism, core, act, choice)
                    if after not in found:
                        found.add(after)
                        queue.append(after)
    return found


def everywhere(mechanism: Mechanism) -> set[Core]:
    """Every core of a life."""
    return cores(mechanism, [opened(mechanism, act) for act in mechanism.opening.values()])
