"""A stream of events, and what must come of it."""
import json
import os
import random
import subprocess

AS_OF = "2026-03-02"


class Stream:
    """Events of a small region and of a set made to be awkward, as JSON lines in a file."""

    def __init__(self, source, command, folder, seed, declarations):
        os.makedirs(folder, exist_ok=True)
        region = f"{folder}/region.jsonl"
        subprocess.run([command, "simulate", "--clients", str(max(20, declarations // 40)), "--seed", str(seed),
                        "--from", "2025-10-01", "--until", "2026-02-27", "--declarations", str(declarations),
                        "--output", region], check=True, capture_output=True, timeout=300)
        with open(region, encoding="utf-8") as file:
            lines = file.readlines()
        with open(f"{source}/tests/data/hostile-1.events.jsonl", encoding="utf-8") as file:
            awkward = file.readlines()
        # The awkward ones are strewn among the region's, whose order stays.
        chance = random.Random(seed)
        for line in awkward:
            lines.insert(chance.randrange(len(lines) + 1), line if line.endswith("\n") else line + "\n")
        self.source, self.folder, self.as_of, self.lines = source, folder, AS_OF, lines
        self.path = f"{folder}/events.jsonl"
        with open(self.path, "w", encoding="utf-8") as file:
            file.writelines(lines)
        self.expected_path = self.expect(AS_OF)

    def expect(self, as_of):
        """Path of the expected state on another day, computed by the oracle."""
        path, refused = f"{self.folder}/expected-{as_of}.json", f"{self.folder}/refused"
        if not os.path.exists(path):
            subprocess.run(["python3", f"{self.source}/tests/oracle/oracle.py", self.path, "--as-of", as_of, "--full",
                            "--refused", refused, "--output", path], check=True, capture_output=True, timeout=300)
            with open(refused, encoding="utf-8") as file:
                if file.read().strip():
                    raise RuntimeError("the stream has events that a rule refuses")
        return path

    def pieces(self, count):
        """The lines in so many pieces of about the same size."""
        size = -(-len(self.lines) // count)
        return [self.lines[i:i + size] for i in range(0, len(self.lines), size)]


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)
