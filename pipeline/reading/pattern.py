"""Patterns: regular expressions as constraints."""

from collections.abc import Iterable
from functools import lru_cache

from pipeline.common.errors import ConfigError
from pipeline.reading.constraint import matches

MOST_STATES = 5000  # of an automaton; `([0-9]{99}){99}` would fill the memory
SHORTHANDS = {"d": "0123456789", "w": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz", "s": " "}


class Pattern:
    """The texts that a regular expression matches as a whole, as a nondeterministic automaton (Thompson 1968).

    Characters, `.`, `[A-Z0-9-]`, `[^0-9]`, `\\d`, `\\w`, `\\s`, `\\` before a sign, `( )`, `|`, `?`, `*`, `+`, `{2}`, `{2,}`,
    `{2,5}`. A `^` before all else and a `$` after it may stand, and say what holds anyway.

    Raises:
        ConfigError: the expression holds something else; the message says where.

    Examples:
        >>> pattern = Pattern("[A-Z]{2}-?[0-9]+")
        >>> [pattern.matches(text) for text in ("AB-7", "AB12", "A12", "AB-")]
        [True, True, False, False]
        >>> Pattern("^[0-9]+$").matches("12")
        True
    """

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self._moves: list[tuple[frozenset[str] | None, bool, int]] = []  # (characters, all but those, next) of each state
        self._free: list[list[int]] = []  # next states that need no character
        self._at = 1 if expression.startswith("^") else 0
        start, self._end = self._either()
        if expression[self._at :] not in ("", "$"):
            self._fail("has a ) too many")
        self._start = self._reach([start])
        self.step = lru_cache(maxsize=20_000)(self._step)

    def start(self) -> frozenset[int]:
        """The state before the first character."""
        return self._start

    def _step(self, state: frozenset[int], character: str) -> frozenset[int] | None:
        """The state after one more character; None if it is not allowed there."""
        reached = [
            target
            for characters, negated, target in (self._moves[index] for index in state)
            if characters is not None and (character in characters) != negated
        ]
        return self._reach(reached) if reached else None

    def accepts(self, state: frozenset[int]) -> bool:
        """Whether the text may end here."""
        return self._end in state

    def matches(self, text: str) -> bool:
        """Whether the pattern matches the whole text."""
        return matches(self, text)

    def _reach(self, states: Iterable[int]) -> frozenset[int]:
        reached, waiting = set(states), list(states)
        while waiting:
            new = set(self._free[waiting.pop()]) - reached
            reached |= new
            waiting += new
        return frozenset(reached)

    def _state(self, characters: frozenset[str] | None = None, negated: bool = False, target: int = -1) -> int:
        if len(self._moves) >= MOST_STATES:
            self._fail("stands for too many texts; make its numbers smaller")
        self._moves.append((characters, negated, target))
        self._free.append([])
        return len(self._moves) - 1

    def _fail(self, reason: str) -> None:
        raise ConfigError(f"pattern: {self.expression!r} {reason}, at character {self._at + 1}")

    def _peek(self) -> str:
        return self.expression[self._at : self._at + 1]

    def _take(self) -> str:
        if self._at >= len(self.expression):
            self._fail("ends too early")
        self._at += 1
        return self.expression[self._at - 1]

    def _either(self) -> tuple[int, int]:
        """Alternatives; each part of the expression becomes (first state, last state)."""
        parts = [self._sequence()]
        while self._peek() == "|":
            self._take()
            parts.append(self._sequence())
        if len(parts) == 1:
            return parts[0]
        first, last = self._state(), self._state()
        for start, end in parts:
            self._free[first].append(start)
            self._free[end].append(last)
        return first, last

    def _sequence(self) -> tuple[int, int]:
        first = last = self._state()
        while self._peek() not in ("", "|", ")") and self.expression[self._at :] != "$":
            start, end = self._repeated()
            self._free[last].append(start)
            last = end
        return first, last

    def _repeated(self) -> tuple[int, int]:
        begun = self._at
        part = self._one()
        after, least, most = self._at, 1, 1
        if self._peek() in ("?", "*", "+"):
            least, most = {"?": (0, 1), "*": (0, -1), "+": (1, -1)}[self._take()]
        elif self._peek() == "{":
            self._take()
            least, most = self._counts()
        else:
            return part
        ended = self._at
        first = last = self._state()
        for number in range(max(least, most, 1)):
            self._at = begun  # the part once more, with states of its own
            start, end = self._one()
            self._free[last].append(start)
            if number >= least:
                self._free[last].append(end)
            last = end
        assert self._at == after
        if most < 0:
            self._free[last].append(start)
            if least == 0:
                self._free[first].append(last)
        elif most == 0:
            first = last = self._state()
        self._at = ended
        return first, last

    def _counts(self) -> tuple[int, int]:
        """The numbers in braces: least and most, -1 for any number."""
        text = ""
        while (character := self._take()) != "}":
            text += character
        low, comma, high = text.partition(",")
        if not low.isdecimal() or (high and not high.isdecimal()) or (high and int(high) < int(low)):
            self._fail(f"has {{{text}}}, which is no number of times")
        return int(low), int(high) if high else -1 if comma else int(low)

    def _one(self) -> tuple[int, int]:
        """A character, a set of them, or a part in brackets."""
        character = self._take()
        if character == "(":
            if self.expression.startswith("?", self._at):
                self._fail("has a (?, which means nothing here")
            part = self._either()
            if self._peek() != ")":
                self._fail("misses a )")
            self._take()
            return part
        if character in "?*+{":
            self._fail(f"has a {character} with nothing before it")
        if character == "^":
            self._fail("has a ^ that is not at its beginning; write \\^ for the character")
        negated = False
        if character == "[":
            negated, characters = self._set()
        elif character == ".":
            negated, characters = True, frozenset()
        else:
            characters = self._escaped() if character == "\\" else frozenset(character)
        last = self._state()
        return self._state(characters, negated, last), last

    def _escaped(self) -> frozenset[str]:
        character = self._take()
        if character.isalnum() and character not in SHORTHANDS:
            self._fail(f"has \\{character}, which means nothing here")
        return frozenset(SHORTHANDS.get(character, character))

    def _set(self) -> tuple[bool, frozenset[str]]:
        """The characters of a set after its `[`, and whether the set is negated."""
        negated = self._peek() == "^"
        if negated:
            self._take()
        members: set[str] = set()
        while (character := self._take()) != "]" or not members:
            if character == "\\":
                members |= self._escaped()
            elif self._peek() == "-" and self.expression[self._at + 1 : self._at + 2] not in ("]", ""):
                self._take()
                end = self._take()
                if end < character:
                    self._fail(f"has {character}-{end}, the wrong way round")
                members |= {chr(code) for code in range(ord(character), ord(end) + 1)}
            else:
                members.add(character)
        return negated, frozenset(members)
