/* Messages of the Debug Adapter Protocol over two descriptors: a header with
 * the length, then that many bytes of JSON.
 * Thread rule: a wire belongs to one thread. */
#ifndef PT_ANALYZE_DAP_WIRE_H
#define PT_ANALYZE_DAP_WIRE_H

#include <pt/status.h>

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

struct pt_wire {
    int in, out;
    char *data; /* bytes that came and were not taken yet */
    size_t used, capacity;
    bool ended; /* no more will come */
};

enum { PT_WIRE_HEADER = 4096, PT_WIRE_MESSAGE = 16 << 20 };

/* Waits for the next message; *out is the caller's, NULL for what is no JSON.
 * PT_END where the client has gone, PT_EUSAGE for a header that is none or
 * claims more than PT_WIRE_MESSAGE: nothing after it can be found.
 * PT_ENOMEM. */
enum pt_status pt_wire_read(struct pt_wire *, cJSON **out);
/* Whether something is there to read, or the client has gone, now. */
bool pt_wire_pending(const struct pt_wire *);
/* PT_EIO where the client has gone. */
enum pt_status pt_wire_write(struct pt_wire *, const cJSON *);
void pt_wire_clear(struct pt_wire *); /* closes nothing */

/* Waits for one client on a port of this machine, 0 for any free one, which
 * `ready` is told; its descriptor, -1 with errno on failure. */
int pt_wire_listen(unsigned port, void (*ready)(unsigned port));

#endif
