-- Facts: a row for every accepted event, in the form in which it is loaded again. Enumerations are the numbers
-- of the Avro symbols, which keeps the rows of the largest tables short; the views give them their names.

-- Not STRICT, although null gives null: PostgreSQL then puts them into the statements, where they cost next to nothing.
CREATE FUNCTION urenwacht_data.law_name(code smallint) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (ARRAY['WMO', 'JEUGDWET', 'PARTICIPATIEWET'])[code + 1];
CREATE FUNCTION urenwacht_data.care_name(code smallint) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (ARRAY['CONTINUOUS', 'INTENSIVE'])[code + 1];
CREATE FUNCTION urenwacht_data.model_name(code smallint) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (ARRAY['Pxq', 'Bandwidth', 'YearBudget', 'FixedPlusSurplus', 'Result', 'Task'])[code + 1];
CREATE FUNCTION urenwacht_data.frequency_name(code smallint) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (ARRAY['DAY', 'WEEK', 'FOUR_WEEKS', 'MONTH', 'YEAR', 'TOTAL'])[code + 1];
COMMENT ON FUNCTION urenwacht_data.law_name IS 'Name of the code of a law.';
COMMENT ON FUNCTION urenwacht_data.care_name IS 'Name of the code of a kind of care.';
COMMENT ON FUNCTION urenwacht_data.model_name IS 'Name of the code of a funding form.';
COMMENT ON FUNCTION urenwacht_data.frequency_name IS 'Name of the code of a frequency.';

-- Event ids are ordered by the bytes of their text (SPEC section 2), so its upper-case digits are kept.
CREATE FUNCTION urenwacht_data.event_id_text(event_id uuid, upper_digits integer) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN upper_digits IS NULL THEN event_id::text ELSE (
        SELECT string_agg(CASE WHEN t.letter <> '-' AND (upper_digits >> (t.digit - 1)::integer) & 1 = 1
                               THEN upper(t.letter) ELSE t.letter END, '' ORDER BY t.place)
          FROM (SELECT l.letter, l.place, count(*) FILTER (WHERE l.letter <> '-') OVER (ORDER BY l.place) AS digit
                  FROM regexp_split_to_table(event_id::text, '') WITH ORDINALITY l (letter, place)) t) END;
COMMENT ON FUNCTION urenwacht_data.event_id_text IS 'The event id as its source wrote it.';

-- Columns stand by their alignment, so that nothing is padded. There is no key: it would be partition and offset, which
-- urenwacht_data.advance() lets nobody write twice; an index of it would take a quarter of what a row costs, and nothing
-- reads by it. A fact that were there twice would count once, as a redelivery; `urenwacht verify` tells of it.
CREATE TABLE urenwacht_data.decision_fact (
    kafka_offset bigint NOT NULL,
    accepted_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    partition integer NOT NULL,
    version integer NOT NULL,
    valid_from date NOT NULL,
    effective_from date NOT NULL,
    valid_to date,
    volume_minutes integer,
    min_minutes integer,
    max_minutes integer,
    minutes_per_year integer,
    minutes_per_week integer,
    surplus_minutes integer,
    price_cents integer,
    expected_minutes_per_week integer,
    max_per_month integer,
    rate_cents_per_hour integer,
    event_id_upper integer,
    status smallint NOT NULL,
    law smallint NOT NULL,
    care smallint NOT NULL,
    model smallint NOT NULL,
    billable_percent smallint NOT NULL,
    notice_hours smallint NOT NULL,
    frequency smallint,
    redelivery boolean NOT NULL,
    counts_to_budget boolean NOT NULL,
    event_id uuid NOT NULL,
    client text COLLATE "C" NOT NULL,
    municipality text COLLATE "C" NOT NULL,
    decision text COLLATE "C" NOT NULL,
    provider text COLLATE "C" NOT NULL,
    product_category text COLLATE "C" NOT NULL,
    product text COLLATE "C" NOT NULL,
    result text COLLATE "C",
    evaluation_months integer[] NOT NULL
);

CREATE TABLE urenwacht_data.declaration_fact (
    kafka_offset bigint NOT NULL,
    accepted_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    started_at timestamptz,
    partition integer NOT NULL,
    performed_on date NOT NULL,
    minutes integer NOT NULL,
    performed_until date,
    event_id_upper integer,
    kind smallint NOT NULL,
    redelivery boolean NOT NULL,
    event_id uuid NOT NULL,
    client text COLLATE "C" NOT NULL,
    municipality text COLLATE "C" NOT NULL,
    decision text COLLATE "C" NOT NULL,
    provider text COLLATE "C" NOT NULL,
    line text COLLATE "C" NOT NULL,
    corrects text COLLATE "C",
    staff text COLLATE "C"
);

CREATE TABLE urenwacht_data.no_show_fact (
    kafka_offset bigint NOT NULL,
    accepted_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    appointment_at timestamptz,
    partition integer NOT NULL,
    appointment_on date NOT NULL,
    planned_minutes integer NOT NULL,
    notice_minutes integer,
    event_id_upper integer,
    status smallint NOT NULL,
    reason smallint NOT NULL,
    redelivery boolean NOT NULL,
    event_id uuid NOT NULL,
    client text COLLATE "C" NOT NULL,
    municipality text COLLATE "C" NOT NULL,
    decision text COLLATE "C" NOT NULL,
    provider text COLLATE "C" NOT NULL,
    no_show text COLLATE "C" NOT NULL,
    staff text COLLATE "C"
);

CREATE TABLE urenwacht_data.evaluation_fact (
    kafka_offset bigint NOT NULL,
    accepted_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    partition integer NOT NULL,
    held_on date NOT NULL,
    event_id_upper integer,
    outcome smallint NOT NULL,
    redelivery boolean NOT NULL,
    event_id uuid NOT NULL,
    client text COLLATE "C" NOT NULL,
    municipality text COLLATE "C" NOT NULL,
    decision text COLLATE "C" NOT NULL
);

-- Facts of a client are loaded at once, and written in the order of clients, which halves the cost of the index by
-- client. A decision is found by its versions and leads to its client; an index by decision on the lines as well, by
-- far the most rows, would cost 40 % of the speed at which facts come in.
CREATE INDEX decision_fact_decision ON urenwacht_data.decision_fact (municipality, decision);
CREATE INDEX no_show_fact_decision ON urenwacht_data.no_show_fact (municipality, decision);
CREATE INDEX evaluation_fact_decision ON urenwacht_data.evaluation_fact (municipality, decision);

DO $$
DECLARE
    kind text;
BEGIN
    FOREACH kind IN ARRAY ARRAY['decision', 'declaration', 'no_show', 'evaluation'] LOOP
        EXECUTE format('CREATE INDEX %1$s_fact_client ON urenwacht_data.%1$s_fact (client)', kind);
        EXECUTE format('ALTER TABLE urenwacht_data.%s_fact SET (autovacuum_analyze_scale_factor = 0.05)', kind);
        EXECUTE format('COMMENT ON COLUMN urenwacht_data.%s_fact.partition IS %L', kind, 'Partition of the input topic.');
        EXECUTE format('COMMENT ON COLUMN urenwacht_data.%s_fact.kafka_offset IS %L', kind, 'Offset in the partition.');
        EXECUTE format('COMMENT ON COLUMN urenwacht_data.%s_fact.accepted_at IS %L', kind, 'When the batch with it was judged.');
        EXECUTE format('COMMENT ON COLUMN urenwacht_data.%s_fact.redelivery IS %L', kind, 'An equal fact was there already; kept for the record only.');
        EXECUTE format('COMMENT ON COLUMN urenwacht_data.%s_fact.event_id IS %L', kind, 'Id that the source gave the event.');
        EXECUTE format('COMMENT ON COLUMN urenwacht_data.%s_fact.event_id_upper IS %L', kind, 'A bit for every digit of the id written in upper case, the first digit lowest; null: none.');
        EXECUTE format('COMMENT ON COLUMN urenwacht_data.%s_fact.recorded_at IS %L', kind, 'When the source recorded it.');
        EXECUTE format('COMMENT ON COLUMN urenwacht_data.%s_fact.client IS %L', kind, 'Pseudonym of the client.');
        EXECUTE format('COMMENT ON COLUMN urenwacht_data.%s_fact.municipality IS %L', kind, 'CBS code of the municipality.');
        EXECUTE format('COMMENT ON COLUMN urenwacht_data.%s_fact.decision IS %L', kind, 'The decision, unique in the municipality.');
        IF kind <> 'evaluation' THEN
            EXECUTE format('COMMENT ON COLUMN urenwacht_data.%s_fact.provider IS %L', kind, 'AGB code of the provider.');
        END IF;
    END LOOP;
END
$$;

COMMENT ON TABLE urenwacht_data.decision_fact IS 'Accepted versions of decisions.';
COMMENT ON COLUMN urenwacht_data.decision_fact.version IS 'A higher version replaces a lower one from its effective_from on.';
COMMENT ON COLUMN urenwacht_data.decision_fact.status IS '0: ACTIVE, 1: WITHDRAWN.';
COMMENT ON COLUMN urenwacht_data.decision_fact.law IS '0: WMO, 1: JEUGDWET, 2: PARTICIPATIEWET.';
COMMENT ON COLUMN urenwacht_data.decision_fact.product_category IS 'Category of the product (iWmo: 2 characters).';
COMMENT ON COLUMN urenwacht_data.decision_fact.product IS 'Code of the product (iWmo: up to 5 characters).';
COMMENT ON COLUMN urenwacht_data.decision_fact.care IS '0: CONTINUOUS, 1: INTENSIVE.';
COMMENT ON COLUMN urenwacht_data.decision_fact.valid_from IS 'First day of the decision.';
COMMENT ON COLUMN urenwacht_data.decision_fact.valid_to IS 'Last day of the decision; null: open-ended.';
COMMENT ON COLUMN urenwacht_data.decision_fact.effective_from IS 'First day to which this version''s terms, provider and no-show policy apply.';
COMMENT ON COLUMN urenwacht_data.decision_fact.model IS '0: Pxq, 1: Bandwidth, 2: YearBudget, 3: FixedPlusSurplus, 4: Result, 5: Task.';
COMMENT ON COLUMN urenwacht_data.decision_fact.frequency IS '0: DAY, 1: WEEK, 2: FOUR_WEEKS, 3: MONTH, 4: YEAR, 5: TOTAL (Pxq, Bandwidth).';
COMMENT ON COLUMN urenwacht_data.decision_fact.volume_minutes IS 'Minutes per period (Pxq).';
COMMENT ON COLUMN urenwacht_data.decision_fact.min_minutes IS 'Least minutes per period (Bandwidth).';
COMMENT ON COLUMN urenwacht_data.decision_fact.max_minutes IS 'Most minutes per period (Bandwidth).';
COMMENT ON COLUMN urenwacht_data.decision_fact.minutes_per_year IS 'Minutes per year (YearBudget).';
COMMENT ON COLUMN urenwacht_data.decision_fact.minutes_per_week IS 'Fixed minutes per week (FixedPlusSurplus).';
COMMENT ON COLUMN urenwacht_data.decision_fact.surplus_minutes IS 'Extra pool on top of the fixed minutes (FixedPlusSurplus).';
COMMENT ON COLUMN urenwacht_data.decision_fact.price_cents IS 'Price of the result in euro cents (Result).';
COMMENT ON COLUMN urenwacht_data.decision_fact.expected_minutes_per_week IS 'Minutes per week that the result is expected to take (Result).';
COMMENT ON COLUMN urenwacht_data.decision_fact.result IS 'The result agreed on (Result).';
COMMENT ON COLUMN urenwacht_data.decision_fact.billable_percent IS 'Percentage of a no-show''s planned minutes that is billable.';
COMMENT ON COLUMN urenwacht_data.decision_fact.max_per_month IS 'No-shows that are billable in a calendar month; null: no limit.';
COMMENT ON COLUMN urenwacht_data.decision_fact.notice_hours IS 'A cancellation with less notice is billable.';
COMMENT ON COLUMN urenwacht_data.decision_fact.counts_to_budget IS 'Whether billable no-shows use up the budget.';
COMMENT ON COLUMN urenwacht_data.decision_fact.evaluation_months IS 'Months after valid_from at which an evaluation is due, as written.';
COMMENT ON COLUMN urenwacht_data.decision_fact.rate_cents_per_hour IS 'Rate in euro cents per hour; null: not told.';

COMMENT ON TABLE urenwacht_data.declaration_fact IS 'Accepted declaration lines and credits.';
COMMENT ON COLUMN urenwacht_data.declaration_fact.line IS 'Id of the line, unique per client and provider.';
COMMENT ON COLUMN urenwacht_data.declaration_fact.kind IS '0: DEBIT, 1: CREDIT.';
COMMENT ON COLUMN urenwacht_data.declaration_fact.corrects IS 'The line that a credit takes back.';
COMMENT ON COLUMN urenwacht_data.declaration_fact.performed_on IS 'Day of the care, or the first of several.';
COMMENT ON COLUMN urenwacht_data.declaration_fact.performed_until IS 'Last day of a line that sums a period; null: one day.';
COMMENT ON COLUMN urenwacht_data.declaration_fact.started_at IS 'When the visit started; null: not told.';
COMMENT ON COLUMN urenwacht_data.declaration_fact.minutes IS 'Minutes delivered and declared, or taken back.';
COMMENT ON COLUMN urenwacht_data.declaration_fact.staff IS 'Pseudonym of the carer; null: not told.';

COMMENT ON TABLE urenwacht_data.no_show_fact IS 'Accepted reports and withdrawals of no-shows.';
COMMENT ON COLUMN urenwacht_data.no_show_fact.no_show IS 'Id of the no-show, unique per client and provider.';
COMMENT ON COLUMN urenwacht_data.no_show_fact.status IS '0: REPORTED, 1: WITHDRAWN.';
COMMENT ON COLUMN urenwacht_data.no_show_fact.appointment_on IS 'Day of the appointment.';
COMMENT ON COLUMN urenwacht_data.no_show_fact.appointment_at IS 'Time of the appointment; null: not told.';
COMMENT ON COLUMN urenwacht_data.no_show_fact.planned_minutes IS 'Minutes that were planned.';
COMMENT ON COLUMN urenwacht_data.no_show_fact.reason IS '0: CLIENT_ABSENT, 1: CLIENT_CANCELLED, 2: PROVIDER_CANCELLED.';
COMMENT ON COLUMN urenwacht_data.no_show_fact.notice_minutes IS 'How long before it was cancelled; null: not told.';
COMMENT ON COLUMN urenwacht_data.no_show_fact.staff IS 'Pseudonym of the carer; null: not told.';

COMMENT ON TABLE urenwacht_data.evaluation_fact IS 'Accepted evaluations.';
COMMENT ON COLUMN urenwacht_data.evaluation_fact.held_on IS 'Day of the evaluation.';
COMMENT ON COLUMN urenwacht_data.evaluation_fact.outcome IS '0: CONTINUE, 1: ADJUST, 2: DOWNSCALE, 3: END.';

CREATE VIEW urenwacht.fact AS
SELECT 'DECISION' AS topic, partition, kafka_offset, client, municipality, decision, provider,
       'version:' || version AS subject, effective_from AS first_day, NULL::date AS last_day,
       (ARRAY['ACTIVE', 'WITHDRAWN'])[status + 1] AS what, NULL::integer AS minutes, recorded_at,
       urenwacht_data.event_id_text(event_id, event_id_upper) AS event_id, redelivery, accepted_at
  FROM urenwacht_data.decision_fact
UNION ALL
SELECT 'DECLARATION', partition, kafka_offset, client, municipality, decision, provider,
       'line:' || provider || '/' || line, performed_on, coalesce(performed_until, performed_on),
       (ARRAY['DEBIT', 'CREDIT'])[kind + 1], minutes, recorded_at,
       urenwacht_data.event_id_text(event_id, event_id_upper), redelivery, accepted_at
  FROM urenwacht_data.declaration_fact
UNION ALL
SELECT 'NO_SHOW', partition, kafka_offset, client, municipality, decision, provider,
       'no-show:' || provider || '/' || no_show, appointment_on, appointment_on,
       CASE status WHEN 1 THEN 'WITHDRAWN'
            ELSE (ARRAY['CLIENT_ABSENT', 'CLIENT_CANCELLED', 'PROVIDER_CANCELLED'])[reason + 1] END,
       planned_minutes, recorded_at,
       urenwacht_data.event_id_text(event_id, event_id_upper), redelivery, accepted_at
  FROM urenwacht_data.no_show_fact
UNION ALL
SELECT 'EVALUATION', partition, kafka_offset, client, municipality, decision, NULL, NULL, held_on, held_on,
       (ARRAY['CONTINUE', 'ADJUST', 'DOWNSCALE', 'END'])[outcome + 1], NULL, recorded_at,
       urenwacht_data.event_id_text(event_id, event_id_upper), redelivery, accepted_at
  FROM urenwacht_data.evaluation_fact;
COMMENT ON VIEW urenwacht.fact IS 'Every accepted event in short; ask for a client.';
COMMENT ON COLUMN urenwacht.fact.topic IS 'DECISION, DECLARATION, NO_SHOW or EVALUATION.';
COMMENT ON COLUMN urenwacht.fact.partition IS 'Partition of the input topic.';
COMMENT ON COLUMN urenwacht.fact.kafka_offset IS 'Offset in the partition.';
COMMENT ON COLUMN urenwacht.fact.client IS 'Pseudonym of the client.';
COMMENT ON COLUMN urenwacht.fact.municipality IS 'CBS code of the municipality.';
COMMENT ON COLUMN urenwacht.fact.decision IS 'The decision, unique in the municipality.';
COMMENT ON COLUMN urenwacht.fact.provider IS 'AGB code of the provider; null for an evaluation.';
COMMENT ON COLUMN urenwacht.fact.subject IS 'The fact, named as anomalies name it; null for an evaluation.';
COMMENT ON COLUMN urenwacht.fact.first_day IS 'Day of the care, appointment or evaluation; of a version, effective_from.';
COMMENT ON COLUMN urenwacht.fact.last_day IS 'Last day of the care; null for a version.';
COMMENT ON COLUMN urenwacht.fact.what IS 'Status of a version, kind of a line, reason of a no-show (or WITHDRAWN), outcome of an evaluation.';
COMMENT ON COLUMN urenwacht.fact.minutes IS 'Minutes declared, taken back or planned.';
COMMENT ON COLUMN urenwacht.fact.recorded_at IS 'When the source recorded it.';
COMMENT ON COLUMN urenwacht.fact.event_id IS 'Id that the source gave the event.';
COMMENT ON COLUMN urenwacht.fact.redelivery IS 'An equal fact was there already.';
COMMENT ON COLUMN urenwacht.fact.accepted_at IS 'When the batch with it was judged.';

CREATE VIEW urenwacht.delivered AS
SELECT client, municipality, decision, provider, line, (ARRAY['DEBIT', 'CREDIT'])[kind + 1] AS kind, corrects,
       performed_on, coalesce(performed_until, performed_on) AS performed_until, started_at, minutes, staff,
       recorded_at, accepted_at
  FROM urenwacht_data.declaration_fact
 WHERE NOT redelivery;
COMMENT ON VIEW urenwacht.delivered IS 'What was declared, when, under which decision; without redeliveries; ask for a client. A credit takes its line back.';
COMMENT ON COLUMN urenwacht.delivered.client IS 'Pseudonym of the client.';
COMMENT ON COLUMN urenwacht.delivered.municipality IS 'CBS code of the municipality.';
COMMENT ON COLUMN urenwacht.delivered.decision IS 'The decision, unique in the municipality.';
COMMENT ON COLUMN urenwacht.delivered.provider IS 'AGB code of the provider.';
COMMENT ON COLUMN urenwacht.delivered.line IS 'Id of the line, unique per client and provider.';
COMMENT ON COLUMN urenwacht.delivered.kind IS 'DEBIT or CREDIT.';
COMMENT ON COLUMN urenwacht.delivered.corrects IS 'The line that a credit takes back.';
COMMENT ON COLUMN urenwacht.delivered.performed_on IS 'Day of the care, or the first of several.';
COMMENT ON COLUMN urenwacht.delivered.performed_until IS 'Last day of the care.';
COMMENT ON COLUMN urenwacht.delivered.started_at IS 'When the visit started; null: not told.';
COMMENT ON COLUMN urenwacht.delivered.minutes IS 'Minutes delivered and declared, or taken back.';
COMMENT ON COLUMN urenwacht.delivered.staff IS 'Pseudonym of the carer; null: not told.';
COMMENT ON COLUMN urenwacht.delivered.recorded_at IS 'When the source recorded it.';
COMMENT ON COLUMN urenwacht.delivered.accepted_at IS 'When the batch with it was judged.';

CREATE VIEW urenwacht.decision_version AS
SELECT client, municipality, decision, version, (ARRAY['ACTIVE', 'WITHDRAWN'])[status + 1] AS status,
       urenwacht_data.law_name(law) AS law, product_category, product, urenwacht_data.care_name(care) AS care,
       provider, valid_from, valid_to, effective_from, urenwacht_data.model_name(model) AS model,
       urenwacht_data.frequency_name(frequency) AS frequency, volume_minutes, min_minutes, max_minutes,
       minutes_per_year, minutes_per_week, surplus_minutes, price_cents, expected_minutes_per_week, result,
       billable_percent, max_per_month, notice_hours, counts_to_budget, evaluation_months, rate_cents_per_hour,
       recorded_at, accepted_at
  FROM urenwacht_data.decision_fact
 WHERE NOT redelivery;
COMMENT ON VIEW urenwacht.decision_version IS 'Versions of decisions, without redeliveries.';
DO $$
DECLARE
    field record;
BEGIN
    -- A column has the meaning of the one that it shows; those shown by name say so.
    FOR field IN SELECT v.attname, CASE WHEN v.atttypid = t.atttypid THEN col_description(t.attrelid, t.attnum)
                        ELSE regexp_replace(col_description(t.attrelid, t.attnum), '[0-9]: ', '', 'g') END AS meaning
                   FROM pg_attribute v
                   JOIN pg_attribute t ON t.attrelid = 'urenwacht_data.decision_fact'::regclass
                                      AND t.attname = v.attname
                  WHERE v.attrelid = 'urenwacht.decision_version'::regclass AND v.attnum > 0 LOOP
        EXECUTE format('COMMENT ON COLUMN urenwacht.decision_version.%I IS %L', field.attname, field.meaning);
    END LOOP;
END
$$;
