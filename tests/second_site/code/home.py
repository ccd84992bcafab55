"""The home page's program."""

if __name__ == "__main__":
    # region shared
    import sys

    import numpy as np

    names = ["keras", "tensorflow", "matplotlib.pyplot", "numpy"]
    print([name for name in names if name in sys.modules])
    print(np.arange(4) ** 2)
    # endregion shared
