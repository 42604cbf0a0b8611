"""How seldom a process looks for garbage that reference counts do not free."""

import gc


def collect_seldom(after: int) -> None:
    """Leave alone what is loaded by now, and look at the rest after so many new objects instead of 700.

    A batch makes some hundred thousand objects that die with it by their reference counts; with the default
    thresholds the collector walks through them again and again, a fifth of the processor time of a drain. What a
    request leaves is for the collector, and all others wait for it: 1 ms per 1,000 objects.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(after, 10, 10)
