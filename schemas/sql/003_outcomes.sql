-- What the rules make of the facts: accounts, alerts and anomalies, the latter two with their history: a revision
-- moves there when the next one takes its place. Nearly all have one revision only, which is then written once.

CREATE TABLE urenwacht_data.account_state (
    client text COLLATE "C" NOT NULL,
    municipality text COLLATE "C" NOT NULL,
    decision text COLLATE "C" NOT NULL,
    segment_from date NOT NULL,
    period_from date NOT NULL,
    period_to date,
    model smallint NOT NULL,
    allotted_minutes bigint,
    minimum_minutes bigint,
    used_minutes bigint NOT NULL,
    delivered_minutes bigint NOT NULL,
    no_show_minutes bigint NOT NULL,
    PRIMARY KEY (client, municipality, decision, segment_from, period_from)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX account_state_decision ON urenwacht_data.account_state (municipality, decision);
COMMENT ON TABLE urenwacht_data.account_state IS 'The budget of a decision in one period.';
COMMENT ON COLUMN urenwacht_data.account_state.client IS 'Pseudonym of the client.';
COMMENT ON COLUMN urenwacht_data.account_state.municipality IS 'CBS code of the municipality.';
COMMENT ON COLUMN urenwacht_data.account_state.decision IS 'The decision, unique in the municipality.';
COMMENT ON COLUMN urenwacht_data.account_state.segment_from IS 'First day of the run of days with the same terms.';
COMMENT ON COLUMN urenwacht_data.account_state.period_from IS 'First day of the account''s period.';
COMMENT ON COLUMN urenwacht_data.account_state.period_to IS 'Last day of the period; null: no end.';
COMMENT ON COLUMN urenwacht_data.account_state.model IS '0: Pxq, 1: Bandwidth, 2: YearBudget, 3: FixedPlusSurplus, 4: Result, 5: Task.';
COMMENT ON COLUMN urenwacht_data.account_state.allotted_minutes IS 'Minutes that may be used; null where the form has none.';
COMMENT ON COLUMN urenwacht_data.account_state.minimum_minutes IS 'Minutes that have to be used (Bandwidth); null elsewhere.';
COMMENT ON COLUMN urenwacht_data.account_state.used_minutes IS 'Minutes that count against the allotment.';
COMMENT ON COLUMN urenwacht_data.account_state.delivered_minutes IS 'Minutes delivered, those of no-shows included.';
COMMENT ON COLUMN urenwacht_data.account_state.no_show_minutes IS 'The share of no-shows in the delivered minutes.';

CREATE TABLE urenwacht_data.alert_state (
    alert_id uuid PRIMARY KEY,
    revision integer NOT NULL,
    status text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    severity text COLLATE "C" NOT NULL,
    client text COLLATE "C" NOT NULL,
    municipality text COLLATE "C" NOT NULL,
    decision text COLLATE "C" NOT NULL,
    provider text COLLATE "C" NOT NULL,
    segment_from date,
    period_from date,
    threshold integer,
    effective_on date NOT NULL,
    payload jsonb NOT NULL,
    observed_at timestamptz NOT NULL,
    revision_provider text COLLATE "C"
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX alert_state_client ON urenwacht_data.alert_state (client);
COMMENT ON TABLE urenwacht_data.alert_state IS 'The last revision of every alert.';
COMMENT ON COLUMN urenwacht_data.alert_state.alert_id IS 'Follows from the alert''s identity, the same everywhere.';
COMMENT ON COLUMN urenwacht_data.alert_state.revision IS 'From 1; raised by every change of status, severity or effective_on.';
COMMENT ON COLUMN urenwacht_data.alert_state.status IS 'OPEN while the condition holds, then RESOLVED.';
COMMENT ON COLUMN urenwacht_data.alert_state.kind IS 'SURPLUS_LOW, SURPLUS_EXHAUSTED, BUDGET_LOW, ... (see docs/tables.md).';
COMMENT ON COLUMN urenwacht_data.alert_state.severity IS 'INFO, WARNING or CRITICAL.';
COMMENT ON COLUMN urenwacht_data.alert_state.client IS 'Pseudonym of the client.';
COMMENT ON COLUMN urenwacht_data.alert_state.municipality IS 'CBS code of the municipality.';
COMMENT ON COLUMN urenwacht_data.alert_state.decision IS 'The decision, unique in the municipality.';
COMMENT ON COLUMN urenwacht_data.alert_state.provider IS 'AGB code of the provider in force on effective_on.';
COMMENT ON COLUMN urenwacht_data.alert_state.segment_from IS 'First day of the run of days with the same terms; null for kinds without one.';
COMMENT ON COLUMN urenwacht_data.alert_state.period_from IS 'First day of the account''s period, or the due day of an evaluation; null for kinds without one.';
COMMENT ON COLUMN urenwacht_data.alert_state.threshold IS 'Percentage that was reached; null for kinds without one.';
COMMENT ON COLUMN urenwacht_data.alert_state.effective_on IS 'The day that the alert is about.';
COMMENT ON COLUMN urenwacht_data.alert_state.payload IS 'Figures at the moment of this revision.';
COMMENT ON COLUMN urenwacht_data.alert_state.observed_at IS 'When this revision was judged.';
COMMENT ON COLUMN urenwacht_data.alert_state.revision_provider IS 'The provider at that moment, where it is another one now; null: the same.';

CREATE TABLE urenwacht_data.alert_history (
    alert_id uuid NOT NULL,
    revision integer NOT NULL,
    status text COLLATE "C" NOT NULL,
    severity text COLLATE "C" NOT NULL,
    provider text COLLATE "C" NOT NULL,
    effective_on date NOT NULL,
    payload jsonb NOT NULL,
    observed_at timestamptz NOT NULL,
    PRIMARY KEY (alert_id, revision)
);
COMMENT ON TABLE urenwacht_data.alert_history IS 'The revisions of alerts that are over. The last one of each is in alert_state.';
COMMENT ON COLUMN urenwacht_data.alert_history.alert_id IS 'The alert.';
COMMENT ON COLUMN urenwacht_data.alert_history.revision IS 'From 1.';
COMMENT ON COLUMN urenwacht_data.alert_history.status IS 'OPEN or RESOLVED.';
COMMENT ON COLUMN urenwacht_data.alert_history.severity IS 'INFO, WARNING or CRITICAL.';
COMMENT ON COLUMN urenwacht_data.alert_history.provider IS 'AGB code of the provider at that moment.';
COMMENT ON COLUMN urenwacht_data.alert_history.effective_on IS 'The day that the alert is about.';
COMMENT ON COLUMN urenwacht_data.alert_history.payload IS 'Figures at that moment.';
COMMENT ON COLUMN urenwacht_data.alert_history.observed_at IS 'When this revision was judged.';

CREATE TABLE urenwacht_data.anomaly_state (
    anomaly_id uuid PRIMARY KEY,
    revision integer NOT NULL,
    status text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    client text COLLATE "C" NOT NULL,
    municipality text COLLATE "C" NOT NULL,
    decision text COLLATE "C" NOT NULL,
    provider text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    payload jsonb NOT NULL,
    observed_at timestamptz NOT NULL,
    subject_kind smallint NOT NULL,
    subject_provider text COLLATE "C",
    subject_id text COLLATE "C",
    subject_version integer,
    revision_provider text COLLATE "C"
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX anomaly_state_client ON urenwacht_data.anomaly_state (client);
CREATE INDEX anomaly_state_open ON urenwacht_data.anomaly_state (municipality, kind) WHERE status = 'OPEN';
COMMENT ON TABLE urenwacht_data.anomaly_state IS 'The last revision of every anomaly.';
COMMENT ON COLUMN urenwacht_data.anomaly_state.anomaly_id IS 'Follows from the anomaly''s identity, the same everywhere.';
COMMENT ON COLUMN urenwacht_data.anomaly_state.revision IS 'From 1; raised by every change of status.';
COMMENT ON COLUMN urenwacht_data.anomaly_state.status IS 'OPEN while the condition holds, then RESOLVED.';
COMMENT ON COLUMN urenwacht_data.anomaly_state.kind IS 'VERSION_CONFLICT, DUPLICATE_CONFLICT, ORPHAN_CREDIT, ... (see docs/tables.md).';
COMMENT ON COLUMN urenwacht_data.anomaly_state.client IS 'Pseudonym of the client.';
COMMENT ON COLUMN urenwacht_data.anomaly_state.municipality IS 'CBS code of the municipality.';
COMMENT ON COLUMN urenwacht_data.anomaly_state.decision IS 'The decision that the fact names.';
COMMENT ON COLUMN urenwacht_data.anomaly_state.provider IS 'AGB code of the fact''s provider.';
COMMENT ON COLUMN urenwacht_data.anomaly_state.subject IS 'The fact: line:PROVIDER/LINE, no-show:PROVIDER/NO_SHOW or version:N.';
COMMENT ON COLUMN urenwacht_data.anomaly_state.payload IS 'Evidence at the moment of this revision.';
COMMENT ON COLUMN urenwacht_data.anomaly_state.observed_at IS 'When this revision was judged.';
COMMENT ON COLUMN urenwacht_data.anomaly_state.subject_kind IS '0: line, 1: no-show, 2: version.';
COMMENT ON COLUMN urenwacht_data.anomaly_state.subject_provider IS 'Provider in the subject; null for a version.';
COMMENT ON COLUMN urenwacht_data.anomaly_state.subject_id IS 'Id of the line or no-show in the subject; null for a version.';
COMMENT ON COLUMN urenwacht_data.anomaly_state.subject_version IS 'Number of the version in the subject; null otherwise.';
COMMENT ON COLUMN urenwacht_data.anomaly_state.revision_provider IS 'The provider when this revision was judged, where it is another one now; null: the same.';

CREATE TABLE urenwacht_data.anomaly_history (
    anomaly_id uuid NOT NULL,
    revision integer NOT NULL,
    status text COLLATE "C" NOT NULL,
    provider text COLLATE "C" NOT NULL,
    payload jsonb NOT NULL,
    observed_at timestamptz NOT NULL,
    PRIMARY KEY (anomaly_id, revision)
);
COMMENT ON TABLE urenwacht_data.anomaly_history IS 'The revisions of anomalies that are over. The last one of each is in anomaly_state.';
COMMENT ON COLUMN urenwacht_data.anomaly_history.anomaly_id IS 'The anomaly.';
COMMENT ON COLUMN urenwacht_data.anomaly_history.revision IS 'From 1.';
COMMENT ON COLUMN urenwacht_data.anomaly_history.status IS 'OPEN or RESOLVED.';
COMMENT ON COLUMN urenwacht_data.anomaly_history.provider IS 'AGB code of the fact''s provider at that moment.';
COMMENT ON COLUMN urenwacht_data.anomaly_history.payload IS 'Evidence at that moment.';
COMMENT ON COLUMN urenwacht_data.anomaly_history.observed_at IS 'When this revision was judged.';

CREATE VIEW urenwacht.account AS
SELECT client, municipality, decision, segment_from, period_from, period_to,
       urenwacht_data.model_name(model) AS model, allotted_minutes, minimum_minutes, used_minutes,
       delivered_minutes, no_show_minutes
  FROM urenwacht_data.account_state;
COMMENT ON VIEW urenwacht.account IS 'The budget of a decision in one period.';

CREATE VIEW urenwacht.alert AS
SELECT alert_id, revision, status, kind, severity, client, municipality, decision, provider, segment_from,
       period_from, threshold, effective_on, payload, observed_at
  FROM urenwacht_data.alert_state;
COMMENT ON VIEW urenwacht.alert IS 'The last revision of every alert; status OPEN for those that hold.';

CREATE VIEW urenwacht.alert_revision AS
SELECT h.alert_id, h.revision, h.status, s.kind, h.severity, s.client, s.municipality, s.decision, h.provider,
       s.segment_from, s.period_from, s.threshold, h.effective_on, h.payload, h.observed_at
  FROM urenwacht_data.alert_history h
  JOIN urenwacht_data.alert_state s USING (alert_id)
 UNION ALL
SELECT alert_id, revision, status, kind, severity, client, municipality, decision,
       coalesce(revision_provider, provider), segment_from, period_from, threshold, effective_on, payload, observed_at
  FROM urenwacht_data.alert_state;
COMMENT ON VIEW urenwacht.alert_revision IS 'Every revision of every alert.';

CREATE VIEW urenwacht.anomaly AS
SELECT anomaly_id, revision, status, kind, client, municipality, decision, provider, subject, payload, observed_at
  FROM urenwacht_data.anomaly_state;
COMMENT ON VIEW urenwacht.anomaly IS 'The last revision of every anomaly; status OPEN for those that hold. A signal to look into, not a proof.';

CREATE VIEW urenwacht.anomaly_revision AS
SELECT h.anomaly_id, h.revision, h.status, s.kind, s.client, s.municipality, s.decision, h.provider, s.subject,
       h.payload, h.observed_at
  FROM urenwacht_data.anomaly_history h
  JOIN urenwacht_data.anomaly_state s USING (anomaly_id)
 UNION ALL
SELECT anomaly_id, revision, status, kind, client, municipality, decision, coalesce(revision_provider, provider),
       subject, payload, observed_at
  FROM urenwacht_data.anomaly_state;
COMMENT ON VIEW urenwacht.anomaly_revision IS 'Every revision of every anomaly.';

DO $$
DECLARE
    field record;
BEGIN
    -- A column of a view has the meaning of the one that it shows; those shown by name say so.
    FOR field IN SELECT m.view_name, v.attname,
                        CASE WHEN v.atttypid = t.atttypid THEN col_description(t.attrelid, t.attnum)
                        ELSE regexp_replace(col_description(t.attrelid, t.attnum), '[0-9]: ', '', 'g') END AS meaning
                   FROM (VALUES ('account', 'account_state'), ('alert', 'alert_state'),
                                ('alert_revision', 'alert_state'), ('anomaly', 'anomaly_state'),
                                ('anomaly_revision', 'anomaly_state')) m (view_name, table_name)
                   JOIN pg_attribute v ON v.attrelid = ('urenwacht.' || m.view_name)::regclass AND v.attnum > 0
                   JOIN pg_attribute t ON t.attrelid = ('urenwacht_data.' || m.table_name)::regclass
                                      AND t.attname = v.attname LOOP
        EXECUTE format('COMMENT ON COLUMN urenwacht.%I.%I IS %L', field.view_name, field.attname, field.meaning);
    END LOOP;
END
$$;
