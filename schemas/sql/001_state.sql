-- Who owns a partition, how far it has been applied, what still has to be published, and when a client has to
-- be judged again. `urenwacht` holds the views that are a contract; `urenwacht_data` the tables below them.

CREATE SCHEMA urenwacht_data;
COMMENT ON SCHEMA urenwacht_data IS 'The tables of Urenwacht. They may change with any version: read the views in urenwacht.';
COMMENT ON SCHEMA urenwacht IS 'The public views of Urenwacht: a contract for dashboards.';

COMMENT ON TABLE urenwacht.schema_version IS 'The migrations that made this schema.';
COMMENT ON COLUMN urenwacht.schema_version.version IS 'Number of the migration, from 1, without gaps.';
COMMENT ON COLUMN urenwacht.schema_version.name IS 'Name of the migration''s file.';
COMMENT ON COLUMN urenwacht.schema_version.checksum IS 'SHA-256 of its text, in hexadecimal.';
COMMENT ON COLUMN urenwacht.schema_version.applied_at IS 'When it was applied.';

-- The four offsets stand in one row with the epoch and the sequence: one row is compared and set, or not.
CREATE TABLE urenwacht_data.partition_state (
    partition integer PRIMARY KEY CHECK (partition >= 0),
    epoch bigint NOT NULL,
    owner text NOT NULL,
    claimed_at timestamptz NOT NULL,
    topics text[] NOT NULL CHECK (cardinality(topics) = 4),
    decisions_offset bigint NOT NULL DEFAULT 0,
    declarations_offset bigint NOT NULL DEFAULT 0,
    no_shows_offset bigint NOT NULL DEFAULT 0,
    evaluations_offset bigint NOT NULL DEFAULT 0,
    as_of date,
    next_sequence bigint NOT NULL DEFAULT 1,
    published_sequence bigint NOT NULL DEFAULT 0,
    rules_fingerprint bigint NOT NULL DEFAULT 0,
    rules_version integer NOT NULL,
    events bigint NOT NULL DEFAULT 0,
    refused bigint NOT NULL DEFAULT 0,
    last_commit uuid
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0);

COMMENT ON TABLE urenwacht_data.partition_state IS 'A partition of the four input topics: its owner, and how far it has been applied.';
COMMENT ON COLUMN urenwacht_data.partition_state.partition IS 'Number of the partition, the same in all four topics.';
COMMENT ON COLUMN urenwacht_data.partition_state.epoch IS 'Raised by every claim; a commit under another epoch is refused.';
COMMENT ON COLUMN urenwacht_data.partition_state.owner IS 'Name of the instance that claimed it last.';
COMMENT ON COLUMN urenwacht_data.partition_state.claimed_at IS 'When it was claimed.';
COMMENT ON COLUMN urenwacht_data.partition_state.topics IS 'Names of the topics for decisions, declarations, no-shows and evaluations, as of the last claim.';
COMMENT ON COLUMN urenwacht_data.partition_state.decisions_offset IS 'First offset of the decisions topic that is not applied.';
COMMENT ON COLUMN urenwacht_data.partition_state.declarations_offset IS 'First offset of the declarations topic that is not applied.';
COMMENT ON COLUMN urenwacht_data.partition_state.no_shows_offset IS 'First offset of the no-shows topic that is not applied.';
COMMENT ON COLUMN urenwacht_data.partition_state.evaluations_offset IS 'First offset of the evaluations topic that is not applied.';
COMMENT ON COLUMN urenwacht_data.partition_state.as_of IS 'The date up to which the last batch judged; null before the first.';
COMMENT ON COLUMN urenwacht_data.partition_state.next_sequence IS 'The number that the next outbox row gets.';
COMMENT ON COLUMN urenwacht_data.partition_state.published_sequence IS 'All outbox rows up to this number are known to be in Kafka, and are deleted.';
COMMENT ON COLUMN urenwacht_data.partition_state.rules_fingerprint IS 'The rules for which all clients were last marked for judging.';
COMMENT ON COLUMN urenwacht_data.partition_state.rules_version IS 'The highest version of the rules with which it was claimed; a program with lower ones is refused.';
COMMENT ON COLUMN urenwacht_data.partition_state.events IS 'Events accepted since the beginning, redeliveries too.';
COMMENT ON COLUMN urenwacht_data.partition_state.refused IS 'Events sent to the dead letters since the beginning.';
COMMENT ON COLUMN urenwacht_data.partition_state.last_commit IS 'Mark of the last batch, by which an owner whose connection broke during COMMIT finds out whether it was applied.';

CREATE TABLE urenwacht_data.input (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    partition_count integer NOT NULL CHECK (partition_count > 0)
);
COMMENT ON TABLE urenwacht_data.input IS 'What the input topics were like when the database was first filled; one row.';
COMMENT ON COLUMN urenwacht_data.input.single IS 'True, so that there is one row.';
COMMENT ON COLUMN urenwacht_data.input.partition_count IS 'Partitions of each input topic. With another number clients would be in other partitions.';

CREATE TABLE urenwacht_data.client (
    client text COLLATE "C" PRIMARY KEY,
    partition integer NOT NULL,
    next_change_on date,
    rules_version integer NOT NULL
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
-- Without the client's name: many share a day, and equal keys are stored once.
CREATE INDEX client_due ON urenwacht_data.client (partition, next_change_on) WHERE next_change_on IS NOT NULL;
CREATE INDEX client_rules ON urenwacht_data.client (rules_version);

COMMENT ON TABLE urenwacht_data.client IS 'A client of whom an event was accepted.';
COMMENT ON COLUMN urenwacht_data.client.client IS 'Pseudonym of the client.';
COMMENT ON COLUMN urenwacht_data.client.partition IS 'The partition of the client''s events.';
COMMENT ON COLUMN urenwacht_data.client.next_change_on IS 'The first day on which alerts or anomalies can differ though no event comes; null: never; -infinity: judge again now.';
COMMENT ON COLUMN urenwacht_data.client.rules_version IS 'The version of the rules under which it was judged last; 0: it was not yet.';

CREATE TABLE urenwacht_data.outbox (
    partition integer NOT NULL,
    sequence bigint NOT NULL,
    output smallint NOT NULL,
    key bytea,
    value bytea,
    headers bytea NOT NULL,
    PRIMARY KEY (partition, sequence)
) WITH (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0.1);
-- Most values are short lived and read once; compressing them would cost more than it saves.
ALTER TABLE urenwacht_data.outbox ALTER COLUMN value SET STORAGE EXTERNAL;

COMMENT ON TABLE urenwacht_data.outbox IS 'What has been decided and is not yet known to be in Kafka.';
COMMENT ON COLUMN urenwacht_data.outbox.partition IS 'The input partition that it belongs to.';
COMMENT ON COLUMN urenwacht_data.outbox.sequence IS '1, 2, 3, ... within the partition, never used again.';
COMMENT ON COLUMN urenwacht_data.outbox.output IS '0: alerts, 1: anomalies, 2: dead letters.';
COMMENT ON COLUMN urenwacht_data.outbox.key IS 'Key of the Kafka record; null: none.';
COMMENT ON COLUMN urenwacht_data.outbox.value IS 'Value of the Kafka record; null: none.';
COMMENT ON COLUMN urenwacht_data.outbox.headers IS 'Headers of the record, each as length and bytes of name and of value (32 bits, big-endian; value length -1: null).';

-- The compare-and-set of a batch: every partition has to be as the batch found it, or nothing is applied. An
-- error instead of a count lets the client send the rest of the batch, COMMIT included, without waiting.
-- Offsets are flat: four for every partition.
CREATE FUNCTION urenwacht_data.advance(partitions integer[], epochs bigint[], from_sequences bigint[],
    to_sequences bigint[], published_sequences bigint[], as_ofs date[], accepted bigint[], refusals bigint[],
    from_offsets bigint[], to_offsets bigint[], commit_mark uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    advanced integer;
BEGIN
    -- In one order, so that two instances that disagree about ownership cannot deadlock.
    PERFORM FROM urenwacht_data.partition_state s
      WHERE s.partition = ANY (partitions) ORDER BY s.partition FOR NO KEY UPDATE;
    UPDATE urenwacht_data.partition_state s
       SET decisions_offset = to_offsets[4 * w.i - 3], declarations_offset = to_offsets[4 * w.i - 2],
           no_shows_offset = to_offsets[4 * w.i - 1], evaluations_offset = to_offsets[4 * w.i],
           next_sequence = w.to_sequence,
           published_sequence = greatest(s.published_sequence, w.published_sequence),
           as_of = w.as_of, events = s.events + w.events, refused = s.refused + w.refused,
           last_commit = commit_mark
      FROM unnest(partitions, epochs, from_sequences, to_sequences, published_sequences, as_ofs, accepted,
                  refusals) WITH ORDINALITY
           w (partition, epoch, from_sequence, to_sequence, published_sequence, as_of, events, refused, i)
     WHERE s.partition = w.partition AND s.epoch = w.epoch AND s.next_sequence = w.from_sequence
       AND s.decisions_offset = from_offsets[4 * w.i - 3] AND s.declarations_offset = from_offsets[4 * w.i - 2]
       AND s.no_shows_offset = from_offsets[4 * w.i - 1] AND s.evaluations_offset = from_offsets[4 * w.i];
    GET DIAGNOSTICS advanced = ROW_COUNT;
    IF advanced <> cardinality(partitions) THEN
        RAISE EXCEPTION 'another instance owns a partition of this batch, or has moved it on'
            USING ERRCODE = 'UW001';
    END IF;
    DELETE FROM urenwacht_data.outbox o
     USING unnest(partitions, published_sequences) w (partition, published_sequence)
     WHERE o.partition = w.partition AND o.sequence <= w.published_sequence;
END
$$;
COMMENT ON FUNCTION urenwacht_data.advance IS 'Compares and sets the positions of a batch''s partitions; fails with UW001 unless all match. Deletes what is published.';

CREATE VIEW urenwacht.progress AS
SELECT t.topic, s.partition, t.next_offset, s.as_of
  FROM urenwacht_data.partition_state s
 CROSS JOIN LATERAL (VALUES (s.topics[1], s.decisions_offset), (s.topics[2], s.declarations_offset),
                            (s.topics[3], s.no_shows_offset), (s.topics[4], s.evaluations_offset))
       t (topic, next_offset);
COMMENT ON VIEW urenwacht.progress IS 'How far every partition of the input topics has been applied.';
COMMENT ON COLUMN urenwacht.progress.topic IS 'Name of the topic.';
COMMENT ON COLUMN urenwacht.progress.partition IS 'Number of the partition.';
COMMENT ON COLUMN urenwacht.progress.next_offset IS 'First offset that is not applied.';
COMMENT ON COLUMN urenwacht.progress.as_of IS 'The date up to which the last batch judged.';
