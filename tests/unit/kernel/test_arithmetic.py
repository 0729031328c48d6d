"""Our own elementary functions against the mathematical library's."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stayaway.kernel.arithmetic import normal_density, normal_distribution, sin_cos_degrees


@given(st.floats(-90, 90))
def test_sine_and_cosine(degrees: float) -> None:
    sine, cosine = sin_cos_degrees(np.array([degrees]))
    assert abs(sine[0] - math.sin(math.radians(degrees))) < 1e-15
    assert abs(cosine[0] - math.cos(math.radians(degrees))) < 1e-15


@given(st.floats(-8, 8))
def test_the_normal_distribution(x: float) -> None:
    exact = math.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    assert math.isclose(normal_density(np.array([x]))[0], exact, rel_tol=1e-11)
    assert abs(normal_distribution(np.array([x]))[0] - (1 + math.erf(x / math.sqrt(2))) / 2) < 1e-7
