"""What all pages share: done once, by the server that forks them.

TensorFlow makes hundreds of thousands of objects when it is imported, and
they stay.  Searching them for garbage, while they are made and again in
every page, would cost a tenth of a page's time.  The first figure is the
dearest: Matplotlib finds its fonts and learns to read formulas.
"""

import gc


def _import_all() -> None:
    import keras  # noqa: F401
    import tensorflow  # noqa: F401


def _draw_once() -> None:
    import matplotlib.pyplot as plt

    import engine.figures as figures

    figures.prepare()
    plt.semilogy([1, 10])
    plt.show()
    figures.take()


gc.disable()
_import_all()
_draw_once()
gc.freeze()
gc.enable()
