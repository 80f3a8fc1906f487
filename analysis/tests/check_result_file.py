"""Opens a result file with every reader users have, and compares what they see.

    check_result_file.py FILE.h5 FILE.csv

FILE.csv is what `engram export` printed from the journal. Exit code 77: a reader is missing.
"""

import csv
import sys

try:
    import h5netcdf
    import h5py
    import netCDF4
    import numpy as np
    import xarray
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

TRACKED = h5py.h5p.CRT_ORDER_TRACKED | h5py.h5p.CRT_ORDER_INDEXED
ENGINES = ("h5netcdf", "netcdf4")


def check_layout(path):
    """The rules that make an HDF5 file a netCDF-4 data set."""
    with h5py.File(path, "r") as file:
        scales = {}

        def visit(name, item):
            if not isinstance(item, h5py.Dataset):
                return
            order = item.id.get_create_plist().get_attr_creation_order()
            assert order == TRACKED, name
            is_scale = h5py.h5ds.is_scale(item.id)
            if is_scale:
                scales[name] = int(item.attrs["_Netcdf4Dimid"])
            for axis in range(item.ndim):
                attached = h5py.h5ds.get_num_scales(item.id, axis)
                assert is_scale or attached == 1, f"{name}: axis {axis} has {attached} scales"
            kind = h5py.check_string_dtype(item.dtype)
            assert item.dtype.kind in "iuf" or (kind and kind.length is None
                                                and kind.encoding == "utf-8"), name
            # R has no integers of 64 bits, and complains of attributes that are.
            assert all(np.asarray(value).dtype not in (np.int64, np.uint64)
                       for value in item.attrs.values()), name
            if item.dtype.kind == "f" and not is_scale:
                assert item.attrs["_FillValue"].shape == (1,), name
                assert item.attrs["_FillValue"].dtype == item.dtype, name
                assert item.fletcher32 and item.compression == "gzip" and item.shuffle, name
                assert np.prod(item.chunks) * item.dtype.itemsize <= 1 << 20, name

        file.visititems(visit)
        assert sorted(scales.values()) == list(range(len(scales))), scales
        assert scales["trial"] == 0
        for name in (b"/", b"/provenance"):
            created = h5py.h5g.open(file.id, name).get_create_plist()
            assert created.get_link_creation_order() == TRACKED, name
            assert created.get_attr_creation_order() == TRACKED, name
        assert all(item.shape == () for item in file["provenance"].values())
        assert file.attrs["format_name"] == "engram-results"
        assert int(file.attrs["format_version"]) == 1


def check_grouping(ds):
    """The promise: a mean per activation without any preparation."""
    means = ds.accuracy.groupby("model_activation").mean("trial")
    names = sorted(set(ds.model_activation.values.tolist()))
    assert means.dims == ("model_activation", "eval"), means.dims
    assert means.model_activation.values.tolist() == names
    for name in names:
        rows = ds.accuracy.values[ds.model_activation.values == name]
        with np.errstate(invalid="ignore"):
            want = np.nanmean(rows, axis=0) if len(rows) else None
        np.testing.assert_allclose(means.sel(model_activation=name).values, want, rtol=1e-5)
    assert ds.where(ds.model_activation == names[0], drop=True).sizes["trial"] >= 1
    assert "optimizer_lr" in ds.final_accuracy.to_dataframe().columns
    settings = [name for name in ds.variables if "parameter_name" in ds[name].attrs]
    assert len(settings) > 10 and all(name in ds.coords for name in settings)


def check_csv(ds, path):
    """Each number of the table made from the journal is in the file."""
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    by_id = {name: i for i, name in enumerate(ds.trial_id.values.tolist())}
    words = dict(zip(ds.status.attrs["flag_values"].tolist(),
                     ds.status.attrs["flag_meanings"].split()))
    compared = 0
    for row in rows:
        at = by_id[row["trial_id"] if "trial_id" in row else row["id"]]
        assert words[int(ds.status.values[at])] == row["status"]
        for name in ("final_accuracy", "objective", "flops", "steps", "optimizer.lr"):
            if name in row and row[name] != "":
                value = ds[name.replace(".", "_")].values[at]
                assert abs(float(row[name]) - float(value)) <= 1e-6 * abs(float(value)), name
                compared += 1
    assert compared >= 2 * len(rows), compared


def main(path, table):
    check_layout(path)
    seen = []
    for engine in ENGINES:
        with xarray.open_dataset(path, engine=engine) as ds:
            ds = ds.load()
            check_grouping(ds)
            check_csv(ds, table)
            assert ds.seed.dtype == np.uint64
            assert ds.trial.values.tolist() == list(range(ds.sizes["trial"]))
            seen.append(ds)
        with xarray.open_dataset(path, engine=engine, group="provenance") as origin:
            assert "name: " in str(origin.sweep.values)
            assert "processor=" in str(origin.session_0.values)
    assert set(seen[0].variables) == set(seen[1].variables)
    for name in seen[0].variables:
        np.testing.assert_array_equal(seen[0][name].values, seen[1][name].values, err_msg=name)
    with h5netcdf.File(path, "r") as file:
        assert file.dimensions["trial"].size == seen[0].sizes["trial"]
    # Creation order is tracked everywhere, or netCDF could not add to the file.
    with netCDF4.Dataset(path, "a") as file:
        file.history = "opened for appending"
    with netCDF4.Dataset(path, "r") as file:
        assert file.history == "opened for appending"
        names = list(file.variables)
        assert names.index("trial") < names.index("dataset") < names.index("accuracy")
    print(f"{path}: {len(seen[0].variables)} variables, {seen[0].sizes['trial']} trials: good")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
