"""Constraints: the texts that are allowed, as automata; a search follows them character by character and considers no other text.

Each has `start()`, the state before the text; `step(state, character)`, the state after one more character or None if it is not
allowed there; and `accepts(state)`, whether the text may end. States can be compared and hashed.
"""

from typing import Any, Protocol

MOST_STATES = 10_000  # that `possible` visits; a constraint of more counts as possible


class Constraint(Protocol):
    """An automaton over characters; a word gap is a space."""

    def start(self) -> Any:
        """The state before the first character."""
        ...

    def step(self, state: Any, character: str) -> Any | None:
        """The state after one more character; None if it is not allowed there."""
        ...

    def accepts(self, state: Any) -> bool:
        """Whether the text may end here."""
        ...


class Allowed:
    """Any text of some characters, with word gaps or without."""

    def __init__(self, characters: str, gaps: bool = True) -> None:
        self.characters = frozenset(characters) | (frozenset(" ") if gaps else frozenset())

    def start(self) -> int:
        """The only state."""
        return 0

    def step(self, state: int, character: str) -> int | None:
        """The only state, or None."""
        return 0 if character in self.characters else None

    def accepts(self, state: int) -> bool:
        """A text may end anywhere."""
        return True


class Both:
    """The texts that two constraints allow."""

    def __init__(self, first: Constraint, second: Constraint) -> None:
        self.first, self.second = first, second

    def start(self) -> tuple[Any, Any]:
        """The states of both."""
        return self.first.start(), self.second.start()

    def step(self, state: tuple[Any, Any], character: str) -> tuple[Any, Any] | None:
        """The states of both; None if one of them does not allow the character."""
        first, second = self.first.step(state[0], character), self.second.step(state[1], character)
        return None if first is None or second is None else (first, second)

    def accepts(self, state: tuple[Any, Any]) -> bool:
        """Whether both allow the text to end here."""
        return self.first.accepts(state[0]) and self.second.accepts(state[1])


def matches(constraint: Constraint, text: str) -> bool:
    """Whether the whole text is allowed."""
    state = constraint.start()
    for character in text:
        state = constraint.step(state, character)
        if state is None:
            return False
    return constraint.accepts(state)


def possible(constraint: Constraint, characters: str, longest: int = 200) -> bool:
    """Whether some text of these characters, not longer and not empty, is allowed."""
    seen: set[Any] = set()
    reached = {constraint.start()}
    for _ in range(longest):
        after = {constraint.step(state, character) for state in reached for character in characters} - {None}
        if any(constraint.accepts(state) for state in after):
            return True
        reached = after - seen
        seen |= reached
        if not reached or len(seen) > MOST_STATES:
            return bool(reached)
    return False
