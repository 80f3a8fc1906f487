#!/usr/bin/env python3
"""fake_tuner.py LOG [FAULT [AT]]: a tuner for tests. What it suggests is drawn from a hash of all it was told, so that it
shows any difference in that. LOG gets every line that came in and went out. At its AT-th question (default 2) it does
something wrong."""
import hashlib
import json
import math
import os
import random
import signal
import sys
import time

log = open(sys.argv[1], "w", encoding="utf-8")
fault = sys.argv[2] if len(sys.argv) > 2 else ""
at = int(sys.argv[3]) if len(sys.argv) > 3 else 2


def note(line):
    log.write(line + "\n")
    log.flush()


def say(line):
    note(line)
    print(line, flush=True)


def draw(generator, variable):
    if variable["type"] == "DiscreteVariable":
        return generator.choice(variable["values"])
    low, high = variable["domain"]
    if variable["dtype"] == "int":
        return generator.randint(low, high)
    return round(math.exp(generator.uniform(math.log(low), math.log(high))), 6)


def suggest(told, variables, count):
    generator = random.Random(hashlib.sha256(told.encode()).hexdigest())
    points = []
    for i in range(count):
        point = {name: draw(generator, variable) for name, variable in variables.items()}
        points.append({**point, "_id": [i]})
    return points


def misbehave(points):
    """Whether there is still an answer to be given."""
    name = next(key for key in points[0] if key != "_id")
    if fault == "dies":
        sys.exit(3)
    elif fault == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    elif fault == "hangs":
        note("hangs")
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            time.sleep(60)
    elif fault == "closes":
        os.close(1)
        while sys.stdin.readline():
            pass
        sys.exit(0)
    elif fault == "chatter":
        say("Best value so far: 0.5")
        return False
    elif fault == "nan":
        points[0][name] = math.nan
    elif fault == "map":
        say(json.dumps({"points": points}))
        return False
    elif fault == "gives-up":
        say(json.dumps({"error": "no idea"}))
        return False
    elif fault == "few":
        points.pop()
    elif fault == "unknown":
        points[0][name + "x"] = 1
    elif fault == "lacks":
        del points[-1][name]
    elif fault == "bounds":
        points[0][name] = 1e9
    elif fault == "type":
        points[-1][name] = "much"
    elif fault == "number":
        points[0] = 3
    elif fault == "huge":
        sys.stdout.write("[" + " " * (17 << 20))
        sys.stdout.flush()
        return False
    elif fault == "nul":
        sys.stdout.write("[\0]\n")
        sys.stdout.flush()
        return False
    elif fault == "twice":
        print(json.dumps(points), flush=True)
    elif fault == "forgets":
        points = [dict(point) for point in points]
        for point in points:
            point[name] = point[name] * 0.5 + 1e-3 * random.SystemRandom().random()
        say(json.dumps(points))
        return False
    return True


def main():
    told = ""
    questions = 0
    for line in sys.stdin:
        line = line.rstrip("\n")
        note(line)
        message = json.loads(line)
        told += line
        if "vocs" in message:
            variables = message["vocs"]["variables"]
        elif "suggest" in message:
            questions += 1
            points = suggest(told, variables, message["suggest"]["num_points"])
            if questions != at or misbehave(points):
                say(json.dumps(points))


main()
