#include "analyze/dap/wire.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

/* Reads once more; memory grows with what has come, not with what a header
 * claims. */
static enum pt_status
more(struct pt_wire *w)
{
    if (w->used == w->capacity) {
        size_t capacity = w->capacity ? 2 * w->capacity : PT_WIRE_HEADER;
        char *grown = realloc(w->data, capacity);
        if (!grown)
            return PT_ENOMEM;
        w->data = grown;
        w->capacity = capacity;
    }
    ssize_t n = -1;
    do
        n = read(w->in, w->data + w->used, w->capacity - w->used);
    while (n < 0 && errno == EINTR);
    if (n <= 0) {
        w->ended = true;
        return PT_END;
    }
    w->used += (size_t)n;
    return PT_OK;
}

/* The length that the header lines [at, end) tell; false where none does. */
static bool
length_of(const char *at, const char *end, size_t *out)
{
    static const char name[] = "content-length:";
    size_t len = sizeof name - 1;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop ? stop : end;
        if ((size_t)(stop - at) > len && strncasecmp(at, name, len) == 0) {
            const char *p = at + len;
            *out = 0;
            while (p < stop && (*p == ' ' || *p == '\t'))
                p++;
            if (p == stop || !isdigit((unsigned char)*p))
                return false;
            while (p < stop && isdigit((unsigned char)*p) &&
                   *out <= PT_WIRE_MESSAGE)
                *out = *out * 10 + (size_t)(*p++ - '0');
            while (p < stop && isspace((unsigned char)*p))
                p++;
            return p == stop && *out <= PT_WIRE_MESSAGE;
        }
        at = stop + 1;
    }
    return false;
}

enum pt_status
pt_wire_read(struct pt_wire *w, cJSON **out)
{
    const char *blank;
    size_t header, length;
    enum pt_status st;
    for (;;) {
        blank = w->used ? memmem(w->data, w->used, "\r\n\r\n", 4) : NULL;
        if (blank)
            break;
        if (w->used > PT_WIRE_HEADER)
            return PT_EUSAGE;
        if ((st = more(w)) != PT_OK)
            return st;
    }
    header = (size_t)(blank - w->data) + 4;
    if (!length_of(w->data, blank, &length))
        return PT_EUSAGE;
    while (w->used - header < length)
        if ((st = more(w)) != PT_OK)
            return st;
    *out = cJSON_ParseWithLength(w->data + header, length);
    w->used -= header + length;
    memmove(w->data, w->data + header + length, w->used);
    return PT_OK;
}

bool
pt_wire_pending(const struct pt_wire *w)
{
    struct pollfd p = {.fd = w->in, .events = POLLIN};
    return w->used || w->ended || poll(&p, 1, 0) > 0;
}

enum pt_status
pt_wire_write(struct pt_wire *w, const cJSON *message)
{
    char header[64], *body = cJSON_PrintUnformatted(message);
    if (!body)
        return PT_ENOMEM;
    size_t len = strlen(body);
    int n = snprintf(header, sizeof header, "Content-Length: %zu\r\n\r\n", len);
    const struct {
        const char *data;
        size_t len;
    } parts[] = {{header, (size_t)n}, {body, len}};
    enum pt_status st = PT_OK;
    for (size_t i = 0; i < 2; i++)
        for (size_t done = 0; done < parts[i].len && st == PT_OK;) {
            ssize_t k =
                write(w->out, parts[i].data + done, parts[i].len - done);
            if (k >= 0)
                done += (size_t)k;
            else if (errno != EINTR)
                st = PT_EIO;
        }
    cJSON_free(body);
    return st;
}

void
pt_wire_clear(struct pt_wire *w)
{
    free(w->data);
    *w = (struct pt_wire){.in = -1, .out = -1};
}

int
pt_wire_listen(unsigned port, void (*ready)(unsigned port))
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int client = -1, yes = 1, sys;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&address, size) == 0 &&
        listen(fd, 1) == 0 &&
        getsockname(fd, (struct sockaddr *)&address, &size) == 0) {
        ready(ntohs(address.sin_port));
        do
            client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        while (client < 0 && errno == EINTR);
    }
    sys = errno;
    close(fd);
    errno = sys;
    return client;
}
