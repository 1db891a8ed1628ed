-- While a region is read for the first time nearly every client waits to be judged. A row for each of them, written anew
-- as soon as it is judged, took a tenth of the server's time: they stand in lists until then.

CREATE TABLE urenwacht_data.client_waiting (
    partition integer NOT NULL,
    clients text[] COLLATE "C" NOT NULL
);
-- A list is written once, read hardly ever and deleted soon.
ALTER TABLE urenwacht_data.client_waiting ALTER COLUMN clients SET STORAGE EXTERNAL;
ALTER TABLE urenwacht_data.client_waiting ALTER COLUMN clients SET STATISTICS 0;
CREATE INDEX client_waiting_partition ON urenwacht_data.client_waiting (partition);

COMMENT ON TABLE urenwacht_data.client_waiting IS 'Clients whose facts are stored and who were never judged, a list for each batch. Who has a row in client was judged since, or is to be judged by it. A partition''s lists go when all are judged; a claim turns them into rows.';
COMMENT ON COLUMN urenwacht_data.client_waiting.partition IS 'The partition of the clients'' events.';
COMMENT ON COLUMN urenwacht_data.client_waiting.clients IS 'Pseudonyms of the clients.';

CREATE VIEW urenwacht_data.client_known AS
SELECT client, partition, next_change_on, rules_version
  FROM urenwacht_data.client
 UNION ALL
SELECT w.client, w.partition, '-infinity'::date, 0
  FROM (SELECT partition, unnest(clients) COLLATE "C" AS client FROM urenwacht_data.client_waiting) w
 WHERE NOT EXISTS (SELECT FROM urenwacht_data.client c WHERE c.client = w.client);
COMMENT ON VIEW urenwacht_data.client_known IS 'Every client of whom an event was accepted.';
COMMENT ON COLUMN urenwacht_data.client_known.client IS 'Pseudonym of the client.';
COMMENT ON COLUMN urenwacht_data.client_known.partition IS 'The partition of the client''s events.';
COMMENT ON COLUMN urenwacht_data.client_known.next_change_on IS 'The first day on which alerts or anomalies can differ though no event comes; null: never; -infinity: judge again now.';
COMMENT ON COLUMN urenwacht_data.client_known.rules_version IS 'The version of the rules under which it was judged last; 0: it was not yet.';
COMMENT ON TABLE urenwacht_data.client IS 'A client of whom an event was accepted, and who was judged, or is to be judged by its row.';
