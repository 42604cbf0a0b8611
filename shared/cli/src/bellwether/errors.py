"""What can stop the local stack, each said in one sentence that a person can act on."""


class BellwetherError(Exception):
    """Printed as it is on standard error; the command then ends with exit code 1."""


class NotACheckout(BellwetherError):
    """The command was installed apart from the repository it works on."""


class MissingExtra(BellwetherError):
    """The engines' packages (`bellwether[local]`) are not installed."""


class PortTaken(BellwetherError):
    """Something else listens where one of our processes should."""


class DiskFull(BellwetherError):
    """There is no room for the downloads or the data."""


class JavaUnusable(BellwetherError):
    """No Java of version 17 or newer answers."""


class NoNetwork(BellwetherError):
    """Kafka's jars are not in the cache and cannot be fetched."""


class CorruptJar(BellwetherError):
    """A jar does not have the checksum that this release recorded for it."""


class EngineFailed(BellwetherError):
    """An engine ended, or did not answer in time."""


class AlreadyUp(BellwetherError):
    """A stack runs from this home."""


class NotUp(BellwetherError):
    """No stack runs from this home."""
