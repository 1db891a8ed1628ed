#!/usr/bin/env python3
"""Event sets at the edges of SPEC sections 2 to 5, each with an expectation that was written down by hand.

usage: edges.py --check          runs the oracle over every case and compares with what is written here
       edges.py --write DIR      writes DIR/edges.events.jsonl, edges.as-of and edges.expected.json, further
                                 DIR/edges.expected-DATE.json for other days, and DIR/acceptance.jsonl: events of
                                 which "accepted" says whether SPEC section 2 lets them in
       edges.py --list           prints the names of the cases

Each case is a client of its own, so that all of them stand together in one set. A case is checked at its own as_of,
alone; its expectation is what it says about some kinds of alerts and anomalies and some accounts, in the words
of the specification and never from the oracle.
"""
import argparse
import datetime
import json
import os
import sys

import oracle

D = datetime.date.fromisoformat
AS_OF = "2026-03-31"
MUNICIPALITY, PROVIDER, OTHER_PROVIDER = "0599", "41419999", "41418888"
OTHER_AS_OFS = ("2024-03-15", "2026-02-27", "2026-04-06")
CASES = []


def plus(day, n):
    return (D(day) + datetime.timedelta(days=n)).isoformat()


def at(day, clock="00:00"):
    hours, minutes = clock.split(":")
    return ((D(day) - D("1970-01-01")).days * 1440 + int(hours) * 60 + int(minutes)) * 60_000


class Case:
    """Collects the events of one client and what is expected of them."""

    def __init__(self, name, as_of=AS_OF, rules=()):
        self.name, self.as_of, self.rules = name, as_of, rules
        self.client = f"e{len(CASES):04d}-{name}"[:64]
        self.events, self.wanted = [], []
        self.number = 0
        CASES.append(self)

    def add(self, topic, recorded, value, event_id=None):
        self.number += 1
        head = {"event_id": event_id or f"00000000-0000-4000-8000-{len(CASES):06x}{self.number:06x}",
                "recorded_at": recorded, "municipality": value.pop("municipality", MUNICIPALITY),
                "client": self.client, "decision": value.pop("decision", "WMO-1")}
        self.events.append((topic, {**head, **value}))
        return self

    def decision(self, terms, valid_from, valid_to=None, recorded=None, event_id=None, **changes):
        policy = {"billable_percent": 100, "max_per_month": None, "notice_hours": 24, "counts_to_budget": True}
        policy.update(changes.pop("no_show", {}))
        value = {"version": 1, "status": "ACTIVE", "law": "WMO", "product_category": "02", "product": "02A03",
                 "care": "CONTINUOUS", "provider": PROVIDER, "valid_from": valid_from, "valid_to": valid_to,
                 "effective_from": valid_from, "terms": terms, "no_show": policy, "evaluation_months": [],
                 "rate_cents_per_hour": None}
        value.update(changes)
        return self.add("decisions", at(valid_from) if recorded is None else recorded, value, event_id)

    def line(self, day, minutes, line=None, recorded=None, event_id=None, **changes):
        value = {"provider": PROVIDER, "line": line or f"L{self.number}", "kind": "DEBIT", "corrects": None,
                 "performed_on": day, "performed_until": None, "started_at": None, "minutes": minutes, "staff": None}
        value.update(changes)
        return self.add("declarations", at(day) if recorded is None else recorded, value, event_id)

    def credit(self, corrects, day, minutes, line="C1", **changes):
        return self.line(day, minutes, line, kind="CREDIT", corrects=corrects, **changes)

    def no_show(self, day, minutes=60, no_show=None, recorded=None, event_id=None, **changes):
        value = {"provider": PROVIDER, "no_show": no_show or f"N{self.number}", "status": "REPORTED",
                 "appointment_on": day, "appointment_at": None, "planned_minutes": minutes,
                 "reason": "CLIENT_ABSENT", "notice_minutes": None, "staff": None}
        value.update(changes)
        return self.add("no-shows", at(day) if recorded is None else recorded, value, event_id)

    def evaluation(self, day, **changes):
        return self.add("evaluations", at(day), {"held_on": day, "outcome": "CONTINUE", **changes})

    # Expectations

    def alert(self, kind, *rows):
        """All open alerts of this kind: (period_from, threshold, severity, effective_on)."""
        self.wanted.append(("alerts", kind, sorted(rows, key=str)))
        return self

    def anomaly(self, kind, *subjects):
        """The subjects of all open anomalies of this kind."""
        self.wanted.append(("anomalies", kind, sorted(subjects)))
        return self

    def account(self, *rows):
        """All accounts: (segment_from, period_from, period_to, allotted, minimum, used, delivered, no_show)."""
        self.wanted.append(("accounts", None, sorted(rows, key=str)))
        return self

    def have(self, name, kind, state):
        rows = [r for r in state[name] if kind is None or r["kind"] == kind]
        if name == "anomalies":
            return sorted(r["subject"] for r in rows)
        fields = (["period_from", "threshold", "severity", "effective_on"] if name == "alerts" else
                  ["segment_from", "period_from", "period_to", "allotted_minutes", "minimum_minutes", "used_minutes",
                   "delivered_minutes", "no_show_minutes"])
        return sorted((tuple(r[f] for f in fields) for r in rows), key=str)


def L(line, provider=PROVIDER):
    return f"line:{provider}/{line}"


def N(no_show, provider=PROVIDER):
    return f"no-show:{provider}/{no_show}"


def pxq(volume, frequency):
    return {"Pxq": {"volume_minutes": volume, "frequency": frequency}}


def bandwidth(low, high, per):
    return {"Bandwidth": {"min_minutes": low, "max_minutes": high, "per": per}}


def year(minutes):
    return {"YearBudget": {"minutes_per_year": minutes}}


def surplus(week, pool):
    return {"FixedPlusSurplus": {"minutes_per_week": week, "surplus_minutes": pool}}


def result(expected):
    return {"Result": {"result": "structuur", "price_cents": 100, "expected_minutes_per_week": expected}}


TASK = {"Task": {}}


# ---------------------------------------------------------------------------------------------------------------
# Section 3: pools and their periods

def pools():
    # 2026-03-02 is a Monday.
    Case("day").decision(pxq(60, "DAY"), "2026-03-02").line("2026-03-02", 60).line("2026-03-03", 61).account(
        ("2026-03-02", "2026-03-02", "2026-03-02", 60, None, 60, 60, 0),
        ("2026-03-02", "2026-03-03", "2026-03-03", 60, None, 61, 61, 0)
    ).alert("PERIOD_EXCEEDED", ("2026-03-03", None, "WARNING", "2026-03-03"))
    Case("week-sunday-monday").decision(pxq(100, "WEEK"), "2026-03-02").line("2026-03-08", 100).line("2026-03-09", 101).account(
        ("2026-03-02", "2026-03-02", "2026-03-08", 100, None, 100, 100, 0),
        ("2026-03-02", "2026-03-09", "2026-03-15", 100, None, 101, 101, 0)
    ).alert("PERIOD_EXCEEDED", ("2026-03-09", None, "WARNING", "2026-03-09"))
    Case("week-broken-counts-whole").decision(pxq(100, "WEEK"), "2026-03-08", "2026-03-09").line("2026-03-08", 100).line(
        "2026-03-09", 100).account(("2026-03-08", "2026-03-08", "2026-03-08", 100, None, 100, 100, 0),
                                   ("2026-03-08", "2026-03-09", "2026-03-09", 100, None, 100, 100, 0)).alert("PERIOD_EXCEEDED")
    # 2020 has an ISO week 53: Monday 28 December 2020 to Sunday 3 January 2021.
    Case("week-53", "2021-02-01").decision(pxq(100, "WEEK"), "2020-12-01").line("2020-12-31", 50).line("2021-01-03", 51).line(
        "2021-01-04", 1).account(("2020-12-01", "2020-12-28", "2021-01-03", 100, None, 101, 101, 0),
                                 ("2020-12-01", "2021-01-04", "2021-01-10", 100, None, 1, 1, 0)
                                 ).alert("PERIOD_EXCEEDED", ("2020-12-28", None, "WARNING", "2021-01-03"))
    Case("four-weeks-from-segment").decision(pxq(100, "FOUR_WEEKS"), "2026-01-07").line("2026-02-03", 1).line("2026-02-04", 2).account(
        ("2026-01-07", "2026-01-07", "2026-02-03", 100, None, 1, 1, 0),
        ("2026-01-07", "2026-02-04", "2026-03-03", 100, None, 2, 2, 0))
    Case("month-end-leap").decision(pxq(100, "MONTH"), "2024-02-10", "2024-03-05").line("2024-02-29", 1).line("2024-03-01", 2).account(
        ("2024-02-10", "2024-02-10", "2024-02-29", 100, None, 1, 1, 0),
        ("2024-02-10", "2024-03-01", "2024-03-05", 100, None, 2, 2, 0))
    Case("year-anchor-29-feb", "2029-01-01").decision(pxq(100, "YEAR"), "2024-02-29").line("2025-02-27", 1).line("2025-02-28", 2).line(
        "2028-02-28", 3).line("2028-02-29", 4).account(
        ("2024-02-29", "2024-02-29", "2025-02-27", 100, None, 1, 1, 0),
        ("2024-02-29", "2025-02-28", "2026-02-27", 100, None, 2, 2, 0),
        ("2024-02-29", "2027-02-28", "2028-02-28", 100, None, 3, 3, 0),
        ("2024-02-29", "2028-02-29", "2029-02-27", 100, None, 4, 4, 0))
    Case("total-always-exists").decision(pxq(100, "TOTAL"), "2026-01-01").account(
        ("2026-01-01", "2026-01-01", None, 100, None, 0, 0, 0)).alert("BUDGET_LOW").alert("BUDGET_EXHAUSTED")
    Case("surplus-always-exists").decision(surplus(60, 100), "2026-01-01", "2026-12-31").account(
        ("2026-01-01", "2026-01-01", "2026-12-31", 100, None, 0, 0, 0))
    Case("month-without-delivery-does-not-exist").decision(pxq(100, "MONTH"), "2026-01-01").account()
    # 90 days of a year of 365: ceil(1000 * 90 / 365) = ceil(246.57) = 247.
    Case("year-budget-ceil").decision(year(1000), "2026-01-01", "2026-03-31").line("2026-01-01", 1).account(
        ("2026-01-01", "2026-01-01", "2026-03-31", 247, None, 1, 1, 0))
    # 29 Feb 2024 to 27 Feb 2025 are 365 days, so that nothing is prorated.
    Case("year-budget-leap").decision(year(1000), "2024-02-29", "2025-02-27").line("2024-02-29", 1).account(
        ("2024-02-29", "2024-02-29", "2025-02-27", 1000, None, 1, 1, 0))
    # 1 Jan 2024 to 31 Dec 2024 are 366 days; half of them: ceil(1001 * 183 / 366) = ceil(500.5) = 501.
    Case("year-budget-366").decision(year(1001), "2024-01-01", "2024-07-01").line("2024-01-01", 1).account(
        ("2024-01-01", "2024-01-01", "2024-07-01", 501, None, 1, 1, 0))
    # Sunday only: floor(100 * 1 / 7) = 14.
    Case("bandwidth-minimum-floor").decision(bandwidth(100, 200, "WEEK"), "2026-03-08").line("2026-03-08", 13).account(
        ("2026-03-08", "2026-03-08", "2026-03-08", 200, 14, 13, 13, 0))
    Case("result-month").decision(result(60), "2026-01-15").line("2026-01-15", 5).account(
        ("2026-01-15", "2026-01-15", "2026-01-31", None, None, 5, 5, 0))
    Case("task-month").decision(TASK, "2026-01-15").line("2026-02-15", 5).account(
        ("2026-01-15", "2026-02-01", "2026-02-28", None, None, 5, 5, 0))
    # In the cut week (Sunday 8 March only) the 60 minutes are not prorated: 70 - 60, and 100 - 60 in the next.
    Case("surplus-week-not-prorated").decision(surplus(60, 100), "2026-03-08").line("2026-03-08", 70).line("2026-03-09", 50).line(
        "2026-03-15", 50).account(("2026-03-08", "2026-03-08", None, 100, None, 50, 170, 0))


def segments():
    def two(name, first, second, **changes):
        return (Case(name).decision(first, "2026-01-01")
                .decision(second, "2026-01-01", version=2, effective_from="2026-02-01", **changes)
                .line("2026-01-31", 10, provider=changes.get("first_provider", PROVIDER)))

    two("segment-terms", pxq(100, "TOTAL"), pxq(200, "TOTAL")).line("2026-02-01", 20).account(
        ("2026-01-01", "2026-01-01", "2026-01-31", 100, None, 10, 10, 0),
        ("2026-02-01", "2026-02-01", None, 200, None, 20, 20, 0))
    two("segment-rate-does-not-refill", pxq(100, "TOTAL"), pxq(100, "TOTAL"), rate_cents_per_hour=9).line("2026-02-01", 20).account(
        ("2026-01-01", "2026-01-01", None, 100, None, 30, 30, 0))
    two("segment-provider-does-not-refill", pxq(100, "TOTAL"), pxq(100, "TOTAL"), provider=OTHER_PROVIDER).line(
        "2026-02-01", 20, provider=OTHER_PROVIDER).account(("2026-01-01", "2026-01-01", None, 100, None, 30, 30, 0)
                                                           ).anomaly("WRONG_PROVIDER")
    # A week that two segments share is cut in each of them; the fixed minutes are given twice.
    (Case("segment-cuts-surplus-week").decision(surplus(60, 100), "2026-01-01")
     .decision(surplus(60, 200), "2026-01-01", version=2, effective_from="2026-03-04")
     .line("2026-03-03", 100).line("2026-03-04", 100)
     .account(("2026-01-01", "2026-01-01", "2026-03-03", 100, None, 40, 100, 0),
              ("2026-03-04", "2026-03-04", None, 200, None, 40, 100, 0)))
    # The terms return: three segments, because a segment is a run.
    (Case("segment-returns").decision(pxq(1, "TOTAL"), "2026-01-01")
     .decision(pxq(2, "TOTAL"), "2026-01-01", version=2, effective_from="2026-02-01")
     .decision(pxq(1, "TOTAL"), "2026-01-01", version=3, effective_from="2026-03-01")
     .account(("2026-01-01", "2026-01-01", "2026-01-31", 1, None, 0, 0, 0),
              ("2026-02-01", "2026-02-01", "2026-02-28", 2, None, 0, 0, 0),
              ("2026-03-01", "2026-03-01", None, 1, None, 0, 0, 0)))
    # A higher version from an earlier day hides the lower one wholly.
    (Case("segment-hidden").decision(pxq(1, "TOTAL"), "2026-01-01", effective_from="2026-02-01")
     .decision(pxq(2, "TOTAL"), "2026-01-01", version=2, effective_from="2026-01-10")
     .account(("2026-01-01", "2026-01-01", "2026-01-09", 1, None, 0, 0, 0),
              ("2026-01-10", "2026-01-10", None, 2, None, 0, 0, 0)))
    # The lowest version reaches back before its effective_from.
    Case("segment-lowest-reaches-back").decision(pxq(1, "TOTAL"), "2026-01-01", effective_from="2026-02-01").account(
        ("2026-01-01", "2026-01-01", None, 1, None, 0, 0, 0))
    (Case("validity-shrinks").decision(pxq(9, "DAY"), "2026-01-01")
     .decision(pxq(9, "DAY"), "2026-01-01", "2026-01-31", version=2, effective_from="2026-01-01")
     .line("2026-01-31", 10, "L1").line("2026-02-01", 10, "L2")
     .account(("2026-01-01", "2026-01-31", "2026-01-31", 9, None, 10, 10, 0))
     .alert("PERIOD_EXCEEDED", ("2026-01-31", None, "WARNING", "2026-01-31"))
     .anomaly("OUTSIDE_DECISION", L("L2")))
    (Case("withdrawn").decision(pxq(9, "TOTAL"), "2026-01-01", "2026-04-01", evaluation_months=[1])
     .decision(pxq(9, "TOTAL"), "2026-01-01", "2026-04-01", version=2, status="WITHDRAWN", evaluation_months=[1])
     .line("2026-01-31", 10, "L1").account().alert("BUDGET_EXHAUSTED").alert("EVALUATION_DUE").alert("DECISION_ENDING")
     .alert("CARE_STALLED").anomaly("OUTSIDE_DECISION", L("L1")))
    (Case("status-of-other-version-means-nothing").decision(pxq(9, "TOTAL"), "2026-01-01", status="WITHDRAWN")
     .decision(pxq(9, "TOTAL"), "2026-01-01", version=2).line("2026-01-31", 9, "L1")
     .account(("2026-01-01", "2026-01-01", None, 9, None, 9, 9, 0)))
    (Case("two-municipalities-one-name").decision(pxq(5, "TOTAL"), "2026-01-01")
     .decision(pxq(6, "TOTAL"), "2026-01-01", municipality="0363").line("2026-01-05", 1).line("2026-01-05", 2, municipality="0363")
     .account(("2026-01-01", "2026-01-01", None, 5, None, 1, 1, 0), ("2026-01-01", "2026-01-01", None, 6, None, 2, 2, 0)))


# ---------------------------------------------------------------------------------------------------------------
# Section 2: winners; section 3: what counts

def winners():
    early, late = at("2026-01-05"), at("2026-01-06")
    low, high = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"

    def base(name):
        return Case(name).decision(pxq(999, "TOTAL"), "2026-01-01")

    def used(case, minutes):
        return case.account(("2026-01-01", "2026-01-01", None, 999, None, minutes, minutes, 0))

    used(base("winner-first-recorded").line("2026-01-05", 20, "L1", late, low).line("2026-01-05", 10, "L1", early, high)
         .anomaly("DUPLICATE_CONFLICT", L("L1")), 10)
    used(base("winner-then-event-id").line("2026-01-05", 20, "L1", early, high).line("2026-01-05", 10, "L1", early, low)
         .anomaly("DUPLICATE_CONFLICT", L("L1")), 10)
    # Upper case sorts before lower case by bytes: B before a.
    used(base("winner-event-id-case").line("2026-01-05", 10, "L1", early, low).line("2026-01-05", 20, "L1", early, high.upper())
         .anomaly("DUPLICATE_CONFLICT", L("L1")), 20)
    # Zigzag: 63 is the byte 7e and 64 is 80 01, and 100 (c8 01) lies after 128 (80 02).
    used(base("winner-then-bytes").line("2026-01-05", 100, "L1", early, low).line("2026-01-05", 128, "L1", early, low)
         .anomaly("DUPLICATE_CONFLICT", L("L1")), 128)
    # A string is preceded by its length, so that the shorter name of the decision is first.
    used(base("winner-bytes-length").line("2026-01-05", 10, "L1", early, low).line("2026-01-05", 20, "L1", early, low, decision="X")
         .anomaly("DUPLICATE_CONFLICT", L("L1")).anomaly("UNKNOWN_DECISION", L("L1")), 0)
    # The provider, the line and the kind are equal; null (00) lies before any text (02) in corrects.
    used(base("winner-bytes-null-first").line("2026-01-05", 20, "L1", early, low).line("2026-01-05", 10, "L1", early, low, corrects="")
         .anomaly("DUPLICATE_CONFLICT", L("L1")), 20)
    # Terms lie in the order of the union: Bandwidth (02) before YearBudget (04), whatever their fields.
    (Case("winner-terms-branch").decision(year(1), "2026-01-01", recorded=early, event_id=low)
     .decision(bandwidth(500, 900, "MONTH"), "2026-01-01", recorded=early, event_id=low).line("2026-01-05", 5)
     .account(("2026-01-01", "2026-01-01", "2026-01-31", 900, 500, 5, 5, 0)).anomaly("VERSION_CONFLICT", "version:1"))
    used(base("redelivery-is-no-conflict").line("2026-01-05", 10, "L1", early, low).line("2026-01-05", 10, "L1", late, high)
         .line("2026-01-05", 10, "L1", late, high).anomaly("DUPLICATE_CONFLICT"), 10)
    used(base("same-event-id-is-no-duplicate").line("2026-01-05", 10, "L1", early, low).line("2026-01-05", 10, "L2", early, low)
         .anomaly("DUPLICATE_CONFLICT"), 20)
    used(base("line-id-per-provider").line("2026-01-05", 10, "L1").line("2026-01-05", 20, "L1", provider=OTHER_PROVIDER)
         .anomaly("DUPLICATE_CONFLICT").anomaly("WRONG_PROVIDER", L("L1", OTHER_PROVIDER)), 10)
    used(base("credit-with-id-of-debit-later").line("2026-01-05", 10, "L1", early).credit("L1", "2026-01-05", 10, "L1", recorded=late)
         .anomaly("DUPLICATE_CONFLICT", L("L1")), 10)
    used(base("credit-with-id-of-debit-earlier").line("2026-01-05", 10, "L1", late).credit("L1", "2026-01-05", 10, "L1", recorded=early)
         .anomaly("DUPLICATE_CONFLICT", L("L1")).anomaly("ORPHAN_CREDIT", L("L1")), 0)
    (Case("version-conflict").decision(pxq(2, "TOTAL"), "2026-01-01", recorded=late).decision(pxq(1, "TOTAL"), "2026-01-01", recorded=early)
     .anomaly("VERSION_CONFLICT", "version:1").account(("2026-01-01", "2026-01-01", None, 1, None, 0, 0, 0)))
    # Content is what was written: other months in another order are a set to the rules, but other content.
    (Case("version-conflict-months").decision(pxq(1, "TOTAL"), "2026-01-01", recorded=early, evaluation_months=[3, 9])
     .decision(pxq(1, "TOTAL"), "2026-01-01", recorded=late, evaluation_months=[9, 3]).anomaly("VERSION_CONFLICT", "version:1"))
    (base("no-show-conflict").no_show("2026-01-05", 10, "N1", early).no_show("2026-01-05", 20, "N1", late)
     .anomaly("DUPLICATE_CONFLICT", N("N1")).account(("2026-01-01", "2026-01-01", None, 999, None, 10, 10, 10)))
    used(base("no-show-withdrawn").no_show("2026-01-05", 10, "N1", early).no_show("2026-01-05", 20, "N1", late)
         .no_show("2026-01-05", 30, "N1", late, status="WITHDRAWN").no_show("2026-01-05", 30, "N2", status="WITHDRAWN", decision="WMO-9")
         .anomaly("DUPLICATE_CONFLICT").anomaly("UNKNOWN_DECISION"), 0)


def counting():
    def base(name, valid_to=None, as_of=AS_OF):
        return Case(name, as_of).decision(pxq(999, "TOTAL"), "2026-01-01", valid_to)

    def used(case, minutes, valid_to=None):
        return case.account(("2026-01-01", "2026-01-01", valid_to, 999, None, minutes, minutes, 0))

    used(base("credit").line("2026-01-05", 10, "L1").credit("L1", "2026-01-05", 10), 0)
    used(base("credit-before-its-debit").credit("L1", "2026-01-05", 10, recorded=at("2026-01-05")).line(
        "2026-01-05", 10, "L1", recorded=at("2026-01-06")).anomaly("ORPHAN_CREDIT"), 0)
    for field, other in (("minutes", 11), ("municipality", "0363"), ("decision", "WMO-2")):
        used(base(f"credit-mismatch-{field}").line("2026-01-05", 10, "L1").credit("L1", "2026-01-05", **{"minutes": 10, field: other})
             .anomaly("CREDIT_MISMATCH", L("C1")), 10)
    used(base("credit-other-day-and-staff-match").line("2026-01-05", 10, "L1", staff="s1").credit("L1", "2026-01-09", 10, staff="s2")
         .anomaly("CREDIT_MISMATCH"), 0)
    used(base("credit-double").line("2026-01-05", 10, "L1").credit("L1", "2026-01-06", 10, "C1").credit("L1", "2026-01-05", 10, "C2")
         .anomaly("DOUBLE_CREDIT", L("C1")), 0)
    used(base("credit-mismatch-before-double").line("2026-01-05", 10, "L1").credit("L1", "2026-01-05", 10, "C1")
         .credit("L1", "2026-01-06", 11, "C2").anomaly("DOUBLE_CREDIT").anomaly("CREDIT_MISMATCH", L("C2")), 0)
    used(base("credit-of-credit-is-orphan").line("2026-01-05", 10, "L1").credit("L1", "2026-01-05", 10, "C1")
         .credit("C1", "2026-01-05", 10, "C2").anomaly("ORPHAN_CREDIT", L("C2")), 0)
    used(base("credit-other-provider-is-orphan").line("2026-01-05", 10, "L1").credit("L1", "2026-01-05", 10, "C1", provider=OTHER_PROVIDER)
         .anomaly("ORPHAN_CREDIT", L("C1", OTHER_PROVIDER)), 10)
    for n, open_ in ((13, False), (14, True), (15, True)):
        # The clock of the day means nothing: only the UTC date counts.
        moment = at(plus(AS_OF, -n), "23:59")
        base(f"orphan-{n}-days").credit("L1", "2026-01-05", 10, recorded=moment).anomaly("ORPHAN_CREDIT", *[L("C1")] * open_)
        (base(f"unknown-{n}-days").line("2026-01-05", 10, "L1", recorded=moment, decision="WMO-2")
         .no_show("2026-01-05", 10, "N1", recorded=moment, decision="WMO-2", reason="PROVIDER_CANCELLED")
         .anomaly("UNKNOWN_DECISION", *[L("L1"), N("N1")] * open_))

    end = "2026-01-31"
    used(base("outside-edges", end).line("2025-12-31", 1, "L1").line("2026-01-01", 2, "L2").line(end, 4, "L3").line("2026-02-01", 8, "L4")
         .anomaly("OUTSIDE_DECISION", L("L1"), L("L4")), 6, end)
    used(base("outside-period-line", end).line("2026-01-30", 2, "L1", performed_until=end).line("2026-01-31", 2, "L2", performed_until="2026-02-01")
         .line("2025-12-31", 2, "L3", performed_until="2026-01-01").anomaly("OUTSIDE_DECISION", L("L2"), L("L3")), 2, end)
    used(base("outside-before-wrong-provider", end).line("2026-02-01", 2, "L1", provider=OTHER_PROVIDER)
         .anomaly("OUTSIDE_DECISION", L("L1", OTHER_PROVIDER)).anomaly("WRONG_PROVIDER"), 0, end)
    used(base("no-shows-of-every-reason-are-checked", end)
         .no_show("2026-02-01", 2, "N1", reason="PROVIDER_CANCELLED").no_show("2026-01-02", 2, "N2", reason="PROVIDER_CANCELLED", provider=OTHER_PROVIDER)
         .anomaly("OUTSIDE_DECISION", N("N1")).anomaly("WRONG_PROVIDER", N("N2", OTHER_PROVIDER)), 0, end)
    (Case("provider-of-first-day").decision(pxq(9, "MONTH"), "2026-01-01")
     .decision(pxq(9, "MONTH"), "2026-01-01", version=2, effective_from="2026-02-01", provider=OTHER_PROVIDER)
     .line("2026-01-31", 4, "L1", performed_until="2026-02-01")
     .line("2026-01-31", 4, "L2", performed_until="2026-02-01", provider=OTHER_PROVIDER)
     .anomaly("WRONG_PROVIDER", L("L2", OTHER_PROVIDER))
     .account(("2026-01-01", "2026-01-01", "2026-01-31", 9, None, 2, 2, 0), ("2026-01-01", "2026-02-01", "2026-02-28", 9, None, 2, 2, 0)))
    # 7 minutes over 3 days: floor(7/3) = 2, floor(14/3) - 2 = 2, 7 - 4 = 3.
    (Case("period-line-spread").decision(pxq(9, "DAY"), "2026-01-01").line("2026-01-01", 7, "L1", performed_until="2026-01-03")
     .account(*[("2026-01-01", d, d, 9, None, m, m, 0) for d, m in (("2026-01-01", 2), ("2026-01-02", 2), ("2026-01-03", 3))]))
    # One minute over three days falls on the last; days of nothing are no account.
    (Case("period-line-one-minute").decision(pxq(9, "DAY"), "2026-01-01").line("2026-01-01", 1, "L1", performed_until="2026-01-03")
     .account(("2026-01-01", "2026-01-03", "2026-01-03", 9, None, 1, 1, 0)))
    # The line goes on into the next segment.
    (Case("period-line-crosses-segments").decision(pxq(9, "TOTAL"), "2026-01-01")
     .decision(pxq(8, "TOTAL"), "2026-01-01", version=2, effective_from="2026-02-01")
     .line("2026-01-31", 9, "L1", performed_until="2026-02-02")
     .account(("2026-01-01", "2026-01-01", "2026-01-31", 9, None, 3, 3, 0), ("2026-02-01", "2026-02-01", None, 8, None, 6, 6, 0)))
    used(base("as-of-is-no-horizon").line("2027-01-01", 7, "L1"), 7)


def no_shows():
    def base(name, **policy):
        return Case(name).decision(pxq(999, "TOTAL"), "2026-01-01", no_show=policy)

    def gave(case, minutes):
        return case.account(("2026-01-01", "2026-01-01", None, 999, None, minutes, minutes, minutes))

    for notice, billable in ((None, True), (0, True), (1439, True), (1440, False), (1441, False)):
        gave(base(f"notice-{notice}").no_show("2026-01-05", 60, reason="CLIENT_CANCELLED", notice_minutes=notice), 60 * billable)
    gave(base("notice-hours-0", notice_hours=0).no_show("2026-01-05", 60, reason="CLIENT_CANCELLED"), 0)
    gave(base("absent-ignores-notice").no_show("2026-01-05", 60, notice_minutes=9999), 60)
    gave(base("provider-cancelled").no_show("2026-01-05", 60, reason="PROVIDER_CANCELLED"), 0)
    gave(base("percent-floor", billable_percent=33).no_show("2026-01-05", 61), 20)  # 20.13
    gave(base("percent-0", billable_percent=0).no_show("2026-01-05", 61), 0)
    gave(base("not-to-budget", counts_to_budget=False).no_show("2026-01-05", 60), 0)
    gave(base("max-0", max_per_month=0).no_show("2026-01-05", 60), 0)
    gave(base("max-1-first-day-wins", max_per_month=1).no_show("2026-01-06", 1, "N1").no_show("2026-01-05", 2, "N2"), 2)
    gave(base("max-1-null-first", max_per_month=1).no_show("2026-01-05", 1, "N1", appointment_at=at("2026-01-05"))
         .no_show("2026-01-05", 2, "N2"), 2)
    gave(base("max-1-time", max_per_month=1).no_show("2026-01-05", 1, "N1", appointment_at=at("2026-01-05", "10:00"))
         .no_show("2026-01-05", 2, "N2", appointment_at=at("2026-01-05", "09:59")), 2)
    gave(base("max-1-id-by-bytes", max_per_month=1).no_show("2026-01-05", 1, "N9").no_show("2026-01-05", 2, "N10"), 2)
    gave(base("max-1-each-month", max_per_month=1).no_show("2026-01-31", 1, "N1").no_show("2026-02-01", 2, "N2").no_show("2026-02-28", 4, "N3"), 3)
    gave(base("max-counts-billable-only", max_per_month=1).no_show("2026-01-05", 1, "N1", reason="PROVIDER_CANCELLED")
         .no_show("2026-01-06", 2, "N2"), 2)
    gave(base("max-counts-what-counts", max_per_month=1).no_show("2026-01-05", 1, "N1", provider=OTHER_PROVIDER)
         .no_show("2026-01-06", 2, "N2"), 2)
    # The policy changes on the 10th: those at 0 percent before it take the ranks, across versions.
    for name, policy, minutes in (("zero-percent-takes-rank", {"billable_percent": 0}, 0),
                                  ("not-to-budget-takes-rank", {"counts_to_budget": False}, 0),
                                  ("own-days-policy", {"billable_percent": 50}, 30)):
        case = (Case(name).decision(pxq(999, "TOTAL"), "2026-01-01", no_show={"max_per_month": 1, **policy})
                .decision(pxq(999, "TOTAL"), "2026-01-01", version=2, effective_from="2026-01-10", no_show={"max_per_month": 1})
                .no_show("2026-01-05", 60, "N1").no_show("2026-01-15", 60, "N2"))
        gave(case, minutes)
    # Ranks run across segments and providers.
    (Case("rank-across-segments").decision(pxq(9, "TOTAL"), "2026-01-01", no_show={"max_per_month": 1})
     .decision(pxq(8, "TOTAL"), "2026-01-01", version=2, effective_from="2026-01-10", provider=OTHER_PROVIDER, no_show={"max_per_month": 2})
     .no_show("2026-01-05", 1, "N1").no_show("2026-01-15", 2, "N2", provider=OTHER_PROVIDER).no_show("2026-01-16", 4, "N3", provider=OTHER_PROVIDER)
     .account(("2026-01-01", "2026-01-01", "2026-01-09", 9, None, 1, 1, 1), ("2026-01-10", "2026-01-10", None, 8, None, 2, 2, 2)))
    (base("delivered-includes-no-shows").line("2026-01-05", 10).no_show("2026-01-05", 5)
     .account(("2026-01-01", "2026-01-01", None, 999, None, 15, 15, 5)))


# ---------------------------------------------------------------------------------------------------------------
# Section 4: alerts

def budgets():
    kinds = [("surplus", surplus(0, 100), "SURPLUS"), ("total", pxq(100, "TOTAL"), "BUDGET"),
             ("year", pxq(100, "YEAR"), "BUDGET"), ("budget", year(100), "BUDGET")]
    for name, terms, kind in kinds:
        # An open-ended decision: the year budget is then whole.
        for minutes in (79, 80, 81, 99, 100, 101):
            # Half on one day and the rest on the next, on which the edge is reached.
            case = Case(f"{name}-{minutes}").decision(terms, "2026-01-01").line("2026-02-02", 40).line("2026-02-03", minutes - 40)
            low = [("2026-01-01", 80, "WARNING", "2026-02-03")] * (minutes >= 80)
            exhausted = [("2026-01-01", 100, "CRITICAL", "2026-02-03")] * (minutes >= 100)
            case.alert(f"{kind}_LOW", *low).alert(f"{kind}_EXHAUSTED", *exhausted)
    Case("first-such-day").decision(pxq(100, "TOTAL"), "2026-01-01").line("2026-02-02", 80).line("2026-02-03", 19).line(
        "2026-02-04", 1).line("2026-02-05", 50).alert("BUDGET_LOW", ("2026-01-01", 80, "WARNING", "2026-02-02")).alert(
        "BUDGET_EXHAUSTED", ("2026-01-01", 100, "CRITICAL", "2026-02-04"))
    for name, terms, kind in (("surplus", surplus(60, 0), "SURPLUS"), ("total", pxq(0, "TOTAL"), "BUDGET"), ("budget", year(0), "BUDGET")):
        Case(f"zero-{name}-untouched").decision(terms, "2026-01-01").alert(f"{kind}_LOW").alert(f"{kind}_EXHAUSTED")
        fixed = 60 if name == "surplus" else 0
        Case(f"zero-{name}-first-minute").decision(terms, "2026-01-01").line("2026-02-02", fixed + 1).alert(
            f"{kind}_LOW", ("2026-01-01", 80, "WARNING", "2026-02-02")).alert(
            f"{kind}_EXHAUSTED", ("2026-01-01", 100, "CRITICAL", "2026-02-02"))
    Case("zero-surplus-within-the-week").decision(surplus(60, 0), "2026-01-01").line("2026-02-02", 60).alert("SURPLUS_LOW")
    Case("future-delivery-exhausts").decision(pxq(10, "TOTAL"), "2026-01-01").line("2026-12-01", 10).alert(
        "BUDGET_EXHAUSTED", ("2026-01-01", 100, "CRITICAL", "2026-12-01"))
    for frequency, end in (("DAY", "2026-03-02"), ("WEEK", "2026-03-08"), ("FOUR_WEEKS", "2026-03-29"), ("MONTH", "2026-03-31")):
        for minutes in (99, 100, 101):
            rows = [("2026-03-02", None, "WARNING", "2026-03-02")] * (minutes > 100)
            Case(f"exceeded-{frequency}-{minutes}").decision(pxq(100, frequency), "2026-03-02").line("2026-03-02", minutes).alert(
                "PERIOD_EXCEEDED", *rows).alert("BUDGET_LOW").account(("2026-03-02", "2026-03-02", end, 100, None, minutes, minutes, 0))
    Case("exceeded-zero").decision(pxq(0, "WEEK"), "2026-03-02").line("2026-03-02", 1).alert(
        "PERIOD_EXCEEDED", ("2026-03-02", None, "WARNING", "2026-03-02"))


def projections():
    # A pool of 1,000 minutes over 100 days: after 28 days 280 minutes are due, and more than 308 is too fast.
    start = plus(AS_OF, -27)
    end = plus(start, 99)
    row = (start, None, "WARNING", end)
    for minutes, open_ in ((307, False), (308, False), (309, True), (999, True), (1000, False)):
        Case(f"projection-{minutes}").decision(pxq(1000, "TOTAL"), start, end).line(start, minutes).alert(
            "PROJECTED_EXHAUSTION", *[row] * open_)
    Case("projection-27-days", plus(AS_OF, -1)).decision(pxq(1000, "TOTAL"), start, end).line(start, 900).alert("PROJECTED_EXHAUSTION")
    Case("projection-counts-to-as-of").decision(pxq(1000, "TOTAL"), start, end).line(AS_OF, 308).line(plus(AS_OF, 1), 100).alert(
        "PROJECTED_EXHAUSTION")
    Case("projection-used-includes-future").decision(pxq(1000, "TOTAL"), start, end).line(AS_OF, 309).line(plus(AS_OF, 1), 691).alert(
        "PROJECTED_EXHAUSTION")
    Case("projection-open-ended").decision(pxq(1000, "TOTAL"), start).line(start, 900).alert("PROJECTED_EXHAUSTION")
    Case("projection-surplus").decision(surplus(100, 1000), start, end).line(start, 409).alert("PROJECTED_EXHAUSTION", row)
    Case("projection-surplus-not").decision(surplus(100, 1000), start, end).line(start, 408).alert("PROJECTED_EXHAUSTION")
    # After 100 days everything is due: on b itself 1,100 would be too fast, and that is exhausted; after b it ends.
    Case("projection-on-b", end).decision(pxq(1000, "TOTAL"), start, end).line(start, 999).alert("PROJECTED_EXHAUSTION")
    # 32 days of 100 make 352 the limit, so that 353 is too fast; before a nothing is projected.
    for n in (31, 32):
        Case(f"projection-day-{n}", plus(start, n - 1)).decision(pxq(1000, "TOTAL"), start, end).line(start, 352).alert(
            "PROJECTED_EXHAUSTION", *[row] * (n == 31))
    Case("projection-month-has-none").decision(pxq(1000, "MONTH"), "2026-03-01", "2026-12-31").line("2026-03-01", 990).alert("PROJECTED_EXHAUSTION")
    Case("projection-year").decision(pxq(1000, "YEAR"), start).line(start, 85).alert(
        "PROJECTED_EXHAUSTION", (start, None, "WARNING", plus(start, 364)))  # 1000 * 28 * 110 / 36500 = 84.4
    Case("projection-year-not").decision(pxq(1000, "YEAR"), start).line(start, 84).alert("PROJECTED_EXHAUSTION")


def bandwidths():
    # The week of Monday 16 March ends on the 22nd; 22 March + 14 = 5 April.
    for as_of, open_ in (("2026-04-04", False), ("2026-04-05", False), ("2026-04-06", True)):
        rows = [("2026-03-16", None, "WARNING", "2026-03-22")] * open_
        Case(f"below-{as_of}", as_of).decision(bandwidth(60, 120, "WEEK"), "2026-03-16", "2026-03-22").line("2026-03-16", 59).alert(
            "BANDWIDTH_BELOW", *rows)
        Case(f"below-empty-{as_of}", as_of).decision(bandwidth(60, 120, "WEEK"), "2026-03-16", "2026-03-22").alert("BANDWIDTH_BELOW", *rows)
    for minutes in (59, 60, 61):
        Case(f"below-{minutes}").decision(bandwidth(60, 120, "WEEK"), "2026-02-16", "2026-02-22").line("2026-02-18", minutes).alert(
            "BANDWIDTH_BELOW", *[("2026-02-16", None, "WARNING", "2026-02-22")] * (minutes < 60))
    for minutes in (119, 120, 121):
        Case(f"above-{minutes}").decision(bandwidth(60, 120, "MONTH"), "2026-02-16").line("2026-02-18", 100).line(
            "2026-02-19", minutes - 100).alert("BANDWIDTH_ABOVE", *[("2026-02-16", None, "WARNING", "2026-02-19")] * (minutes > 120)
                                               ).alert("PERIOD_EXCEEDED").alert("BUDGET_EXHAUSTED")
    Case("below-minimum-0").decision(bandwidth(0, 120, "WEEK"), "2026-01-05").alert("BANDWIDTH_BELOW")
    # One day of a week: floor(6 / 7) = 0, so that nothing can be below; floor(7 / 7) = 1 can.
    Case("below-broken-0").decision(bandwidth(6, 120, "WEEK"), "2026-03-01", "2026-03-01").alert("BANDWIDTH_BELOW")
    Case("below-broken-1").decision(bandwidth(7, 120, "WEEK"), "2026-03-01", "2026-03-01").alert(
        "BANDWIDTH_BELOW", ("2026-03-01", None, "WARNING", "2026-03-01"))
    # Four weeks from Wednesday 7 January: to 3 February, 3 March and 31 March; the last is not over for 14 days.
    Case("below-each-four-weeks").decision(bandwidth(60, 120, "FOUR_WEEKS"), "2026-01-07").line("2026-02-04", 60).alert(
        "BANDWIDTH_BELOW", ("2026-01-07", None, "WARNING", "2026-02-03"))
    # The leap day counts: February 2024 from the 15th has 15 of 29 days, floor(100 * 15 / 29) = 51.
    for minutes in (50, 51):
        Case(f"below-leap-{minutes}", "2024-03-15").decision(bandwidth(100, 120, "MONTH"), "2024-02-15").line("2024-02-20", minutes).alert(
            "BANDWIDTH_BELOW", *[("2024-02-15", None, "WARNING", "2024-02-29")] * (minutes < 51))
    Case("below-leap-grace", "2024-03-14").decision(bandwidth(100, 120, "MONTH"), "2024-02-15").alert("BANDWIDTH_BELOW")
    Case("below-no-show-helps").decision(bandwidth(60, 120, "WEEK"), "2026-02-16", "2026-02-22").no_show("2026-02-18", 60).alert("BANDWIDTH_BELOW")
    Case("below-future-segment").decision(bandwidth(60, 120, "WEEK"), "2026-06-01").alert("BANDWIDTH_BELOW")


def evaluations():
    # valid_from 30 November 2025: three months later is 28 February 2026.
    start, due = "2025-11-30", "2026-02-28"
    for n, severity in ((-15, None), (-14, "INFO"), (-1, "INFO"), (0, "WARNING"), (28, "WARNING"), (29, "CRITICAL")):
        rows = [(due, None, severity, due)] if severity else []
        Case(f"evaluation-at-{n}", plus(due, n)).decision(TASK, start, evaluation_months=[3]).alert("EVALUATION_DUE", *rows)
    late = (due, None, "CRITICAL", due)
    for n, held in ((-15, False), (-14, True), (0, True), (300, True)):
        Case(f"evaluation-held-{n}").decision(TASK, start, evaluation_months=[3]).evaluation(plus(due, n)).alert(
            "EVALUATION_DUE", *[late] * (not held))
    # Two dues: 28 February and 30 March; the window of the first ends before 16 March.
    second = ("2026-03-30", None, "WARNING", "2026-03-30")
    for day, rows in (("2026-02-14", [second]), ("2026-03-15", [second]), ("2026-03-16", [late]), ("2026-03-30", [late])):
        Case(f"evaluation-two-{day}").decision(TASK, start, evaluation_months=[4, 3, 3]).evaluation(day).alert("EVALUATION_DUE", *rows)
    for valid_to, open_ in (("2026-02-26", False), ("2026-02-27", True), ("2026-02-28", True)):
        Case(f"evaluation-valid-to-{valid_to}").decision(TASK, start, valid_to, evaluation_months=[3]).alert("EVALUATION_DUE", *[late] * open_)
    Case("evaluation-of-other-decision").decision(TASK, start, evaluation_months=[3]).evaluation(due, decision="WMO-2").alert("EVALUATION_DUE", late)
    Case("evaluation-of-other-municipality").decision(TASK, start, evaluation_months=[3]).evaluation(due, municipality="0363").alert("EVALUATION_DUE", late)
    Case("evaluation-in-the-future-counts").decision(TASK, start, evaluation_months=[3]).evaluation(plus(AS_OF, 30)).alert("EVALUATION_DUE")
    Case("evaluation-months-of-latest").decision(TASK, start, evaluation_months=[3]).decision(TASK, start, version=2, evaluation_months=[]).alert("EVALUATION_DUE")
    Case("evaluation-clamps", "2026-04-30").decision(TASK, "2026-01-31", evaluation_months=[1, 3]).alert(
        "EVALUATION_DUE", ("2026-02-28", None, "CRITICAL", "2026-02-28"), ("2026-04-30", None, "WARNING", "2026-04-30"))
    Case("evaluation-29-feb", "2025-02-28").decision(TASK, "2024-02-29", evaluation_months=[12]).alert(
        "EVALUATION_DUE", ("2025-02-28", None, "WARNING", "2025-02-28"))


def endings():
    end = "2026-05-26"  # 31 March + 56 days
    row = (None, None, "INFO", end)
    for n, open_ in ((-57, False), (-56, True), (-1, True), (0, True), (1, False)):
        Case(f"ending-{n}", plus(end, n)).decision(TASK, "2026-01-01", end).alert("DECISION_ENDING", *[row] * open_)
    for n, open_ in ((-1, False), (0, True)):
        Case(f"ending-short-{n}", plus("2026-05-01", n)).decision(TASK, "2026-05-01", end).alert("DECISION_ENDING", *[row] * open_)
    Case("ending-open-ended").decision(TASK, "2026-01-01").alert("DECISION_ENDING")


def stalls():
    start = "2026-01-01"
    for n, open_ in ((27, False), (28, True), (29, True)):
        day = plus(AS_OF, -n)
        rows = [(None, None, "WARNING", plus(day, 28))] * open_
        Case(f"stalled-{n}").decision(pxq(999, "TOTAL"), start).line(day, 5).alert("CARE_STALLED", *rows)
        Case(f"stalled-from-start-{n}").decision(pxq(999, "TOTAL"), day).alert("CARE_STALLED", *rows)
        Case(f"stalled-result-{n}").decision(result(1), day).alert("CARE_STALLED", *rows)
    old = ("2026-02-01", None)
    row = (None, None, "WARNING", "2026-03-01")
    Case("stalled-no-show-is-not-care").decision(pxq(999, "TOTAL"), "2026-02-01").no_show("2026-03-30").alert("CARE_STALLED", row)
    Case("stalled-future-care-does-not-help").decision(pxq(999, "TOTAL"), "2026-02-01").line("2026-04-01", 5).alert("CARE_STALLED", row)
    Case("stalled-care-on-as-of").decision(pxq(999, "TOTAL"), "2026-02-01").line(AS_OF, 5).alert("CARE_STALLED")
    Case("stalled-credited-care-is-none").decision(pxq(999, "TOTAL"), "2026-02-01").line(AS_OF, 5, "L1").credit("L1", AS_OF, 5).alert("CARE_STALLED", row)
    Case("stalled-task").decision(TASK, *old).alert("CARE_STALLED")
    Case("stalled-result-null").decision(result(None), *old).alert("CARE_STALLED")
    Case("stalled-result-0").decision(result(0), *old).alert("CARE_STALLED", row)
    Case("stalled-last-day-covered").decision(pxq(1, "TOTAL"), "2026-02-01", AS_OF).alert("CARE_STALLED", row)
    Case("stalled-over").decision(pxq(1, "TOTAL"), "2026-02-01", plus(AS_OF, -1)).alert("CARE_STALLED")
    Case("stalled-terms-of-as-of").decision(pxq(1, "TOTAL"), "2026-02-01").decision(
        TASK, "2026-02-01", version=2, effective_from=AS_OF).alert("CARE_STALLED")
    Case("stalled-terms-of-tomorrow").decision(pxq(1, "TOTAL"), "2026-02-01").decision(
        TASK, "2026-02-01", version=2, effective_from=plus(AS_OF, 1)).alert("CARE_STALLED", row)
    # One minute of a period line falls on its last day: before that there is no care.
    Case("stalled-minute-of-period-line").decision(pxq(1, "TOTAL"), "2026-02-01").line(
        "2026-03-01", 1, performed_until="2026-04-01").alert("CARE_STALLED", row)


# ---------------------------------------------------------------------------------------------------------------
# Section 5: anomalies over net lines

def anomalies():
    day = "2026-03-02"

    def base(name):
        return Case(name).decision(pxq(9999, "TOTAL"), "2025-01-01")

    for n in (92, 93):
        base(f"late-{n}").line(day, 5, "L1", recorded=at(plus(day, n), "23:59")).anomaly("LATE_DECLARATION", *[L("L1")] * (n > 92))
        base(f"late-period-{n}").line(plus(day, -9), 10, "L1", recorded=at(plus(day, n)), performed_until=day).anomaly(
            "LATE_DECLARATION", *[L("L1")] * (n > 92))
    for n in (1, 2):
        base(f"future-{n}").line(day, 5, "L1", recorded=at(plus(day, -n))).anomaly("FUTURE_DECLARATION", *[L("L1")] * (n > 1))
        base(f"future-period-{n}").line(plus(day, -9), 10, "L1", recorded=at(plus(day, -n)), performed_until=day).anomaly(
            "FUTURE_DECLARATION", *[L("L1")] * (n > 1))
    for minutes in (720, 721):
        base(f"duration-{minutes}").line(day, minutes, "L1").line(day, minutes, "L2", performed_until=day).line(
            day, minutes, "L3", performed_until=plus(day, 1)).anomaly("IMPLAUSIBLE_DURATION", *[L("L1"), L("L2")] * (minutes > 720))
    base("late-credited-is-none").line(day, 721, "L1", recorded=at(plus(day, 93))).credit("L1", day, 721).anomaly("LATE_DECLARATION").anomaly(
        "IMPLAUSIBLE_DURATION")
    Case("late-of-unknown-decision").line(day, 721, "L1", recorded=at(plus(day, -2))).anomaly("IMPLAUSIBLE_DURATION", L("L1")).anomaly(
        "FUTURE_DECLARATION", L("L1")).anomaly("UNKNOWN_DECISION", L("L1"))

    nine = at(day, "09:00")
    one, two = at(day, "18:00"), at(day, "18:01")

    def pair(name, first=None, second=None, **expected):
        case = (base(name).line(day, line="L1", recorded=one, **{"minutes": 60, "started_at": nine, **(first or {})})
                .line(day, line="L2", recorded=two, **{"minutes": 60, "started_at": nine, **(second or {})}))
        provider = (second or {}).get("provider", PROVIDER)
        for kind in ("DOUBLE_DECLARATION", "CLIENT_OVERLAP"):
            case.anomaly(kind, *[L("L2", provider)] * (kind == expected.get("kind")))

    pair("double", kind="DOUBLE_DECLARATION")
    pair("double-staff", {"staff": "s1"}, {"staff": "s1"}, kind="DOUBLE_DECLARATION")
    pair("double-other-minutes", {}, {"minutes": 10}, kind="DOUBLE_DECLARATION")
    pair("double-other-decision", {}, {"decision": "WMO-7", "municipality": "0363"}, kind="DOUBLE_DECLARATION")
    pair("overlap-other-staff", {"staff": "s1"}, {"staff": "s2"}, kind="CLIENT_OVERLAP")
    pair("overlap-null-staff", {"staff": "s1"}, {"staff": None}, kind="CLIENT_OVERLAP")
    pair("overlap-other-provider", {}, {"provider": OTHER_PROVIDER}, kind="CLIENT_OVERLAP")
    pair("no-overlap-unknown-time", {}, {"started_at": None})
    pair("no-overlap-both-unknown", {"started_at": None}, {"started_at": None})
    pair("overlap-last-minute", {}, {"started_at": at(day, "09:59")}, kind="CLIENT_OVERLAP")
    pair("no-overlap-touching", {}, {"started_at": at(day, "10:00")})
    pair("no-overlap-touching-before", {}, {"started_at": at(day, "08:00")})
    pair("overlap-before", {}, {"started_at": at(day, "08:01")}, kind="CLIENT_OVERLAP")
    pair("overlap-one-ms", {}, {"started_at": at(day, "10:00") - 1}, kind="CLIENT_OVERLAP")
    base("double-of-credited-is-none").line(day, 60, "L1", recorded=one, started_at=nine).credit("L1", day, 60).line(
        day, 60, "L2", recorded=two, started_at=nine).anomaly("DOUBLE_DECLARATION").anomaly("CLIENT_OVERLAP")
    # The third is a double of the first and overlaps the second: it carries both.
    (base("double-and-overlap").line(day, 60, "L1", recorded=one, started_at=nine).line(day, 60, "L2", recorded=two, started_at=nine, staff="s1")
     .line(day, 60, "L3", recorded=two + 1, started_at=nine).anomaly("DOUBLE_DECLARATION", L("L3")).anomaly("CLIENT_OVERLAP", L("L2"), L("L3")))
    # The one recorded later is the anomaly, whichever starts first; at the same instant the event_id decides.
    (base("overlap-order").line(day, 60, "L1", recorded=two, started_at=nine, event_id="00000000-0000-4000-8000-00000000000a")
     .line(day, 60, "L2", recorded=two, started_at=nine + 1, event_id="00000000-0000-4000-8000-00000000000A").anomaly("CLIENT_OVERLAP", L("L1")))
    (base("overlap-midnight").line(day, 120, "L1", recorded=one, started_at=at(day, "23:00"))
     .line(plus(day, 1), 30, "L2", recorded=two, started_at=at(plus(day, 1), "00:59")).anomaly("CLIENT_OVERLAP", L("L2")))

    def declared(name, open_, line=None, no_show=None):
        (base(name).line(day, 60, "L1", **(line or {})).no_show(day, 60, "N1", **(no_show or {}))
         .anomaly("DECLARED_NO_SHOW", *[L("L1")] * open_))

    known = {"started_at": nine}
    declared("declared-same-time", True, known, {"appointment_at": nine})
    declared("declared-cancelled", True, known, {"appointment_at": nine, "reason": "CLIENT_CANCELLED", "notice_minutes": 99999})
    declared("declared-provider-cancelled", False, known, {"appointment_at": nine, "reason": "PROVIDER_CANCELLED"})
    declared("declared-touching", False, known, {"appointment_at": at(day, "10:00"), "staff": "s1"})
    declared("declared-touching-same-staff", False, {**known, "staff": "s1"}, {"appointment_at": at(day, "10:00"), "staff": "s1"})
    declared("declared-one-minute", True, known, {"appointment_at": at(day, "09:59")})
    declared("declared-unknown-time-same-staff", True, {"staff": "s1"}, {"appointment_at": nine, "staff": "s1"})
    declared("declared-both-unknown-same-staff", True, {"staff": "s1"}, {"staff": "s1"})
    declared("declared-unknown-time-null-staff", False, {}, {"appointment_at": nine})
    declared("declared-unknown-time-other-staff", False, {"staff": "s1"}, {"appointment_at": nine, "staff": "s2"})
    declared("declared-until-same-day", True, {**known, "performed_until": day}, {"appointment_at": nine})
    declared("declared-period", False, {"performed_until": plus(day, 1), "staff": "s1"}, {"staff": "s1"})
    declared("declared-other-day", False, {"staff": "s1"}, {"staff": "s1", "appointment_on": plus(day, 1)})
    declared("declared-other-decision", False, known, {"appointment_at": nine, "decision": "WMO-2"})
    declared("declared-other-provider", False, known, {"appointment_at": nine, "provider": OTHER_PROVIDER})
    declared("declared-withdrawn", False, known, {"appointment_at": nine, "status": "WITHDRAWN"})
    Case("declared-of-unknown-decision").line(day, 60, "L1", started_at=nine).no_show(day, 60, "N1", appointment_at=nine).anomaly(
        "DECLARED_NO_SHOW", L("L1"))


# ---------------------------------------------------------------------------------------------------------------
# Settings: the figures in brackets of section 4

def settings():
    def exhausts(name, rules, threshold, **changes):
        # 50 of 100 minutes; the rules decide from which percentage on that is low.
        rows = [("2026-01-01", threshold, "WARNING", "2026-01-05")] * (threshold <= 50)
        return Case(name, rules=rules).decision(pxq(100, "TOTAL"), "2026-01-01", **changes).line("2026-01-05", 50).alert("BUDGET_LOW", *rows)

    def rule(*thresholds, **selectors):
        return {**selectors, "budget_thresholds_percent": list(thresholds)}

    exhausts("settings-for-all", [rule(50)], 50)
    exhausts("settings-51", [rule(51)], 51)
    exhausts("settings-municipality", [rule(40, municipality=MUNICIPALITY), rule(51)], 40)
    exhausts("settings-other-municipality", [rule(40, municipality="0363")], 80)
    exhausts("settings-file-order", [rule(40, law="WMO"), rule(41, municipality=MUNICIPALITY)], 41)
    exhausts("settings-more-selectors-win", [rule(40, law="WMO", product="02A03"), rule(41, municipality=MUNICIPALITY), rule(42)], 40)
    exhausts("settings-null-matches", [rule(40, law=None, product="02A03")], 40)
    exhausts("settings-other-key-stays", [rule(40), {"law": "WMO", "stalled_days": 999}], 40).alert("CARE_STALLED")
    # The latest version's law selects, also for what its predecessor granted.
    exhausts("settings-latest-version", [rule(40, law="JEUGDWET"), rule(41, law="WMO")], 40).decision(
        pxq(100, "TOTAL"), "2026-01-01", version=2, effective_from="2026-03-01", law="JEUGDWET")
    Case("settings-surplus", rules=[{"surplus_thresholds_percent": [50, 120]}]).decision(surplus(0, 100), "2026-01-01").line(
        "2026-01-05", 120).alert("SURPLUS_LOW", ("2026-01-01", 50, "WARNING", "2026-01-05")).alert(
        "SURPLUS_EXHAUSTED", ("2026-01-01", 120, "CRITICAL", "2026-01-05"))
    Case("settings-grace", "2026-03-23", [{"bandwidth_grace_days": 0}]).decision(bandwidth(60, 120, "WEEK"), "2026-03-16", "2026-03-22").alert(
        "BANDWIDTH_BELOW", ("2026-03-16", None, "WARNING", "2026-03-22"))
    due = "2026-02-28"
    for n, severity in ((-31, None), (-30, "INFO"), (7, "WARNING"), (8, "CRITICAL")):
        Case(f"settings-evaluation-{n}", plus(due, n), [{"evaluation_notice_days": 30, "evaluation_overdue_days": 7}]).decision(
            TASK, "2025-11-30", evaluation_months=[3]).alert("EVALUATION_DUE", *[(due, None, severity, due)] * (severity is not None))
    # The window in which it is held stays at 14 days: it stands outside the brackets.
    Case("settings-evaluation-window", due, [{"evaluation_notice_days": 30}]).decision(TASK, "2025-11-30", evaluation_months=[3]).evaluation(
        plus(due, -15)).alert("EVALUATION_DUE", (due, None, "WARNING", due))
    Case("settings-ending", plus("2026-05-26", -8), [{"ending_notice_days": 7}]).decision(TASK, "2026-01-01", "2026-05-26").alert("DECISION_ENDING")
    Case("settings-stalled", rules=[{"stalled_days": 7}]).decision(pxq(9, "TOTAL"), plus(AS_OF, -7)).alert(
        "CARE_STALLED", (None, None, "WARNING", AS_OF))
    start, end = plus(AS_OF, -6), plus(AS_OF, 93)  # after 7 of 100 days, 70 of 1,000 minutes are due
    for minutes in (70, 71):
        Case(f"settings-projection-{minutes}", rules=[{"projection_min_days": 7, "projection_percent": 100}]).decision(
            pxq(1000, "TOTAL"), start, end).line(start, minutes).alert("PROJECTED_EXHAUSTION", *[(start, None, "WARNING", end)] * (minutes > 70))


# ---------------------------------------------------------------------------------------------------------------
# Section 2: accepted or refused

def acceptance():
    """(topic, value, accepted): one change at a time of an event that is accepted, and the verdict."""
    case = Case("acceptance")
    CASES.remove(case)  # No case of its own; it only makes the events that are changed.
    (case.decision(pxq(1, "DAY"), "2026-01-01").line("2026-01-05", 5, "L1").no_show("2026-01-05", 5, "N1").evaluation("2026-01-05"))
    originals = {topic: value for topic, value in case.events}
    every = ["decisions", "declarations", "no-shows", "evaluations"]
    provided = every[:3]
    first, beyond = at("1900-01-01"), at("2200-01-01")
    rows = []

    def row(topics, accepted, **changes):
        for topic in [topics] if isinstance(topics, str) else topics:
            rows.append((topic, {**originals[topic], **changes}, accepted))

    row(every, True)
    for value, accepted in (("00000000-0000-4000-8000-00000000000F", True), ("aBcDeF00-ffff-0000-FFFF-000000000000", True),
                            ("00000000-0000-4000-8000-00000000000", False), ("00000000-0000-4000-8000-00000000000g", False),
                            ("000000000000-4000-8000-00000000-0000", False), ("{0000000-0000-4000-8000-000000000000}", False), ("", False)):
        row(every, accepted, event_id=value)
    for value, accepted in ((first, True), (first - 1, False), (beyond - 1, True), (beyond, False)):
        row(every, accepted, recorded_at=value)
        row("declarations", accepted, started_at=value)
        row("no-shows", accepted, appointment_at=value)
    for value, accepted in (("0000", True), ("059", False), ("05990", False), ("059x", False), ("", False), ("٠٥٩٩", False)):
        row(every, accepted, municipality=value)
    # 111222333 and 123456782 pass the eleven-test, 10000008 does with a zero before it.
    for value, accepted in (("c", True), ("A.z_9:-", True), ("c" * 64, True), ("c" * 65, False), ("", False), ("a b", False), ("é", False),
                            ("c\n", False), ("111222333", False), ("123456782", False), ("10000008", False), ("000000000", False),
                            ("111222334", True), ("10000009", True), ("0111222333", True), ("1234567", True), ("c111222333", True)):
        row(every, accepted, client=value)
    for value, accepted in (("d", True), ("é" * 64, True), ("𝒳" * 64, True), ("d" * 65, False), ("", False), ("a\0b", False)):
        row(every, accepted, decision=value)
    for value, accepted in (("00000000", True), ("4141999", False), ("414199990", False), ("4141999x", False), ("", False)):
        row(provided, accepted, provider=value)

    for value, accepted in ((1, True), (2**31 - 1, True), (0, False), (-1, False)):
        row("decisions", accepted, version=value)
    for value, accepted in (("é𝒳", True), ("0", False), ("020", False), ("", False)):
        row("decisions", accepted, product_category=value)
    for value, accepted in (("", True), ("éé𝒳éé", True), ("02A034", False)):
        row("decisions", accepted, product=value)
    row("decisions", True, valid_to="2026-01-01")
    row("decisions", False, valid_to="2025-12-31")
    row("decisions", True, valid_from="1900-01-01", effective_from="1900-01-01", valid_to="2199-12-31")
    row("decisions", False, valid_from="1899-12-31")
    row("decisions", False, valid_to="2200-01-01")
    for value, accepted in (("2199-12-31", True), ("2200-01-01", False), ("1899-12-31", False)):
        row("decisions", accepted, effective_from=value)
    for terms, accepted in ((pxq(0, "TOTAL"), True), (pxq(2**31 - 1, "DAY"), True), (pxq(-1, "DAY"), False), (bandwidth(5, 5, "WEEK"), True),
                            (bandwidth(0, 0, "MONTH"), True), (bandwidth(6, 5, "WEEK"), False), (bandwidth(-1, 5, "WEEK"), False),
                            (year(0), True), (year(-1), False), (surplus(0, 0), True), (surplus(-1, 0), False), (surplus(0, -1), False),
                            (result(0), True), (result(None), True), (result(-1), False), (TASK, True)):
        row("decisions", accepted, terms=terms)
    for changes, accepted in (({"price_cents": -1}, False), ({"result": ""}, True), ({"result": "\0"}, False), ({"result": "€" * 500}, True)):
        row("decisions", accepted, terms={"Result": {**result(1)["Result"], **changes}})
    policy = originals["decisions"]["no_show"]
    for field, values in (("billable_percent", ((0, True), (100, True), (101, False), (-1, False))),
                          ("max_per_month", ((0, True), (None, True), (-1, False))),
                          ("notice_hours", ((0, True), (168, True), (169, False), (-1, False)))):
        for value, accepted in values:
            row("decisions", accepted, no_show={**policy, field: value})
    for value, accepted in (([], True), ([1, 120, 1], True), ([0], False), ([3, 121], False), ([-3], False)):
        row("decisions", accepted, evaluation_months=value)
    for value, accepted in ((0, True), (None, True), (-1, False)):
        row("decisions", accepted, rate_cents_per_hour=value)

    for value, accepted in (("l", True), ("é" * 36, True), ("", False), ("l" * 37, False), ("\0", False)):
        row("declarations", accepted, line=value)
        row("no-shows", accepted, no_show=value)
    for value, accepted in (("s", True), ("𝒳" * 64, True), (None, True), ("", False), ("s" * 65, False), ("\0", False)):
        row("declarations", accepted, staff=value)
    row("no-shows", True, staff="s")
    row("declarations", True, kind="CREDIT", corrects="L0")
    row("declarations", False, kind="CREDIT", corrects=None)
    row("declarations", True, kind="DEBIT", corrects="L0")
    for n, accepted in ((-1, False), (0, True), (1, True), (365, True), (366, False)):
        row("declarations", accepted, performed_until=plus("2026-01-05", n))
    row("declarations", True, performed_until="2026-01-05", started_at=at("2026-01-05"))
    row("declarations", False, performed_until="2026-01-06", started_at=at("2026-01-05"))
    row("declarations", True, started_at=at("2019-01-01"))  # Not compared with its date.
    for value, accepted in ((1, True), (1440, True), (0, False), (-1, False), (1441, False)):
        row("declarations", accepted, minutes=value)
        row("no-shows", accepted, planned_minutes=value)
    for value, accepted in ((2880, True), (2881, False)):
        row("declarations", accepted, minutes=value, performed_until="2026-01-06")
    row("declarations", True, minutes=366 * 1440, performed_until="2027-01-05")
    for value, accepted in (("1900-01-01", True), ("1899-12-31", False), ("2199-12-31", True), ("2200-01-01", False)):
        row("declarations", accepted, performed_on=value)
        row("no-shows", accepted, appointment_on=value)
        row("evaluations", accepted, held_on=value)
    row("declarations", False, performed_on="2199-12-31", performed_until="2200-01-01")
    for value, accepted in ((0, True), (None, True), (2**31 - 1, True), (-1, False)):
        row("no-shows", accepted, notice_minutes=value)
    return rows


for build in (settings, pools, segments, winners, counting, no_shows, budgets, projections, bandwidths, evaluations, endings,
              stalls, anomalies):
    build()


# ---------------------------------------------------------------------------------------------------------------

def check():
    passed = failed = 0
    for case in CASES:
        for topic, value in case.events:
            oracle.validate(topic, value)
        oracle.check_settings(case.rules)
        state = oracle.compute(case.events, D(case.as_of), case.rules)
        for name, kind, want in case.wanted:
            have = case.have(name, kind, state)
            if have == want:
                passed += 1
            else:
                failed += 1
                print(f"{case.name} at {case.as_of}: {kind or name}: want {want}, have {have}")
    for number, (topic, value, accepted) in enumerate(acceptance(), 1):
        try:
            oracle.validate(topic, value)
            reason = None
        except oracle.Refused as refusal:
            reason = str(refusal)
        if (reason is None) == accepted:
            passed += 1
        else:
            failed += 1
            print(f"acceptance {number}: want {'accepted' if accepted else 'refused'}, have {reason}: {topic} {value}")
    print(f"{passed} passed, {failed} failed")
    return failed


def write(directory):
    os.makedirs(directory, exist_ok=True)
    events = [event for case in CASES for event in case.events]
    with open(os.path.join(directory, "edges.events.jsonl"), "w", encoding="utf-8") as f:
        for topic, value in events:
            f.write(json.dumps({"topic": topic, "value": value}, ensure_ascii=False) + "\n")
    # The same events also at other days, on which many of the cases have turned. The settings are the defaults.
    for as_of in (AS_OF,) + OTHER_AS_OFS:
        name = "edges.expected.json" if as_of == AS_OF else f"edges.expected-{as_of}.json"
        with open(os.path.join(directory, name), "w", encoding="utf-8") as f:
            json.dump(oracle.compute(events, D(as_of)), f, indent=1, ensure_ascii=False)
            f.write("\n")
    with open(os.path.join(directory, "edges.as-of"), "w", encoding="utf-8") as f:
        f.write(f"{AS_OF}\n")
    # One event a line, and beside it in the same order whether it is accepted.
    rows = acceptance()
    with open(os.path.join(directory, "acceptance.jsonl"), "w", encoding="utf-8") as f:
        for topic, value, accepted in rows:
            f.write(json.dumps({"topic": topic, "value": value, "accepted": accepted}, ensure_ascii=False) + "\n")


def main():
    parser = argparse.ArgumentParser(description="Cases at the edges of the specification.")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--write", metavar="DIR")
    parser.add_argument("--list", action="store_true")
    args = parser.parse_args()
    if args.list:
        for case in CASES:
            print(case.name)
    if args.write:
        write(args.write)
    if args.check and check():
        sys.exit(1)


if __name__ == "__main__":
    main()
