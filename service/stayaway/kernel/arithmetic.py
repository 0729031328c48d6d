"""Elementary functions out of + - x / and square root alone, in a fixed order.

libm and NumPy's transcendentals change their last bits with the processor's features; IEEE 754
rounds these five operations correctly, so decisions come out in the same bits on any machine
(promise 3). Every function takes doubles or arrays of them and returns the same, element by element: what
comes out of one double is what comes out of it within an array.
"""

import math
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_N = TypeVar("_N", float, Floats)

_RADIANS_PER_DEGREE = math.pi / 180.0
# Taylor coefficients; at |x| <= pi/2 the first term left out is below 2e-17.
_SIN = tuple((-1.0) ** k / math.factorial(2 * k + 1) for k in range(12))
_COS = tuple((-1.0) ** k / math.factorial(2 * k) for k in range(12))
_EXP = tuple(1.0 / math.factorial(k) for k in range(13))
# Abramowitz and Stegun, Handbook of Mathematical Functions, 26.2.17; |error| < 7.5e-8.
_CDF = (0.319381530, -0.356563782, 1.781477937, -1.821255978, 1.330274429)
_CDF_P = 0.2316419
_INVERSE_SQRT_2PI = 0.3989422804014327


def _horner(coefficients: tuple[float, ...], x: _N) -> _N:
    total = x * 0.0 + coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        total = total * x + coefficient
    return total


def sin_cos_degrees(degrees: _N) -> tuple[_N, _N]:
    """Sine and cosine of angles within -90..90 degrees, absolute error below 1e-15."""
    x = degrees * _RADIANS_PER_DEGREE
    square = x * x
    return x * _horner(_SIN, square), _horner(_COS, square)


def normal_density(x: _N) -> _N:
    """The standard normal density for |x| <= 8, relative error below 1e-11."""
    # exp(-x**2 / 2) as the 64th power of a short series.
    part = x * x * (-0.5 / 64.0)
    value = _horner(_EXP, part)
    for _ in range(6):
        value = value * value
    return value * _INVERSE_SQRT_2PI


def normal_distribution(x: Floats) -> Floats:
    """The standard normal distribution function for |x| <= 8, absolute error below 1e-7."""
    size = np.abs(x)
    t = 1.0 / (1.0 + _CDF_P * size)
    upper = normal_density(size) * t * _horner(_CDF, t)
    return np.where(x >= 0.0, 1.0 - upper, upper)
