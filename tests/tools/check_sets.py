#!/usr/bin/env python3
"""Holds the core's fold against the expected sets and against the oracle, without any server.

usage: check_sets.py FOLD_EVENTS [--random N] [--first-seed N] [--examples FOLDER]

Every set of tests/data (and of the folder of examples, when it is there) is folded in file order, reversed and
shuffled, and compared with its expected file. Then N random sets of generate.py are folded with a random as_of and
random settings and compared with oracle.py in everything: accounts, alerts with provider and numbers, anomalies,
aggregates and the number of refusals. Prints 'N passed, N failed'.
"""
import argparse
import collections
import datetime
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "oracle"))
import generate  # noqa: E402
import oracle  # noqa: E402


class Counts:
    def __init__(self):
        self.passed = self.failed = 0

    def check(self, name, problems):
        if problems:
            self.failed += 1
            print(f"FAILED {name}")
            for problem in problems[:12]:
                print(f"  {problem}")
        else:
            self.passed += 1


def fold(program, events, as_of, *options):
    run = subprocess.run([program, str(events), str(as_of), *map(str, options)], capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"fold_events: exit {run.returncode}\n{run.stderr}")
    return json.loads(run.stdout)


def differences(have, want, names):
    problems = []
    for name in names:
        rows = [collections.Counter(json.dumps(r, sort_keys=True) for r in side[name]) for side in (want, have)]
        for sign, differing in (("missing", rows[0] - rows[1]), ("unexpected", rows[1] - rows[0])):
            problems += [f"{name}: {sign} {row}" for row in sorted(differing)]
    return problems


STATE = ("accounts", "alerts", "anomalies")


def check_folder(program, folder, counts):
    for events in sorted(folder.glob("*.events.jsonl")):
        name = events.name[:-len(".events.jsonl")]
        cases = []
        as_of = folder / f"{name}.as-of"
        if as_of.exists():
            cases.append((as_of.read_text().strip(), folder / f"{name}.expected.json"))
        for other in sorted(folder.glob(f"{name}.expected-*.json")):
            cases.append((other.name[len(name) + len(".expected-"):-len(".json")], other))
        for date, expected in cases:
            want = json.loads(expected.read_text(encoding="utf-8"))
            for order, options in (("in file order", ()), ("reversed", ("--seed", 0)), ("shuffled", ("--seed", 7))):
                have = fold(program, events, date, *options)
                counts.check(f"{name} at {date}, {order}", differences(have, want, STATE))


def random_settings(r):
    """Some rules that overlap, so that the more particular and the later one have to win."""
    rules = []
    for _ in range(r.randrange(5)):
        rule = {}
        if r.randrange(2):
            rule["municipality"] = r.choice(generate.MUNICIPALITIES)
        if r.randrange(2):
            rule["law"] = r.choice(generate.LAWS)
        if r.randrange(3) == 0:
            rule["product"] = r.choice(["02A03", "", "4é𝒳", "nothing"])
        figures = {
            "surplus_thresholds_percent": r.choice([[1], [50, 100], [80, 100, 150], [100]]),
            "budget_thresholds_percent": r.choice([[1], [33, 66, 99], [99, 100, 101], [1000]]),
            "projection_min_days": r.choice([1, 2, 60]),
            "projection_percent": r.choice([1, 50, 100, 300]),
            "bandwidth_grace_days": r.choice([0, 1, 40]),
            "evaluation_notice_days": r.choice([0, 1, 90]),
            "evaluation_overdue_days": r.choice([0, 1, 90]),
            "ending_notice_days": r.choice([0, 1, 400]),
            "stalled_days": r.choice([1, 2, 90]),
        }
        for name in r.sample(sorted(figures), r.randint(1, 4)):
            rule[name] = figures[name]
        rules.append(rule)
    return rules


def check_random(program, seed, folder, counts):
    r = random.Random(f"sets {seed}")
    generator = generate.Generator(seed, r.choice([1, 2, 5]), r.choice([20, 60, 200, 400]), None, None,
                                   r.randrange(3) == 0)
    lines = generator.run()
    as_of = generator.as_of + datetime.timedelta(days=r.choice([0, 0, r.randint(-400, 400), 1, -1]))
    rules = random_settings(r)
    events = folder / "events.jsonl"
    settings = folder / "settings.json"
    events.write_bytes("".join(line + "\n" for line in lines).encode("utf-8"))
    settings.write_text(json.dumps(rules), encoding="utf-8")
    accepted, refused = oracle.read_events(lines)
    want = oracle.compute(accepted, as_of, rules, full=True)
    have = fold(program, events, as_of, "--seed", r.randrange(1000), "--settings", settings, "--full")
    problems = differences(have, want, STATE + ("alert_details", "aggregates"))
    if have["refused"] != len(refused):
        problems.append(f"refused: {have['refused']}, not {len(refused)}")
    counts.check(f"random set {seed} at {as_of} with {json.dumps(rules)}", problems)


def main():
    parser = argparse.ArgumentParser(description="The core against expected sets and the oracle.")
    parser.add_argument("program")
    parser.add_argument("--random", type=int, default=int(os.environ.get("UW_TEST_ROUNDS", "1")) * 40)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--examples", default=os.environ.get("UW_SHARED_EXAMPLES"))
    args = parser.parse_args()
    counts = Counts()
    folders = [HERE.parent / "data"]
    if args.examples:
        folders.append(pathlib.Path(args.examples))
    for folder in folders:
        if folder.is_dir():
            check_folder(args.program, folder, counts)
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(args.first_seed, args.first_seed + args.random):
            check_random(args.program, seed, pathlib.Path(folder), counts)
    print(f"{counts.passed} passed, {counts.failed} failed")
    sys.exit(1 if counts.failed else 0)


if __name__ == "__main__":
    main()
