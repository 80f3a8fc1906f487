"""Event files of TensorBoard from a result file: a run per trial, a scalar per curve, settings in the HParams tab.

Formats: the records of `tensorflow/core/lib/io/record_writer.h`, the messages of `event.proto`, `summary.proto` and
`plugins/hparams/api.proto`. They are few and small; TensorFlow, which would write them, is not in the distributions.
"""

import pathlib
import struct

import numpy as np

from .files import FINISHED, STATUS_WORDS, ResultError, settings, swept
from .frames import POSITIONS

# Numbers over `trial` that tell nothing of what was learned.
_BOOKKEEPING = ("trial", "point", "replicate", "seed", "status", "stage", "attempt", "pauses", "rank", "start_time",
                "session", "order_group")
_STEP_BYTES = 9  # 63 bits, seven a byte
_SUCCESS, _FAILURE, _RUNNING = 1, 2, 3


def write(ds, folder, variables=None):
    """Writes DIR/pPOINT-rREPLICATE/events.out.tfevents.… for every trial that measured anything; returns how many.

    variables: names of curves over (`trial`, `eval`) or (`trial`, `eval`, another dimension); None: all of them.
    Stopped and paused trials have what they measured. A folder that already has event files is refused.
    """
    folder = pathlib.Path(folder)
    if folder.is_dir() and next(folder.rglob("events.out.tfevents.*"), None) is not None:
        raise ResultError(f"{folder}: has event files already; TensorBoard would join them with these")
    count = ds.sizes["trial"]
    body = [[] for _ in range(count)]
    steps = ds["step"].values if "step" in ds.variables else None
    if steps is None:
        raise ResultError("the file has no variable `step`: nothing was measured over time")
    times = _column(ds, "start_time", 0.0)
    for name in _curves(ds, variables):
        values = ds[name].values
        for index in np.ndindex(values.shape[2:]):
            tag = "/".join([name, *map(str, index)])
            _append(body, tag, steps, values[(slice(None), slice(None), *index)], times)
    measured = [t for t in range(count) if body[t]]
    last = np.nan_to_num(np.nanmax(steps[measured], axis=1)) if measured else []
    for name in _summaries(ds):
        at = np.zeros((count, 1))
        at[measured, 0] = last
        value = np.full((count, 1), np.nan)
        value[measured, 0] = ds[name].values[measured]
        _append(body, name, at, value, times)
    words = {dotted: ds[settings(ds)[dotted]].values for dotted in swept(ds)}
    names = _run_names(ds)
    for t in measured:
        run = folder / names[t]
        run.mkdir(parents=True, exist_ok=True)
        hparams = {dotted: column[t] for dotted, column in words.items() if not _is_missing(column[t])}
        status = STATUS_WORDS[int(ds["status"].values[t])]
        content = [_record(_time(times[t]) + _text(3, b"brain.Event:2")),
                   _session_start(hparams, names[t].rsplit("-", 1)[0], times[t]), *body[t],
                   _session_end(status, times[t])]
        (run / f"events.out.tfevents.{int(times[t]):010d}.engram").write_bytes(b"".join(content))
    return len(measured)


def _curves(ds, variables):
    known = [str(name) for name, variable in ds.data_vars.items()
             if variable.dims[:2] == ("trial", "eval") and name not in POSITIONS]
    for name in variables or ():
        if name not in known:
            raise ResultError(f"no curve over evaluations called `{name}` in the file; it has {', '.join(known)}")
    return known if variables is None else variables


def _summaries(ds):
    return [str(name) for name, variable in ds.variables.items()
            if variable.dims == ("trial",) and "parameter_name" not in variable.attrs
            and variable.dtype.kind in "fiu" and name not in _BOOKKEEPING]


def _column(ds, name, default):
    return ds[name].values if name in ds.variables else np.full(ds.sizes["trial"], default)


def _run_names(ds):
    points, replicates = ds["point"].values, ds["replicate"].values
    width = len(str(points.max(initial=0)))
    return [f"p{int(p):0{width}d}-r{int(r)}" for p, r in zip(points, replicates)]


def _is_missing(value):
    return value == "" or value != value


# Messages ---------------------------------------------------------------------------------------------------------


def _varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out + bytes([number]))


def _text(field, content):
    """A field of text, bytes or a message."""
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _double(field, value):
    return _varint(field << 3 | 1) + struct.pack("<d", value)


def _time(seconds):
    return _double(1, seconds)  # Event.wall_time


def _session_start(hparams, group, start):
    """SessionStartInfo: hparams 1 (a map to google.protobuf.Value), group_name 4, start_time_secs 5."""
    entries = b"".join(_text(1, _text(1, name.encode()) + _text(2, _value(value))) for name, value in hparams.items())
    info = entries + _text(4, group.encode()) + _double(5, start)
    return _hparams_event("_hparams_/session_start_info", _text(3, info), start)


def _session_end(status, start):
    code = _SUCCESS if status in FINISHED else _FAILURE if status == "failed" else _RUNNING
    return _hparams_event("_hparams_/session_end_info", _text(4, _varint(1 << 3) + _varint(code)), start)


def _value(value):
    if isinstance(value, (str, bytes)):
        text = value if isinstance(value, str) else value.decode()
        if text in ("true", "false"):
            return _varint(4 << 3) + _varint(int(text == "true"))
        return _text(3, text.encode())
    return _double(2, float(value))


def _hparams_event(tag, content, start):
    """Event.summary 5, Summary.value 1: tag 1, metadata 9 with plugin_data 1: plugin_name 1, content 2."""
    plugin = _text(1, b"hparams") + _text(2, content)
    value = _text(1, tag.encode()) + _text(9, _text(1, plugin))
    return _record(_time(start) + _text(5, _text(1, value)))


def _append(body, tag, steps, values, times):
    """Adds a scalar event to every trial for each of its finite values. All events of one tag are as long, so that they
    are made and checked together: the step is a varint of as many bytes whatever its value, which readers accept."""
    trials, places = np.nonzero(np.isfinite(values) & np.isfinite(steps))
    if len(trials) == 0:
        return
    tag = tag.translate(str.maketrans(" ", "_")).encode()
    value = _text(1, tag) + _varint(2 << 3 | 5) + bytes(4)
    pattern = _time(0.0) + _varint(2 << 3) + bytes(_STEP_BYTES) + _text(5, _text(1, value))
    data = np.tile(np.frombuffer(pattern, dtype=np.uint8), (len(trials), 1))
    data[:, 1:9] = _bytes_of(times[trials], "<f8")
    step = steps[trials, places].astype(np.uint64)
    for i in range(_STEP_BYTES):
        data[:, 10 + i] = (step >> np.uint64(7 * i)) & np.uint64(127) | (128 if i + 1 < _STEP_BYTES else 0)
    data[:, -4:] = _bytes_of(values[trials, places], "<f4")
    records = _records(data)
    first = np.searchsorted(trials, np.arange(len(body) + 1))
    for trial in np.unique(trials):
        body[trial].append(records[first[trial]:first[trial + 1]].tobytes())


def _bytes_of(numbers, kind):
    return np.ascontiguousarray(numbers, dtype=kind).view(np.uint8).reshape(len(numbers), -1)


# Records: length, its checksum, data, its checksum --------------------------------------------------------------------


def _record(data):
    return _records(np.frombuffer(data, dtype=np.uint8).reshape(1, -1)).tobytes()


def _records(data):
    """Records of equal length: bytes (records, length) to bytes (records, length + 16)."""
    size = np.tile(np.frombuffer(struct.pack("<Q", data.shape[1]), dtype=np.uint8), (len(data), 1))
    parts = (size, _masked(size), data, _masked(data))
    return np.concatenate(parts, axis=1)


def _masked(data):
    check = crc32c(data)
    turned = (check >> np.uint32(15) | check << np.uint32(17)) + np.uint32(0xa282ead8)
    return _bytes_of(turned, "<u4")


def _table():
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = table >> np.uint32(1) ^ np.where(table & 1, np.uint32(0x82f63b78), np.uint32(0))
    return table


_TABLE = _table()


def crc32c(data):
    """CRC-32C (RFC 3720, appendix B.4) of each row of bytes (rows, length)."""
    check = np.full(len(data), 0xffffffff, dtype=np.uint32)
    for column in data.T:
        check = _TABLE[(check ^ column) & 255] ^ check >> np.uint32(8)
    return ~check
