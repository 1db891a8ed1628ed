/*
 * The store when the connection breaks at the worst moment. Between it and the server stands a proxy (a process of
 * its own) that cuts the connection when COMMIT passes by, before or after the server got it.
 */
#include "tests/producers/store_live.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "producers/postgres.h"

enum cut { CUT_NEVER, CUT_BEFORE, CUT_AFTER };

/* In memory that the proxy shares with the test. */
struct proxy {
    volatile enum cut cut; /* what to do with the next COMMIT */
    volatile bool closed;  /* new connections wait as long as it is */
    volatile uint32_t cuts;
    int port;
    pid_t process;
};

#define BUFFER_BYTES 65536
/* What must be over comes to an end in half of this, and what must be done is done in much less. */
#define SHORT_MS 5000

static int connect_server(void)
{
    PGconn *connection = PQconnectdb(live_dsn());
    struct sockaddr_in address = {.sin_family = AF_INET};
    int made = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_port = htons((uint16_t)strtol(PQport(connection), NULL, 10));
    if (inet_pton(AF_INET, PQhost(connection), &address.sin_addr) != 1) {
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    }
    PQfinish(connection);
    if (connect(made, (struct sockaddr *)&address, sizeof address) != 0) {
        _exit(1);
    }
    return made;
}

static bool has(const char *data, size_t length, const char *wanted, size_t wanted_length)
{
    for (size_t i = 0; i + wanted_length <= length; i++) {
        if (memcmp(data + i, wanted, wanted_length) == 0) {
            return true;
        }
    }
    return false;
}

/* The Bind message of the prepared statement that is COMMIT: no portal's name, then the statement's. */
static bool has_commit(const char *data, size_t length)
{
    static const char wanted[] = "\0commit";

    return has(data, length, wanted, sizeof wanted);
}

/* Until the server has said that it is done: CommandComplete with its tag. */
static void await_commit(int server)
{
    static const char wanted[] = "COMMIT";
    static char buffer[BUFFER_BYTES];
    size_t used = 0;
    ssize_t got;

    while (!has(buffer, used, wanted, sizeof wanted)) {
        if (used == sizeof buffer || (got = recv(server, buffer + used, sizeof buffer - used, 0)) <= 0) {
            _exit(1);
        }
        used += (size_t)got;
    }
}

static bool send_all(int to, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(to, data, length, MSG_NOSIGNAL);

        if (sent <= 0) {
            return false;
        }
        data += sent;
        length -= (size_t)sent;
    }
    return true;
}

/* Carries bytes both ways until one side ends or a COMMIT is cut. */
static void carry(struct proxy *proxy, int client, int server)
{
    static char buffer[BUFFER_BYTES];
    struct pollfd ends[2] = {{.fd = client, .events = POLLIN}, {.fd = server, .events = POLLIN}};

    while (poll(ends, 2, -1) > 0) {
        for (int i = 0; i < 2; i++) {
            ssize_t got;

            if (ends[i].revents == 0) {
                continue;
            }
            got = recv(ends[i].fd, buffer, sizeof buffer, 0);
            if (got <= 0) {
                return;
            }
            if (i == 0 && proxy->cut != CUT_NEVER && has_commit(buffer, (size_t)got)) {
                enum cut cut = proxy->cut;

                proxy->cut = CUT_NEVER;
                if (cut == CUT_AFTER) {
                    (void)send_all(server, buffer, (size_t)got);
                    await_commit(server);
                }
                proxy->cuts++;
                return;
            }
            if (!send_all(ends[1 - i].fd, buffer, (size_t)got)) {
                return;
            }
        }
    }
}

static void serve(struct proxy *proxy, int listener)
{
    for (;;) {
        int client = accept(listener, NULL, NULL), server;

        if (client < 0) {
            _exit(1);
        }
        while (proxy->closed) {
            live_sleep_ms(10);
        }
        server = connect_server();
        carry(proxy, client, server);
        close(client);
        close(server);
    }
}

static struct proxy *start_proxy(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    FILE *file = tmpfile();
    struct proxy *proxy;
    pid_t process;

    assert_non_null(file);
    assert_int_equal(ftruncate(fileno(file), sizeof *proxy), 0);
    proxy = mmap(NULL, sizeof *proxy, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0);
    assert_true(proxy != MAP_FAILED);
    fclose(file);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 8), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    proxy->port = ntohs(address.sin_port);
    process = fork();
    if (process == 0) {
        serve(proxy, listener);
    }
    assert_true(process > 0);
    proxy->process = process;
    close(listener);
    return proxy;
}

static void stop_proxy(struct proxy *proxy)
{
    kill(proxy->process, SIGKILL);
    waitpid(proxy->process, NULL, 0);
    munmap(proxy, sizeof *proxy);
}

/* The database's dsn with another host and port. */
static void dsn_at(int port, char *dsn, size_t size)
{
    PGconn *connection = PQconnectdb(live_dsn());

    snprintf(dsn, size, "host=127.0.0.1 port=%d dbname=%s user=%s password=%s sslmode=disable", port,
             PQdb(connection), PQuser(connection), PQpass(connection));
    PQfinish(connection);
}

/* A store whose connection goes through a proxy. */
static struct uw_pgstore *open_behind(struct proxy **proxy)
{
    char dsn[512];

    live_require();
    *proxy = start_proxy();
    dsn_at((*proxy)->port, dsn, sizeof dsn);
    return live_open_at(dsn, "one", LIVE_TIMEOUT_MS);
}

struct batch {
    struct uw_event event;
    struct uw_fact_change fact;
    struct uw_partition_change partition;
    struct uw_changes changes;
};

static void fill_batch(struct batch *batch, struct uw_pgstore *store)
{
    batch->event = live_line("c", 1);
    batch->fact = (struct uw_fact_change){&batch->event, 0, 0, false};
    batch->partition = live_claim(store, 0);
    batch->partition.to_offset[1] = 1;
    batch->changes = (struct uw_changes){.observed_at_ms = LIVE_AT_MS,
                                         .partitions = &batch->partition,
                                         .partition_count = 1,
                                         .facts = &batch->fact,
                                         .fact_count = 1};
}

static int64_t count_listed(void)
{
    return live_number("SELECT coalesce(sum(cardinality(clients)), 0) FROM urenwacht_data.client_waiting");
}

static int64_t count_facts(void)
{
    return live_number("SELECT count(*) FROM urenwacht.fact");
}

/* ---- tests ---- */

static void idle_connection_is_made_again(void **state)
{
    struct uw_pgstore *store;
    struct uw_error error = {.text = ""};
    struct batch batch;
    int32_t slot = -1, again = -1;

    (void)state;
    live_require();
    store = live_open("one");
    assert_int_equal(uw_pgstore_slot(store, &slot, &error), UW_OK);
    fill_batch(&batch, store);
    live_end_backends();
    assert_int_equal(live_commit(store, &batch.changes, &error), UW_OK);
    assert_int_equal(uw_pgstore_slot(store, &again, &error), UW_OK);
    assert_int_equal(again, slot);
    assert_int_equal(live_number("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND"
                                 " classid = 1433883500 AND database = (SELECT oid FROM pg_database"
                                 " WHERE datname = current_database())"),
                     1);
    uw_pgstore_close(&store);
}

static void lost_slot_fences(void **state)
{
    struct uw_pgstore *store;
    struct uw_error error = {.text = ""};
    enum uw_code code;
    PGconn *thief;
    int32_t slot = -1;

    (void)state;
    live_require();
    store = live_open("one");
    assert_int_equal(uw_pgstore_slot(store, &slot, &error), UW_OK);
    thief = PQconnectdb(live_dsn());
    live_end_backends();
    PQclear(PQexec(thief, "SELECT pg_advisory_lock(1433883500, 0)"));
    /* A server gives locks back a moment before it closes the connection, which is good until then. */
    while ((code = uw_pgstore_connect(store, &error)) == UW_OK) {
        live_sleep_ms(10);
    }
    PQfinish(thief);
    assert_int_equal(code, UW_EFENCED);
    assert_int_equal(error.class, UW_CLASS_FENCED);
    uw_pgstore_close(&store);
}

static void cut_before_commit_is_not_applied(void **state)
{
    struct proxy *proxy;
    struct uw_pgstore *store;
    struct uw_error error = {.text = ""};
    struct batch batch;

    (void)state;
    store = open_behind(&proxy);
    fill_batch(&batch, store);
    proxy->cut = CUT_BEFORE;
    assert_int_equal(live_commit(store, &batch.changes, &error), UW_EIO);
    assert_int_equal(error.class, UW_CLASS_ABORT);
    assert_int_equal(proxy->cuts, 1);
    assert_int_equal(count_facts(), 0);
    assert_int_equal(live_commit(store, &batch.changes, &error), UW_OK);
    assert_int_equal(count_facts(), 1);
    uw_pgstore_close(&store);
    stop_proxy(proxy);
}

static void cut_after_commit_is_applied(void **state)
{
    struct proxy *proxy;
    struct uw_pgstore *store;
    struct uw_error error = {.text = ""};
    struct batch batch;

    (void)state;
    store = open_behind(&proxy);
    fill_batch(&batch, store);
    proxy->cut = CUT_AFTER;
    if (live_commit(store, &batch.changes, &error) != UW_OK) {
        fail_msg("%s", error.text);
    }
    assert_int_equal(proxy->cuts, 1);
    assert_int_equal(count_facts(), 1);
    uw_pgstore_close(&store);
    stop_proxy(proxy);
}

/* Who joins those who wait, or leaves them, does so when the batch was applied, whatever became of the answer. */
static void lists_are_settled_with_their_batch(void **state)
{
    struct proxy *proxy;
    struct uw_pgstore *store;
    struct uw_error error = {.text = ""};
    struct uw_client_change client = {.client = UW_STR("c"), .next_change_day = UW_DAY_BEFORE_ALL, .created = true};
    struct batch batch;

    (void)state;
    store = open_behind(&proxy);
    fill_batch(&batch, store);
    batch.changes.clients = &client;
    batch.changes.client_count = 1;
    proxy->cut = CUT_BEFORE;
    assert_int_equal(live_commit(store, &batch.changes, &error), UW_EIO);
    assert_int_equal(count_listed(), 0);
    proxy->cut = CUT_AFTER;
    assert_int_equal(live_commit(store, &batch.changes, &error), UW_OK);
    assert_int_equal(proxy->cuts, 2);
    assert_int_equal(count_listed(), 1);

    client.created = false;
    client.next_change_day = 20600;
    client.rules_version = 1;
    batch.changes.fact_count = 0;
    batch.partition.from_offset[1] = 1;
    batch.partition.to_offset[1] = 2;
    proxy->cut = CUT_BEFORE;
    assert_int_equal(live_commit(store, &batch.changes, &error), UW_EIO);
    assert_int_equal(count_listed(), 1);
    proxy->cut = CUT_AFTER;
    assert_int_equal(live_commit(store, &batch.changes, &error), UW_OK);
    assert_int_equal(proxy->cuts, 4);
    assert_int_equal(count_listed(), 0);
    assert_int_equal(live_number("SELECT count(*) FROM urenwacht_data.client WHERE rules_version = 1"), 1);
    uw_pgstore_close(&store);
    stop_proxy(proxy);
}

/* Offsets and sequence stay as they are when only the day turned: the mark tells the two cases apart. */
static void batch_without_positions_is_settled(void **state)
{
    const struct uw_client_change client = {UW_STR("c"), 0, 20000, 1, false, true};
    struct proxy *proxy;
    struct uw_pgstore *store;
    struct uw_error error = {.text = ""};
    struct uw_partition_change partition;
    struct uw_changes changes = {.observed_at_ms = LIVE_AT_MS,
                                 .partitions = &partition,
                                 .partition_count = 1,
                                 .clients = &client,
                                 .client_count = 1};

    (void)state;
    store = open_behind(&proxy);
    partition = live_claim(store, 0);
    proxy->cut = CUT_BEFORE;
    assert_int_equal(live_commit(store, &changes, &error), UW_EIO);
    assert_int_equal(live_number("SELECT count(*) FROM urenwacht_data.client"), 0);
    proxy->cut = CUT_AFTER;
    assert_int_equal(live_commit(store, &changes, &error), UW_OK);
    assert_int_equal(live_number("SELECT count(*) FROM urenwacht_data.client"), 1);
    uw_pgstore_close(&store);
    stop_proxy(proxy);
}

/* Another instance claims while the answer is lost; what was applied stays known by its mark. */
static void takeover_while_settling(enum cut cut, enum uw_code expected)
{
    struct proxy *proxy;
    struct uw_pgstore *store, *other;
    struct uw_error error = {.text = ""};
    struct batch batch;
    pid_t claimer;

    store = open_behind(&proxy);
    fill_batch(&batch, store);
    proxy->closed = true;
    proxy->cut = cut;
    claimer = fork();
    if (claimer == 0) {
        while (proxy->cuts == 0) {
            live_sleep_ms(10);
        }
        other = live_open("other");
        (void)live_claim(other, 0);
        uw_pgstore_close(&other);
        proxy->closed = false;
        _exit(0);
    }
    assert_int_equal(live_commit(store, &batch.changes, &error), expected);
    waitpid(claimer, NULL, 0);
    assert_int_equal(live_number("SELECT epoch FROM urenwacht_data.partition_state"), 2);
    assert_int_equal(count_facts(), cut == CUT_AFTER ? 1 : 0);
    uw_pgstore_close(&store);
    stop_proxy(proxy);
}

static void takeover_after_applied(void **state)
{
    (void)state;
    takeover_while_settling(CUT_AFTER, UW_OK);
}

static void takeover_after_not_applied(void **state)
{
    (void)state;
    takeover_while_settling(CUT_BEFORE, UW_EFENCED);
}

static void killed_while_committing_is_not_applied(void **state)
{
    struct uw_pgstore *store;
    struct uw_error error = {.text = ""};
    struct batch batch;
    pid_t killer;

    (void)state;
    live_require();
    /* A trigger that is deferred runs inside COMMIT. */
    (void)live_number("CREATE FUNCTION urenwacht_data.slow() RETURNS trigger LANGUAGE plpgsql AS"
                      " 'BEGIN PERFORM pg_sleep(600); RETURN NULL; END';"
                      "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON urenwacht_data.declaration_fact"
                      " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION urenwacht_data.slow()");
    store = live_open("one");
    fill_batch(&batch, store);
    killer = fork();
    if (killer == 0) {
        while (live_number("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'urenwacht'"
                           " AND datname = current_database() AND wait_event = 'PgSleep'") == 0) {
            live_sleep_ms(10);
        }
        live_end_backends();
        _exit(0);
    }
    assert_int_equal(live_commit(store, &batch.changes, &error), UW_EIO);
    assert_int_equal(error.class, UW_CLASS_ABORT);
    waitpid(killer, NULL, 0);
    assert_int_equal(count_facts(), 0);
    uw_pgstore_close(&store);
}

static void slow_statement_is_stopped(void **state)
{
    struct uw_pgstore *store;
    struct uw_error error = {.text = ""};
    struct batch batch;

    (void)state;
    live_require();
    (void)live_number("CREATE FUNCTION urenwacht_data.slow() RETURNS trigger LANGUAGE plpgsql AS"
                      " 'BEGIN PERFORM pg_sleep(30); RETURN NEW; END';"
                      "CREATE TRIGGER slow BEFORE INSERT ON urenwacht_data.declaration_fact"
                      " FOR EACH ROW EXECUTE FUNCTION urenwacht_data.slow()");
    store = live_open_at(live_dsn(), "one", SHORT_MS);
    fill_batch(&batch, store);
    assert_int_equal(live_commit(store, &batch.changes, &error), UW_ETIMEOUT);
    assert_int_equal(error.class, UW_CLASS_ABORT);
    (void)live_number("DROP TRIGGER slow ON urenwacht_data.declaration_fact");
    assert_int_equal(live_commit(store, &batch.changes, &error), UW_OK);
    uw_pgstore_close(&store);
}

static void locked_partition_is_not_waited_for_long(void **state)
{
    struct uw_pgstore *store;
    struct uw_error error = {.text = ""};
    struct batch batch;
    struct uw_claim claim;
    struct uw_store port;
    PGconn *other;

    (void)state;
    live_require();
    store = live_open_at(live_dsn(), "one", SHORT_MS);
    uw_pgstore_port(store, &port);
    fill_batch(&batch, store);
    other = PQconnectdb(live_dsn());
    PQclear(PQexec(other, "BEGIN; SELECT FROM urenwacht_data.partition_state FOR UPDATE"));
    assert_int_equal(live_commit(store, &batch.changes, &error), UW_EIO);
    assert_int_equal(error.class, UW_CLASS_ABORT);
    assert_int_equal(port.claim(port.context, 0, 1, &claim, &error), UW_EIO);
    assert_int_equal(error.class, UW_CLASS_RETRY);
    PQfinish(other);
    uw_pgstore_close(&store);
}

/* Another session changes the partition's row, and does not commit. */
static PGconn *hold_partition(void)
{
    PGconn *other = PQconnectdb(live_dsn());
    PGresult *result = PQexec(other, "BEGIN; UPDATE urenwacht_data.partition_state SET events = events");

    assert_int_equal(PQresultStatus(result), PGRES_COMMAND_OK);
    PQclear(result);
    return other;
}

static void frozen_owner_is_ended(void **state)
{
    struct uw_pgstore *store;
    struct uw_error error = {.text = ""};
    struct uw_claim claim;
    struct uw_store port;
    PGconn *other;
    PGresult *result;
    int tries = 0;

    (void)state;
    live_require();
    store = live_open_at(live_dsn(), "heir", SHORT_MS);
    uw_pgstore_port(store, &port);
    assert_int_equal(live_claim(store, 0).epoch, 1);
    /* It is frozen where the server waits for rows, which no timeout of the server's ends. */
    other = hold_partition();
    result = PQexec(other, "COPY urenwacht_data.client FROM STDIN");
    assert_int_equal(PQresultStatus(result), PGRES_COPY_IN);
    PQclear(result);
    assert_int_equal(port.claim(port.context, 0, 1, &claim, &error), UW_EIO);
    assert_int_equal(error.class, UW_CLASS_RETRY);
    assert_non_null(strstr(error.text, "held partition 0; it is ended"));
    /* It needs a moment to end. */
    while (port.claim(port.context, 0, 1, &claim, &error) != UW_OK) {
        assert_int_equal(error.class, UW_CLASS_RETRY);
        assert_true(tries++ < 20);
    }
    assert_int_equal(claim.epoch, 2);
    /* When it goes on, it has no connection any more. */
    (void)PQputCopyEnd(other, NULL);
    result = PQexec(other, "COMMIT");
    assert_int_not_equal(PQresultStatus(result), PGRES_COMMAND_OK);
    PQclear(result);
    assert_int_equal(PQstatus(other), CONNECTION_BAD);
    PQfinish(other);
    uw_pgstore_close(&store);
}

static void working_owner_is_waited_for(void **state)
{
    struct uw_pgstore *store;
    struct uw_error error = {.text = ""};
    struct uw_claim claim;
    struct uw_store port;
    PGconn *other;
    PGcancel *cancel;
    char text[256], sql[128];

    (void)state;
    live_require();
    store = live_open_at(live_dsn(), "heir", SHORT_MS);
    uw_pgstore_port(store, &port);
    assert_int_equal(live_claim(store, 0).epoch, 1);
    other = hold_partition();
    snprintf(sql, sizeof sql, "SELECT count(*) FROM pg_stat_activity WHERE pid = %d AND wait_event = 'PgSleep'",
             PQbackendPID(other));
    assert_int_equal(PQsendQuery(other, "SELECT pg_sleep(600)"), 1);
    for (int tries = 0; tries < 2000 && live_number(sql) == 0; tries++) {
        live_sleep_ms(50);
    }
    assert_int_equal(port.claim(port.context, 0, 1, &claim, &error), UW_EIO);
    assert_int_equal(error.class, UW_CLASS_RETRY);
    assert_non_null(strstr(error.text, "lock timeout"));
    assert_int_equal(live_number(sql), 1);
    cancel = PQgetCancel(other);
    assert_int_equal(PQcancel(cancel, text, sizeof text), 1);
    PQfreeCancel(cancel);
    PQfinish(other);
    uw_pgstore_close(&store);
}

static void silent_server_does_not_hang(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct uw_pgstore *store;
    struct uw_error error = {.text = ""};
    char dsn[512];

    (void)state;
    live_require();
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 8), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    dsn_at(ntohs(address.sin_port), dsn, sizeof dsn);
    store = live_open_at(dsn, "one", 500);
    assert_int_equal(uw_pgstore_connect(store, &error), UW_ETIMEOUT);
    assert_int_equal(error.class, UW_CLASS_RETRY);
    close(listener);
    assert_int_equal(uw_pgstore_connect(store, &error), UW_EIO);
    assert_int_equal(error.class, UW_CLASS_RETRY);
    assert_null(strchr(error.text, '\n'));
    uw_pgstore_close(&store);
}

static void expect_connect(const char *dsn, enum uw_code code, enum uw_class class)
{
    struct uw_pgstore *store = live_open_at(dsn, "one", LIVE_TIMEOUT_MS);
    struct uw_error error = {.text = ""};

    assert_int_equal(uw_pgstore_connect(store, &error), code);
    assert_int_equal(error.class, class);
    assert_null(strchr(error.text, '\n'));
    assert_null(strstr(error.text, "secret"));
    uw_pgstore_close(&store);
}

static void mistakes_of_settings_are_final(void **state)
{
    const struct uw_pgstore_options bad = {
        .dsn = "host=x secret", .owner = "one", .topics = {"a", "b", "c", "d"}, .timeout_ms = 1000};
    PGconn *connection;
    struct uw_pgstore *store = NULL;
    struct uw_error error = {.text = ""};
    char dsn[512];

    (void)state;
    assert_int_equal(uw_pgstore_open(&bad, &store, &error), UW_ECONFIG);
    assert_null(store);
    assert_null(strstr(error.text, "secret"));
    live_require();
    connection = PQconnectdb(live_dsn());
    snprintf(dsn, sizeof dsn, "host=%s port=%s dbname=%s user=%s password=secret", PQhost(connection),
             PQport(connection), PQdb(connection), PQuser(connection));
    expect_connect(dsn, UW_ECONFIG, UW_CLASS_FATAL);
    snprintf(dsn, sizeof dsn, "host=%s port=%s dbname=no_such_db user=%s password=%s", PQhost(connection),
             PQport(connection), PQuser(connection), PQpass(connection));
    expect_connect(dsn, UW_ECONFIG, UW_CLASS_FATAL);
    PQfinish(connection);
    live_empty();
    expect_connect(live_dsn(), UW_ECONFIG, UW_CLASS_FATAL);
}

static void states_have_a_class(void **state)
{
    static const struct {
        const char *sqlstate;
        enum uw_code code;
        enum uw_class class;
    } cases[] = {
        {"08006", UW_EIO, UW_CLASS_RETRY},      {"40001", UW_EIO, UW_CLASS_RETRY},
        {"40P01", UW_EIO, UW_CLASS_RETRY},      {"53100", UW_EIO, UW_CLASS_RETRY},
        {"53300", UW_EIO, UW_CLASS_RETRY},      {"55P03", UW_EIO, UW_CLASS_RETRY},
        {"57P01", UW_EIO, UW_CLASS_RETRY},      {"57P03", UW_EIO, UW_CLASS_RETRY},
        {"57014", UW_ETIMEOUT, UW_CLASS_RETRY}, {"28P01", UW_ECONFIG, UW_CLASS_FATAL},
        {"3D000", UW_ECONFIG, UW_CLASS_FATAL},  {"42P01", UW_ECONFIG, UW_CLASS_FATAL},
        {"42501", UW_ECONFIG, UW_CLASS_FATAL},  {"23505", UW_EINTERNAL, UW_CLASS_FATAL},
        {"UW001", UW_EFENCED, UW_CLASS_FENCED}, {NULL, UW_EIO, UW_CLASS_RETRY},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct uw_error error;

        assert_int_equal(uw_postgres_classify(cases[i].sqlstate, "first\nsecond", &error), cases[i].code);
        assert_int_equal(error.class, cases[i].class);
        assert_null(strstr(error.text, "second"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_have_a_class),
        cmocka_unit_test(mistakes_of_settings_are_final),
        cmocka_unit_test(idle_connection_is_made_again),
        cmocka_unit_test(lost_slot_fences),
        cmocka_unit_test(cut_before_commit_is_not_applied),
        cmocka_unit_test(cut_after_commit_is_applied),
        cmocka_unit_test(lists_are_settled_with_their_batch),
        cmocka_unit_test(batch_without_positions_is_settled),
        cmocka_unit_test(takeover_after_applied),
        cmocka_unit_test(takeover_after_not_applied),
        cmocka_unit_test(killed_while_committing_is_not_applied),
        cmocka_unit_test(slow_statement_is_stopped),
        cmocka_unit_test(locked_partition_is_not_waited_for_long),
        cmocka_unit_test(frozen_owner_is_ended),
        cmocka_unit_test(working_owner_is_waited_for),
        cmocka_unit_test(silent_server_does_not_hang),
    };

    return cmocka_run_group_tests(tests, live_start, live_stop);
}
