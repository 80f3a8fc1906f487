"""Reports of reference files, and their numbers as the page holds them."""

import functools
import json
import lzma
import pathlib
import re
import tempfile

import h5py
import numpy as np

from engram_results.report import page

REFERENCE = pathlib.Path(__file__).resolve().parents[1] / "reference"
_FOLDER = tempfile.TemporaryDirectory()
DONE, DIVERGED = 2, 3


@functools.lru_cache(maxsize=None)
def result_file(name):
    """A reference file, unpacked."""
    path = pathlib.Path(_FOLDER.name) / f"{name}.h5"
    path.write_bytes(lzma.decompress((REFERENCE / f"{name}.h5.xz").read_bytes()))
    return path


@functools.lru_cache(maxsize=None)
def page_of(name):
    """The page about a reference file, written once."""
    path = pathlib.Path(_FOLDER.name) / f"{name}.html"
    page.write([result_file(name)], path)
    return path


def data_in(text):
    """What the scripts of a page read."""
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL).group(1))


@functools.lru_cache(maxsize=None)
def data_of(name):
    """The data of the page about a reference file."""
    return data_in(page_of(name).read_text(encoding="utf-8"))


def rows(data, view, table):
    """The rows of a table as dictionaries; null is NaN in columns of numbers."""
    found = data["views"][view]["tables"][table]
    return [{name: np.nan if value is None and kind == "number" else value
             for name, kind, value in zip(found["columns"], found["kinds"], row)} for row in found["rows"]]


@functools.lru_cache(maxsize=None)
def raw(name):
    """{variable: array} of a reference file as HDF5 has them, words as str; and {variable: dotted name} of swept settings."""
    arrays, swept = {}, {}
    with h5py.File(result_file(name), "r") as file:
        for key, item in file.items():
            if isinstance(item, h5py.Dataset) and item.ndim:
                words = item.dtype.kind == "O"
                arrays[key] = item.asstr()[()] if words else item[()]
                if item.dtype.kind in "iu" and "_FillValue" in item.attrs:
                    arrays[key] = np.where(arrays[key] == item.attrs["_FillValue"], np.nan, arrays[key].astype(float))
                if item.attrs.get("swept", 0):
                    swept[key] = item.attrs["parameter_name"]
    return arrays, {key: word.decode() if isinstance(word, bytes) else str(word) for key, word in swept.items()}


def written(value):
    """A setting as the page writes it."""
    return f"{value:g}" if isinstance(value, (float, np.floating)) else str(value)


@functools.lru_cache(maxsize=None)
def trials_of(name):
    """{key of settings: indices of trials}, points told apart by the swept settings they have."""
    arrays, swept = raw(name)
    found = {}
    for at in range(len(arrays["status"])):
        words = [f"{dotted}={written(arrays[key][at])}" for key, dotted in swept.items()
                 if arrays[key][at] == arrays[key][at] and arrays[key][at] != ""]
        found.setdefault(key_of(" ".join(words)), []).append(at)
    return found


def key_of(settings):
    """The words of "a=1 b=2 …" in one order: HDF5 lists variables by name, the page as they were written."""
    return " ".join(sorted(settings.split(" ")))


def finished(name, point):
    """Indices of the finished trials of a chosen point (an entry of `points`), in files without a second stage."""
    arrays, _ = raw(name)
    return [at for at in trials_of(name)[key_of(point["settings"])] if arrays["status"][at] in (DONE, DIVERGED)]
