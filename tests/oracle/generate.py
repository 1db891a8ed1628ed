#!/usr/bin/env python3
"""A hostile generator of event sets: few names, so that everything collides with everything.

usage: generate.py SEED [--clients N] [--events N] [--as-of DATE] [--as-of-file FILE] [--prefix TEXT] [--invalid]

Prints one event a line, and nothing else; the same arguments always give the same bytes. --invalid mixes in events
that must be refused. The as_of that belongs to the set is written to --as-of-file: unless given, it is drawn from
days on which calendars are awkward.
"""
import argparse
import copy
import datetime
import json
import random
import sys

MS_PER_DAY = 86_400_000
EPOCH = datetime.date(1970, 1, 1)
AWKWARD_AS_OFS = ["2024-02-29", "2024-03-01", "2025-02-28", "2021-01-03", "2020-12-31", "2026-12-28", "2027-01-03",
                  "2024-12-30", "2025-12-31", "2026-07-15", "2023-10-29", "2026-03-31", "2028-02-29"]
MUNICIPALITIES = ["0363", "0599"]
PROVIDERS = ["41410001", "41410002", "00000003"]
STAFF = [None, None, "s1", "s2", "Zoë", "𝒮-3"]
LAWS = ["WMO", "JEUGDWET", "PARTICIPATIEWET"]
REASONS = ["CLIENT_ABSENT", "CLIENT_ABSENT", "CLIENT_CANCELLED", "CLIENT_CANCELLED", "PROVIDER_CANCELLED"]


class Generator:
    def __init__(self, seed, clients, events, as_of, prefix, invalid):
        self.r = random.Random(f"urenwacht {seed}")
        drawn = datetime.date.fromisoformat(self.r.choice(AWKWARD_AS_OFS))
        self.as_of = as_of or drawn
        self.prefix = prefix if prefix is not None else f"g{seed}-"
        self.clients = [f"{self.prefix}{i}" for i in range(clients)]
        self.count = events
        self.invalid = invalid
        self.events = []
        self.decisions = {client: [] for client in self.clients}  # values that were made, to aim at
        self.lines = {client: [] for client in self.clients}
        self.no_shows = {client: [] for client in self.clients}
        # A few more ids than a client has lines, so that keys collide now and then.
        self.ids = max(4, events // max(1, clients) * 3 // 2)

    def chance(self, percent):
        return self.r.randrange(100) < percent

    def uuid(self):
        h = f"{self.r.getrandbits(128):032x}"
        text = f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"
        return text.upper() if self.chance(8) else text

    def day(self, spread=330):
        """A day near as_of, and often one at which calendars break."""
        d = self.as_of + datetime.timedelta(days=self.r.randint(-spread, spread // 4))
        kind = self.r.randrange(10)
        if kind == 0:    # month-end
            return (d.replace(day=28) + datetime.timedelta(days=4)).replace(day=1) - datetime.timedelta(days=1)
        if kind == 1:    # the turn of the ISO year, with week 53 in some years
            return datetime.date(d.year, 12, 27) + datetime.timedelta(days=self.r.randint(0, 9))
        if kind == 2:    # the end of February
            return datetime.date(d.year, 2, 27) + datetime.timedelta(days=self.r.randint(0, 3))
        if kind == 3:    # at the edges that count from as_of
            return self.as_of - datetime.timedelta(days=self.r.choice([0, 1, 14, 15, 27, 28, 29, 56, 57, -1, -14]))
        return d

    def instant(self, day, minute=None):
        minute = self.r.randrange(1440) if minute is None else minute
        return (day - EPOCH).days * MS_PER_DAY + minute * 60_000

    def recorded_near(self, day):
        """Late, early and far too late; whole days give exact ties."""
        offset = self.r.choice([0, 0, 1, 2, 3, 7, 14, 30, 92, 93, 94, 200, -1, -2, -3])
        minute = 0 if self.chance(30) else None
        return self.instant(day + datetime.timedelta(days=offset), minute)

    def terms(self):
        r = self.r
        kind = r.choice(["Pxq", "Pxq", "Pxq", "Bandwidth", "Bandwidth", "YearBudget", "FixedPlusSurplus",
                         "FixedPlusSurplus", "Result", "Task"])
        if kind == "Pxq":
            return {kind: {"volume_minutes": r.choice([0, 60, 240, 600, 3000]),
                           "frequency": r.choice(["DAY", "WEEK", "FOUR_WEEKS", "MONTH", "YEAR", "TOTAL"])}}
        if kind == "Bandwidth":
            low = r.choice([0, 60, 200])
            return {kind: {"min_minutes": low, "max_minutes": low + r.choice([0, 60, 400]),
                           "per": r.choice(["WEEK", "FOUR_WEEKS", "MONTH"])}}
        if kind == "YearBudget":
            return {kind: {"minutes_per_year": r.choice([0, 365, 6000, 20000])}}
        if kind == "FixedPlusSurplus":
            return {kind: {"minutes_per_week": r.choice([0, 60, 120]), "surplus_minutes": r.choice([0, 100, 1200, 5000])}}
        if kind == "Result":
            return {kind: {"result": r.choice(["structuur", "dagbesteding €", ""]), "price_cents": r.randrange(100000),
                           "expected_minutes_per_week": r.choice([None, 0, 120])}}
        return {kind: {}}

    def policy(self):
        r = self.r
        return {"billable_percent": r.choice([0, 33, 50, 100]), "max_per_month": r.choice([None, 0, 1, 2]),
                "notice_hours": r.choice([0, 24, 168]), "counts_to_budget": self.chance(75)}

    def decision(self):
        r = self.r
        client = r.choice(self.clients)
        before = self.decisions[client]
        if before and self.chance(60):
            # Another version, or the same one once more with other content.
            value = copy.deepcopy(r.choice(before))
            value["version"] = r.choice([value["version"], value["version"] + 1, value["version"] + 1, r.randint(1, 4)])
            start = datetime.date.fromisoformat(value["valid_from"])
            value["effective_from"] = (start + datetime.timedelta(days=r.randint(-5, 200))).isoformat()
            changes = r.sample(["terms", "provider", "policy", "valid_to", "valid_from", "status", "months", "law",
                                "nothing"], r.randint(1, 3))
            if "terms" in changes:
                value["terms"] = self.terms()
            if "provider" in changes:
                value["provider"] = r.choice(PROVIDERS)
            if "policy" in changes:
                value["no_show"] = self.policy()
            if "valid_to" in changes:  # Validity shrinks and grows.
                value["valid_to"] = r.choice([None, (start + datetime.timedelta(days=r.randint(0, 300))).isoformat()])
            if "valid_from" in changes:
                moved = start + datetime.timedelta(days=r.randint(-20, 20))
                if value["valid_to"] is None or moved.isoformat() <= value["valid_to"]:
                    value["valid_from"] = moved.isoformat()
            if "status" in changes:
                value["status"] = r.choice(["ACTIVE", "ACTIVE", "WITHDRAWN"])
            if "months" in changes:
                value["evaluation_months"] = r.choice([[], [3], [3, 3], [6, 3], [1, 2, 3], [12, 120]])
            if "law" in changes:
                value["law"] = r.choice(LAWS)
            value["event_id"] = self.uuid()
            value["recorded_at"] = self.recorded_near(datetime.date.fromisoformat(value["effective_from"]))
        else:
            start = self.day()
            if self.chance(15):
                start = datetime.date(start.year // 4 * 4, 2, 29)  # anchors that clamp
            end = r.choice([None, start, start + datetime.timedelta(days=r.randint(1, 400)),
                            start + datetime.timedelta(days=r.randint(60, 700)),
                            self.as_of + datetime.timedelta(days=r.choice([-1, 0, 1, 55, 56, 57]))])
            if end is not None and end < start:
                end = None
            value = {"event_id": self.uuid(), "recorded_at": self.recorded_near(start),
                     "municipality": r.choice(MUNICIPALITIES), "client": client,
                     "decision": r.choice(["WMO-1", "WMO-2", "JW-Ω"]), "version": r.choice([1, 1, 1, 2]),
                     "status": "WITHDRAWN" if self.chance(5) else "ACTIVE", "law": r.choice(LAWS),
                     "product_category": r.choice(["02", "4é"]), "product": r.choice(["02A03", "", "4é𝒳"]),
                     "care": r.choice(["CONTINUOUS", "INTENSIVE"]), "provider": r.choice(PROVIDERS),
                     "valid_from": start.isoformat(), "valid_to": end.isoformat() if end else None,
                     "effective_from": (start + datetime.timedelta(days=r.choice([0, 0, 0, -10, 10]))).isoformat(),
                     "terms": self.terms(), "no_show": self.policy(),
                     "evaluation_months": r.choice([[], [3], [3], [1, 2, 3], [3, 9], [1, 1]]),
                     "rate_cents_per_hour": r.choice([None, 0, 6230, 1_000_000, 1_000_001])}
        self.decisions[client].append(value)
        self.add("decisions", value)

    def aim(self, client):
        """(municipality, decision, provider, day), mostly inside something that exists."""
        r = self.r
        if self.decisions[client] and self.chance(94):
            target = r.choice(self.decisions[client])
            if self.chance(80):
                # The latest version is the one whose validity judges.
                target = max((d for d in self.decisions[client] if d["municipality"] == target["municipality"]
                              and d["decision"] == target["decision"]), key=lambda d: d["version"])
            start = datetime.date.fromisoformat(target["valid_from"])
            end = target["valid_to"] and datetime.date.fromisoformat(target["valid_to"])
            length = min((end - start).days if end else 300, 300)
            day = start + datetime.timedelta(days=r.choice([0, length, -1, length + 1] + [r.randint(0, length)] * 16))
            begun = [d for d in self.decisions[client] if d["municipality"] == target["municipality"]
                     and d["decision"] == target["decision"] and d["effective_from"] <= day.isoformat()]
            in_force = max(begun, key=lambda d: d["version"]) if begun else target
            provider = in_force["provider"] if self.chance(92) else r.choice(PROVIDERS)
            return target["municipality"], target["decision"], provider, day
        return r.choice(MUNICIPALITIES), r.choice(["WMO-1", "WMO-2", "JW-Ω", "WMO-none"]), r.choice(PROVIDERS), self.day()

    def debit(self):
        r = self.r
        client = r.choice(self.clients)
        municipality, decision, provider, day = self.aim(client)
        until = started = None
        n = 1
        if self.chance(15):
            n = r.choice([1, 2, 7, 28, 31, 60, 366])
            until = (day + datetime.timedelta(days=n - 1)).isoformat()
        if n == 1 and self.chance(70):
            # A handful of quarters of an hour, so that lines overlap, touch and double.
            shown = day if self.chance(90) else day + datetime.timedelta(days=1)
            started = self.instant(shown, r.choice([540, 555, 570, 600, 1430]))
        minutes = r.choice([1, 15, 30, 60, 61, 120, 240, 720, 721, 1440]) if n == 1 else r.choice([1, n - 1, n, 60 * n, 1440 * n])
        value = {"event_id": self.uuid(), "recorded_at": self.recorded_near(day), "municipality": municipality,
                 "client": client, "decision": decision, "provider": provider,
                 "line": f"L{r.randrange(self.ids)}", "kind": "DEBIT",
                 "corrects": f"L{r.randrange(self.ids)}" if self.chance(3) else None,
                 "performed_on": day.isoformat(), "performed_until": until, "started_at": started,
                 "minutes": max(1, minutes), "staff": r.choice(STAFF)}
        self.lines[client].append(value)
        self.add("declarations", value)

    def credit(self):
        r = self.r
        client = r.choice(self.clients)
        if not self.lines[client]:
            return self.debit()
        value = copy.deepcopy(r.choice(self.lines[client]))
        value["corrects"] = value["line"] if self.chance(90) else f"L{r.randrange(self.ids)}"
        # Mostly its own id; at times that of a debit, which makes it a version of that fact.
        value["line"] = f"C{r.randrange(self.ids)}" if self.chance(95) else value["line"]
        value["kind"] = "CREDIT"
        spoil = r.randrange(12)
        if spoil == 0:
            value["minutes"] = max(1, value["minutes"] - 1)
        elif spoil == 1:
            value["municipality"] = r.choice(MUNICIPALITIES)
        elif spoil == 2:
            value["decision"] = r.choice(["WMO-1", "WMO-2"])
        elif spoil == 3:
            value["provider"] = r.choice(PROVIDERS)
        value["event_id"] = self.uuid()
        # Before or after its debit, or around the patience of 14 days before as_of.
        value["recorded_at"] += r.choice([-1, 0, 1, 5]) * MS_PER_DAY
        if self.chance(20):
            day = self.as_of - datetime.timedelta(days=r.choice([13, 14, 15]))
            value["recorded_at"] = self.instant(day, r.choice([0, 1439]))
        self.lines[client].append(value)
        self.add("declarations", value)

    def no_show(self):
        r = self.r
        client = r.choice(self.clients)
        municipality, decision, provider, day = self.aim(client)
        if self.chance(40) and self.lines[client]:
            # On the day of a line, so that what did not take place was declared.
            line = r.choice(self.lines[client])
            municipality, decision, provider = line["municipality"], line["decision"], line["provider"]
            day = datetime.date.fromisoformat(line["performed_on"])
        hours = r.choice([0, 24, 168]) * 60
        value = {"event_id": self.uuid(), "recorded_at": self.recorded_near(day), "municipality": municipality,
                 "client": client, "decision": decision, "provider": provider,
                 "no_show": f"N{r.randrange(self.ids)}", "status": "WITHDRAWN" if self.chance(6) else "REPORTED",
                 "appointment_on": day.isoformat(),
                 "appointment_at": r.choice([None, self.instant(day, r.choice([540, 555, 600, 615]))]),
                 "planned_minutes": r.choice([1, 45, 60, 61, 1440]), "reason": r.choice(REASONS),
                 "notice_minutes": r.choice([None, 0, max(0, hours - 1), hours, hours + 1]), "staff": r.choice(STAFF)}
        self.no_shows[client].append(value)
        self.add("no-shows", value)

    def evaluation(self):
        r = self.r
        client = r.choice(self.clients)
        municipality, decision, _, day = self.aim(client)
        same = [d for d in self.decisions[client] if d["decision"] == decision]
        if same:
            # Around three months after the start, at the edges of the window.
            start = datetime.date.fromisoformat(r.choice(same)["valid_from"])
            day = start + datetime.timedelta(days=r.choice([30, 59, 60, 61, 76, 77, 78, 90, 91, 92, 200]))
        self.add("evaluations", {"event_id": self.uuid(), "recorded_at": self.recorded_near(day),
                                 "municipality": municipality, "client": client, "decision": decision,
                                 "held_on": day.isoformat(),
                                 "outcome": r.choice(["CONTINUE", "ADJUST", "DOWNSCALE", "END"])})

    def again(self):
        """A redelivery, an exact tie with other content, or a correction of what was sent."""
        r = self.r
        if not self.events:
            return
        topic, original = r.choice(self.events)
        value = copy.deepcopy(original)
        kind = r.randrange(4)
        if kind == 0:    # the same bytes
            pass
        elif kind == 1:  # the same content, delivered under another id and at another time
            value["event_id"] = self.uuid()
            value["recorded_at"] += r.choice([0, -1, 1, 60_000, MS_PER_DAY])
        else:
            if kind == 3:
                value["event_id"] = self.uuid()
                value["recorded_at"] += r.choice([0, 0, -1, 1])
            if topic == "declarations":
                field = r.choice(["minutes", "staff", "decision", "municipality"])
                value[field] = {"minutes": r.choice([max(1, value["minutes"] - 1), value["minutes"] // 2 + 1]),
                                "staff": r.choice(STAFF), "decision": r.choice(["WMO-1", "WMO-2"]),
                                "municipality": r.choice(MUNICIPALITIES)}[field]
            elif topic == "no-shows":
                field = r.choice(["planned_minutes", "reason", "status"])
                value[field] = {"planned_minutes": r.randint(1, 128), "reason": r.choice(REASONS),
                                "status": r.choice(["REPORTED", "REPORTED", "WITHDRAWN"])}[field]
            elif topic == "decisions":
                if self.chance(50):
                    value["terms"] = self.terms()
                else:
                    value["evaluation_months"] = list(reversed(value["evaluation_months"])) + [5]
        self.add(topic, value)

    def refused(self):
        """One event with one thing wrong (SPEC section 2, Accepted or refused)."""
        r = self.r
        if not self.events:
            return
        topic, original = r.choice(self.events)
        value = copy.deepcopy(original)
        common = [("event_id", "not-a-uuid"), ("event_id", value["event_id"].replace("-", "")),
                  ("recorded_at", self.instant(datetime.date(1899, 12, 31), 1439)),
                  ("recorded_at", self.instant(datetime.date(2199, 12, 31), 1439) + 60_000),
                  ("municipality", "363"), ("municipality", "03630"), ("municipality", "٠٣٦٣"),
                  ("client", ""), ("client", "a b"), ("client", "c" * 65), ("client", "123456782"),
                  ("client", "10000008"), ("client", "000000000"),
                  ("decision", ""), ("decision", "d" * 65), ("decision", "WMO\x001")]
        special = {
            "decisions": [("version", 0), ("version", -1), ("product_category", "2"), ("product_category", "020"),
                          ("product", "02A034"), ("provider", "4141000"), ("provider", "4141000x"),
                          ("valid_to", "1950-01-01"), ("valid_from", "1899-12-31"), ("valid_to", "2200-01-01"),
                          ("effective_from", "2200-01-01"), ("evaluation_months", [0]), ("evaluation_months", [3, 121]),
                          ("rate_cents_per_hour", -1), ("terms", {"Pxq": {"volume_minutes": -1, "frequency": "DAY"}}),
                          ("terms", {"Bandwidth": {"min_minutes": 2, "max_minutes": 1, "per": "WEEK"}}),
                          ("terms", {"FixedPlusSurplus": {"minutes_per_week": 0, "surplus_minutes": -1}}),
                          ("terms", {"YearBudget": {"minutes_per_year": -1}}),
                          ("terms", {"Result": {"result": "x", "price_cents": -1, "expected_minutes_per_week": None}}),
                          ("terms", {"Result": {"result": "x", "price_cents": 0, "expected_minutes_per_week": -1}}),
                          ("terms", {"Result": {"result": "\0", "price_cents": 0, "expected_minutes_per_week": 0}})]
            + [("no_show", {"billable_percent": 50, "max_per_month": 1, "notice_hours": 24, "counts_to_budget": True, k: v})
               for k, v in (("billable_percent", 101), ("billable_percent", -1), ("max_per_month", -1),
                            ("notice_hours", 169), ("notice_hours", -1))],
            "declarations": [("provider", ""), ("line", ""), ("line", "l" * 37), ("minutes", 0), ("minutes", -5),
                             ("staff", ""), ("staff", "ß" * 65), ("performed_on", "1899-12-31"),
                             ("performed_until", "1950-01-01"), ("performed_until", "2199-12-31")],
            "no-shows": [("provider", "414100011"), ("no_show", ""), ("no_show", "n" * 37), ("planned_minutes", 0),
                         ("planned_minutes", 1441), ("notice_minutes", -1), ("appointment_on", "2200-01-01"),
                         ("appointment_at", self.instant(datetime.date(1899, 12, 31)))],
            "evaluations": [("held_on", "1899-12-31"), ("held_on", "2200-01-01")],
        }[topic]
        if topic == "declarations":
            end = datetime.date.fromisoformat(value["performed_until"] or value["performed_on"])
            n = (end - datetime.date.fromisoformat(value["performed_on"])).days + 1
            special.append(("minutes", 1440 * n + 1))
            if n > 1:
                special.append(("started_at", self.instant(end)))
            if value["kind"] == "CREDIT":
                special.append(("corrects", None))
        field, wrong = r.choice(common + special * 2)
        value[field] = wrong
        self.add_refused(topic, value)

    def add(self, topic, value):
        self.events.append((topic, value))

    def add_refused(self, topic, value):
        self.wrong.append((topic, value))

    def run(self):
        self.wrong = []
        for _ in self.clients:
            self.decision()
            self.decision()
        makers = ([self.debit] * 50 + [self.credit] * 8 + [self.no_show] * 16 + [self.decision] * 3
                  + [self.evaluation] * 4 + [self.again] * 10)
        while len(self.events) + len(self.wrong) < self.count:
            if self.invalid and self.chance(8):
                self.refused()
            else:
                self.r.choice(makers)()
        lines = [json.dumps({"topic": t, "value": v}, ensure_ascii=False) for t, v in self.events + self.wrong]
        self.r.shuffle(lines)  # Arrival order has no meaning.
        return lines


def main():
    parser = argparse.ArgumentParser(description="Hostile event sets for the tests.")
    parser.add_argument("seed")
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--events", type=int, default=600)
    parser.add_argument("--as-of", type=datetime.date.fromisoformat)
    parser.add_argument("--as-of-file")
    parser.add_argument("--prefix", help="what client names begin with")
    parser.add_argument("--invalid", action="store_true", help="mix in events that must be refused")
    args = parser.parse_args()
    generator = Generator(args.seed, args.clients, args.events, args.as_of, args.prefix, args.invalid)
    lines = generator.run()
    if args.as_of_file:
        with open(args.as_of_file, "w", encoding="utf-8") as f:
            f.write(f"{generator.as_of}\n")
    # Written as bytes: the locale of whoever runs the tests does not matter.
    sys.stdout.buffer.write("".join(line + "\n" for line in lines).encode("utf-8"))


if __name__ == "__main__":
    main()
