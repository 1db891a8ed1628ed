#!/usr/bin/env python3
"""Writes tests/data/avro: bytes made by fastavro, another implementation of Avro, with what must come of them.

usage: make_golden.py [--check]

--check makes everything anew in memory and compares it with the files; exit 1 when something differs, 77 when
fastavro is not installed.

index.json holds
  schemas  [{file, canonical, fingerprint}]: each schema's Parsing Canonical Form and CRC-64-AVRO as fastavro has them
  cases    [{name, topic, bytes (a file), line or refused}]: the event that must come out, as the line of JSON that
           stands for it, or the reason of the refusal. `unknown` is true where the writer's schema is not added.
"""
import copy
import io
import json
import pathlib
import sys

try:
    import fastavro
    import fastavro.schema
except ImportError:
    print("make_golden.py: fastavro is not installed", file=sys.stderr)
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = ROOT / "tests" / "data" / "avro"
TOPICS = {"decisions": "decision", "declarations": "declaration", "no-shows": "no_show", "evaluations": "evaluation"}
DATES = {"valid_from", "valid_to", "effective_from", "performed_on", "performed_until", "appointment_on", "held_on"}


def newest(topic):
    return json.loads((ROOT / "schemas" / (TOPICS[topic] + ".avsc")).read_text())


# ---- the events, as lines of JSON -----------------------------------------------------------------------------

HEAD = {"event_id": "9F3c1ef7-0d83-4e66-9ca1-95d682d0164A", "recorded_at": 1768256460000, "municipality": "0363",
        "client": "c1:a.b_c-7", "decision": "WMO-123"}
DECLARATION = dict(HEAD, provider="41410002", line="L-1", kind="CREDIT", corrects="L-0", performed_on="2024-02-29",
                   performed_until="2024-03-01", started_at=None, minutes=2880, staff="Zoë \U0001F600 \"q\"\\ \t")
BARE = dict(HEAD, provider="41410002", line="L", kind="DEBIT", corrects=None, performed_on="1900-01-01",
            performed_until=None, started_at=-2208988800000, minutes=1, staff=None)
NO_SHOW = dict(HEAD, provider="41410002", no_show="N5", status="WITHDRAWN", appointment_on="2199-12-31",
               appointment_at=7258118399999, planned_minutes=1440, reason="PROVIDER_CANCELLED", notice_minutes=0,
               staff="s2")
EVALUATION = dict(HEAD, held_on="2025-11-15", outcome="END")
TERMS = [
    {"Pxq": {"volume_minutes": 3000, "frequency": "TOTAL"}},
    {"Bandwidth": {"min_minutes": 60, "max_minutes": 240, "per": "FOUR_WEEKS"}},
    {"YearBudget": {"minutes_per_year": 2147483647}},
    {"FixedPlusSurplus": {"minutes_per_week": 0, "surplus_minutes": 1200}},
    {"Result": {"result": "", "price_cents": 45000, "expected_minutes_per_week": 120}},
    {"Result": {"result": "structuur", "price_cents": 0, "expected_minutes_per_week": None}},
    {"Task": {}},
]


def decision(terms, months=(3,), **more):
    value = dict(HEAD, version=1, status="ACTIVE", law="PARTICIPATIEWET", product_category="02", product="02A03",
                 care="INTENSIVE", provider="41410002", valid_from="2025-12-18", valid_to=None,
                 effective_from="2025-12-18", terms=terms,
                 no_show={"billable_percent": 75, "max_per_month": None, "notice_hours": 24,
                          "counts_to_budget": True},
                 evaluation_months=list(months), rate_cents_per_hour=6230)
    value.update(more)
    return value


# ---- from an event to what fastavro writes --------------------------------------------------------------------

def datum(value, space="nl.urenwacht."):
    """Dates become days, `terms` a pair of branch and record."""
    import datetime
    out = {}
    for key, item in value.items():
        if key in DATES and item is not None:
            out[key] = (datetime.date.fromisoformat(item) - datetime.date(1970, 1, 1)).days
        elif key == "terms":
            (name, fields), = item.items()
            out[key] = (space + name, fields)
        else:
            out[key] = item
    return out


def encode(schema, value):
    parsed = fastavro.parse_schema(copy.deepcopy(schema), named_schemas={})
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, parsed, value)
    return b"\xc3\x01" + fingerprint(schema) + buffer.getvalue()


def canonical(schema):
    return fastavro.schema.to_parsing_canonical_form(copy.deepcopy(schema))


def fingerprint(schema):
    """The 8 bytes of the header, little-endian, which is how fastavro spells it."""
    return bytes.fromhex(fastavro.schema.fingerprint(canonical(schema), "CRC-64-AVRO"))


# ---- changes of a writer's schema -----------------------------------------------------------------------------

def field(schema, name):
    return next(f for f in schema["fields"] if f["name"] == name)


def changed(topic, change):
    schema = newest(topic)
    change(schema)
    return schema


def retyped(topic, **types):
    def change(schema):
        for name, kind in types.items():
            field(schema, name)["type"] = kind
            field(schema, name).pop("default", None)
    return changed(topic, change)


def reverse_fields(schema):
    """In every record; what defines a name moves with it."""
    schema["fields"].reverse()
    for item in schema["fields"]:
        kinds = item["type"] if isinstance(item["type"], list) else [item["type"]]
        for kind in kinds:
            if isinstance(kind, dict) and kind.get("type") == "record":
                reverse_fields(kind)


EXTRA_TYPES = [
    ("x_null", "null", None), ("x_boolean", "boolean", True), ("x_int", "int", -2147483648),
    ("x_long", "long", 9223372036854775807), ("x_float", "float", 1.5), ("x_double", "double", -2.5),
    ("x_bytes", "bytes", b"\x00\xff\xfe"), ("x_string", "string", "más"),
    ("x_fixed", {"type": "fixed", "name": "Sixteen", "size": 16}, b"0123456789abcdef"),
    ("x_enum", {"type": "enum", "name": "Colour", "symbols": ["RED", "BLUE"]}, "BLUE"),
    ("x_array", {"type": "array", "items": {"type": "array", "items": "string"}}, [["a", "b"], [], ["c"]]),
    ("x_map", {"type": "map", "values": "long"}, {"k": 1, "l": -1}),
    ("x_union", ["null", "string", {"type": "map", "values": "Colour"}], {"k": "RED"}),
    ("x_record", {"type": "record", "name": "Inner", "fields": [{"name": "a", "type": "int"},
                                                               {"name": "b", "type": ["null", "double"]}]},
     {"a": 1, "b": 2.0}),
    ("x_tree", {"type": "record", "name": "Tree", "fields": [
        {"name": "v", "type": "int"}, {"name": "children", "type": {"type": "array", "items": "Tree"}}]},
     {"v": 1, "children": [{"v": 2, "children": []}, {"v": 3, "children": [{"v": 4, "children": []}]}]}),
    ("x_empty", {"type": "record", "name": "Empty", "fields": []}, {}),
]


def with_extras(topic):
    """A field of every type between ours."""
    def change(schema):
        fields = []
        for i, ours in enumerate(schema["fields"]):
            fields.append(ours)
            if i < len(EXTRA_TYPES):
                fields.append({"name": EXTRA_TYPES[i][0], "type": EXTRA_TYPES[i][1]})
        for name, kind, _ in EXTRA_TYPES[len(schema["fields"]):]:
            fields.append({"name": name, "type": kind})
        schema["fields"] = fields
    return changed(topic, change)


EXTRAS = {name: value for name, _, value in EXTRA_TYPES}


# ---- everything -----------------------------------------------------------------------------------------------

class Golden:
    def __init__(self):
        self.files, self.schemas, self.cases = {}, [], []

    def schema(self, name, schema):
        file = name + ".avsc"
        if file not in self.files:
            self.files[file] = (json.dumps(schema, indent=1) + "\n").encode()
            self.note(file, schema)

    def note(self, file, schema):
        self.schemas.append({"file": file, "canonical": canonical(schema),
                             "fingerprint": fingerprint(schema)[::-1].hex()})

    def case(self, name, topic, data, line=None, refused=None, unknown=False):
        file = name + ".bin"
        assert file not in self.files, file
        self.files[file] = data
        case = {"name": name, "topic": topic, "bytes": file}
        if line is not None:
            case["line"] = json.dumps({"topic": topic, "value": line})
        else:
            case["refused"] = refused
        if unknown:
            case["unknown"] = True
        self.cases.append(case)

    def written(self, name, topic, value, schema=None, line=None, refused=None, raw=None):
        """`value` written with `schema` (the newest one by default) must be read as `line` (itself by default)."""
        if schema is not None:
            self.schema(name, schema)
        data = encode(schema or newest(topic), raw if raw is not None else datum(value))
        self.case(name, topic, data, None if refused else (line or value), refused)


def plain(g):
    g.written("declaration", "declarations", DECLARATION)
    g.written("declaration-bare", "declarations", BARE)
    g.written("no-show", "no-shows", NO_SHOW)
    g.written("evaluation", "evaluations", EVALUATION)
    for i, terms in enumerate(TERMS):
        g.written("decision-%d-%s" % (i, next(iter(terms)).lower()), "decisions",
                  decision(terms, months=range(1, 1 + 3 * i), valid_to=None if i % 2 else "2026-02-28"))


def resolved(g):
    for topic, value in (("declarations", DECLARATION), ("no-shows", NO_SHOW), ("evaluations", EVALUATION),
                         ("decisions", decision(TERMS[4]))):
        g.written("reversed-" + topic, topic, value, changed(topic, reverse_fields))
        extra = dict(datum(value), **EXTRAS)
        g.written("extras-" + topic, topic, value, with_extras(topic), raw=extra)

    def drop(schema):
        schema["fields"] = [f for f in schema["fields"] if "default" not in f]
    g.written("dropped-declarations", "declarations", BARE, changed("declarations", drop),
              line=dict(BARE, started_at=None))
    g.written("dropped-decisions", "decisions", decision(TERMS[0]), changed("decisions", drop),
              line=decision(TERMS[0], valid_to=None, rate_cents_per_hour=None))

    def drop_inner(schema):
        for branch in field(schema, "terms")["type"]:
            branch["fields"] = [f for f in branch["fields"] if "default" not in f]
        policy = field(schema, "no_show")["type"]
        policy["fields"] = [f for f in policy["fields"] if "default" not in f]
    g.written("dropped-inner", "decisions", decision(TERMS[4]), changed("decisions", drop_inner),
              line=decision(TERMS[5] | {"Result": dict(TERMS[4]["Result"], expected_minutes_per_week=None)}))

    g.written("promoted-long", "declarations", dict(DECLARATION, recorded_at=1768256),
              retyped("declarations", recorded_at="int"))
    g.written("promoted-union", "declarations", dict(BARE, started_at=-5),
              retyped("declarations", started_at=["null", "int"]))
    texts = ["event_id", "municipality", "client", "decision", "provider", "line"]
    g.written("promoted-bytes", "declarations", DECLARATION,
              retyped("declarations", **{name: "bytes" for name in texts}, staff=["null", "bytes"]),
              raw=dict(datum(DECLARATION), **{n: DECLARATION[n].encode() for n in texts + ["staff"]}))
    g.written("promoted-bytes-not-text", "declarations", DECLARATION, retyped("declarations", line="bytes"),
              refused="MALFORMED", raw=dict(datum(DECLARATION), line=b"\xff"))


def unions(g):
    g.written("union-order", "declarations", DECLARATION, retyped("declarations", corrects=["string", "null"]))
    g.written("union-order-null", "declarations", BARE, retyped("declarations", corrects=["string", "null"],
                                                                line="string"))
    wide = retyped("declarations", minutes=["int", "string", "null"])
    g.written("union-wider", "declarations", DECLARATION, wide)
    g.written("union-wider-string", "declarations", DECLARATION, wide, refused="MALFORMED",
              raw=dict(datum(DECLARATION), minutes="many"))
    g.written("union-wider-null", "declarations", DECLARATION, wide, refused="MALFORMED",
              raw=dict(datum(DECLARATION), minutes=None))
    g.written("union-int-long", "declarations", DECLARATION, retyped("declarations", minutes=["long", "int"]),
              refused="MALFORMED", raw=dict(datum(DECLARATION), minutes=1))
    g.written("union-none", "declarations", DECLARATION,
              retyped("declarations", staff="string", corrects="string", performed_until="int"))
    g.written("union-only-null", "declarations", BARE, retyped("declarations", staff="null", corrects="null"))

    def one_form(schema):
        field(schema, "terms")["type"] = field(schema, "terms")["type"][0]
    g.written("terms-one", "decisions", decision(TERMS[0]), changed("decisions", one_form),
              raw=dict(datum(decision(TERMS[0])), terms=TERMS[0]["Pxq"]))

    def more_forms(schema):
        forms = field(schema, "terms")["type"]
        forms.reverse()
        forms.insert(2, {"type": "record", "name": "Hourly", "fields": [{"name": "n", "type": "int"}]})
        forms.insert(0, "null")
    more = changed("decisions", more_forms)
    for i, terms in enumerate(TERMS):
        g.written("terms-more-%d" % i, "decisions", decision(terms), more)
    g.written("terms-more-hourly", "decisions", None, more, refused="MALFORMED",
              raw=dict(datum(decision(TERMS[0])), terms=("nl.urenwacht.Hourly", {"n": 1})))
    g.written("terms-more-null", "decisions", None, more, refused="MALFORMED",
              raw=dict(datum(decision(TERMS[0])), terms=None))


def enums_and_names(g):
    def other_order(schema):
        field(schema, "reason")["type"]["symbols"] = ["PROVIDER_CANCELLED", "WEATHER", "CLIENT_CANCELLED",
                                                      "CLIENT_ABSENT"]
        field(schema, "status")["type"]["symbols"].reverse()
    other = changed("no-shows", other_order)
    for reason in ("CLIENT_ABSENT", "CLIENT_CANCELLED", "PROVIDER_CANCELLED"):
        g.written("enum-order-" + reason.lower().replace("_", "-"), "no-shows", dict(NO_SHOW, reason=reason), other)
    g.written("enum-unknown", "no-shows", dict(NO_SHOW, reason="WEATHER"), other, refused="MALFORMED")

    def other_space(schema):
        schema["namespace"] = "com.example.care"
    g.written("other-namespace", "decisions", decision(TERMS[1]), changed("decisions", other_space),
              raw=datum(decision(TERMS[1]), "com.example.care."))

    def other_name(schema):
        schema["name"] = "Claim"
    g.written("other-name", "declarations", DECLARATION, changed("declarations", other_name), refused="WRONG_SCHEMA")

    def other_enum(schema):
        field(schema, "kind")["type"]["name"] = "Direction"
    g.written("other-enum", "declarations", DECLARATION, changed("declarations", other_enum), refused="WRONG_SCHEMA")

    def without_line(schema):
        schema["fields"].remove(field(schema, "line"))
    g.written("missing-field", "declarations", DECLARATION, changed("declarations", without_line),
              refused="WRONG_SCHEMA")
    for kind, value in (("long", 1), ("double", 1.0), ("string", "1"), ("boolean", True), ("null", None)):
        g.written("minutes-" + kind, "declarations", DECLARATION, retyped("declarations", minutes=kind),
                  refused="WRONG_SCHEMA", raw=dict(datum(DECLARATION), minutes=value))
    g.case("wrong-topic", "evaluations", encode(newest("declarations"), datum(DECLARATION)), refused="WRONG_SCHEMA")
    unknown = retyped("declarations", minutes=["null", "int"], line="bytes", kind="string")
    g.case("unknown-schema", "declarations",
           encode(unknown, dict(datum(DECLARATION), line=b"L")), refused="UNKNOWN_SCHEMA", unknown=True)


def rules(g):
    for name, change in (("minutes-zero", {"minutes": 0}), ("no-uuid", {"event_id": "123"}),
                         ("bsn", {"client": "111222333"}), ("nul", {"staff": "a\0b"}), ("empty-line", {"line": ""}),
                         ("long-staff", {"staff": "é" * 65})):
        g.written("rule-" + name, "declarations", dict(DECLARATION, **change), refused="RULE")
    g.written("rule-staff-64", "declarations", dict(DECLARATION, staff="é" * 64))
    for name in ("performed_on", "performed_until"):
        g.written("rule-none-" + name.replace("_", "-"), "declarations", None, refused="RULE",
                  raw=dict(datum(DECLARATION), **{name: -2**31}))
    g.written("rule-none-started-at", "declarations", None, refused="RULE", raw=dict(datum(BARE), started_at=-2**63))
    g.written("rule-none-rate", "decisions", None, refused="RULE",
              raw=dict(datum(decision(TERMS[0])), rate_cents_per_hour=-2**31))


def zigzag(number):
    number = (number << 1) ^ (number >> 63)
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def blocks(g):
    """Arrays in blocks that fastavro would not choose, but which Avro allows, and some that it does not."""
    value = decision(TERMS[6], months=[3])
    data = encode(newest("decisions"), datum(value))
    ours, tail = zigzag(1) + zigzag(3) + zigzag(0), zigzag(1) + zigzag(6230)
    assert data.endswith(ours + tail)
    front = data[:-len(ours + tail)]
    months = [1, 2, 3, 120]
    items = b"".join(zigzag(m) for m in months)
    line = decision(TERMS[6], months=months)
    many = list(range(1, 121)) * 3
    each = b"".join(zigzag(1) + zigzag(m) for m in many)
    good = {"sized": zigzag(-4) + zigzag(len(items)) + items + zigzag(0),
            "two": zigzag(1) + zigzag(1) + zigzag(-3) + zigzag(len(items) - 1) + items[1:] + zigzag(0)}
    for name, array in good.items():
        g.case("blocks-" + name, "decisions", front + array + tail, line)
    g.case("blocks-many", "decisions", front + each + zigzag(0) + tail, decision(TERMS[6], months=many))
    bad = {"wrong-size": (zigzag(-4) + zigzag(len(items) - 1) + items + zigzag(0), "MALFORMED"),
           "negative-size": (zigzag(-4) + zigzag(-1) + items + zigzag(0), "MALFORMED"),
           "huge-count": (zigzag(2**62) + items, "TRUNCATED"),
           "huge-negative-count": (zigzag(-2**63) + zigzag(len(items)) + items, "TRUNCATED"),
           "huge-size": (zigzag(-4) + zigzag(2**40) + items, "TRUNCATED"),
           "long-number": (b"\xff" * 10 + b"\x01" + items, "MALFORMED"),
           "item-too-large": (zigzag(1) + zigzag(2**31) + zigzag(0), "MALFORMED")}
    for name, (array, reason) in bad.items():
        g.case("blocks-" + name, "decisions", front + array + tail, refused=reason)


def broken(g):
    data = encode(newest("declarations"), datum(BARE))
    g.case("broken-trailing", "declarations", data + b"\0", refused="TRAILING_BYTES")
    g.case("broken-empty", "declarations", b"", refused="EMPTY_VALUE")
    g.case("broken-json", "declarations", b'{"line": 1}', refused="NOT_AVRO")
    g.case("broken-confluent", "declarations", b"\0\0\0\0\1" + data[10:], refused="NOT_AVRO")
    g.case("broken-second-byte", "declarations", b"\xc3\x02" + data[2:], refused="NOT_AVRO")
    g.case("broken-large", "declarations", data + b"\0" * (256 * 1024), refused="TOO_LARGE")
    position = data.index(zigzag(36)) + 1 + 36
    g.case("broken-number", "declarations", data[:position] + b"\xff" * 9 + b"\x02" + data[position + 6:],
           refused="MALFORMED")
    length = position + len(zigzag(HEAD["recorded_at"]))
    assert data[length:length + 1] == zigzag(4)
    g.case("broken-negative-length", "declarations", data[:length] + zigzag(-4) + data[length + 1:],
           refused="MALFORMED")
    g.case("broken-huge-length", "declarations", data[:length] + zigzag(2**62) + data[length + 1:],
           refused="TRUNCATED")


def build():
    g = Golden()
    for topic in TOPICS:
        g.note("../../../schemas/" + TOPICS[topic] + ".avsc", newest(topic))
    for name in ("alert", "anomaly"):
        g.note("../../../schemas/" + name + ".avsc", json.loads((ROOT / "schemas" / (name + ".avsc")).read_text()))
    for name, text in (("int", '"int"'), ("float", '{"type": "float", "x": [1]}'),
                       ("names", '{"type":"record","name":"a.b.R","doc":"\\u20ac","aliases":["Old"],"fields":['
                                 '{"name":"self","type":["null","R"],"default":null,"order":"ignore"},'
                                 '{"name":"f","type":{"type":"fixed","namespace":"c","name":"F","size":16}},'
                                 '{"name":"e","type":{"type":"enum","name":"d.E","symbols":["A","B"],"default":"A"}},'
                                 '{"name":"again","type":{"type":"map","values":"c.F"}},'
                                 '{"name":"more","type":{"type":"array","items":{"type":"string",'
                                 '"logicalType":"uuid"}}}]}')):
        g.schema("schema-" + name, json.loads(text))
    for part in (plain, resolved, unions, enums_and_names, rules, blocks, broken):
        part(g)
    index = {"schemas": g.schemas, "cases": g.cases}
    g.files["index.json"] = (json.dumps(index, indent=1) + "\n").encode()
    return g.files


def main():
    files = build()
    if sys.argv[1:] == ["--check"]:
        there = {p.name: p.read_bytes() for p in TARGET.iterdir() if p.is_file()}
        differing = sorted(n for n in there.keys() | files.keys() if there.get(n) != files.get(n))
        for name in differing:
            print("make_golden.py: %s differs from what fastavro makes" % name, file=sys.stderr)
        sys.exit(1 if differing else 0)
    TARGET.mkdir(parents=True, exist_ok=True)
    for old in TARGET.iterdir():
        if old.is_file():
            old.unlink()
    for name, data in files.items():
        (TARGET / name).write_bytes(data)
    print("%d files" % len(files))


if __name__ == "__main__":
    main()
