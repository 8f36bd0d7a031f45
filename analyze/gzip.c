#include "analyze/gzip.h"

#include <stdlib.h>
#include <zlib.h>

/* zlib.h: 16 more bits of window ask for gzip's own head and tail. */
enum { GZIP_WINDOW = 15 + 16, MEMORY_LEVEL = 8, STEP = 1 << 16 };

struct pt_gzip {
    struct pt_out *out;
    z_stream stream;
    unsigned char packed[STEP];
};

enum pt_status
pt_gzip_new(struct pt_out *out, struct pt_gzip **gzip)
{
    struct pt_gzip *z = calloc(1, sizeof *z);
    if (!z)
        return PT_ENOMEM;
    z->out = out;
    if (deflateInit2(&z->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW,
                     MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(z);
        return PT_ENOMEM;
    }
    *gzip = z;
    return PT_OK;
}

void
pt_gzip_free(struct pt_gzip *z)
{
    if (!z)
        return;
    deflateEnd(&z->stream);
    free(z);
}

/* Writes what deflate() makes of its input until it needs more. */
static void
pump(struct pt_gzip *z, int flush)
{
    do {
        z->stream.next_out = z->packed;
        z->stream.avail_out = STEP;
        deflate(&z->stream, flush);
        pt_out_bytes(z->out, z->packed, STEP - z->stream.avail_out);
    } while (z->stream.avail_out == 0);
}

void
pt_gzip_put(struct pt_gzip *z, const void *data, size_t len)
{
    const unsigned char *p = data;
    while (len) {
        unsigned n = len < STEP ? (unsigned)len : STEP;
        /* zlib does not write there. */
        z->stream.next_in = (unsigned char *)(uintptr_t)p;
        z->stream.avail_in = n;
        pump(z, Z_NO_FLUSH);
        p += n;
        len -= n;
    }
}

void
pt_gzip_end(struct pt_gzip *z)
{
    pump(z, Z_FINISH);
}
