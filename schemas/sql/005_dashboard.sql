-- What `urenwacht serve` needs: who may see what, and what people do about alerts and anomalies.
--
-- The server reads and writes as the role urenwacht_dashboard, to which row-level security applies. Two settings of
-- the transaction say what may be seen: urenwacht.municipalities (codes with commas, or * for all) and
-- urenwacht.signals (yes: anomalies too). Without them nothing is seen. The owner of the tables, as which events are
-- processed, and the public views, which read as their owner, are not restricted by this.

CREATE TABLE urenwacht_data.token (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    role text COLLATE "C" NOT NULL CHECK (role IN ('contract-manager', 'regional', 'fraud', 'admin')),
    municipalities text[] CHECK (role <> 'contract-manager' OR cardinality(municipalities) > 0),
    secret_hash bytea NOT NULL UNIQUE CHECK (length(secret_hash) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    last_used_at timestamptz,
    revoked_at timestamptz
);
COMMENT ON TABLE urenwacht_data.token IS 'Who may ask the server. A token itself is nowhere, only its hash.';
COMMENT ON COLUMN urenwacht_data.token.id IS 'By which it is revoked.';
COMMENT ON COLUMN urenwacht_data.token.name IS 'Who or what uses it; what is done with it is signed with this name.';
COMMENT ON COLUMN urenwacht_data.token.role IS 'contract-manager, regional, fraud or admin.';
COMMENT ON COLUMN urenwacht_data.token.municipalities IS 'CBS codes that it sees; null: all.';
COMMENT ON COLUMN urenwacht_data.token.secret_hash IS 'SHA-256 of the token.';
COMMENT ON COLUMN urenwacht_data.token.created_at IS 'When it was created.';
COMMENT ON COLUMN urenwacht_data.token.expires_at IS 'From when on it is refused.';
COMMENT ON COLUMN urenwacht_data.token.last_used_at IS 'When it was last used, to the minute; null: never.';
COMMENT ON COLUMN urenwacht_data.token.revoked_at IS 'When it was revoked; null: it was not.';

CREATE TABLE urenwacht_data.session (
    secret_hash bytea PRIMARY KEY CHECK (length(secret_hash) = 32),
    token_id bigint NOT NULL REFERENCES urenwacht_data.token ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX session_token ON urenwacht_data.session (token_id);
COMMENT ON TABLE urenwacht_data.session IS 'Browsers that exchanged a token for a cookie.';
COMMENT ON COLUMN urenwacht_data.session.secret_hash IS 'SHA-256 of the cookie''s value.';
COMMENT ON COLUMN urenwacht_data.session.token_id IS 'The token, by whose rights it lives.';
COMMENT ON COLUMN urenwacht_data.session.created_at IS 'When it began.';
COMMENT ON COLUMN urenwacht_data.session.expires_at IS 'When it ends.';

CREATE TABLE urenwacht_data.alert_workflow (
    alert_id uuid PRIMARY KEY,
    municipality text COLLATE "C" NOT NULL,
    assignee text,
    acknowledged_revision integer,
    acknowledged_by text,
    acknowledged_at timestamptz,
    note text,
    snoozed_until date,
    evaluation_reported_at timestamptz
);
COMMENT ON TABLE urenwacht_data.alert_workflow IS 'What people did about an alert, as it stands.';
COMMENT ON COLUMN urenwacht_data.alert_workflow.alert_id IS 'The alert.';
COMMENT ON COLUMN urenwacht_data.alert_workflow.municipality IS 'Of the alert.';
COMMENT ON COLUMN urenwacht_data.alert_workflow.assignee IS 'Who looks after it; null: nobody.';
COMMENT ON COLUMN urenwacht_data.alert_workflow.acknowledged_revision IS 'The revision that was acknowledged; null: none.';
COMMENT ON COLUMN urenwacht_data.alert_workflow.acknowledged_by IS 'By whom.';
COMMENT ON COLUMN urenwacht_data.alert_workflow.acknowledged_at IS 'When.';
COMMENT ON COLUMN urenwacht_data.alert_workflow.note IS 'The last note.';
COMMENT ON COLUMN urenwacht_data.alert_workflow.snoozed_until IS 'The day on which it comes back; null: it is not snoozed.';
COMMENT ON COLUMN urenwacht_data.alert_workflow.evaluation_reported_at IS 'When an evaluation was reported through it.';

CREATE TABLE urenwacht_data.anomaly_case (
    anomaly_id uuid PRIMARY KEY,
    municipality text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('NEW', 'IN_RESEARCH', 'FOUNDED', 'UNFOUNDED')),
    assignee text,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL
);
COMMENT ON TABLE urenwacht_data.anomaly_case IS 'How the case of an anomaly stands; without a row it is new.';
COMMENT ON COLUMN urenwacht_data.anomaly_case.anomaly_id IS 'The anomaly.';
COMMENT ON COLUMN urenwacht_data.anomaly_case.municipality IS 'Of the anomaly.';
COMMENT ON COLUMN urenwacht_data.anomaly_case.state IS 'NEW, IN_RESEARCH, FOUNDED or UNFOUNDED.';
COMMENT ON COLUMN urenwacht_data.anomaly_case.assignee IS 'Who looks into it; null: nobody.';
COMMENT ON COLUMN urenwacht_data.anomaly_case.changed_by IS 'Who changed it last.';
COMMENT ON COLUMN urenwacht_data.anomaly_case.changed_at IS 'When.';

CREATE TABLE urenwacht_data.action (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject_id uuid NOT NULL,
    is_signal boolean NOT NULL,
    municipality text COLLATE "C" NOT NULL,
    action text COLLATE "C" NOT NULL CHECK (action IN ('ASSIGN', 'ACKNOWLEDGE', 'SNOOZE', 'EVALUATION', 'STATE', 'NOTE')),
    value text,
    note text,
    by_name text NOT NULL,
    token_id bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX action_subject ON urenwacht_data.action (subject_id, id);
COMMENT ON TABLE urenwacht_data.action IS 'Everything that people did about alerts and anomalies, never changed.';
COMMENT ON COLUMN urenwacht_data.action.id IS 'In the order in which they happened.';
COMMENT ON COLUMN urenwacht_data.action.subject_id IS 'The alert or anomaly.';
COMMENT ON COLUMN urenwacht_data.action.is_signal IS 'It is about an anomaly.';
COMMENT ON COLUMN urenwacht_data.action.municipality IS 'Of the alert or anomaly.';
COMMENT ON COLUMN urenwacht_data.action.action IS 'ASSIGN, ACKNOWLEDGE, SNOOZE, EVALUATION, STATE or NOTE.';
COMMENT ON COLUMN urenwacht_data.action.value IS 'Assignee, day, outcome with day, or state.';
COMMENT ON COLUMN urenwacht_data.action.note IS 'What was written with it.';
COMMENT ON COLUMN urenwacht_data.action.by_name IS 'Name of the token with which it was done.';
COMMENT ON COLUMN urenwacht_data.action.token_id IS 'That token.';
COMMENT ON COLUMN urenwacht_data.action.at IS 'When.';

-- ---- who sees what ----

-- The settings are read once a statement, as sub-selects.
DO $$
DECLARE
    tab text;
    seen constant text := '((SELECT current_setting(''urenwacht.municipalities'', true)) = ''*'' OR municipality = ANY '
        '((SELECT string_to_array(current_setting(''urenwacht.municipalities'', true), '',''))::text[]))';
    signals constant text := '((SELECT current_setting(''urenwacht.signals'', true)) = ''yes'')';
BEGIN
    FOREACH tab IN ARRAY ARRAY['decision_fact', 'declaration_fact', 'no_show_fact', 'evaluation_fact', 'account_state',
                               'alert_state', 'aggregate_key', 'alert_workflow'] LOOP
        EXECUTE format('ALTER TABLE urenwacht_data.%I ENABLE ROW LEVEL SECURITY', tab);
        EXECUTE format('CREATE POLICY municipality ON urenwacht_data.%I USING %s', tab, seen);
    END LOOP;
    FOREACH tab IN ARRAY ARRAY['anomaly_state', 'anomaly_case'] LOOP
        EXECUTE format('ALTER TABLE urenwacht_data.%I ENABLE ROW LEVEL SECURITY', tab);
        EXECUTE format('CREATE POLICY municipality ON urenwacht_data.%I USING (%s AND %s)', tab, signals, seen);
    END LOOP;
    ALTER TABLE urenwacht_data.action ENABLE ROW LEVEL SECURITY;
    EXECUTE format('CREATE POLICY municipality ON urenwacht_data.action USING ((NOT is_signal OR %s) AND %s)', signals,
                   seen);
END
$$;
-- Sums name no municipality: they are seen with their dimensions, and who sees all need not have every row looked up.
ALTER TABLE urenwacht_data.aggregate_sum ENABLE ROW LEVEL SECURITY;
CREATE POLICY municipality ON urenwacht_data.aggregate_sum
    USING ((SELECT current_setting('urenwacht.municipalities', true)) = '*'
           OR key IN (SELECT k.id FROM urenwacht_data.aggregate_key k));
-- The history names no municipality: it is seen with its alert or anomaly.
ALTER TABLE urenwacht_data.alert_history ENABLE ROW LEVEL SECURITY;
CREATE POLICY municipality ON urenwacht_data.alert_history
    USING (EXISTS (SELECT FROM urenwacht_data.alert_state s WHERE s.alert_id = alert_history.alert_id));
ALTER TABLE urenwacht_data.anomaly_history ENABLE ROW LEVEL SECURITY;
CREATE POLICY municipality ON urenwacht_data.anomaly_history
    USING (EXISTS (SELECT FROM urenwacht_data.anomaly_state s WHERE s.anomaly_id = anomaly_history.anomaly_id));

-- ---- what the server asks: views that read as their caller ----

CREATE SCHEMA urenwacht_api;
COMMENT ON SCHEMA urenwacht_api IS 'The views of urenwacht serve. They may change with any version.';

CREATE VIEW urenwacht_api.alert WITH (security_invoker = true) AS
SELECT s.alert_id, s.revision, s.status, s.kind, s.severity, s.client, s.municipality, s.decision, s.provider,
       s.segment_from, s.period_from, s.threshold, s.effective_on, s.payload, s.observed_at,
       CASE s.severity WHEN 'CRITICAL' THEN 2 WHEN 'WARNING' THEN 1 ELSE 0 END AS severity_rank,
       CASE WHEN w.snoozed_until > (now() AT TIME ZONE 'Europe/Amsterdam')::date THEN 'SNOOZED'
            WHEN w.acknowledged_revision = s.revision THEN 'ACKNOWLEDGED'
            WHEN w.assignee IS NOT NULL THEN 'ASSIGNED' ELSE 'NEW' END AS state,
       w.assignee, w.acknowledged_by, w.acknowledged_at, w.note, w.snoozed_until, w.evaluation_reported_at
  FROM urenwacht_data.alert_state s
  LEFT JOIN urenwacht_data.alert_workflow w USING (alert_id);
COMMENT ON VIEW urenwacht_api.alert IS 'The last revision of every alert, with what was done about it.';
CREATE VIEW urenwacht_api.alert_revision WITH (security_invoker = true) AS
SELECT alert_id, revision, status, severity, provider, effective_on, payload, observed_at
  FROM urenwacht_data.alert_history
 UNION ALL
SELECT alert_id, revision, status, severity, coalesce(revision_provider, provider), effective_on, payload, observed_at
  FROM urenwacht_data.alert_state;
COMMENT ON VIEW urenwacht_api.alert_revision IS 'Every revision of every alert; ask for an alert.';
-- The orders in which pages of open alerts are asked for, each within a kind: a page reads the first rows of every
-- kind (dashboard/lists.c). Few columns, each with few values, make entries that PostgreSQL stores once for many rows:
-- the alert's id in them would cost the processor three times as much.
CREATE INDEX alert_state_listed ON urenwacht_data.alert_state (kind, severity, effective_on, municipality)
    WHERE status = 'OPEN';
CREATE INDEX alert_state_observed ON urenwacht_data.alert_state (kind, observed_at, municipality) WHERE status = 'OPEN';
-- What was resolved last, also of one municipality. It is written when an alert resolves, at its end.
CREATE INDEX alert_state_resolved ON urenwacht_data.alert_state (observed_at, municipality) WHERE status = 'RESOLVED';

CREATE VIEW urenwacht_api.anomaly WITH (security_invoker = true) AS
SELECT s.anomaly_id, s.revision, s.status, s.kind, s.client, s.municipality, s.decision, s.provider, s.subject,
       s.payload, s.observed_at, s.payload->>'staff' AS staff, coalesce(c.state, 'NEW') AS state, c.assignee,
       c.changed_by, c.changed_at
  FROM urenwacht_data.anomaly_state s
  LEFT JOIN urenwacht_data.anomaly_case c USING (anomaly_id);
COMMENT ON VIEW urenwacht_api.anomaly IS 'The last revision of every anomaly, with its case.';

CREATE VIEW urenwacht_api.anomaly_revision WITH (security_invoker = true) AS
SELECT anomaly_id, revision, status, provider, payload, observed_at
  FROM urenwacht_data.anomaly_history
 UNION ALL
SELECT anomaly_id, revision, status, coalesce(revision_provider, provider), payload, observed_at
  FROM urenwacht_data.anomaly_state;
COMMENT ON VIEW urenwacht_api.anomaly_revision IS 'Every revision of every anomaly; ask for an anomaly.';

-- The one that comes first of the rows with the highest version (SPEC section 2, Winners).
CREATE VIEW urenwacht_api.decision WITH (security_invoker = true) AS
SELECT d.client, d.municipality, d.decision, d.version, (ARRAY['ACTIVE', 'WITHDRAWN'])[d.status + 1] AS status,
       urenwacht_data.law_name(d.law) AS law, d.product_category, d.product, urenwacht_data.care_name(d.care) AS care,
       d.provider, d.valid_from, d.valid_to, d.effective_from, urenwacht_data.model_name(d.model) AS model,
       urenwacht_data.frequency_name(d.frequency) AS frequency, d.volume_minutes, d.min_minutes, d.max_minutes,
       d.minutes_per_year, d.minutes_per_week, d.surplus_minutes, d.price_cents, d.expected_minutes_per_week, d.result,
       d.billable_percent, d.max_per_month, d.notice_hours, d.counts_to_budget, d.evaluation_months,
       d.rate_cents_per_hour, d.recorded_at
  FROM urenwacht_data.decision_fact d
 WHERE NOT d.redelivery
   AND NOT EXISTS (
       SELECT FROM urenwacht_data.decision_fact o
        WHERE o.municipality = d.municipality AND o.decision = d.decision AND o.client = d.client AND NOT o.redelivery
          -- The text of an id is made for those that nothing else tells apart, and never for the row itself.
          AND (o.version > d.version OR (o.version = d.version AND o.recorded_at <= d.recorded_at
               AND (o.partition, o.kafka_offset) <> (d.partition, d.kafka_offset) AND
               (o.recorded_at, urenwacht_data.event_id_text(o.event_id, o.event_id_upper) COLLATE "C", o.kafka_offset)
             < (d.recorded_at, urenwacht_data.event_id_text(d.event_id, d.event_id_upper) COLLATE "C", d.kafka_offset))));
COMMENT ON VIEW urenwacht_api.decision IS 'Decisions, by their latest version.';

-- The months are those of SPEC section 4, EVALUATION_DUE; an evaluation answers a due from 14 days before it until 14
-- days before the next. Arguments rather than a row, so that the function becomes a part of the statement.
CREATE FUNCTION urenwacht_api.evaluation_dues(client text, municipality text, decision text, valid_from date,
                                              valid_to date, months integer[])
RETURNS TABLE (due_on date, held boolean)
LANGUAGE sql STABLE AS $$
    SELECT d.due_on,
           EXISTS (SELECT FROM urenwacht_data.evaluation_fact e
                    WHERE e.municipality = evaluation_dues.municipality AND e.decision = evaluation_dues.decision
                      AND e.client = evaluation_dues.client AND e.held_on >= d.due_on - 14
                      AND (d.next_on IS NULL OR e.held_on < d.next_on - 14))
      FROM (SELECT u.due_on, lead(u.due_on) OVER (ORDER BY u.due_on) AS next_on
              FROM (SELECT DISTINCT (evaluation_dues.valid_from + make_interval(months => m))::date AS due_on
                      FROM unnest(evaluation_dues.months) m) u
             WHERE evaluation_dues.valid_to IS NULL OR u.due_on <= evaluation_dues.valid_to + 1) d;
$$;
COMMENT ON FUNCTION urenwacht_api.evaluation_dues IS 'The days at which evaluations of a decision are due, and whether they were held.';

CREATE VIEW urenwacht_api.decision_version WITH (security_invoker = true) AS
SELECT DISTINCT ON (d.client, d.municipality, d.decision, d.version)
       d.client, d.municipality, d.decision, d.version, (ARRAY['ACTIVE', 'WITHDRAWN'])[d.status + 1] AS status,
       urenwacht_data.law_name(d.law) AS law, d.product_category, d.product, urenwacht_data.care_name(d.care) AS care,
       d.provider, d.valid_from, d.valid_to, d.effective_from, urenwacht_data.model_name(d.model) AS model,
       urenwacht_data.frequency_name(d.frequency) AS frequency, d.volume_minutes, d.min_minutes, d.max_minutes,
       d.minutes_per_year, d.minutes_per_week, d.surplus_minutes, d.price_cents, d.expected_minutes_per_week, d.result,
       d.billable_percent, d.max_per_month, d.notice_hours, d.counts_to_budget, d.evaluation_months,
       d.rate_cents_per_hour, d.recorded_at
  FROM urenwacht_data.decision_fact d
 WHERE NOT d.redelivery
 ORDER BY d.client, d.municipality, d.decision, d.version, d.recorded_at,
          urenwacht_data.event_id_text(d.event_id, d.event_id_upper) COLLATE "C", d.kafka_offset;
COMMENT ON VIEW urenwacht_api.decision_version IS 'Versions of decisions; of several contents the one that counts.';

CREATE VIEW urenwacht_api.decision_content WITH (security_invoker = true) AS
SELECT d.partition, d.kafka_offset, d.client, d.municipality, d.decision, d.version,
       jsonb_build_object('status', (ARRAY['ACTIVE', 'WITHDRAWN'])[d.status + 1], 'law', urenwacht_data.law_name(d.law),
           'product_category', d.product_category, 'product', d.product, 'care', urenwacht_data.care_name(d.care),
           'provider', d.provider, 'valid_from', d.valid_from, 'valid_to', d.valid_to,
           'effective_from', d.effective_from, 'model', urenwacht_data.model_name(d.model),
           'frequency', urenwacht_data.frequency_name(d.frequency), 'volume_minutes', d.volume_minutes,
           'min_minutes', d.min_minutes, 'max_minutes', d.max_minutes, 'minutes_per_year', d.minutes_per_year,
           'minutes_per_week', d.minutes_per_week, 'surplus_minutes', d.surplus_minutes, 'price_cents', d.price_cents,
           'expected_minutes_per_week', d.expected_minutes_per_week, 'result', d.result,
           'billable_percent', d.billable_percent, 'max_per_month', d.max_per_month, 'notice_hours', d.notice_hours,
           'counts_to_budget', d.counts_to_budget, 'evaluation_months', d.evaluation_months,
           'rate_cents_per_hour', d.rate_cents_per_hour) AS content
  FROM urenwacht_data.decision_fact d
 WHERE NOT d.redelivery;
COMMENT ON VIEW urenwacht_api.decision_content IS 'What each report of a version says, by name; several of one version that differ are a VERSION_CONFLICT.';

CREATE VIEW urenwacht_api.account WITH (security_invoker = true) AS
SELECT client, municipality, decision, segment_from, period_from, period_to, urenwacht_data.model_name(model) AS model,
       allotted_minutes, minimum_minutes, used_minutes, delivered_minutes, no_show_minutes,
       CASE WHEN allotted_minutes > 0 THEN 100 * used_minutes / allotted_minutes END AS used_percent
  FROM urenwacht_data.account_state;
COMMENT ON VIEW urenwacht_api.account IS 'The budget of one decision in one period.';

CREATE VIEW urenwacht_api.fact WITH (security_invoker = true) AS
SELECT 0 AS kind, 'DECISION' AS topic, partition, kafka_offset, client, municipality, decision, provider,
       'version:' || version AS subject, effective_from AS first_day, NULL::date AS last_day,
       (ARRAY['ACTIVE', 'WITHDRAWN'])[status + 1] AS what, NULL::integer AS minutes, NULL::timestamptz AS started_at,
       NULL::text AS staff, NULL::text AS corrects, recorded_at,
       urenwacht_data.event_id_text(event_id, event_id_upper) AS event_id, redelivery
  FROM urenwacht_data.decision_fact
UNION ALL
SELECT 1, 'DECLARATION', partition, kafka_offset, client, municipality, decision, provider,
       'line:' || provider || '/' || line, performed_on, coalesce(performed_until, performed_on),
       (ARRAY['DEBIT', 'CREDIT'])[kind + 1], minutes, started_at, staff, corrects, recorded_at,
       urenwacht_data.event_id_text(event_id, event_id_upper), redelivery
  FROM urenwacht_data.declaration_fact
UNION ALL
SELECT 2, 'NO_SHOW', partition, kafka_offset, client, municipality, decision, provider,
       'no-show:' || provider || '/' || no_show, appointment_on, appointment_on,
       CASE status WHEN 1 THEN 'WITHDRAWN'
            ELSE (ARRAY['CLIENT_ABSENT', 'CLIENT_CANCELLED', 'PROVIDER_CANCELLED'])[reason + 1] END,
       planned_minutes, appointment_at, staff, NULL, recorded_at,
       urenwacht_data.event_id_text(event_id, event_id_upper), redelivery
  FROM urenwacht_data.no_show_fact
UNION ALL
SELECT 3, 'EVALUATION', partition, kafka_offset, client, municipality, decision, NULL, NULL, held_on, held_on,
       (ARRAY['CONTINUE', 'ADJUST', 'DOWNSCALE', 'END'])[outcome + 1], NULL, NULL, NULL, NULL, recorded_at,
       urenwacht_data.event_id_text(event_id, event_id_upper), redelivery
  FROM urenwacht_data.evaluation_fact;
COMMENT ON VIEW urenwacht_api.fact IS 'Every accepted event in short; ask for a client.';

CREATE VIEW urenwacht_api.aggregate WITH (security_invoker = true) AS
SELECT s.grain, s.period_from, k.municipality, k.provider, k.product_category, k.product,
       urenwacht_data.law_name(k.law) AS law, urenwacht_data.care_name(k.care) AS care,
       urenwacht_data.model_name(k.model) AS model, s.clients, s.decisions, s.delivered_minutes, s.no_show_minutes,
       s.used_minutes, s.allotted_minutes, s.priced_minutes, s.cost_sixtieths
  FROM urenwacht_data.aggregate_sum s
  JOIN urenwacht_data.aggregate_key k ON k.id = s.key
 WHERE k.rules_version = (SELECT urenwacht_data.shown_rules());
COMMENT ON VIEW urenwacht_api.aggregate IS 'What each writer has added to the sums; only sums of it mean something.';

CREATE FUNCTION urenwacht_data.dashboard_prepare() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'urenwacht_dashboard') THEN
        CREATE ROLE urenwacht_dashboard NOLOGIN;
    END IF;
    IF NOT pg_has_role(current_user, 'urenwacht_dashboard', 'MEMBER') THEN
        EXECUTE format('GRANT urenwacht_dashboard TO %I', current_user);
    END IF;
    GRANT USAGE ON SCHEMA urenwacht_data, urenwacht_api, urenwacht TO urenwacht_dashboard;
    GRANT SELECT ON ALL TABLES IN SCHEMA urenwacht_api TO urenwacht_dashboard;
    GRANT SELECT ON urenwacht.progress, urenwacht_data.decision_fact, urenwacht_data.declaration_fact,
        urenwacht_data.no_show_fact, urenwacht_data.evaluation_fact, urenwacht_data.account_state,
        urenwacht_data.alert_state, urenwacht_data.alert_history, urenwacht_data.anomaly_state,
        urenwacht_data.anomaly_history, urenwacht_data.aggregate_key, urenwacht_data.aggregate_sum TO urenwacht_dashboard;
    GRANT SELECT, INSERT, UPDATE ON urenwacht_data.alert_workflow, urenwacht_data.anomaly_case TO urenwacht_dashboard;
    GRANT SELECT, INSERT ON urenwacht_data.action TO urenwacht_dashboard;
END
$$;
COMMENT ON FUNCTION urenwacht_data.dashboard_prepare IS 'Creates the role of the server where it is missing and may be created, and grants it what it needs. Called by the server at its start.';

-- The columns of these views mean what those of the same name mean in the public views and in the tables below.
DO $$
DECLARE
    field record;
BEGIN
    FOR field IN
        SELECT v.relname, a.attname,
               (SELECT col_description(o.attrelid, o.attnum)
                  FROM pg_attribute o
                  JOIN pg_class c ON c.oid = o.attrelid
                  JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE o.attname = a.attname AND n.nspname IN ('urenwacht', 'urenwacht_data')
                   AND col_description(o.attrelid, o.attnum) IS NOT NULL
                 ORDER BY c.relname = v.relname DESC, n.nspname, c.relname LIMIT 1) AS meaning
          FROM pg_class v
          JOIN pg_attribute a ON a.attrelid = v.oid AND a.attnum > 0
         WHERE v.relnamespace = 'urenwacht_api'::regnamespace
    LOOP
        IF field.meaning IS NOT NULL THEN
            EXECUTE format('COMMENT ON COLUMN urenwacht_api.%I.%I IS %L', field.relname, field.attname, field.meaning);
        END IF;
    END LOOP;
END
$$;
COMMENT ON COLUMN urenwacht_api.decision_content.content IS 'The fields of the event that belong to the version.';
COMMENT ON COLUMN urenwacht_api.alert.severity_rank IS '0: INFO, 1: WARNING, 2: CRITICAL; to sort by.';
COMMENT ON COLUMN urenwacht_api.account.used_percent IS 'Used minutes in percent of the allotment, rounded down.';
