-- How closely PostgreSQL looks at the tables that grow. Whenever a table has grown by a tenth, autovacuum sorts a sample
-- of every column; by default these samples take a fifteenth of the server's processor time while a region is read. What
-- is asked is nearly always about one client, decision, municipality or kind, and a third of the usual sample tells as
-- well how many rows these have. By figures, payloads and ids of events nothing is looked for.
DO $$
DECLARE
    field record;
BEGIN
    FOR field IN
        SELECT c.relname, a.attname,
               CASE WHEN a.attname IN ('accepted_at', 'event_id', 'event_id_upper', 'payload', 'key', 'value', 'headers')
                         AND c.relname <> 'aggregate_sum'
                      OR c.relname = 'aggregate_sum' AND a.attname NOT IN ('key', 'grain', 'period_from')
                    THEN 0 ELSE 30 END AS target
          FROM pg_class c
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
         WHERE c.relnamespace = 'urenwacht_data'::regnamespace
           AND c.relname IN ('decision_fact', 'declaration_fact', 'no_show_fact', 'evaluation_fact', 'client',
                             'account_state', 'alert_state', 'alert_history', 'anomaly_state', 'anomaly_history',
                             'aggregate_key', 'aggregate_sum', 'outbox')
    LOOP
        EXECUTE format('ALTER TABLE urenwacht_data.%I ALTER COLUMN %I SET STATISTICS %s', field.relname, field.attname,
                       field.target);
    END LOOP;
END
$$;
