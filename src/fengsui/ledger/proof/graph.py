"""Graphs of configurations: breadth first with shortest ways, backward reachability, strong components.

Nodes are integers; edges carry what was done. Nothing here knows mechanisms.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Generic, TypeVar

Node = TypeVar("Node", bound=Hashable)
Label = TypeVar("Label")


class BudgetSpent(Exception):
    """The search met its budget of configurations before it was through."""


class Explored(Generic[Node, Label]):
    """The reachable part of a graph, each node with the first (shortest) way to it."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.index: dict[Node, int] = {}
        self.came: list[tuple[int, Label] | None] = []
        self.first: list[Label] = []
        self.out: list[list[tuple[Label, int]]] = []

    def way(self, at: int) -> list[Label]:
        """The labels from an opening to node ``at``, the opening's first."""
        labels: list[Label] = []
        step = self.came[at]
        while step is not None:
            labels.append(step[1])
            at = step[0]
            step = self.came[at]
        labels.append(self.first[at])
        return labels[::-1]

    @property
    def edges(self) -> int:
        """How many edges were found."""
        return sum(len(out) for out in self.out)


def explore(
    openings: Iterable[tuple[Label, Node]],
    after: Callable[[Node], Iterable[tuple[Label, Node]]],
    budget: int,
) -> Explored[Node, Label]:
    """Breadth first from the openings. Raises ``BudgetSpent`` beyond ``budget`` nodes."""
    found: Explored[Node, Label] = Explored()
    queue: deque[int] = deque()

    def place(node: Node, came: tuple[int, Label] | None, label: Label) -> int:
        at = found.index.get(node)
        if at is None:
            at = len(found.nodes)
            if at >= budget:
                raise BudgetSpent(f"more than {budget} configurations")
            found.index[node] = at
            found.nodes.append(node)
            found.came.append(came)
            found.first.append(label)
            found.out.append([])
            queue.append(at)
        return at

    for label, node in openings:
        place(node, None, label)
    while queue:
        at = queue.popleft()
        out = found.out[at]
        for label, node in after(found.nodes[at]):
            out.append((label, place(node, (at, label), label)))
    return found


def backward(size: int, edges: Iterable[tuple[int, int]], goals: Iterable[int]) -> set[int]:
    """The nodes from which some goal is reachable along ``edges`` (from, to)."""
    into: list[list[int]] = [[] for _ in range(size)]
    for start, end in edges:
        into[end].append(start)
    good = set(goals)
    stack = list(good)
    while stack:
        for before in into[stack.pop()]:
            if before not in good:
                good.add(before)
                stack.append(before)
    return good


def components(size: int, edges: Iterable[tuple[int, int]]) -> Iterator[list[int]]:
    """Strongly connected components with a cycle in them (Tarjan 1972, without recursion)."""
    out: list[list[int]] = [[] for _ in range(size)]
    loops: set[int] = set()
    for start, end in edges:
        out[start].append(end)
        if start == end:
            loops.add(start)
    number = [-1] * size
    low = [0] * size
    on_stack = [False] * size
    stack: list[int] = []
    counter = 0
    for root in range(size):
        if number[root] >= 0:
            continue
        work: list[tuple[int, int]] = [(root, 0)]
        while work:
            node, position = work.pop()
            if position == 0:
                number[node] = low[node] = counter
                counter += 1
                stack.append(node)
                on_stack[node] = True
            if position < len(out[node]):
                work.append((node, position + 1))
                child = out[node][position]
                if number[child] < 0:
                    work.append((child, 0))
                elif on_stack[child]:
                    low[node] = min(low[node], number[child])
                continue
            if low[node] == number[node]:
                group = []
                while True:
                    member = stack.pop()
                    on_stack[member] = False
                    group.append(member)
                    if member == node:
                        break
                if len(group) > 1 or node in loops:
                    yield group
            if work:
                parent = work[-1][0]
                low[parent] = min(low[parent], low[node])
