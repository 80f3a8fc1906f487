"""Opens a result file, format 1: a netCDF-4 model at the root of an HDF5 file.

Every setting of a trial is a variable over `trial` whose attribute `parameter_name` holds the dotted
name; numbers a trial does not have are NaN, words it does not have are empty.
"""

import pathlib

import numpy as np
import xarray

FORMAT_NAME = "engram-results"
FORMAT_VERSION = 1
# By code.
STATUS_WORDS = ("pending", "running", "done", "diverged", "failed", "timeout", "skipped", "paused",
                "stopped")
FINISHED = ("done", "diverged")


class ResultError(Exception):
    """A file that cannot be used, or a request it cannot answer; the message says why."""


def load(path, engine="h5netcdf"):
    """Opens a result file as an xarray.Dataset (lazily: arrays are read when they are used).

    Settings are coordinates, so ds.accuracy.groupby("model_activation").mean("trial") works.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise ResultError(f"{path}: no such file")
    if path.suffix == ".journal":
        raise ResultError(f"{path}: this is the journal; give the .h5 file beside it "
                          f"(`engram collect {path}` writes it anew)")
    try:
        # Seconds stay numbers: xarray would turn some of them into times and time differences, and
        # warns of trials that never started.
        ds = xarray.open_dataset(path, engine=engine, decode_times=False)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ResultError(f"{path}: not readable as an engram result file: {error}") from error
    reason = _unusable(ds)
    if reason:
        ds.close()
        raise ResultError(f"{path}: {reason}")
    return ds


def _unusable(ds):
    """Why a dataset cannot be used, or None."""
    if ds.attrs.get("format_name") != FORMAT_NAME:
        return f"not an engram result file: its attribute format_name is not `{FORMAT_NAME}`"
    version = int(ds.attrs.get("format_version", FORMAT_VERSION))
    if version > FORMAT_VERSION:
        return (f"format version {version} is newer than this program, "
                f"which reads {FORMAT_VERSION}")
    missing = [name for name in ("status", "objective") if name not in ds.variables]
    return f"the variable `{missing[0]}` is missing" if missing else None


def settings(ds):
    """{dotted name: variable name} of all settings in the file, in its order."""
    return {str(variable.attrs["parameter_name"]): str(name)
            for name, variable in ds.variables.items()
            if "parameter_name" in variable.attrs and variable.dims == ("trial",)}


def swept(ds):
    """Dotted names of the settings that the sweep varied."""
    names = settings(ds)
    if any("swept" in ds[name].attrs for name in names.values()):
        return [dotted for dotted, name in names.items() if int(ds[name].attrs.get("swept", 0))]
    return [dotted for dotted, name in names.items() if varies(ds[name].values)]


def as_list(datasets):
    """Functions that take several datasets take a single one too."""
    return list(datasets) if isinstance(datasets, (list, tuple)) else [datasets]


def varies(values):
    """Whether an array holds more than one value; a missing number counts as a value."""
    return len({None if value != value else value for value in np.asarray(values).tolist()}) > 1
