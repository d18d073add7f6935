"""Errors that are part of the interface: each message is one line that names the file or key and says what to do."""


class UserError(Exception):
    """A mistake that the user can correct. The command line prints the message alone and exits with status 1."""


class ConfigError(UserError):
    """A value in `conf/` or an override has the wrong key, type or range."""


class DataError(UserError):
    """A data or model file is missing, damaged, of the wrong shape, or not to be trusted."""


class BlankError(DataError):
    """An image of one character has nothing on it."""


class StoreError(UserError):
    """The store of runs and models cannot be used."""


class PageError(UserError):
    """A page cannot be read: not an image, too large, empty, or nothing on it."""


class EmptyPageError(PageError):
    """There is nothing to read on a page."""


class DivergedError(UserError):
    """The training loss is no longer finite."""


class StoppedError(UserError):
    """A training was stopped from outside: it was pruned, or its sweep has ended."""
