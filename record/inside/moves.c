#include "moves.h"
#include "frames.h"
#include "producer.h"

#include <string.h>

static setter original;

static bool
is_running(const pt_pyframe *f)
{
    const pt_pyframe *g = pt_compat_current(pt_compat_tstate());
    while (g != NULL && g != f)
        g = g->previous;
    return g != NULL;
}

/* One that is suspended says where it is when it goes on. */
static int
set_line(PyObject *frame, PyObject *value, void *closure)
{
    int r = original(frame, value, closure);
    const pt_pyframe *f = ((PyFrameObject *)frame)->f_frame;
    if (r == 0 && is_running(f))
        pt_frames_tell_moved(f);
    return r;
}

void
pt_moves_start(void)
{
    if (!PT_HAVE_MONITORING || !pt_producer.flow)
        return;
    for (PyGetSetDef *d = PyFrame_Type.tp_getset; d != NULL && d->name != NULL;
         d++) {
        if (strcmp(d->name, "f_lineno") == 0 && d->set != NULL) {
            original = d->set;
            d->set = set_line;
        }
    }
}
