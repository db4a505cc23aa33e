import io
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from whichlever.infer.arrays import read_arrays

kinds = st.sampled_from([np.float32, np.float64, np.int64, np.uint8])
arrays = st.dictionaries(
    st.sampled_from(["a", "pairs", "a-longer-name"]),
    kinds.flatmap(lambda kind: hnp.arrays(kind, hnp.array_shapes(min_dims=0, min_side=0))),
)


def saved(given: dict[str, np.ndarray], packed: bool = False) -> bytes:
    out = io.BytesIO()
    (np.savez_compressed if packed else np.savez)(out, **given)
    return out.getvalue()


@given(arrays)
def test_arrays_come_back_as_numpy_reads_them(given: dict[str, np.ndarray]) -> None:
    found = read_arrays(saved(given))
    assert found.keys() == given.keys()
    for name, array in given.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        assert np.array_equal(found[name], array, equal_nan=array.dtype.kind == "f")
        assert found[name].flags.aligned
        assert not found[name].flags.writeable or found[name].size == 0


def test_columns_first_is_read_too() -> None:
    array = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    assert np.array_equal(read_arrays(saved({"a": array}))["a"], array)


@given(st.data())
def test_damage_is_told_or_changes_nothing(data: st.DataObject) -> None:
    given_ = {"a": np.arange(40, dtype=np.float32), "b": np.ones((3, 2))}
    content = bytearray(saved(given_))
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content)))]
    try:
        found = read_arrays(bytes(content))
    except (ValueError, zipfile.BadZipFile, EOFError, NotImplementedError):
        return
    for name in found.keys() & given_.keys():
        assert np.array_equal(found[name], given_[name])


def test_objects_and_compressed_files_are_refused() -> None:
    with pytest.raises(ValueError, match="objects"):
        read_arrays(saved({"a": np.array([{}], object)}))
    with pytest.raises(ValueError, match="compressed"):
        read_arrays(saved({"a": np.zeros(3)}, packed=True))
