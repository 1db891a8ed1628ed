-- Webhooks of `urenwacht serve`: who gets which alerts and anomalies, and what became of every one of them.
--
-- Two tasks are each done by one server at a time, whoever holds their row of webhook_task: "feed" reads the topics and
-- queues deliveries, with the position it has reached in the same transaction; "send" makes the requests. Tables are
-- read and changed for a token as the role urenwacht_dashboard, under row-level security; the tasks are the owner's.

CREATE TABLE urenwacht_data.webhook_task (
    task text COLLATE "C" PRIMARY KEY CHECK (task IN ('feed', 'send')),
    holder text COLLATE "C",
    until timestamptz,
    backend integer,
    backend_start timestamptz,
    position text COLLATE "C"
);
INSERT INTO urenwacht_data.webhook_task (task) VALUES ('feed'), ('send');
COMMENT ON TABLE urenwacht_data.webhook_task IS 'Which server does what for all webhooks.';
COMMENT ON COLUMN urenwacht_data.webhook_task.task IS 'feed: queues deliveries; send: makes the requests.';
COMMENT ON COLUMN urenwacht_data.webhook_task.holder IS 'Random name of the server that does it; null: none.';
COMMENT ON COLUMN urenwacht_data.webhook_task.until IS 'Until when it has said that it goes on.';
COMMENT ON COLUMN urenwacht_data.webhook_task.backend IS 'Process id of its connection; when that is gone another server takes over at once.';
COMMENT ON COLUMN urenwacht_data.webhook_task.backend_start IS 'When that connection began.';
COMMENT ON COLUMN urenwacht_data.webhook_task.position IS 'Of feed: the place in the topics up to which all is queued, as in the ids of the stream.';

CREATE TABLE urenwacht_data.webhook (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token_id bigint NOT NULL REFERENCES urenwacht_data.token ON DELETE CASCADE,
    made_by text NOT NULL,
    municipalities text[],
    signals boolean NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    url text NOT NULL CHECK (length(url) BETWEEN 1 AND 2000),
    filter jsonb NOT NULL,
    state text COLLATE "C" NOT NULL DEFAULT 'ACTIVE' CHECK (state IN ('ACTIVE', 'PAUSED', 'DISABLED', 'STOPPED')),
    state_reason text COLLATE "C" CHECK (state_reason IN ('BY_HAND', 'GONE', 'TOKEN')),
    state_at timestamptz NOT NULL DEFAULT now(),
    held_until timestamptz,
    failing_since timestamptz,
    failures integer NOT NULL DEFAULT 0,
    last_failed_id bigint,
    behind text COLLATE "C",
    replay_since timestamptz,
    replay_from text COLLATE "C",
    gap_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    last_delivered_at timestamptz
);
CREATE INDEX webhook_token ON urenwacht_data.webhook (token_id);
COMMENT ON TABLE urenwacht_data.webhook IS 'Subscriptions that are told by HTTP.';
COMMENT ON COLUMN urenwacht_data.webhook.id IS 'By which it is named.';
COMMENT ON COLUMN urenwacht_data.webhook.token_id IS 'The token by whose rights it lives.';
COMMENT ON COLUMN urenwacht_data.webhook.made_by IS 'Name of that token.';
COMMENT ON COLUMN urenwacht_data.webhook.municipalities IS 'CBS codes that the token sees; null: all.';
COMMENT ON COLUMN urenwacht_data.webhook.signals IS 'The token sees anomalies.';
COMMENT ON COLUMN urenwacht_data.webhook.name IS 'For people.';
COMMENT ON COLUMN urenwacht_data.webhook.url IS 'Where the requests go.';
COMMENT ON COLUMN urenwacht_data.webhook.filter IS 'Which events: parameters of the stream with their values.';
COMMENT ON COLUMN urenwacht_data.webhook.state IS 'ACTIVE; PAUSED by people; DISABLED by the receiver; STOPPED with its token.';
COMMENT ON COLUMN urenwacht_data.webhook.state_reason IS 'BY_HAND, GONE (410) or TOKEN; null: active.';
COMMENT ON COLUMN urenwacht_data.webhook.state_at IS 'Since when.';
COMMENT ON COLUMN urenwacht_data.webhook.held_until IS 'No request before this instant: the receiver asked for it, or fails every time.';
COMMENT ON COLUMN urenwacht_data.webhook.failing_since IS 'The first failure since the last success; null: none.';
COMMENT ON COLUMN urenwacht_data.webhook.failures IS 'Deliveries that failed since then, repeats of one not counted.';
COMMENT ON COLUMN urenwacht_data.webhook.last_failed_id IS 'The delivery that failed last.';
COMMENT ON COLUMN urenwacht_data.webhook.behind IS 'Up to where events were queued for it, when that is less far than for the others; null: as far.';
COMMENT ON COLUMN urenwacht_data.webhook.replay_since IS 'All since this instant is to be queued again; null: nothing was asked.';
COMMENT ON COLUMN urenwacht_data.webhook.replay_from IS 'The same from a position on, as in the ids of the stream.';
COMMENT ON COLUMN urenwacht_data.webhook.gap_at IS 'When events were found to be gone from the topics before they were queued; null: never.';
COMMENT ON COLUMN urenwacht_data.webhook.created_at IS 'When it was created.';
COMMENT ON COLUMN urenwacht_data.webhook.changed_at IS 'When name, URL or filter was changed last.';
COMMENT ON COLUMN urenwacht_data.webhook.last_delivered_at IS 'When an event was last accepted.';

CREATE TABLE urenwacht_data.webhook_secret (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook_id bigint NOT NULL REFERENCES urenwacht_data.webhook ON DELETE CASCADE,
    secret bytea NOT NULL CHECK (length(secret) BETWEEN 24 AND 64),
    created_at timestamptz NOT NULL DEFAULT now(),
    until timestamptz
);
CREATE INDEX webhook_secret_webhook ON urenwacht_data.webhook_secret (webhook_id);
COMMENT ON TABLE urenwacht_data.webhook_secret IS 'With what requests are signed. The role of the server cannot read the secrets, only the owner can.';
COMMENT ON COLUMN urenwacht_data.webhook_secret.id IS 'In the order in which they were made.';
COMMENT ON COLUMN urenwacht_data.webhook_secret.webhook_id IS 'The webhook.';
COMMENT ON COLUMN urenwacht_data.webhook_secret.secret IS 'Key of the HMAC.';
COMMENT ON COLUMN urenwacht_data.webhook_secret.created_at IS 'When it was made.';
COMMENT ON COLUMN urenwacht_data.webhook_secret.until IS 'Until when it signs as well; null: it is the present one.';

CREATE TABLE urenwacht_data.webhook_delivery (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook_id bigint NOT NULL REFERENCES urenwacht_data.webhook ON DELETE CASCADE,
    event_id text COLLATE "C" NOT NULL,
    event_type text COLLATE "C" NOT NULL,
    municipality text COLLATE "C" NOT NULL,
    lane bigint NOT NULL,
    body text NOT NULL,
    state text COLLATE "C" NOT NULL DEFAULT 'NEW'
        CHECK (state IN ('NEW', 'WAITING', 'READY', 'DELIVERED', 'FAILED', 'CANCELLED')),
    queued_at timestamptz NOT NULL DEFAULT now(),
    due_at timestamptz NOT NULL DEFAULT now(),
    attempts integer NOT NULL DEFAULT 0,
    first_attempt_at timestamptz,
    last_attempt_at timestamptz,
    last_status integer,
    last_error text,
    last_duration_ms integer,
    finished_at timestamptz
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX webhook_delivery_log ON urenwacht_data.webhook_delivery (webhook_id, id);
CREATE INDEX webhook_delivery_new ON urenwacht_data.webhook_delivery (id) WHERE state = 'NEW';
CREATE INDEX webhook_delivery_ready ON urenwacht_data.webhook_delivery (webhook_id, due_at, id) WHERE state = 'READY';
CREATE INDEX webhook_delivery_lane ON urenwacht_data.webhook_delivery (webhook_id, lane, id)
    WHERE state IN ('NEW', 'WAITING', 'READY');
CREATE INDEX webhook_delivery_open ON urenwacht_data.webhook_delivery (webhook_id, queued_at)
    WHERE state IN ('NEW', 'WAITING', 'READY');
CREATE INDEX webhook_delivery_failed ON urenwacht_data.webhook_delivery (webhook_id) WHERE state = 'FAILED';
CREATE INDEX webhook_delivery_finished ON urenwacht_data.webhook_delivery (finished_at) WHERE finished_at IS NOT NULL;
COMMENT ON TABLE urenwacht_data.webhook_delivery IS 'Events that are to be told, and for some days those that were.';
COMMENT ON COLUMN urenwacht_data.webhook_delivery.id IS 'In the order in which they were queued.';
COMMENT ON COLUMN urenwacht_data.webhook_delivery.webhook_id IS 'To whom.';
COMMENT ON COLUMN urenwacht_data.webhook_delivery.event_id IS 'Follows from the alert or anomaly and its revision, the same every time.';
COMMENT ON COLUMN urenwacht_data.webhook_delivery.event_type IS 'nl.urenwacht.alert.opened, ... (see docs/webhooks.md).';
COMMENT ON COLUMN urenwacht_data.webhook_delivery.municipality IS 'CBS code of the municipality that the event is about; empty for a test.';
COMMENT ON COLUMN urenwacht_data.webhook_delivery.lane IS 'Hash of client and decision: those of one lane go one after another.';
COMMENT ON COLUMN urenwacht_data.webhook_delivery.body IS 'What is sent, to the byte.';
COMMENT ON COLUMN urenwacht_data.webhook_delivery.state IS 'NEW: just queued; WAITING: behind another of its lane; READY: from due_at on; DELIVERED, FAILED or CANCELLED: over.';
COMMENT ON COLUMN urenwacht_data.webhook_delivery.queued_at IS 'When it was queued.';
COMMENT ON COLUMN urenwacht_data.webhook_delivery.due_at IS 'When it is tried, or was to be.';
COMMENT ON COLUMN urenwacht_data.webhook_delivery.attempts IS 'How often it was tried.';
COMMENT ON COLUMN urenwacht_data.webhook_delivery.first_attempt_at IS 'The first time; null: not yet.';
COMMENT ON COLUMN urenwacht_data.webhook_delivery.last_attempt_at IS 'The last time; null: not yet.';
COMMENT ON COLUMN urenwacht_data.webhook_delivery.last_status IS 'HTTP status of the last answer; null: none came.';
COMMENT ON COLUMN urenwacht_data.webhook_delivery.last_error IS 'What was wrong the last time; null: nothing.';
COMMENT ON COLUMN urenwacht_data.webhook_delivery.last_duration_ms IS 'How long the last attempt took.';
COMMENT ON COLUMN urenwacht_data.webhook_delivery.finished_at IS 'When it was over; null: it is not.';

-- A webhook is seen by whoever sees at least what it sees.
ALTER TABLE urenwacht_data.webhook ENABLE ROW LEVEL SECURITY;
CREATE POLICY rights ON urenwacht_data.webhook
    USING (((SELECT current_setting('urenwacht.municipalities', true)) = '*'
            OR (municipalities IS NOT NULL
                AND municipalities <@ (SELECT string_to_array(current_setting('urenwacht.municipalities', true), ','))))
           AND (NOT signals OR (SELECT current_setting('urenwacht.signals', true)) = 'yes'));
ALTER TABLE urenwacht_data.webhook_secret ENABLE ROW LEVEL SECURITY;
CREATE POLICY rights ON urenwacht_data.webhook_secret
    USING (EXISTS (SELECT FROM urenwacht_data.webhook w WHERE w.id = webhook_secret.webhook_id));
ALTER TABLE urenwacht_data.webhook_delivery ENABLE ROW LEVEL SECURITY;
CREATE POLICY rights ON urenwacht_data.webhook_delivery
    USING (EXISTS (SELECT FROM urenwacht_data.webhook w WHERE w.id = webhook_delivery.webhook_id));

-- Whoever makes a webhook does not see all, and still has to keep to the limit of all.
CREATE FUNCTION urenwacht_data.webhook_count() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
RETURN (SELECT count(*) FROM urenwacht_data.webhook);
COMMENT ON FUNCTION urenwacht_data.webhook_count IS 'How many webhooks there are, also of those that the caller does not see.';

CREATE FUNCTION urenwacht_data.webhook_prepare() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    GRANT SELECT, INSERT, UPDATE, DELETE ON urenwacht_data.webhook TO urenwacht_dashboard;
    GRANT SELECT (id, webhook_id, created_at, until), INSERT, UPDATE (until), DELETE
        ON urenwacht_data.webhook_secret TO urenwacht_dashboard;
    GRANT SELECT, INSERT, UPDATE ON urenwacht_data.webhook_delivery TO urenwacht_dashboard;
    GRANT SELECT ON urenwacht_data.webhook_task TO urenwacht_dashboard;
END
$$;
COMMENT ON FUNCTION urenwacht_data.webhook_prepare IS 'Grants the role of the server what webhooks need. Called by the server at its start.';
