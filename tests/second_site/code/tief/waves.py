"""Waves, and how they look and sound."""

# region setup
import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray

Wave = NDArray[np.float64]
t = np.linspace(0, 1, 9)
# endregion setup


# region sine
def sine(pitch: float) -> Wave:
    """Return a sine wave."""
    return np.sin(2 * np.pi * pitch * t)


# endregion sine


# region saw
def saw(pitch: float) -> Wave:
    """Return a saw wave."""
    return 2 * (pitch * t % 1) - 1


# endregion saw


if __name__ == "__main__":
    # region try_sine
    höhe = sine(1).max()
    print(f"höchster Wert: {höhe:.1f}")
    # endregion try_sine

    # region try_saw
    print(saw(2))
    # endregion try_saw

    # region draw
    plt.plot(t, sine(1), "o-", label="sine")
    plt.plot(t, saw(1), "s--", label="saw $x_1$")
    plt.legend()
    plt.show()
    # endregion draw

    # region fail
    print("vorher")
    sine("a")  # type: ignore[arg-type]
    # endregion fail
