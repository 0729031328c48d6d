"""What tests of the layered index share."""

from collections.abc import Iterator

import pytest

from stayaway.matching import index, layers


@pytest.fixture(scope="module")
def small_layers() -> Iterator[None]:
    """Layers and trees so small that a few orders fill them: every way through is taken."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layers, "TOP_BOXES", 12)
        patch.setattr(layers, "MIDDLE_BOXES", 40)
        patch.setattr(index, "_TREE_BOXES", 16)
        yield
