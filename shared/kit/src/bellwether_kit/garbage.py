"""How seldom a process looks for garbage that reference counts do not free."""

import gc


def collect_seldom() -> None:
    """Leave alone what is loaded by now, and look at the rest after 200,000 new objects instead of 700.

    A batch makes some hundred thousand objects that die with it by their reference counts; with the default
    thresholds the collector walks through them again and again, a fifth of the processor time of a drain. A request
    must leave it nothing: to collect 200,000 objects takes a quarter of a second, in which nobody is served.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 10, 10)
