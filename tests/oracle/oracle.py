#!/usr/bin/env python3
"""The naive second implementation of SPEC.md, used as the oracle of the tests.

usage: oracle.py EVENTS.jsonl --as-of DATE [--settings FILE.json] [--refused FILE] [--full]
                 [--check EXPECTED.json] [--output FILE]

Reads one event a line, {"topic": ..., "value": ...} with an optional "key" (the Kafka key), and prints the accounts,
the open alerts and the open anomalies as JSON. It shares nothing with the C core on purpose: everything is computed
again from the whole set, a day at a time, with dictionaries, so that each rule can be read next to its sentence in
the specification. --full adds what is no part of the comparison: the provider and the numbers of each alert, and
the aggregates. --check prints 'N passed, N failed' and the first differences instead of the result.
"""
import argparse
import collections
import datetime
import json
import re
import sys

DAY = datetime.timedelta(days=1)
MS_PER_DAY = 86_400_000
EPOCH = datetime.date(1970, 1, 1)


# ---------------------------------------------------------------------------------------------------------------
# Dates (SPEC section 1)

def days(n):
    return datetime.timedelta(days=n)


def utc_day(instant_ms):
    """The UTC date of an instant; floor division also holds before 1970."""
    return EPOCH + days(instant_ms // MS_PER_DAY)


def first_of_month(year, month):
    return datetime.date(year, month, 1)


def last_of_month(day):
    return datetime.date(day.year, day.month, month_length(day.year, day.month))


def month_length(year, month):
    following = datetime.date(year + 1, 1, 1) if month == 12 else datetime.date(year, month + 1, 1)
    return (following - first_of_month(year, month)).days


def add_months(anchor, months):
    """Clamps to the last day of the month and is always counted from the anchor (SPEC section 1)."""
    index = anchor.year * 12 + (anchor.month - 1) + months
    year, month = index // 12, index % 12 + 1
    return datetime.date(year, month, min(anchor.day, month_length(year, month)))


def monday_of(day):
    return day - days(day.weekday())


# ---------------------------------------------------------------------------------------------------------------
# Accepted or refused (SPEC section 2)

class Refused(Exception):
    """The event goes to the dead letters and changes nothing else."""


INT_MAX = 2**31 - 1
INSTANT_FIRST = (datetime.date(1900, 1, 1) - EPOCH).days * MS_PER_DAY
INSTANT_LAST = (datetime.date(2200, 1, 1) - EPOCH).days * MS_PER_DAY - 1

# The terms in the order of the union, each with its fields in order (SPEC section 3).
TERMS = {
    "Pxq": ["volume_minutes", "frequency"],
    "Bandwidth": ["min_minutes", "max_minutes", "per"],
    "YearBudget": ["minutes_per_year"],
    "FixedPlusSurplus": ["minutes_per_week", "surplus_minutes"],
    "Result": ["result", "price_cents", "expected_minutes_per_week"],
    "Task": [],
}
ENUMS = {
    "status of a decision": ["ACTIVE", "WITHDRAWN"],
    "law": ["WMO", "JEUGDWET", "PARTICIPATIEWET"],
    "care": ["CONTINUOUS", "INTENSIVE"],
    "frequency": ["DAY", "WEEK", "FOUR_WEEKS", "MONTH", "YEAR", "TOTAL"],
    "per": ["WEEK", "FOUR_WEEKS", "MONTH"],
    "kind": ["DEBIT", "CREDIT"],
    "status of a no-show": ["REPORTED", "WITHDRAWN"],
    "reason": ["CLIENT_ABSENT", "CLIENT_CANCELLED", "PROVIDER_CANCELLED"],
    "outcome": ["CONTINUE", "ADJUST", "DOWNSCALE", "END"],
}
# The fields of each topic's record, in the order of the tables of SPEC section 2.
FIELDS = {
    "decisions": ["event_id", "recorded_at", "municipality", "client", "decision", "version", "status", "law",
                  "product_category", "product", "care", "provider", "valid_from", "valid_to", "effective_from",
                  "terms", "no_show", "evaluation_months", "rate_cents_per_hour"],
    "declarations": ["event_id", "recorded_at", "municipality", "client", "decision", "provider", "line", "kind",
                     "corrects", "performed_on", "performed_until", "started_at", "minutes", "staff"],
    "no-shows": ["event_id", "recorded_at", "municipality", "client", "decision", "provider", "no_show", "status",
                 "appointment_on", "appointment_at", "planned_minutes", "reason", "notice_minutes", "staff"],
    "evaluations": ["event_id", "recorded_at", "municipality", "client", "decision", "held_on", "outcome"],
}


def need(condition, reason):
    if not condition:
        raise Refused(reason)


def need_record(value, fields, name):
    need(isinstance(value, dict), f"{name} is not a record")
    need(set(value) == set(fields), f"{name} does not have exactly the fields {fields}")


def need_string(value, name, shortest=0, longest=None):
    """Lengths count Unicode code points. PostgreSQL text cannot hold U+0000, and UTF-8 no lone surrogate."""
    need(isinstance(value, str), f"{name} is not a string")
    need("\0" not in value, f"{name} holds U+0000")
    need(not any(0xD800 <= ord(c) <= 0xDFFF for c in value), f"{name} is not UTF-8")
    need(len(value) >= shortest, f"{name} is too short")
    need(longest is None or len(value) <= longest, f"{name} is too long")


def need_match(value, name, pattern):
    need_string(value, name)
    need(re.fullmatch(pattern, value), f"{name} is malformed")


def need_int(value, name, least, most=INT_MAX):
    need(isinstance(value, int) and not isinstance(value, bool), f"{name} is not an integer")
    need(least <= value <= most, f"{name} is out of range")


def need_enum(value, name):
    need(value in ENUMS[name], f"{name} is not one of {ENUMS[name]}")


def need_instant(value, name):
    need_int(value, name, INSTANT_FIRST, INSTANT_LAST)


def need_date(value, name):
    need_match(value, name, "[0-9]{4}-[0-9]{2}-[0-9]{2}")
    try:
        date = datetime.date.fromisoformat(value)
    except ValueError:
        raise Refused(f"{name} is no date")
    need(1900 <= date.year <= 2199, f"{name} is outside 1900-2199")
    return date


def is_bsn(client):
    """Whether 8 or 9 digits pass the eleven-test of the citizen service number."""
    if not re.fullmatch("[0-9]{8,9}", client):
        return False
    digits = [int(c) for c in client.rjust(9, "0")]
    weights = [9, 8, 7, 6, 5, 4, 3, 2, -1]
    return sum(d * w for d, w in zip(digits, weights)) % 11 == 0


def need_terms(terms):
    need(isinstance(terms, dict) and len(terms) == 1, "terms is not one branch of the union")
    name, body = next(iter(terms.items()))
    need(name in TERMS, "terms is an unknown record")
    need_record(body, TERMS[name], name)
    for field, value in body.items():
        if field in ("frequency", "per"):
            need_enum(value, field)
        elif field == "result":
            need_string(value, field)
        elif field == "expected_minutes_per_week":
            if value is not None:
                need_int(value, field, 0)
        else:
            need_int(value, field, 0)
    if name == "Bandwidth":
        need(body["min_minutes"] <= body["max_minutes"], "min_minutes is more than max_minutes")


def validate(topic, value, key=None):
    """Raises Refused for what breaks a rule of SPEC section 2."""
    need(topic in FIELDS, "unknown topic")
    need_record(value, FIELDS[topic], topic)

    need_match(value["event_id"], "event_id", "[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
    need_instant(value["recorded_at"], "recorded_at")
    need_match(value["municipality"], "municipality", "[0-9]{4}")
    need_match(value["client"], "client", "[A-Za-z0-9._:-]{1,64}")
    need(not is_bsn(value["client"]), "client may be a citizen service number")
    need(key is None or key == value["client"], "the key is not the client")
    need_string(value["decision"], "decision", 1, 64)
    if topic != "evaluations":
        need_match(value["provider"], "provider", "[0-9]{8}")

    if topic == "decisions":
        need_int(value["version"], "version", 1)
        need_enum(value["status"], "status of a decision")
        need_enum(value["law"], "law")
        need_string(value["product_category"], "product_category", 2, 2)
        need_string(value["product"], "product", 0, 5)
        need_enum(value["care"], "care")
        valid_from = need_date(value["valid_from"], "valid_from")
        if value["valid_to"] is not None:
            need(need_date(value["valid_to"], "valid_to") >= valid_from, "valid_to lies before valid_from")
        need_date(value["effective_from"], "effective_from")
        need_terms(value["terms"])
        policy = value["no_show"]
        need_record(policy, ["billable_percent", "max_per_month", "notice_hours", "counts_to_budget"], "no_show")
        need_int(policy["billable_percent"], "billable_percent", 0, 100)
        if policy["max_per_month"] is not None:
            need_int(policy["max_per_month"], "max_per_month", 0)
        need_int(policy["notice_hours"], "notice_hours", 0, 168)
        need(isinstance(policy["counts_to_budget"], bool), "counts_to_budget is not a boolean")
        need(isinstance(value["evaluation_months"], list), "evaluation_months is not an array")
        for months in value["evaluation_months"]:
            need_int(months, "evaluation_months", 1, 120)
        if value["rate_cents_per_hour"] is not None:
            need_int(value["rate_cents_per_hour"], "rate_cents_per_hour", 0)

    elif topic == "declarations":
        need_string(value["line"], "line", 1, 36)
        need_enum(value["kind"], "kind")
        if value["corrects"] is not None:
            need_string(value["corrects"], "corrects")
        need(value["kind"] != "CREDIT" or value["corrects"] is not None, "a credit corrects no line")
        performed_on = need_date(value["performed_on"], "performed_on")
        length = 1
        if value["performed_until"] is not None:
            length = (need_date(value["performed_until"], "performed_until") - performed_on).days + 1
            need(length >= 1, "performed_until lies before performed_on")
            need(length <= 366, "the line is longer than 366 days")
        if value["started_at"] is not None:
            need_instant(value["started_at"], "started_at")
            need(length == 1, "started_at on a line of several days")
        need_int(value["minutes"], "minutes", 1, 1440 * length)
        if value["staff"] is not None:
            need_string(value["staff"], "staff", 1, 64)

    elif topic == "no-shows":
        need_string(value["no_show"], "no_show", 1, 36)
        need_enum(value["status"], "status of a no-show")
        need_date(value["appointment_on"], "appointment_on")
        if value["appointment_at"] is not None:
            need_instant(value["appointment_at"], "appointment_at")
        need_int(value["planned_minutes"], "planned_minutes", 1, 1440)
        need_enum(value["reason"], "reason")
        if value["notice_minutes"] is not None:
            need_int(value["notice_minutes"], "notice_minutes", 0)
        if value["staff"] is not None:
            need_string(value["staff"], "staff")

    else:
        need_date(value["held_on"], "held_on")
        need_enum(value["outcome"], "outcome")


# ---------------------------------------------------------------------------------------------------------------
# The encoding in the newest schema, which breaks the last ties (SPEC section 2, Winners)

def avro_long(n):
    """Zigzag, then seven bits a byte with the lowest first; Avro's int and long share it."""
    n = n * 2 if n >= 0 else -n * 2 - 1
    out = bytearray()
    while n >= 128:
        out.append(n % 128 + 128)
        n //= 128
    out.append(n)
    return bytes(out)


def avro_string(s):
    raw = s.encode("utf-8")
    return avro_long(len(raw)) + raw


def avro_date(s):
    return avro_long((datetime.date.fromisoformat(s) - EPOCH).days)


def avro_enum(name):
    return lambda value: avro_long(ENUMS[name].index(value))


def avro_optional(encode):
    """The union [null, x]."""
    return lambda value: avro_long(0) if value is None else avro_long(1) + encode(value)


def avro_bool(b):
    return b"\1" if b else b"\0"


def avro_array_of_int(items):
    """One block, unless it is empty, then the empty block that ends every array."""
    block = avro_long(len(items)) + b"".join(avro_long(n) for n in items) if items else b""
    return block + avro_long(0)


def avro_terms(terms):
    name, body = next(iter(terms.items()))
    out = avro_long(list(TERMS).index(name))
    for field in TERMS[name]:
        if field in ("frequency", "per"):
            out += avro_enum(field)(body[field])
        elif field == "result":
            out += avro_string(body[field])
        elif field == "expected_minutes_per_week":
            out += avro_optional(avro_long)(body[field])
        else:
            out += avro_long(body[field])
    return out


def avro_policy(policy):
    return (avro_long(policy["billable_percent"]) + avro_optional(avro_long)(policy["max_per_month"])
            + avro_long(policy["notice_hours"]) + avro_bool(policy["counts_to_budget"]))


def avro_value(topic, value):
    special = {
        "recorded_at": avro_long, "version": avro_long, "minutes": avro_long, "planned_minutes": avro_long,
        "valid_from": avro_date, "effective_from": avro_date, "performed_on": avro_date,
        "appointment_on": avro_date, "held_on": avro_date,
        "valid_to": avro_optional(avro_date), "performed_until": avro_optional(avro_date),
        "started_at": avro_optional(avro_long), "appointment_at": avro_optional(avro_long),
        "notice_minutes": avro_optional(avro_long), "rate_cents_per_hour": avro_optional(avro_long),
        "corrects": avro_optional(avro_string), "staff": avro_optional(avro_string),
        "terms": avro_terms, "no_show": avro_policy, "evaluation_months": avro_array_of_int,
        "law": avro_enum("law"), "care": avro_enum("care"), "kind": avro_enum("kind"),
        "reason": avro_enum("reason"), "outcome": avro_enum("outcome"),
        "status": avro_enum("status of a decision" if topic == "decisions" else "status of a no-show"),
    }
    if topic == "no-shows":
        special["no_show"] = avro_string  # Here the name is the appointment's, in a decision the policy's.
    return b"".join(special.get(field, avro_string)(value[field]) for field in FIELDS[topic])


# ---------------------------------------------------------------------------------------------------------------
# Settings (SPEC section 4: figures in brackets, settable per municipality, law and product)

DEFAULT_SETTINGS = {
    "surplus_thresholds_percent": [80, 100],
    "budget_thresholds_percent": [80, 100],
    "projection_min_days": 28,
    "projection_percent": 110,
    "bandwidth_grace_days": 14,
    "evaluation_notice_days": 14,
    "evaluation_overdue_days": 28,
    "ending_notice_days": 56,
    "stalled_days": 28,
}
SELECTORS = ["municipality", "law", "product"]


def settings_of(rules, latest):
    """The settings of one decision; the latest version's municipality, law and product select."""
    chosen = dict(DEFAULT_SETTINGS)
    # The more a rule says about whom it is for, the later it is applied; Python's sort keeps the file's order.
    for rule in sorted(rules, key=lambda r: sum(r.get(s) is not None for s in SELECTORS)):
        if all(rule.get(s) is None or rule[s] == latest[s] for s in SELECTORS):
            for name, figure in rule.items():
                if name not in SELECTORS:
                    chosen[name] = figure
    return chosen


def check_settings(rules):
    for rule in rules:
        unknown = set(rule) - set(SELECTORS) - set(DEFAULT_SETTINGS)
        if unknown:
            sys.exit(f"unknown settings: {sorted(unknown)}")


# ---------------------------------------------------------------------------------------------------------------
# Winners (SPEC section 2)

def order_of(topic, value):
    """(recorded_at, event_id), strings by their UTF-8 bytes, and at last the encoded value."""
    return (value["recorded_at"], value["event_id"].encode("utf-8"), avro_value(topic, value))


def content_of(value):
    """All but event_id and recorded_at: what tells a redelivery from a conflict."""
    return {k: v for k, v in value.items() if k not in ("event_id", "recorded_at")}


def winner_and_conflict(topic, versions):
    ordered = sorted(versions, key=lambda v: order_of(topic, v))
    winner = ordered[0]
    conflict = any(content_of(v) != content_of(winner) for v in ordered)
    return winner, conflict


# ---------------------------------------------------------------------------------------------------------------
# Decisions, segments, pools (SPEC section 3)

def date_or_none(text):
    return None if text is None else datetime.date.fromisoformat(text)


class Segment:
    """A maximal run of valid days whose versions in force have equal terms; end is None when open-ended."""

    def __init__(self, start, end, terms):
        self.start, self.end = start, end
        self.model, self.terms = next(iter(terms.items()))

    def holds(self, day):
        return self.start <= day and (self.end is None or day <= self.end)

    def unit(self):
        """The account period's unit, from the table of SPEC section 3."""
        if self.model == "Pxq":
            return self.terms["frequency"]
        if self.model == "Bandwidth":
            return self.terms["per"]
        return {"YearBudget": "YEAR", "FixedPlusSurplus": "TOTAL", "Result": "MONTH", "Task": "MONTH"}[self.model]

    def full_period(self, day):
        """The uncut period that a day falls in; the whole segment for TOTAL."""
        unit = self.unit()
        if unit == "DAY":
            return day, day
        if unit == "WEEK":
            return monday_of(day), monday_of(day) + days(6)
        if unit == "MONTH":
            first = first_of_month(day.year, day.month)
            return first, first + days(month_length(day.year, day.month) - 1)
        if unit == "FOUR_WEEKS":
            first = self.start
            while first + days(28) <= day:
                first += days(28)
            return first, first + days(27)
        if unit == "YEAR":
            i = 0
            while add_months(self.start, 12 * (i + 1)) <= day:
                i += 1
            return add_months(self.start, 12 * i), add_months(self.start, 12 * (i + 1)) - DAY
        return self.start, self.end

    def period(self, day):
        """The account period that a day falls in: the unit cut at the segment's ends."""
        first, last = self.full_period(day)
        if last is None:
            return first, None
        return max(first, self.start), (last if self.end is None else min(last, self.end))

    def allotted(self, day):
        t = self.terms
        if self.model == "Pxq":
            return t["volume_minutes"]
        if self.model == "Bandwidth":
            return t["max_minutes"]
        if self.model == "FixedPlusSurplus":
            return t["surplus_minutes"]
        if self.model == "YearBudget":
            n, full = self.lengths(day)
            return -(-t["minutes_per_year"] * n // full)
        return None

    def minimum(self, day):
        if self.model != "Bandwidth":
            return None
        n, full = self.lengths(day)
        return self.terms["min_minutes"] * n // full

    def lengths(self, day):
        """The days of the cut period and of the full one."""
        first, last = self.period(day)
        full_first, full_last = self.full_period(day)
        return (last - first).days + 1, (full_last - full_first).days + 1


class Account:
    """One pool in one account period, with what was delivered on each of its days."""

    def __init__(self, segment, day):
        self.segment = segment
        self.first, self.last = segment.period(day)
        self.allotted = segment.allotted(day)
        self.minimum = segment.minimum(day)
        self.delivered = {}  # day -> minutes, those of no-shows included
        self.no_show = {}    # day -> that share of them

    def used_through(self, through=None):
        """c(d) of SPEC section 4; through=None is the used minutes of the account."""
        counted = {d: m for d, m in self.delivered.items() if through is None or d <= through}
        if self.segment.model != "FixedPlusSurplus":
            return sum(counted.values())
        weeks = collections.defaultdict(int)
        for d, m in counted.items():
            weeks[monday_of(d)] += m
        # minutes_per_week is not prorated in a cut week.
        return sum(max(0, m - self.segment.terms["minutes_per_week"]) for m in weeks.values())

    def first_day(self, condition):
        """The first day whose c(d) meets the condition, or None; c only changes on days with delivery."""
        for d in sorted(self.delivered):
            if condition(self.used_through(d)):
                return d
        return None


class Decision:
    """One decision of one client: its winning versions and all that follows from them."""

    def __init__(self, versions):
        self.versions = versions  # number -> value
        self.latest = versions[max(versions)]
        self.active = self.latest["status"] == "ACTIVE"
        self.valid_from = datetime.date.fromisoformat(self.latest["valid_from"])
        self.valid_to = date_or_none(self.latest["valid_to"])
        self.segments = self.cut_segments() if self.active else []
        self.care = {}       # day -> minutes of net lines
        self.no_shows = {}   # day -> minutes of billable no-shows

    def covers(self, day):
        return self.active and self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def in_force(self, day):
        """The highest version whose effective_from is not after the day, or else the lowest of all."""
        begun = [n for n, v in self.versions.items() if datetime.date.fromisoformat(v["effective_from"]) <= day]
        return self.versions[max(begun) if begun else min(self.versions)]

    def cut_segments(self):
        # The version in force can only change on valid_from or on a version's effective_from.
        starts = {self.valid_from}
        for v in self.versions.values():
            day = datetime.date.fromisoformat(v["effective_from"])
            if self.covers(day):
                starts.add(day)
        runs = []  # [first day, terms], adjacent runs of equal terms merged
        for day in sorted(starts):
            terms = self.in_force(day)["terms"]
            if not runs or runs[-1][1] != terms:
                runs.append([day, terms])
        ends = [nxt[0] - DAY for nxt in runs[1:]] + [self.valid_to]
        return [Segment(start, end, terms) for (start, terms), end in zip(runs, ends)]

    def segment_of(self, day):
        return next(s for s in self.segments if s.holds(day))

    def accounts(self):
        """Keyed by (segment_from, period_from); SPEC section 3 says which exist."""
        found = {}
        for segment in self.segments:
            if segment.unit() == "TOTAL":
                found[segment.start, segment.start] = Account(segment, segment.start)
        for by_day, is_no_show in ((self.care, False), (self.no_shows, True)):
            for day, minutes in by_day.items():
                if minutes == 0:
                    continue
                segment = self.segment_of(day)
                key = segment.start, segment.period(day)[0]
                if key not in found:
                    found[key] = Account(segment, day)
                account = found[key]
                account.delivered[day] = account.delivered.get(day, 0) + minutes
                if is_no_show:
                    account.no_show[day] = account.no_show.get(day, 0) + minutes
        return found


# ---------------------------------------------------------------------------------------------------------------
# One client

class Client:
    """Everything that SPEC sections 2 to 5 say about the events of one client."""

    def __init__(self, name, events, as_of, rules):
        self.name, self.as_of, self.rules = name, as_of, rules
        self.anomalies = []
        self.alerts = []
        self.read_decisions([v for t, v in events if t == "decisions"])
        self.read_lines([v for t, v in events if t == "declarations"])
        self.read_no_shows([v for t, v in events if t == "no-shows"])
        self.evaluations = collections.defaultdict(set)
        for t, v in events:
            if t == "evaluations":
                self.evaluations[v["municipality"], v["decision"]].add(datetime.date.fromisoformat(v["held_on"]))
        self.net_lines = self.apply_credits()
        self.count_lines()
        self.count_no_shows()
        self.judge_net_lines()
        self.accounts = {key: decision.accounts() for key, decision in self.decisions.items()}
        for key, decision in self.decisions.items():
            if decision.active:  # A withdrawn decision has no alerts (SPEC section 3).
                self.judge_decision(key, decision)

    # Facts and their winners (SPEC section 2)

    def read_decisions(self, values):
        facts = collections.defaultdict(list)
        for v in values:
            facts[v["municipality"], v["decision"], v["version"]].append(v)
        versions = collections.defaultdict(dict)
        for (municipality, decision, number), same in facts.items():
            winner, conflict = winner_and_conflict("decisions", same)
            versions[municipality, decision][number] = winner
            if conflict:
                self.anomaly("VERSION_CONFLICT", winner, f"version:{number}")
        self.decisions = {key: Decision(numbered) for key, numbered in versions.items()}

    def read_lines(self, values):
        facts = collections.defaultdict(list)
        for v in values:
            # A line's key is one key whatever its kind.
            facts[v["provider"], v["line"]].append(v)
        self.lines = {}
        for key, same in facts.items():
            self.lines[key], conflict = winner_and_conflict("declarations", same)
            if conflict:
                self.anomaly("DUPLICATE_CONFLICT", self.lines[key], subject_of(self.lines[key]))

    def read_no_shows(self, values):
        facts = collections.defaultdict(list)
        for v in values:
            facts[v["provider"], v["no_show"]].append(v)
        self.no_shows = {}
        for key, same in facts.items():
            if any(v["status"] == "WITHDRAWN" for v in same):
                continue  # It does not exist, and is no conflict.
            self.no_shows[key], conflict = winner_and_conflict("no-shows", same)
            if conflict:
                self.anomaly("DUPLICATE_CONFLICT", self.no_shows[key], subject_of(self.no_shows[key]))

    def anomaly(self, kind, value, subject):
        self.anomalies.append({"kind": kind, "client": self.name, "municipality": value["municipality"],
                               "decision": value["decision"], "subject": subject})

    # What counts (SPEC section 3)

    def apply_credits(self):
        """The net lines: the DEBIT lines that no credit reverses."""
        credits = [v for v in self.lines.values() if v["kind"] == "CREDIT"]
        reversed_keys = set()
        for credit in sorted(credits, key=lambda v: order_of("declarations", v)):
            key = credit["provider"], credit["corrects"]
            debit = self.lines.get(key)
            if debit is None or debit["kind"] != "DEBIT":
                if self.as_of >= utc_day(credit["recorded_at"]) + days(14):
                    self.anomaly("ORPHAN_CREDIT", credit, subject_of(credit))
            elif any(credit[f] != debit[f] for f in ("minutes", "municipality", "decision")):
                self.anomaly("CREDIT_MISMATCH", credit, subject_of(credit))
            elif key in reversed_keys:
                self.anomaly("DOUBLE_CREDIT", credit, subject_of(credit))
            else:
                reversed_keys.add(key)
        return [v for key, v in self.lines.items() if v["kind"] == "DEBIT" and key not in reversed_keys]

    def counts(self, value, first, last):
        """The decision that a net line or a no-show counts toward, or None; checked in the order of SPEC section 3."""
        decision = self.decisions.get((value["municipality"], value["decision"]))
        if decision is None:
            if self.as_of >= utc_day(value["recorded_at"]) + days(14):
                self.anomaly("UNKNOWN_DECISION", value, subject_of(value))
            return None
        if not decision.covers(first) or not decision.covers(last):
            self.anomaly("OUTSIDE_DECISION", value, subject_of(value))
            return None
        if decision.in_force(first)["provider"] != value["provider"]:
            self.anomaly("WRONG_PROVIDER", value, subject_of(value))
            return None
        return decision

    def count_lines(self):
        for line in self.net_lines:
            first, last = line_days(line)
            decision = self.counts(line, first, last)
            if decision is None:
                continue
            m, n = line["minutes"], (last - first).days + 1
            for i in range(n):
                minutes = m * (i + 1) // n - m * i // n
                day = first + days(i)
                decision.care[day] = decision.care.get(day, 0) + minutes

    def count_no_shows(self):
        by_month = collections.defaultdict(list)  # (municipality, decision, year, month) -> billable no-shows
        for no_show in self.no_shows.values():
            day = datetime.date.fromisoformat(no_show["appointment_on"])
            decision = self.counts(no_show, day, day)  # No-shows of every reason are checked.
            if decision is None:
                continue
            policy = decision.in_force(day)["no_show"]
            notice = no_show["notice_minutes"] or 0
            if no_show["reason"] == "CLIENT_ABSENT" or (
                    no_show["reason"] == "CLIENT_CANCELLED" and notice < policy["notice_hours"] * 60):
                by_month[no_show["municipality"], no_show["decision"], day.year, day.month].append(no_show)
        for (municipality, name, _, _), billable in by_month.items():
            decision = self.decisions[municipality, name]
            billable.sort(key=lambda v: (v["appointment_on"], v["appointment_at"] is not None,
                                         v["appointment_at"] or 0, v["provider"].encode("utf-8"),
                                         v["no_show"].encode("utf-8")))
            for rank, no_show in enumerate(billable):
                day = datetime.date.fromisoformat(no_show["appointment_on"])
                policy = decision.in_force(day)["no_show"]
                limit = policy["max_per_month"]
                if policy["counts_to_budget"] and (limit is None or rank < limit):
                    minutes = no_show["planned_minutes"] * policy["billable_percent"] // 100
                    decision.no_shows[day] = decision.no_shows.get(day, 0) + minutes

    # Anomalies over net lines (SPEC section 5)

    def judge_net_lines(self):
        earlier = []
        for line in sorted(self.net_lines, key=lambda v: order_of("declarations", v)):
            first, last = line_days(line)
            recorded = utc_day(line["recorded_at"])
            if (recorded - last).days > 92:
                self.anomaly("LATE_DECLARATION", line, subject_of(line))
            if (last - recorded).days > 1:
                self.anomaly("FUTURE_DECLARATION", line, subject_of(line))
            if first == last and line["minutes"] > 720:
                self.anomaly("IMPLAUSIBLE_DURATION", line, subject_of(line))
            double = overlap = False
            for other in earlier:
                if is_double(line, other):
                    double = True
                elif overlaps(interval(line), interval(other)):
                    overlap = True
            if double:
                self.anomaly("DOUBLE_DECLARATION", line, subject_of(line))
            if overlap:
                self.anomaly("CLIENT_OVERLAP", line, subject_of(line))
            if first == last and any(is_declared_no_show(line, n) for n in self.no_shows.values()):
                self.anomaly("DECLARED_NO_SHOW", line, subject_of(line))
            earlier.append(line)

    # Alerts (SPEC section 4)

    def judge_decision(self, key, decision):
        settings = settings_of(self.rules, decision.latest)

        def alert(kind, segment_from, period_from, threshold, severity, effective_on, **numbers):
            # The provider in force on effective_on, or on valid_to where that lies before.
            day = effective_on
            if decision.valid_to is not None:
                day = min(day, decision.valid_to)
            self.alerts.append({
                "row": {"kind": kind, "client": self.name, "municipality": key[0], "decision": key[1],
                        "segment_from": segment_from, "period_from": period_from, "threshold": threshold,
                        "severity": severity, "effective_on": effective_on},
                "provider": decision.in_force(day)["provider"],
                "numbers": numbers})

        for account in self.accounts[key].values():
            self.judge_account(account, settings, alert)
        self.judge_bandwidth_below(key, decision, settings, alert)
        self.judge_evaluations(key, decision, settings, alert)
        self.judge_ending(decision, settings, alert)
        self.judge_stalled(decision, settings, alert)

    def judge_account(self, account, settings, alert):
        segment, allotted = account.segment, account.allotted
        where = segment.start, account.first
        used = account.used_through()
        unit = segment.unit()
        numbers = {"used": used, "allotted": allotted}

        if segment.model == "FixedPlusSurplus":
            name, thresholds = "SURPLUS", settings["surplus_thresholds_percent"]
        elif segment.model == "YearBudget" or segment.model == "Pxq" and unit in ("YEAR", "TOTAL"):
            name, thresholds = "BUDGET", settings["budget_thresholds_percent"]
        else:
            name, thresholds = None, []
        # A threshold that is listed twice has one identity, hence the set.
        for t in sorted(set(thresholds)):
            day = account.first_day(lambda c: c > 0 and 100 * c >= t * allotted)
            if day is not None:
                exhausted = t >= 100
                alert(f"{name}_{'EXHAUSTED' if exhausted else 'LOW'}", *where, t,
                      "CRITICAL" if exhausted else "WARNING", day, **numbers)

        if name is not None and account.last is not None and account.first <= self.as_of <= account.last:
            elapsed = (self.as_of - account.first).days + 1
            total = (account.last - account.first).days + 1
            if (elapsed >= settings["projection_min_days"] and used < allotted
                    and account.used_through(self.as_of) * total * 100
                    > allotted * elapsed * settings["projection_percent"]):
                alert("PROJECTED_EXHAUSTION", *where, None, "WARNING", account.last, **numbers)

        kind = None
        if segment.model == "Pxq" and unit in ("DAY", "WEEK", "FOUR_WEEKS", "MONTH"):
            kind = "PERIOD_EXCEEDED"
        elif segment.model == "Bandwidth":
            kind = "BANDWIDTH_ABOVE"
        if kind is not None:
            day = account.first_day(lambda c: c > allotted)
            if day is not None:
                alert(kind, *where, None, "WARNING", day, **numbers)

    def judge_bandwidth_below(self, key, decision, settings, alert):
        for segment in decision.segments:
            if segment.model != "Bandwidth":
                continue
            # Every period counts, also without any delivery, so walk them from the segment's start.
            day = segment.start
            while segment.holds(day):
                first, last = segment.period(day)
                if not last + days(settings["bandwidth_grace_days"]) < self.as_of:
                    break
                account = self.accounts[key].get((segment.start, first))
                used = account.used_through() if account else 0
                if used < segment.minimum(day):
                    alert("BANDWIDTH_BELOW", segment.start, first, None, "WARNING", last,
                          used=used, minimum=segment.minimum(day))
                day = last + DAY

    def judge_evaluations(self, key, decision, settings, alert):
        # The months are a set: order and repeats mean nothing, and two of them may clamp to the same due.
        dues = {add_months(decision.valid_from, m) for m in decision.latest["evaluation_months"]}
        if decision.valid_to is not None:
            dues = {due for due in dues if due <= decision.valid_to + DAY}
        dues = sorted(dues)
        for i, due in enumerate(dues):
            if self.as_of < due - days(settings["evaluation_notice_days"]):
                continue
            # The window in which an evaluation is held stands outside the brackets of SPEC: 14 days, not settable.
            begin = due - days(14)
            end = dues[i + 1] - days(14) if i + 1 < len(dues) else None
            if any(begin <= held and (end is None or held < end) for held in self.evaluations[key]):
                continue
            if self.as_of < due:
                severity = "INFO"
            elif self.as_of <= due + days(settings["evaluation_overdue_days"]):
                severity = "WARNING"
            else:
                severity = "CRITICAL"
            alert("EVALUATION_DUE", None, due, None, severity, due, **evaluation_numbers(decision, due))

    def judge_ending(self, decision, settings, alert):
        if decision.valid_to is None:
            return
        begin = max(decision.valid_from, decision.valid_to - days(settings["ending_notice_days"]))
        if begin <= self.as_of <= decision.valid_to:
            alert("DECISION_ENDING", None, None, None, "INFO", decision.valid_to)

    def judge_stalled(self, decision, settings, alert):
        if not decision.covers(self.as_of):
            return
        segment = decision.segment_of(self.as_of)
        if segment.model == "Task":
            return
        if segment.model == "Result" and segment.terms["expected_minutes_per_week"] is None:
            return
        # No-shows are not care, so only the minutes of lines are looked at.
        cared = [d for d, minutes in decision.care.items() if minutes > 0 and d <= self.as_of]
        since = max(cared) if cared else decision.valid_from
        if since + days(settings["stalled_days"]) <= self.as_of:
            alert("CARE_STALLED", None, None, None, "WARNING", since + days(settings["stalled_days"]))


def subject_of(value):
    if "line" in value:
        return f"line:{value['provider']}/{value['line']}"
    return f"no-show:{value['provider']}/{value['no_show']}"


def line_days(line):
    first = datetime.date.fromisoformat(line["performed_on"])
    return first, date_or_none(line["performed_until"]) or first


def interval(value):
    """[start, end) in milliseconds of a line or an appointment, None when its time is unknown."""
    start = value["started_at"] if "line" in value else value["appointment_at"]
    minutes = value["minutes"] if "line" in value else value["planned_minutes"]
    return None if start is None else (start, start + minutes * 60_000)


def overlaps(a, b):
    return a is not None and b is not None and a[0] < b[1] and b[0] < a[1]


def is_double(line, other):
    """Of whatever decision; null staff equals null staff."""
    return (line["provider"] == other["provider"] and line["staff"] == other["staff"]
            and line["started_at"] is not None and line["started_at"] == other["started_at"])


def is_declared_no_show(line, no_show):
    if no_show["reason"] == "PROVIDER_CANCELLED":
        return False
    if any(line[f] != no_show[f] for f in ("municipality", "decision", "provider")):
        return False
    if line["performed_on"] != no_show["appointment_on"]:
        return False
    if interval(line) is not None and interval(no_show) is not None:
        return overlaps(interval(line), interval(no_show))
    return line["staff"] is not None and line["staff"] == no_show["staff"]


def evaluation_numbers(decision, due):
    """What an evaluation is about (end of SPEC section 4): all that counts since valid_from, and the expectation at due."""
    no_show = sum(decision.no_shows.values())
    delivered = sum(decision.care.values()) + no_show
    expected = expected_before(decision, due)
    return {"delivered": delivered, "no_show": no_show, "expected": expected,
            "ratio_percent": None if not expected else delivered * 100 // expected}


def expected_before(decision, due):
    total = 0
    day = decision.valid_from
    while day < due and decision.covers(day):
        segment = decision.segment_of(day)
        t = segment.terms
        if segment.model == "Task" or segment.model == "Result" and t["expected_minutes_per_week"] is None:
            return None
        if segment.model in ("FixedPlusSurplus", "Result"):
            # By ISO week, cut at the segment's ends as every period is.
            volume = t["minutes_per_week" if segment.model == "FixedPlusSurplus" else "expected_minutes_per_week"]
            last, full = monday_of(day) + days(6), 7
            if segment.end is not None:
                last = min(last, segment.end)
        else:
            first, last = segment.period(day)
            if last is None:
                return None
            if segment.model == "Bandwidth":
                volume, full = segment.minimum(day), (last - first).days + 1
            elif segment.model == "YearBudget":
                volume, full = segment.allotted(day), (last - first).days + 1
            elif segment.unit() == "TOTAL":
                volume, full = segment.allotted(day), (last - first).days + 1
            else:
                volume, full = segment.allotted(day), segment.lengths(day)[1]
        elapsed = (min(last, due - DAY) - day).days + 1
        total += volume * elapsed // full
        day = last + DAY
    return total


# ---------------------------------------------------------------------------------------------------------------
# Aggregates: our own definition, no part of the specification

RATE_CENTS_MAX = 1_000_000  # a higher rate an hour is a mistake and no price


def aggregates(clients):
    """Rows by week and month over municipality, provider, product, law, care and model."""
    sums = collections.defaultdict(lambda: collections.Counter())
    seen_clients = collections.defaultdict(set)
    seen_decisions = collections.defaultdict(set)

    for client in clients:
        for (municipality, name), decision in client.decisions.items():
            for account in client.accounts[municipality, name].values():

                def rows_of(day):
                    # Provider of the version in force that day, product, law and care of the latest version.
                    latest = decision.latest
                    dims = (municipality, decision.in_force(day)["provider"], latest["product_category"],
                            latest["product"], latest["law"], latest["care"], account.segment.model)
                    return [("WEEK", monday_of(day)) + dims,
                            ("MONTH", first_of_month(day.year, day.month)) + dims]

                before = 0
                for day in sorted(account.delivered):
                    used = account.used_through(day)
                    for row in rows_of(day):
                        sums[row]["delivered_minutes"] += account.delivered[day]
                        sums[row]["no_show_minutes"] += account.no_show.get(day, 0)
                        sums[row]["used_minutes"] += used - before
                        # A price of the month stands for all of a result's minutes; else the rate of the day's version.
                        rate = decision.in_force(day)["rate_cents_per_hour"]
                        if account.segment.model == "Result":
                            sums[row]["priced_minutes"] += account.delivered[day]
                        elif rate is not None and rate <= RATE_CENTS_MAX:
                            sums[row]["priced_minutes"] += account.delivered[day]
                            sums[row]["cost_sixtieths"] += account.delivered[day] * rate
                        seen_clients[row].add(client.name)
                        seen_decisions[row].add((client.name, municipality, name))
                    before = used

                # The allotment of an account that has an end, and the price of a result, spread over its days: what
                # falls in a week or a month belongs to the row of the first day on which the account delivered in it.
                spread = {"allotted_minutes": account.allotted}
                if account.segment.model == "Result":
                    spread["cost_sixtieths"] = account.segment.terms["price_cents"] * 60
                spread = {figure: amount for figure, amount in spread.items() if amount is not None}
                if account.last is None:
                    continue
                n = (account.last - account.first).days + 1
                shared = set()
                for day in sorted(account.delivered):
                    for row in rows_of(day):
                        if row[:2] in shared:
                            continue
                        shared.add(row[:2])
                        end_of = row[1] + days(6) if row[0] == "WEEK" else last_of_month(row[1])
                        for i in range(n):
                            if row[1] <= account.first + days(i) <= end_of:
                                for figure, amount in spread.items():
                                    sums[row][figure] += amount * (i + 1) // n - amount * i // n

    names = ["grain", "period_from", "municipality", "provider", "product_category", "product", "law", "care", "model"]
    measures = ["delivered_minutes", "no_show_minutes", "allotted_minutes", "used_minutes", "priced_minutes"]
    out = []
    for row, counter in sums.items():
        figures = {"clients": len(seen_clients[row]), "decisions": len(seen_decisions[row])}
        figures.update({m: counter[m] for m in measures})
        figures["cost_cents"] = counter["cost_sixtieths"] // 60
        if any(figures.values()):
            out.append({**dict(zip(names, row)), **figures})
    return sorted(out, key=sort_key)


# ---------------------------------------------------------------------------------------------------------------
# The whole set

def sort_key(row):
    """A stable order for reading; null sorts before everything."""
    return [(v is not None, str(v)) for v in row.values()]


def read_events(lines):
    """Returns the accepted (topic, value) pairs and the refusals as (line number, reason)."""
    accepted, refused = [], []
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            try:
                event = json.loads(text)
            except ValueError:
                raise Refused("not JSON")
            need(isinstance(event, dict) and "topic" in event and "value" in event, "no topic and value")
            # Both the full name of the topic and its last word are understood.
            topic = str(event["topic"]).rpartition(".")[2]
            validate(topic, event["value"], event.get("key"))
            accepted.append((topic, event["value"]))
        except Refused as refusal:
            refused.append((number, str(refusal)))
    return accepted, refused


def compute(events, as_of, rules=(), full=False):
    """F(set of events, as_of) of SPEC section 1; events are accepted (topic, value) pairs."""
    by_client = collections.defaultdict(list)
    for topic, value in events:
        by_client[value["client"]].append((topic, value))
    clients = [Client(name, by_client[name], as_of, rules) for name in sorted(by_client)]

    accounts = []
    for client in clients:
        for (municipality, decision), found in client.accounts.items():
            for account in found.values():
                accounts.append({
                    "client": client.name, "municipality": municipality, "decision": decision,
                    "segment_from": account.segment.start, "period_from": account.first, "period_to": account.last,
                    "model": account.segment.model, "allotted_minutes": account.allotted,
                    "minimum_minutes": account.minimum, "used_minutes": account.used_through(),
                    "delivered_minutes": sum(account.delivered.values()),
                    "no_show_minutes": sum(account.no_show.values())})
    alerts = [a for client in clients for a in client.alerts]
    result = {
        "accounts": sorted(accounts, key=sort_key),
        "alerts": sorted((a["row"] for a in alerts), key=sort_key),
        "anomalies": sorted((a for client in clients for a in client.anomalies), key=sort_key),
    }
    if full:
        result["alert_details"] = sorted(({**a["row"], "provider": a["provider"], "numbers": a["numbers"]}
                                          for a in alerts), key=sort_key)
        result["aggregates"] = aggregates(clients)
    # Dates become text, so that the result compares with one that was read from a file.
    return json.loads(json.dumps(result, default=str))


def compare(have, want):
    """Prints the first differences; returns the numbers passed and failed."""
    passed = failed = 0
    for name in ("accounts", "alerts", "anomalies"):
        rows = [collections.Counter(json.dumps(r, sort_keys=True) for r in side[name]) for side in (want, have)]
        missing, extra = rows[0] - rows[1], rows[1] - rows[0]
        passed += sum((rows[0] & rows[1]).values())
        failed += sum(missing.values()) + sum(extra.values())
        for sign, differing in (("missing", missing), ("unexpected", extra)):
            for row in sorted(differing)[:5]:
                print(f"{name}: {sign} {row}")
    return passed, failed


def main():
    parser = argparse.ArgumentParser(description="The naive oracle of the tests.")
    parser.add_argument("events")
    parser.add_argument("--as-of", required=True, type=datetime.date.fromisoformat)
    parser.add_argument("--settings", help="JSON list of settings with selectors")
    parser.add_argument("--refused", help="write the refused lines and why")
    parser.add_argument("--full", action="store_true", help="add aggregates, and each alert's provider and numbers")
    parser.add_argument("--check", help="compare with this expected state instead of printing")
    parser.add_argument("--output", help="write here instead of to the standard output")
    args = parser.parse_args()

    rules = []
    if args.settings:
        with open(args.settings, encoding="utf-8") as f:
            rules = json.load(f)
        check_settings(rules)
    with open(args.events, encoding="utf-8", newline="\n") as f:
        events, refused = read_events(f)
    if args.refused:
        with open(args.refused, "w", encoding="utf-8") as f:
            f.writelines(f"{number}\t{reason}\n" for number, reason in refused)
    result = compute(events, args.as_of, rules, args.full)
    if args.check:
        with open(args.check, encoding="utf-8") as f:
            passed, failed = compare(result, json.load(f))
        print(f"{passed} passed, {failed} failed")
        sys.exit(1 if failed else 0)
    text = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
    if args.output:
        with open(args.output, "w", encoding="utf-8") as f:
            f.write(text)
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
