/* CPython allocates an audit hook's entry with whatever raw allocator there is,
 * and frees it at exit with the one it has then: another one under -X dev or
 * PYTHONMALLOC=debug, when the hook was added before start-up, and that one
 * aborts (3.11 to 3.13).
 *
 * Where the list is differs between releases of one version (3.13.0 and
 * 3.13.18), so it is not touched: just before CPython frees the list, the raw
 * allocator gets a free() of ours, which leaves that one entry alone and then
 * takes itself away. */
#include "audit.h"
#include "compat.h"

/* As in every release; only compared with. */
struct entry {
    struct entry *next;
    pt_audit_hook *hook;
    void *user;
};

static pt_audit_hook *ours;
static PyMemAllocatorEx raw;

static void
free_others(void *ctx, void *p)
{
    const struct entry *e = p;
    if (e == NULL || e->hook != ours) {
        raw.free(ctx, p);
        return;
    }
    PyMem_SetAllocator(PYMEM_DOMAIN_RAW, &raw);
}

void
pt_audit_init(pt_audit_hook *hook)
{
    ours = hook;
}

void
pt_audit_keep_entry(void)
{
    if (ours == NULL || raw.free != NULL)
        return;
    PyMem_GetAllocator(PYMEM_DOMAIN_RAW, &raw);
    PyMemAllocatorEx sparing = raw;
    sparing.free = free_others;
    PyMem_SetAllocator(PYMEM_DOMAIN_RAW, &sparing);
}
