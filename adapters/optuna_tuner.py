#!/usr/bin/env python3
"""Optuna suggests the points of a sweep:

    engram run SWEEP --ask 'python3 adapters/optuna_tuner.py [SAMPLER]'

SAMPLER: TPE (default), Random, CmaEs, QMC. docs/ask.md describes the lines that are exchanged."""
import json
import sys
import warnings

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution


def distribution(variable):
    if variable["type"] == "DiscreteVariable":
        return CategoricalDistribution(variable["values"])
    kind = IntDistribution if variable["dtype"] == "int" else FloatDistribution
    return kind(*variable["domain"], log=variable["log"])


def sampler(name, seed):
    # The points of a batch are asked for before any of them has a result.
    extra = {"constant_liar": True} if name == "TPE" else {}
    return getattr(optuna.samplers, name + "Sampler")(seed=seed, **extra)


def main(name):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    # constant_liar is experimental, which is no news to who runs a sweep.
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    for line in sys.stdin:
        message = json.loads(line)
        if "vocs" in message:
            vocs = message["vocs"]
            [(objective, goal)] = vocs["objectives"].items()
            space = {key: distribution(value) for key, value in vocs["variables"].items()}
            study = optuna.create_study(sampler=sampler(name, message["seed"]),
                                        direction=goal.lower())
        elif "suggest" in message:
            trials = [study.ask(space) for _ in range(message["suggest"]["num_points"])]
            points = [{**trial.params, "_id": trial.number} for trial in trials]
            print(json.dumps(points), flush=True)
        elif "ingest" in message:
            for result in message["ingest"]["results"]:
                value = result[objective]
                if value is None:
                    study.tell(result["_id"], state=optuna.trial.TrialState.FAIL)
                else:
                    study.tell(result["_id"], value)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "TPE")
