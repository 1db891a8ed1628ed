-- Sums for dashboards. A row belongs to one writer, so that instances never wait for each other; the views add the
-- writers up. Everything in a row is a difference: one writer may take away what another one has added, and then
-- has a row below zero. Only the sum over the writers means something.

-- A row of sums names its dimensions, its writer and the rules by the id that follows from them, so that it and its
-- index stay narrow: nearly every line of a sparse region changes two of them. With the writer in it nobody else adds
-- the same row, so that new ones need not be looked for.
CREATE TABLE urenwacht_data.aggregate_key (
    id uuid NOT NULL,
    rules_version integer NOT NULL,
    writer integer NOT NULL,
    municipality text COLLATE "C" NOT NULL,
    provider text COLLATE "C" NOT NULL,
    product_category text COLLATE "C" NOT NULL,
    product text COLLATE "C" NOT NULL,
    law smallint NOT NULL,
    care smallint NOT NULL,
    model smallint NOT NULL,
    PRIMARY KEY (rules_version, id)
);
COMMENT ON TABLE urenwacht_data.aggregate_key IS 'A combination of dimensions for which a writer has sums, or had.';
COMMENT ON COLUMN urenwacht_data.aggregate_key.id IS 'Follows from the other columns, the same everywhere.';
COMMENT ON COLUMN urenwacht_data.aggregate_key.rules_version IS 'Version of the rules under which the clients in the sums were judged.';
COMMENT ON COLUMN urenwacht_data.aggregate_key.writer IS 'Slot of the instance that writes the sums.';
COMMENT ON COLUMN urenwacht_data.aggregate_key.municipality IS 'CBS code of the municipality.';
COMMENT ON COLUMN urenwacht_data.aggregate_key.provider IS 'AGB code of the provider of the version in force on the day.';
COMMENT ON COLUMN urenwacht_data.aggregate_key.product_category IS 'Category of the product, by the latest version.';
COMMENT ON COLUMN urenwacht_data.aggregate_key.product IS 'Code of the product, by the latest version.';
COMMENT ON COLUMN urenwacht_data.aggregate_key.law IS '0: WMO, 1: JEUGDWET, 2: PARTICIPATIEWET.';
COMMENT ON COLUMN urenwacht_data.aggregate_key.care IS '0: CONTINUOUS, 1: INTENSIVE.';
COMMENT ON COLUMN urenwacht_data.aggregate_key.model IS '0: Pxq, 1: Bandwidth, 2: YearBudget, 3: FixedPlusSurplus, 4: Result, 5: Task.';

CREATE TABLE urenwacht_data.aggregate_sum (
    key uuid NOT NULL,
    grain smallint NOT NULL,
    period_from date NOT NULL,
    clients bigint NOT NULL,
    decisions bigint NOT NULL,
    delivered_minutes bigint NOT NULL,
    no_show_minutes bigint NOT NULL,
    used_minutes bigint NOT NULL,
    allotted_minutes bigint NOT NULL,
    priced_minutes bigint NOT NULL,
    cost_sixtieths bigint NOT NULL,
    PRIMARY KEY (key, period_from, grain)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
-- One row in five is a month's, and dashboards read these. Only a new month of a key costs the processor an entry,
-- which is stored once for many rows.
CREATE INDEX aggregate_sum_month ON urenwacht_data.aggregate_sum (period_from) WHERE grain = 1;
COMMENT ON TABLE urenwacht_data.aggregate_sum IS 'Sums per week or month and dimensions: what each writer has added. Only the sum over the writers means something.';
COMMENT ON COLUMN urenwacht_data.aggregate_sum.key IS 'The dimensions, the writer and the rules.';
COMMENT ON COLUMN urenwacht_data.aggregate_sum.grain IS '0: WEEK, 1: MONTH.';
COMMENT ON COLUMN urenwacht_data.aggregate_sum.period_from IS 'Monday of the week, or first day of the month.';
COMMENT ON COLUMN urenwacht_data.aggregate_sum.clients IS 'Clients with delivered minutes in the period.';
COMMENT ON COLUMN urenwacht_data.aggregate_sum.decisions IS 'Decisions with delivered minutes in the period.';
COMMENT ON COLUMN urenwacht_data.aggregate_sum.delivered_minutes IS 'Minutes delivered, those of no-shows included.';
COMMENT ON COLUMN urenwacht_data.aggregate_sum.no_show_minutes IS 'The share of no-shows in the delivered minutes.';
COMMENT ON COLUMN urenwacht_data.aggregate_sum.used_minutes IS 'Minutes that count against allotments.';
COMMENT ON COLUMN urenwacht_data.aggregate_sum.allotted_minutes IS 'Allotments of the accounts that delivered in the period, spread over their days.';
COMMENT ON COLUMN urenwacht_data.aggregate_sum.priced_minutes IS 'The delivered minutes of which the price is known.';
COMMENT ON COLUMN urenwacht_data.aggregate_sum.cost_sixtieths IS 'What those cost, in sixtieths of a cent: minutes times cents an hour, and 60 times the prices of results.';

CREATE VIEW urenwacht_data.aggregate AS
SELECT k.municipality, s.grain, s.period_from, k.provider, k.product_category, k.product, k.law, k.care, k.model,
       k.rules_version, k.writer, s.clients, s.decisions, s.delivered_minutes, s.no_show_minutes, s.used_minutes,
       s.allotted_minutes, s.priced_minutes, s.cost_sixtieths
  FROM urenwacht_data.aggregate_sum s
  JOIN urenwacht_data.aggregate_key k ON k.id = s.key;
COMMENT ON VIEW urenwacht_data.aggregate IS 'The sums with their dimensions.';
COMMENT ON COLUMN urenwacht_data.aggregate.municipality IS 'CBS code of the municipality.';
COMMENT ON COLUMN urenwacht_data.aggregate.provider IS 'AGB code of the provider of the version in force on the day.';
COMMENT ON COLUMN urenwacht_data.aggregate.product_category IS 'Category of the product, by the latest version.';
COMMENT ON COLUMN urenwacht_data.aggregate.product IS 'Code of the product, by the latest version.';
COMMENT ON COLUMN urenwacht_data.aggregate.law IS '0: WMO, 1: JEUGDWET, 2: PARTICIPATIEWET.';
COMMENT ON COLUMN urenwacht_data.aggregate.care IS '0: CONTINUOUS, 1: INTENSIVE.';
COMMENT ON COLUMN urenwacht_data.aggregate.model IS '0: Pxq, 1: Bandwidth, 2: YearBudget, 3: FixedPlusSurplus, 4: Result, 5: Task.';
COMMENT ON COLUMN urenwacht_data.aggregate.grain IS '0: WEEK, 1: MONTH.';
COMMENT ON COLUMN urenwacht_data.aggregate.period_from IS 'Monday of the week, or first day of the month.';
COMMENT ON COLUMN urenwacht_data.aggregate.rules_version IS 'Version of the rules under which the clients in it were judged.';
COMMENT ON COLUMN urenwacht_data.aggregate.writer IS 'Slot of the instance that wrote it.';
COMMENT ON COLUMN urenwacht_data.aggregate.clients IS 'Clients with delivered minutes in the period.';
COMMENT ON COLUMN urenwacht_data.aggregate.decisions IS 'Decisions with delivered minutes in the period.';
COMMENT ON COLUMN urenwacht_data.aggregate.delivered_minutes IS 'Minutes delivered, those of no-shows included.';
COMMENT ON COLUMN urenwacht_data.aggregate.no_show_minutes IS 'The share of no-shows in the delivered minutes.';
COMMENT ON COLUMN urenwacht_data.aggregate.used_minutes IS 'Minutes that count against allotments.';
COMMENT ON COLUMN urenwacht_data.aggregate.allotted_minutes IS 'Allotments of the accounts that delivered in the period, spread over their days.';
COMMENT ON COLUMN urenwacht_data.aggregate.priced_minutes IS 'The delivered minutes of which the price is known.';
COMMENT ON COLUMN urenwacht_data.aggregate.cost_sixtieths IS 'What those cost, in sixtieths of a cent: minutes times cents an hour, and 60 times the prices of results.';

-- Sums of different rules do not mix: after an upgrade those of the new rules fill up as clients are judged again.
-- With its owner's rights, since readers of the views may read no table.
CREATE FUNCTION urenwacht_data.shown_rules() RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
AS 'SELECT max(rules_version) FROM urenwacht_data.partition_state';
COMMENT ON FUNCTION urenwacht_data.shown_rules IS 'The version of the rules whose sums the views show: the highest that claimed a partition.';

CREATE VIEW urenwacht.weekly AS
SELECT period_from AS week_from, municipality, provider, product_category, product,
       urenwacht_data.law_name(law) AS law, urenwacht_data.care_name(care) AS care,
       urenwacht_data.model_name(model) AS model, sum(clients)::bigint AS clients,
       sum(decisions)::bigint AS decisions, sum(delivered_minutes)::bigint AS delivered_minutes,
       sum(no_show_minutes)::bigint AS no_show_minutes, sum(used_minutes)::bigint AS used_minutes,
       sum(allotted_minutes)::bigint AS allotted_minutes, sum(priced_minutes)::bigint AS priced_minutes,
       sum(cost_sixtieths)::bigint / 60 AS cost_cents
  FROM urenwacht_data.aggregate
 WHERE grain = 0 AND rules_version = (SELECT urenwacht_data.shown_rules())
 GROUP BY period_from, municipality, provider, product_category, product, law, care, model
HAVING (sum(clients), sum(decisions), sum(delivered_minutes), sum(no_show_minutes), sum(used_minutes),
        sum(allotted_minutes), sum(priced_minutes), sum(cost_sixtieths)) <> (0, 0, 0, 0, 0, 0, 0, 0);
COMMENT ON VIEW urenwacht.weekly IS 'Sums per ISO week.';
COMMENT ON COLUMN urenwacht.weekly.cost_cents IS 'What the priced minutes cost, in euro cents, rounded down.';
COMMENT ON COLUMN urenwacht.weekly.week_from IS 'Monday of the week.';

CREATE VIEW urenwacht.monthly AS
SELECT period_from AS month_from, municipality, provider, product_category, product,
       urenwacht_data.law_name(law) AS law, urenwacht_data.care_name(care) AS care,
       urenwacht_data.model_name(model) AS model, sum(clients)::bigint AS clients,
       sum(decisions)::bigint AS decisions, sum(delivered_minutes)::bigint AS delivered_minutes,
       sum(no_show_minutes)::bigint AS no_show_minutes, sum(used_minutes)::bigint AS used_minutes,
       sum(allotted_minutes)::bigint AS allotted_minutes, sum(priced_minutes)::bigint AS priced_minutes,
       sum(cost_sixtieths)::bigint / 60 AS cost_cents
  FROM urenwacht_data.aggregate
 WHERE grain = 1 AND rules_version = (SELECT urenwacht_data.shown_rules())
 GROUP BY period_from, municipality, provider, product_category, product, law, care, model
HAVING (sum(clients), sum(decisions), sum(delivered_minutes), sum(no_show_minutes), sum(used_minutes),
        sum(allotted_minutes), sum(priced_minutes), sum(cost_sixtieths)) <> (0, 0, 0, 0, 0, 0, 0, 0);
COMMENT ON VIEW urenwacht.monthly IS 'Sums per calendar month.';
COMMENT ON COLUMN urenwacht.monthly.cost_cents IS 'What the priced minutes cost, in euro cents, rounded down.';
COMMENT ON COLUMN urenwacht.monthly.month_from IS 'First day of the month.';

DO $$
DECLARE
    field record;
BEGIN
    FOR field IN SELECT m.view_name, v.attname,
                        regexp_replace(col_description(t.attrelid, t.attnum), '[0-9]: ', '', 'g') AS meaning
                   FROM (VALUES ('weekly'), ('monthly')) m (view_name)
                   JOIN pg_attribute v ON v.attrelid = ('urenwacht.' || m.view_name)::regclass AND v.attnum > 0
                   JOIN pg_attribute t ON t.attrelid = 'urenwacht_data.aggregate'::regclass AND t.attname = v.attname
    LOOP
        EXECUTE format('COMMENT ON COLUMN urenwacht.%I.%I IS %L', field.view_name, field.attname, field.meaning);
    END LOOP;
END
$$;
