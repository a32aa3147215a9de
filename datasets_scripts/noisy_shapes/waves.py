"""Low waves over the plane that bend what is drawn, each primitive by its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Waves:
    """The waves of N primitives, (N, K) each; points of the plane are complex numbers in canvas units.

    Attributes:
        vector: complex, 2 pi over the wavelength, in the wave's direction.
        phase: radians.
        amplitude: complex, what a crest moves a point by.
    """

    vector: np.ndarray
    phase: np.ndarray
    amplitude: np.ndarray

    def displace(self, row: np.ndarray, point: np.ndarray) -> np.ndarray:
        """Where `point` (S,), of the primitives `row` (S,), comes to lie."""
        along = (self.vector[row].conj() * point[:, None]).real
        return point + (self.amplitude[row] * np.sin(along + self.phase[row])).sum(1)
