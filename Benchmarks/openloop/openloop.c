// Sends requests over HTTP at a fixed rate, whatever the server does (open loop), and tells how long each took from the
// moment at which it was meant to leave. A server that stalls delays the answers of all that were meant to leave in the
// meantime, and they all count (no coordinated omission).
//
//   openloop PORT RATE SECONDS CONNECTIONS REQUEST [EXPECTED]
//
// REQUEST is a file with the bytes of one request. EXPECTED is a file with lines "VERSION PROBABILITY": an answer must have
// the probability of the version that it names. Prints one line of JSON: requests, failed (no answer, or another status
// than 200), wrong, microseconds p50, p90, p99 and most of all answers, what the generator itself was late with where a
// connection was free (late_p99), and how long all took. SIGINT ends the schedule. Linux, one thread, 127.0.0.1.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 1 << 16, GRACE = 10 };

struct connection {
    int file;
    int isBusy;
    long index;        // of the request under way
    size_t sent, have; // bytes
    char answer[ROOM + 1];
};

static char *request, *expected;
static size_t requestSize;
static struct sockaddr_in address;
static struct connection *connections;
static int count, loop;
static double begun, step, *taken, *late;
static long total, next, done, failed, wrong;

static volatile sig_atomic_t isOver;

static void stop(int signal) {
    (void)signal;
    isOver = 1;
}

static double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec * 1e-9;
}

static void end(const char *what) {
    fprintf(stderr, "openloop: %s: %s\n", what, strerror(errno));
    exit(1);
}

static char *contents(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file) end(path);
    char *text = malloc(1 << 24);
    if (!text) end("memory");
    *size = fread(text, 1, (1 << 24) - 1, file);
    text[*size] = 0;
    fclose(file);
    return text;
}

static void open_connection(struct connection *one) {
    one->file = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (one->file < 0) end("socket");
    int on = 1;
    setsockopt(one->file, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(one->file, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) end("connect");
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = one};
    if (epoll_ctl(loop, EPOLL_CTL_ADD, one->file, &event)) end("epoll_ctl");
    one->isBusy = 0;
}

// The moment at which a request is meant to leave.
static double intended(long index) { return begun + step * (double)index; }

static void finish(struct connection *one, int isRight, int isLast) {
    taken[done++] = now() - intended(one->index);
    failed += !isRight;
    one->isBusy = 0;
    if (isLast) {
        close(one->file);
        open_connection(one);
    }
}

static void push(struct connection *one) {
    while (one->isBusy && one->sent < requestSize) {
        ssize_t part = send(one->file, request + one->sent, requestSize - one->sent, MSG_NOSIGNAL);
        if (part < 0 && errno == EINTR) continue;
        if (part < 0 && (errno == EAGAIN || errno == ENOTCONN)) return;
        if (part < 0) return finish(one, 0, 1);
        one->sent += (size_t)part;
    }
}

// Gives a free connection the next request whose moment has come.
static void begin(struct connection *one) {
    while (!one->isBusy && next < total) {
        double moment = now();
        if (intended(next) > moment) return;
        one->isBusy = 1;
        one->index = next++;
        one->sent = one->have = 0;
        push(one);
    }
}

// Whether the answer names a version and has its probability.
static int is_expected(const char *body) {
    const char *version = strstr(body, "\"version\":"), *probability = strstr(body, "\"probability\":");
    if (!version || !probability) return 0;
    version += 10;
    probability += 14;
    char line[128];
    snprintf(line, sizeof line, "%.*s %.*s\n", (int)strspn(version, "0123456789"), version,
             (int)strcspn(probability, ",}"), probability);
    const char *found = strstr(expected, line);
    return found && (found == expected || found[-1] == '\n');
}

// Takes the whole answer apart once it is there. Gives 0 when more must come.
static int read_answer(struct connection *one) {
    one->answer[one->have] = 0;
    char *body = strstr(one->answer, "\r\n\r\n");
    if (!body) return 0;
    body += 4;
    char *length = strcasestr(one->answer, "\ncontent-length:");
    char *ends = strcasestr(one->answer, "\nconnection: close");
    if (length && length < body) {
        size_t size = strtoul(length + 16, NULL, 10);
        if (one->have < (size_t)(body - one->answer) + size) return 0;
    } else if (!strstr(body, "0\r\n\r\n")) {
        return 0;
    }
    int isRight = !strncmp(one->answer, "HTTP/1.1 200", 12);
    if (isRight && expected && !is_expected(body)) wrong++;
    finish(one, isRight, ends && ends < body);
    return 1;
}

static void pull(struct connection *one) {
    for (;;) {
        ssize_t part = recv(one->file, one->answer + one->have, ROOM - one->have, 0);
        if (part < 0 && errno == EINTR) continue;
        if (part < 0 && (errno == EAGAIN || errno == ENOTCONN)) return;
        if (part <= 0) {
            if (one->isBusy) return finish(one, 0, 1);
            close(one->file);
            return open_connection(one);
        }
        one->have += (size_t)part;
        if (!one->isBusy) one->have = 0; // nobody asked
        if (one->isBusy && read_answer(one)) return;
        if (one->have == ROOM) return finish(one, 0, 1);
    }
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double percentile(double *values, long size, double share) {
    if (!size) return 0;
    long place = (long)(share * (double)size);
    return values[place < size ? place : size - 1] * 1e6;
}

int main(int argc, char **argv) {
    if (argc != 6 && argc != 7) {
        fprintf(stderr, "usage: openloop PORT RATE SECONDS CONNECTIONS REQUEST [EXPECTED]\n");
        return 64;
    }
    double rate = atof(argv[2]), seconds = atof(argv[3]);
    count = atoi(argv[4]);
    if (rate <= 0 || seconds <= 0 || count <= 0) return 64;
    size_t size;
    request = contents(argv[5], &requestSize);
    if (argc == 7) expected = contents(argv[6], &size);
    address = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    total = (long)(rate * seconds);
    step = 1 / rate;
    taken = calloc((size_t)total + 1, sizeof *taken);
    late = calloc((size_t)total + 1, sizeof *late);
    connections = calloc((size_t)count, sizeof *connections);
    if (!taken || !late || !connections) end("memory");
    prctl(PR_SET_TIMERSLACK, 1L);
    signal(SIGINT, stop);
    double until = seconds;
    loop = epoll_create1(0);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(loop, EPOLL_CTL_ADD, timer, &event);
    for (int place = 0; place < count; place++) open_connection(&connections[place]);
    begun = now() + 0.1;

    long lateCount = 0;
    int isFull = 0;
    double fullUntil = 0; // until then no connection was free, which is the server's doing
    while (done < total && now() < begun + until + GRACE) {
        if (isOver && next < total) {
            total = next;
            until = now() - begun;
            continue;
        }
        // While no connection is free the next answer wakes us: a timer that has run out would make this spin, at the
        // cost of the server on the other core.
        double at = next < total && !isFull ? intended(next) : 0;
        struct itimerspec when = {.it_value = {(time_t)at, (long)((at - (double)(time_t)at) * 1e9)}};
        timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
        struct epoll_event events[256];
        int ready = epoll_wait(loop, events, 256, 100);
        for (int place = 0; place < ready; place++) {
            struct connection *one = events[place].data.ptr;
            if (!one) {
                uint64_t ticks;
                while (read(timer, &ticks, sizeof ticks) > 0) {}
                continue;
            }
            push(one);
            pull(one);
        }
        // In turns, so that at a low rate all connections are used.
        static int turn;
        int seen = 0;
        for (; seen < count && next < total && intended(next) <= now(); seen++) {
            struct connection *one = &connections[turn++ % count];
            if (one->isBusy) continue;
            if (intended(next) > fullUntil) late[lateCount++] = now() - intended(next);
            begin(one);
            seen = -1;
        }
        isFull = seen == count;
        if (isFull) fullUntil = now();
    }
    double whole = now() - begun;
    // What was never answered took at least until now.
    for (long index = next; index < total; index++, failed++) taken[done++] = now() - intended(index);
    for (int place = 0; place < count; place++)
        if (connections[place].isBusy && done < total) failed++, taken[done++] = now() - intended(connections[place].index);
    qsort(taken, (size_t)done, sizeof *taken, ascending);
    qsort(late, (size_t)lateCount, sizeof *late, ascending);
    printf("{\"requests\": %ld, \"failed\": %ld, \"wrong\": %ld, \"p50\": %.1f, \"p90\": %.1f, \"p99\": %.1f, "
           "\"most\": %.1f, \"late_p99\": %.1f, \"seconds\": %.3f}\n",
           done, failed, wrong, percentile(taken, done, 0.5), percentile(taken, done, 0.9), percentile(taken, done, 0.99),
           percentile(taken, done, 1), percentile(late, lateCount, 0.99), whole);
    return 0;
}
