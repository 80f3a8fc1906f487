#!/usr/bin/env python3
"""Random search, as the example of a tuner: engram run SWEEP --ask 'python3 adapters/random_tuner.py'.

Another optimizer takes the places of `draw` and `ingest`. docs/ask.md describes the lines."""
import json
import math
import random
import sys


def draw(generator, variable):
    if variable["type"] == "DiscreteVariable":
        return generator.choice(variable["values"])
    low, high = variable["domain"]
    if variable["dtype"] == "int" and not variable["log"]:
        return generator.randint(low, high)
    if not variable["log"]:
        return generator.uniform(low, high)
    value = math.exp(generator.uniform(math.log(low), math.log(high)))
    value = min(max(value, low), high)  # exp(log(x)) may be a bit beside x
    return int(value) if variable["dtype"] == "int" else value


def main():
    for line in sys.stdin:
        message = json.loads(line)
        if "vocs" in message:
            variables = message["vocs"]["variables"]
            generator = random.Random(message["seed"])
        elif "suggest" in message:
            points = [{name: draw(generator, variable) for name, variable in variables.items()}
                      for _ in range(message["suggest"]["num_points"])]
            print(json.dumps(points), flush=True)
        elif "ingest" in message:
            pass  # message["ingest"]["results"]: the points, with the objective, status and seeds


main()
