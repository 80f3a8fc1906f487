"""Event files of TensorBoard: read back with the protobuf library and the published messages, values equal the file's."""

import importlib.util
import pathlib
import struct
import unittest

import numpy as np

from case import ResultsCase
from engram_results import tensorboard
from synthetic import trial

HAS_PROTOBUF = importlib.util.find_spec("google") is not None and \
    importlib.util.find_spec("google.protobuf") is not None
# Of event.proto, summary.proto, plugins/hparams/api.proto and struct.proto: message: field = (number, type, repeated).
MESSAGES = {
    "Event": {"wall_time": (1, "double"), "step": (2, "int64"), "file_version": (3, "string"), "summary": (5, "Summary")},
    "Summary": {"value": (1, "SummaryValue", True)},
    "SummaryValue": {"tag": (1, "string"), "simple_value": (2, "float"), "metadata": (9, "SummaryMetadata")},
    "SummaryMetadata": {"plugin_data": (1, "PluginData")},
    "PluginData": {"plugin_name": (1, "string"), "content": (2, "bytes")},
    "HParamsPluginData": {"session_start_info": (3, "SessionStartInfo"), "session_end_info": (4, "SessionEndInfo")},
    "SessionStartInfo": {"hparams": (1, "Entry", True), "group_name": (4, "string"), "start_time_secs": (5, "double")},
    "SessionEndInfo": {"status": (1, "int32")},
    "Entry": {"key": (1, "string"), "value": (2, "Value")},
    "Value": {"number_value": (2, "double"), "string_value": (3, "string"), "bool_value": (4, "bool")},
}


def messages():
    """Classes of MESSAGES."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    file = descriptor_pb2.FileDescriptorProto(name="events.proto", package="t", syntax="proto3")
    kinds = {name: getattr(descriptor_pb2.FieldDescriptorProto, "TYPE_" + name.upper())
             for name in ("double", "float", "int64", "int32", "string", "bytes", "bool")}
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind, *repeated) in fields.items():
            added = message.field.add(name=field, number=number, label=3 if repeated else 1)
            added.type = kinds.get(kind, 11)
            if added.type == 11:
                added.type_name = f".t.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    return {name: factory.GetPrototype(pool.FindMessageTypeByName(f"t.{name}")) for name in MESSAGES}


def crc32c(data):
    """Bit by bit, as in the definition."""
    check = 0xffffffff
    for byte in data:
        check ^= byte
        for _ in range(8):
            check = check >> 1 ^ (0x82f63b78 if check & 1 else 0)
    return check ^ 0xffffffff


def masked(data):
    """The checksum of a record."""
    check = crc32c(data)
    return ((check >> 15 | check << 17) + 0xa282ead8) & 0xffffffff


class Checksum(unittest.TestCase):
    def test_published_values(self):
        # RFC 3720, appendix B.4; the string is the usual check value.
        for data, expected in ((b"123456789", 0xe3069283), (bytes(32), 0x8a9136aa), (b"\xff" * 32, 0x62a8ab43),
                               (bytes(range(32)), 0x46dd794e)):
            row = np.frombuffer(data, dtype=np.uint8).reshape(1, -1)
            self.assertEqual(int(tensorboard.crc32c(row)[0]), expected)
            self.assertEqual(crc32c(data), expected)


class EventFiles(ResultsCase):
    def setUp(self):
        super().setUp()
        self.rows = [trial("relu", "sgd", 0.5), trial("relu", "sgd", 0.75), trial("ash", "adam", 0.25, optimizer_lr=1e-3),
                     trial("ash", "sgd", 0.5, "failed"), trial("relu", "adam", 0.5, "stopped")]

    def test_refusals(self):
        path = self.path(self.rows)
        out = self.folder / "runs"
        code, _, err = self.command("tensorboard", path, "-o", out, "--variables", "acuracy")
        self.assertEqual(code, 2)
        self.assertIn("no curve over evaluations called `acuracy`", err)
        self.assertFalse(out.exists())
        code, text, _ = self.command("tensorboard", path, "-o", out, "--variables", "accuracy")
        self.assertEqual(code, 0)
        self.assertIn("4 runs", text)
        code, _, err = self.command("tensorboard", path, "-o", out)
        self.assertEqual(code, 2)
        self.assertIn("has event files already", err)

    @unittest.skipUnless(HAS_PROTOBUF, "python3-protobuf is not installed")
    def test_every_value_comes_back(self):
        ds = self.open(self.rows)
        out = self.folder / "runs"
        # The one that failed measured nothing.
        self.assertEqual(tensorboard.write(ds, out), 4)
        self.assertEqual(sorted(path.name for path in out.iterdir()), ["p0-r0", "p0-r1", "p1-r0", "p3-r0"])
        kinds = messages()
        for run, position in (("p0-r0", 0), ("p0-r1", 1), ("p1-r0", 2), ("p3-r0", 4)):
            events = self.read(out / run, kinds)
            scalars = {}
            for event in events:
                for value in event.summary.value:
                    if not value.metadata.plugin_data.plugin_name:
                        scalars.setdefault(value.tag, []).append((event.step, value.simple_value))
            for name, tag in (("accuracy", "accuracy"), ("loss", "loss"), ("task_accuracy", "task_accuracy/1")):
                curve = ds[name].values[position]
                curve = curve if curve.ndim == 1 else curve[:, 1]
                reached = np.isfinite(curve)
                expected = list(zip(ds.step.values[position][reached].astype(int).tolist(),
                                    curve[reached].astype(np.float32).tolist()))
                self.assertEqual(scalars[tag], expected, (run, tag))
            if position < 4:
                self.assertEqual(scalars["final_accuracy"], [(40, np.float32(self.rows[position]["objective"]))])
            self.check_settings(events, kinds, self.rows[position], run)

    def check_settings(self, events, kinds, row, run):
        """The HParams tab has the swept settings of the trial, and how it ended."""
        plugin = {value.tag: kinds["HParamsPluginData"].FromString(value.metadata.plugin_data.content)
                  for event in events for value in event.summary.value
                  if value.metadata.plugin_data.plugin_name == "hparams"}
        start = plugin["_hparams_/session_start_info"].session_start_info
        found = {entry.key: entry.value.string_value or entry.value.number_value for entry in start.hparams}
        expected = {"model.activation": row["model_activation"], "optimizer": row["optimizer"]}
        if "optimizer_lr" in row:
            expected["optimizer.lr"] = row["optimizer_lr"]
        self.assertEqual(found, expected)
        self.assertEqual(start.group_name, run.split("-")[0])
        ended = plugin["_hparams_/session_end_info"].session_end_info.status
        self.assertEqual(ended, 1 if row["status"] in (2, 3) else 3)

    def read(self, folder, kinds):
        """The events of the one file of a run; lengths and checksums are right."""
        (path,) = pathlib.Path(folder).iterdir()
        data, events = path.read_bytes(), []
        while data:
            size, check = struct.unpack("<QI", data[:12])
            self.assertEqual(check, masked(data[:8]))
            content, (check,) = data[12:12 + size], struct.unpack("<I", data[12 + size:16 + size])
            self.assertEqual(check, masked(content))
            events.append(kinds["Event"].FromString(content))
            data = data[16 + size:]
        self.assertEqual(events[0].file_version, "brain.Event:2")
        return events


if __name__ == "__main__":
    unittest.main()
