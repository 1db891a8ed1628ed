/*
 * Many subscribers of the live stream in one thread, which resume with Last-Event-ID whenever they are cut off, and
 * look at every event they get: each once, a later revision after an earlier one, the same bytes for everybody.
 *
 * usage: subscribers PORT TOKEN SUBSCRIBERS SLOW EVENTS SECONDS QUERY
 *
 * The last SLOW of them read nothing any more after their first bytes. EVENTS is about how many events each will get: a
 * line "at N" is printed whenever all together have another tenth of that. How many it must be is a line of standard
 * input, when it is known; when all have so many, or after SECONDS, it ends. Printed at the end: what was seen, and a line "event ID REVISION" for each event. Exit code 0: all have seen all, as they
 * should. QUERY stands behind /api/v1/stream on the first connection, such as "?from=beginning".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define INPUT_BYTES ((size_t)128 * 1024)
#define LINE_BYTES ((size_t)32 * 1024)
#define ID_BYTES 1024
#define EVENTS_MAX (UINT32_C(1) << 19)
#define SLOTS (EVENTS_MAX * 2)
#define UUID_LENGTH 36
#define RETRY_MS 200

/* An event as somebody saw it first. */
struct event {
    char id[UUID_LENGTH + 1];
    uint32_t revision;
    uint32_t previous; /* number of the revision before; UINT32_MAX: none */
    uint32_t length;
    char *data;
};

struct subscriber {
    int socket; /* -1: none */
    int64_t retry_ms;
    bool headed, slow, dropped;
    char line[LINE_BYTES]; /* the running one */
    size_t line_length;
    char data[LINE_BYTES]; /* of the event that has not come to its empty line yet */
    size_t data_length;
    int64_t chunk_left; /* < 0: in the line with its size, or in the end of line before that */
    char size_text[20];
    size_t size_length;
    char last_id[ID_BYTES], next_id[ID_BYTES];
    uint64_t *seen; /* a bit an event */
    uint32_t count;
};

static struct {
    int port;
    const char *token, *query;
    uint32_t subscriber_count, slow_count, wanted;
    struct subscriber *subscribers;
    struct event *events;
    uint32_t event_count;
    uint32_t *slots; /* number + 1; 0: free */
    uint64_t deliveries, bytes, connects, repeated, disordered, different, gaps, finished, refused;
    int epoll;
} all;

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void fail(const char *what)
{
    fprintf(stderr, "subscribers: %s: %s\n", what, strerror(errno));
    exit(2);
}

/* ---- events ---- */

/* The slot that has the event or is free for it. */
static uint32_t *slot_of(const char *id, uint32_t revision)
{
    uint64_t hash = UINT64_C(14695981039346656037) ^ revision;
    for (int i = 0; i < UUID_LENGTH; i++) {
        hash = (hash ^ (unsigned char)id[i]) * UINT64_C(1099511628211);
    }
    for (uint32_t at = (uint32_t)(hash >> 20) % SLOTS;; at = (at + 1) % SLOTS) {
        const struct event *event = all.slots[at] == 0 ? NULL : &all.events[all.slots[at] - 1];
        if (event == NULL || (event->revision == revision && memcmp(event->id, id, UUID_LENGTH) == 0)) {
            return &all.slots[at];
        }
    }
}

static uint32_t make_event(const char *id, uint32_t revision, const char *data, size_t length, uint32_t *slot)
{
    struct event *event = &all.events[all.event_count];
    if (all.event_count == EVENTS_MAX) {
        fprintf(stderr, "subscribers: more than %u events\n", EVENTS_MAX);
        exit(2);
    }
    memcpy(event->id, id, UUID_LENGTH);
    event->revision = revision;
    event->previous = revision == 1 ? UINT32_MAX : *slot_of(id, revision - 1) - 1;
    event->length = (uint32_t)length;
    event->data = malloc(length);
    if (event->data == NULL) {
        fail("memory");
    }
    memcpy(event->data, data, length);
    *slot = ++all.event_count;
    return all.event_count - 1;
}

static void judge(struct subscriber *subscriber, const char *data, size_t length)
{
    static const char name[] = "\"revision\": ";
    const char *revision_at = memmem(data, length, name, sizeof name - 1);
    const char *id = memchr(data, ':', length);
    if (id == NULL || revision_at == NULL || (size_t)(id - data) + 3 + UUID_LENGTH > length) {
        fprintf(stderr, "subscribers: no event: %.*s\n", (int)length, data);
        exit(2);
    }
    uint32_t revision = (uint32_t)strtoul(revision_at + sizeof name - 1, NULL, 10);
    uint32_t *slot = slot_of(id + 3, revision);
    uint32_t number = *slot == 0 ? make_event(id + 3, revision, data, length, slot) : *slot - 1;
    const struct event *event = &all.events[number];
    if (event->length != length || memcmp(event->data, data, length) != 0) {
        all.different++;
    }
    if ((subscriber->seen[number / 64] >> (number % 64) & 1) != 0) {
        all.repeated++;
        return;
    }
    subscriber->seen[number / 64] |= UINT64_C(1) << (number % 64);
    if (revision > 1 && (event->previous == UINT32_MAX ||
                         (subscriber->seen[event->previous / 64] >> (event->previous % 64) & 1) == 0)) {
        all.disordered++;
    }
    subscriber->count++;
    all.deliveries++;
    all.finished += subscriber->count == all.wanted ? 1u : 0u;
}

/* ---- the protocol ---- */

static void take_line(struct subscriber *subscriber)
{
    const char *line = subscriber->line;
    size_t length = subscriber->line_length;
    if (length >= 4 && memcmp(line, "id: ", 4) == 0 && length - 4 < ID_BYTES) {
        memcpy(subscriber->next_id, line + 4, length - 4);
        subscriber->next_id[length - 4] = '\0';
    } else if (length >= 6 && memcmp(line, "data: ", 6) == 0) {
        memcpy(subscriber->data, line + 6, length - 6);
        subscriber->data_length = length - 6;
    } else if (length == 10 && memcmp(line, "event: gap", 10) == 0) {
        all.gaps++;
    } else if (length == 0) {
        /* An event counts when its empty line has come; only then its id is the last one. A gap has "{}". */
        if (subscriber->data_length > 2) {
            judge(subscriber, subscriber->data, subscriber->data_length);
        }
        subscriber->data_length = 0;
        memcpy(subscriber->last_id, subscriber->next_id, ID_BYTES);
    }
}

static void take_text(struct subscriber *subscriber, const char *text, size_t length)
{
    while (length > 0) {
        const char *end = memchr(text, '\n', length);
        size_t part = end == NULL ? length : (size_t)(end - text);
        if (subscriber->line_length + part > LINE_BYTES) {
            fprintf(stderr, "subscribers: a line is too long\n");
            exit(2);
        }
        memcpy(subscriber->line + subscriber->line_length, text, part);
        subscriber->line_length += part;
        if (end == NULL) {
            return;
        }
        take_line(subscriber);
        subscriber->line_length = 0;
        text += part + 1;
        length -= part + 1;
    }
}

/* Chunks of HTTP/1.1; false at the last one. */
static bool take_chunks(struct subscriber *subscriber, const char *text, size_t length)
{
    while (length > 0) {
        if (subscriber->chunk_left > 0) {
            size_t part = (size_t)subscriber->chunk_left < length ? (size_t)subscriber->chunk_left : length;
            take_text(subscriber, text, part);
            subscriber->chunk_left -= (int64_t)part;
            text += part;
            length -= part;
            continue;
        }
        if (*text == '\n' && subscriber->size_length > 0) {
            subscriber->size_text[subscriber->size_length] = '\0';
            subscriber->chunk_left = strtoll(subscriber->size_text, NULL, 16);
            subscriber->size_length = 0;
            if (subscriber->chunk_left == 0) {
                return false;
            }
        } else if (*text != '\r' && *text != '\n' && subscriber->size_length < sizeof subscriber->size_text - 1) {
            subscriber->size_text[subscriber->size_length++] = *text;
        }
        text++;
        length--;
    }
    return true;
}

/* The head of the answer, collected in `line`; returns how much of the text it took, or -1 for no 200. */
static ssize_t take_head(struct subscriber *subscriber, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (subscriber->line_length == LINE_BYTES) {
            return -1;
        }
        subscriber->line[subscriber->line_length++] = text[i];
        if (subscriber->line_length >= 4 && memcmp(subscriber->line + subscriber->line_length - 4, "\r\n\r\n", 4) == 0) {
            bool good = memcmp(subscriber->line, "HTTP/1.1 200", 12) == 0;
            subscriber->headed = good;
            subscriber->line_length = 0;
            return good ? (ssize_t)(i + 1) : -1;
        }
    }
    return (ssize_t)length;
}

static void cut_off(struct subscriber *subscriber)
{
    if (subscriber->socket >= 0) {
        close(subscriber->socket);
    }
    subscriber->socket = -1;
    subscriber->retry_ms = now_ms() + RETRY_MS;
    /* Who was refused, as many are who come at once, comes again; who was let in and does not read stays away. */
    subscriber->dropped = subscriber->slow && subscriber->headed;
}

static void start(struct subscriber *subscriber)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)all.port),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    char request[ID_BYTES + 1024];
    bool resumes = subscriber->last_id[0] != '\0';
    int small = 4096;
    subscriber->socket = socket(AF_INET, SOCK_STREAM, 0);
    if (subscriber->socket < 0) {
        fail("socket");
    }
    if (subscriber->slow) {
        (void)setsockopt(subscriber->socket, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    }
    int length = snprintf(request, sizeof request,
                          "GET /api/v1/stream%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n%s%s%s\r\n",
                          resumes ? "" : all.query, all.token, resumes ? "Last-Event-ID: " : "", subscriber->last_id,
                          resumes ? "\r\n" : "");
    /* Loopback connects at once or not at all. */
    if (connect(subscriber->socket, (struct sockaddr *)&address, sizeof address) != 0 ||
        write(subscriber->socket, request, (size_t)length) != length) {
        cut_off(subscriber);
        return;
    }
    struct epoll_event wanted = {.events = EPOLLIN, .data = {.ptr = subscriber}};
    (void)fcntl(subscriber->socket, F_SETFL, O_NONBLOCK);
    if (epoll_ctl(all.epoll, EPOLL_CTL_ADD, subscriber->socket, &wanted) != 0) {
        fail("epoll_ctl");
    }
    subscriber->headed = false;
    subscriber->line_length = subscriber->size_length = subscriber->data_length = 0;
    subscriber->chunk_left = -1;
    memcpy(subscriber->next_id, subscriber->last_id, ID_BYTES);
    all.connects++;
}

static void receive(struct subscriber *subscriber)
{
    static char input[INPUT_BYTES];
    ssize_t count = read(subscriber->socket, input, subscriber->slow && subscriber->headed ? 1 : INPUT_BYTES);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (count <= 0) {
        cut_off(subscriber);
        return;
    }
    all.bytes += (uint64_t)count;
    const char *text = input;
    if (!subscriber->headed) {
        ssize_t head = take_head(subscriber, text, (size_t)count);
        if (head < 0) {
            all.refused++;
            cut_off(subscriber);
            return;
        }
        text += head;
        count -= head;
        if (subscriber->slow && subscriber->headed) {
            /* From now on only a reset is looked for: an orderly end stands behind what is not read. */
            struct epoll_event wanted = {.events = EPOLLRDHUP, .data = {.ptr = subscriber}};
            (void)epoll_ctl(all.epoll, EPOLL_CTL_MOD, subscriber->socket, &wanted);
            return;
        }
    }
    if (subscriber->headed && !take_chunks(subscriber, text, (size_t)count)) {
        cut_off(subscriber);
    }
}

/* ---- */

static void turn(void)
{
    struct epoll_event ready[256];
    int64_t now = now_ms();
    for (uint32_t i = 0; i < all.subscriber_count; i++) {
        struct subscriber *subscriber = &all.subscribers[i];
        if (subscriber->socket < 0 && now >= subscriber->retry_ms && !subscriber->dropped) {
            start(subscriber);
        }
    }
    for (int round = 0; round < 50; round++) {
        int count = epoll_wait(all.epoll, ready, 256, round == 0 ? 50 : 0);
        if (count <= 0) {
            break;
        }
        for (int i = 0; i < count; i++) {
            struct subscriber *subscriber = ready[i].data.ptr;
            if (subscriber->slow && (ready[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
                cut_off(subscriber);
            } else {
                receive(subscriber);
            }
        }
    }
}

/* Reads the number of events that all must get; until then nobody has them all. */
static void look_for_number(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    char text[16];
    if (all.wanted != 0 || poll(&input, 1, 0) <= 0) {
        return;
    }
    ssize_t count = read(STDIN_FILENO, text, sizeof text - 1);
    if (count <= 0) {
        fail("no number of events on standard input");
    }
    text[count] = '\0';
    all.wanted = (uint32_t)strtoul(text, NULL, 10);
    for (uint32_t i = 0; i < all.subscriber_count - all.slow_count; i++) {
        all.finished += all.subscribers[i].count >= all.wanted ? 1u : 0u;
    }
}

static int report(int64_t began_ms)
{
    uint32_t readers = all.subscriber_count - all.slow_count, complete = 0;
    uint32_t least = UINT32_MAX;
    for (uint32_t i = 0; i < readers; i++) {
        const struct subscriber *subscriber = &all.subscribers[i];
        complete += subscriber->count == all.wanted ? 1u : 0u;
        least = subscriber->count < least ? subscriber->count : least;
    }
    double seconds = (double)(now_ms() - began_ms) / 1000.0;
    for (uint32_t i = 0; i < all.event_count; i++) {
        printf("event %.*s %u\n", UUID_LENGTH, all.events[i].id, all.events[i].revision);
    }
    printf("%u of %u subscribers have all of %u events (the last has %u), %u different ones; %" PRIu64
           " repeated, %" PRIu64 " out of order, %" PRIu64 " different, %" PRIu64 " gaps\n",
           complete, readers, all.wanted, least, all.event_count, all.repeated, all.disordered, all.different, all.gaps);
    printf("%" PRIu64 " deliveries in %.1f s (%.0f/s, %.0f MiB/s), %" PRIu64 " connections, %" PRIu64
           " answers other than 200\n",
           all.deliveries, seconds, (double)all.deliveries / seconds, (double)all.bytes / seconds / 1048576.0,
           all.connects, all.refused);
    return complete == readers && all.event_count == all.wanted && all.repeated == 0 && all.disordered == 0 &&
                   all.different == 0 && all.gaps == 0
               ? 0
               : 1;
}

int main(int argc, char **argv)
{
    struct rlimit files;
    if (argc != 8) {
        fprintf(stderr, "usage: subscribers PORT TOKEN SUBSCRIBERS SLOW EVENTS SECONDS QUERY\n");
        return 2;
    }
    all.port = (int)strtol(argv[1], NULL, 10);
    all.token = argv[2];
    all.slow_count = (uint32_t)strtoul(argv[4], NULL, 10);
    all.subscriber_count = (uint32_t)strtoul(argv[3], NULL, 10) + all.slow_count;
    uint64_t about = strtoul(argv[5], NULL, 10);
    all.query = argv[7];
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    all.epoll = epoll_create1(0);
    all.subscribers = calloc(all.subscriber_count, sizeof *all.subscribers);
    all.events = calloc(EVENTS_MAX, sizeof *all.events);
    all.slots = calloc(SLOTS, sizeof *all.slots);
    if (all.epoll < 0 || all.subscribers == NULL || all.events == NULL || all.slots == NULL) {
        fail("memory");
    }
    for (uint32_t i = 0; i < all.subscriber_count; i++) {
        all.subscribers[i].socket = -1;
        all.subscribers[i].slow = i >= all.subscriber_count - all.slow_count;
        all.subscribers[i].seen = calloc(EVENTS_MAX / 64, sizeof(uint64_t));
        if (all.subscribers[i].seen == NULL) {
            fail("memory");
        }
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    int64_t began_ms = now_ms(), until_ms = began_ms + strtol(argv[6], NULL, 10) * 1000;
    uint64_t tenth = about * (all.subscriber_count - all.slow_count) / 10, told = 0;
    while (all.finished < all.subscriber_count - all.slow_count && now_ms() < until_ms) {
        turn();
        look_for_number();
        for (; tenth > 0 && told < all.deliveries / tenth; told++) {
            printf("at %" PRIu64 "\n", told + 1);
        }
    }
    /* What comes now would be too much. */
    for (int64_t linger_ms = now_ms() + 1000; now_ms() < linger_ms;) {
        turn();
    }
    return report(began_ms);
}
