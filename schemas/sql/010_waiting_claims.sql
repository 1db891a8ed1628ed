-- Who claims a partition makes rows of what a former owner has left in its lists, and by a trigger, so that a program from
-- before the lists, which may claim it while an installation is upgraded one instance after another, does so as well.
CREATE FUNCTION urenwacht_data.make_waiting_rows() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    WITH lists AS (DELETE FROM urenwacht_data.client_waiting WHERE partition = NEW.partition RETURNING clients)
    INSERT INTO urenwacht_data.client (client, partition, next_change_on, rules_version)
    SELECT unnest(clients), NEW.partition, '-infinity', 0 FROM lists
        ON CONFLICT (client) DO NOTHING;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION urenwacht_data.make_waiting_rows IS 'Turns the lists of a partition that is claimed into rows of client.';
CREATE TRIGGER make_waiting_rows AFTER UPDATE OF epoch ON urenwacht_data.partition_state
    FOR EACH ROW WHEN (NEW.epoch <> OLD.epoch) EXECUTE FUNCTION urenwacht_data.make_waiting_rows();

-- A client stands in lists of two partitions when its producers did not agree on its partition.
CREATE OR REPLACE VIEW urenwacht_data.client_known AS
SELECT client, partition, next_change_on, rules_version
  FROM urenwacht_data.client
 UNION ALL
SELECT w.client, w.partition, '-infinity'::date, 0
  FROM (SELECT DISTINCT ON (l.client) l.client, l.partition
          FROM (SELECT partition, unnest(clients) COLLATE "C" AS client FROM urenwacht_data.client_waiting) l
         ORDER BY l.client, l.partition) w
 WHERE NOT EXISTS (SELECT FROM urenwacht_data.client c WHERE c.client = w.client);
