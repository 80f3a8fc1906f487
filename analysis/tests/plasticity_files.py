"""Result files with curves that are given, for tests: those of loss-of-plasticity sweeps, and any other."""

import numpy as np
import xarray

from synthetic import STATUS, dotted

# By name, what they run over; several words: several dimensions.
CURVES = {"online_loss": "bin", "online_accuracy": "bin", "online_examples": "bin", "dead_percent": "look",
          "effective_rank_percent": "look", "mean_abs_weight": "eval", "examples_seen": "eval",
          "learning_accuracy": "train_task", "peak_examples": "train_task", "peak_accuracy": "train_task",
          "selected_accuracy": "train_task", "dormant_percent": "look", "stable_rank_percent": "look",
          "class_accuracy": "train_task class", "anytime_error": "mega_batch", "anytime_parameters": "mega_batch",
          "comp_train_flop": "mega_batch", "perplexity": "mega_batch", "inf_mac": "mega_batch", "accuracy_matrix": "train_task eval_task",
          "task_identity": "task", "capacity": "train_task"}
SCALARS = ("cer",)


def scr(seed, loss, activation="relu", lr=0.01, **more):
    """One run of slowly-changing regression at full size."""
    return {"stream": "bit_flipping", "stream_flips": "one", "stream_examples": 3e6, "model_hidden": "[5]",
            "model_activation": activation, "optimizer": "sgd", "optimizer_lr": lr,
            "optimizer_weight_decay": 0.0, "learner": "plain", "seed": seed, "online_loss": loss, **more}


def opm(seed, accuracy, lr=0.003, **more):
    """One run of online permuted MNIST, 60,000 examples a task; accuracy in per cent."""
    accuracy = np.asarray(accuracy, dtype=float) / 100
    return {"stream": "online_permuted", "stream_change_after": 60000.0, "stream_tasks": float(len(accuracy)),
            "model_hidden": "[100, 100, 100]", "model_activation": "relu", "optimizer": "sgd",
            "optimizer_lr": lr, "optimizer_weight_decay": 0.0, "model_dropout": 0.0, "learner": "plain",
            "seed": seed, "online_accuracy": accuracy,
            "online_examples": 60000.0 * np.arange(1, len(accuracy) + 1), **more}


def cin(seed, accuracy, lr=0.01, epochs=10, **more):
    """One run of pairs of classes, 200 images a task; accuracy in per cent."""
    accuracy = np.asarray(accuracy, dtype=float) / 100
    return {"stream": "class_pairs", "dataset": "cifar100", "stream_tasks": float(len(accuracy)),
            "stream_epochs": float(epochs), "model": "cin_net", "model_hidden": "[128, 128]", "optimizer": "sgdm",
            "optimizer_lr": lr, "optimizer_weight_decay": 0.0, "learner": "plain", "seed": seed,
            "learning_accuracy": accuracy,
            "examples_seen": 200.0 * epochs * np.arange(1, len(accuracy) + 1), **more}


def cic(seed, peak, learner, width=16, epochs=20, **more):
    """One run of more and more classes around which the best epoch is selected; accuracy in per cent."""
    return {"stream": "class_incremental", "dataset": "cifar100", "stream_tasks": float(len(peak)),
            "stream_classes": 5.0 if width == 64 else 2.0, "stream_epochs": float(epochs), "model": "resnet18",
            "model_norm": "batch", "model_width": float(width), "optimizer": "sgdm", "optimizer_weight_decay": 5e-4,
            "learner": "early_stopping", "learner_of": learner, "eval_tasks": "current_only", "seed": seed,
            "peak_accuracy": np.asarray(peak, dtype=float) / 100, **more}


def _id(row):
    """The same for the same row, wherever it stands."""
    return f"{abs(hash(tuple((name, np.asarray(value).tobytes()) for name, value in sorted(row.items())))):x}"


def dataset(rows):
    """The dataset of some runs; a row without `status` is done."""
    names = [name for name in dict.fromkeys(key for row in rows for key in row)
             if name not in CURVES and name not in SCALARS and name not in ("seed", "status", "objective")]
    ds = xarray.Dataset(attrs={"format_name": "engram-results", "format_version": 1, "title": "synthetic",
                               "complete": 1})
    ds["status"] = ("trial", np.array([STATUS[row.get("status", "done")] for row in rows], dtype=np.uint8))
    ds["objective"] = ("trial", np.array([float(row.get("objective", 0)) for row in rows]))
    ds["seed"] = ("trial", np.array([row["seed"] for row in rows], dtype=np.uint64))
    ds["trial_id"] = ("trial", np.array([_id(row) for row in rows], dtype=object))
    for name in names:
        values = [row.get(name) for row in rows]
        words = any(isinstance(value, str) for value in values)
        ds[name] = ("trial", np.array([("" if words else np.nan) if value is None else value
                                       for value in values], dtype=object if words else float))
        ds[name].attrs.update(parameter_name=dotted(name), swept=int(len(set(values)) > 1))
    for name in SCALARS:
        if any(name in row for row in rows):
            ds[name] = ("trial", np.array([row.get(name, np.nan) for row in rows]))
    length = {}
    for name, value in ((name, value) for row in rows for name, value in row.items() if name in CURVES):
        for dim, extent in zip(CURVES[name].split(), np.shape(value)):
            length[dim] = max(extent, length.get(dim, 0))
    for name, dims in CURVES.items():
        if not any(name in row for row in rows):
            continue
        values = np.full((len(rows), *(length[dim] for dim in dims.split())), np.nan)
        for at, row in enumerate(rows):
            if name in row:
                values[(at, *map(slice, np.shape(row[name])))] = row[name]
        ds[name] = (("trial", *dims.split()), values)
    return ds.set_coords(names)


def write(path, rows):
    """Writes the file and returns its path."""
    dataset(rows).to_netcdf(path, engine="h5netcdf")
    return path
