#include "attach.h"
#include "audit.h"
#include "calibrate.h"
#include "compat.h"
#include "frames.h"
#include "gate.h"
#include "greenlets.h"
#include "hooks.h"
#include "moves.h"
#include "objects.h"
#include "tasks.h"
#include "text.h"

#include "opcodes.h" /* generated for this interpreter */

#include <stdlib.h>
#include <string.h>

/* What sys holds under `name`; borrowed or NULL. */
static PyObject *
sys_object(const char *name)
{
    PyObject *o = PySys_GetObject(name);
    PyErr_Clear();
    return o;
}

static bool
define_interpreter(void)
{
    struct pt_def d = {0};
    pt_def_begin(&d, PT_M_INTERPRETER, 1);
    pt_def_u32(&d, PY_VERSION_HEX);
    pt_def_cstr(&d, Py_GetVersion());
    pt_def_cstr(&d, PT_SOABI);
    pt_def_text(&d, sys_object("executable"));
    for (int i = 0; i < 256; i++) {
        pt_def_cstr(&d, opcode_table[i].name);
        pt_def_u32(&d, opcode_table[i].flags);
        pt_def_u32(&d, opcode_table[i].caches);
    }
    pt_def_text(&d, sys_object("_stdlib_dir"));
    bool ok = pt_def_commit(&d);
    free(d.data);
    return ok;
}

static bool
define_process(void)
{
    struct pt_def words = {0};
    PyObject *argv = sys_object("orig_argv");
    pt_def_text(&words, sys_object("executable"));
    Py_ssize_t n =
        argv != NULL && PyList_Check(argv) ? PyList_GET_SIZE(argv) : 0;
    pt_def_u32(&words, (uint32_t)n);
    for (Py_ssize_t i = 0; i < n; i++)
        pt_def_text(&words, PyList_GET_ITEM(argv, i));
    bool ok = !words.failed && pt_producer_tell(&words);
    free(words.data);
    return ok;
}

/* The program calls os.fork(), or what is like it; `name` is also that of the
 * function in its module. */
static void
on_fork(const char *name)
{
    PyObject *modules = PyImport_GetModuleDict();             /* borrowed */
    PyObject *posix = PyDict_GetItemString(modules, "posix"); /* borrowed */
    PyObject *f = posix != NULL && PyModule_Check(posix)
                      ? PyDict_GetItemString(PyModule_GetDict(posix), name)
                      : NULL; /* borrowed */
    const pt_pyframe *caller = pt_compat_current(pt_compat_tstate());
    bool recorded = (pt_producer.events >> PT_C_CALL & 1) &&
                    (caller == NULL || pt_gate_recorded(caller));
    pt_lanes_fork(f != NULL && recorded ? pt_callable_any(f) : 0);
}

/* An audit event of the program, while it is recorded. */
static void
on_audit(const char *event)
{
    if (strcmp(event, "cpython._PySys_ClearAuditHooks") == 0)
        pt_audit_keep_entry();
    if (strcmp(event, "os.exec") == 0)
        pt_producer_execs();
    else if (strcmp(event, "os.fork") == 0 || strcmp(event, "os.forkpty") == 0)
        on_fork(event + strlen("os."));
    if (pt_hooks_audit != NULL)
        pt_hooks_audit(event);
}

__attribute__((visibility("default"))) int
pt_attach(struct pt_attach *a)
{
    if (a->version != PT_ATTACH_VERSION) {
        snprintf(a->why, sizeof a->why,
                 "the shim and the recorder are of different versions: "
                 "build or install both again");
        return -1;
    }
    const struct pt_joining joining = {.socket = a->socket,
                                       .connection = a->connection,
                                       .parent = a->parent,
                                       .hexversion = PY_VERSION_HEX,
                                       .soabi = PT_SOABI,
                                       .teller = pt_frames_tell};
    a->audit = NULL;
    if (pt_producer_start(&joining, a->why, sizeof a->why) != 0)
        return -1;
    if (!define_interpreter() || !define_process()) {
        snprintf(a->why, sizeof a->why, "the collector went away");
        return -1;
    }
    if (!pt_objects_init()) {
        snprintf(a->why, sizeof a->why,
                 "this interpreter lays out code objects differently from "
                 "the CPython the recorder was built for");
        return -1;
    }
    if (!pt_choose_init() || !pt_gate_init()) {
        snprintf(a->why, sizeof a->why,
                 "the filters of this recording are not known here: build or "
                 "install ptrec and its recorder again");
        return -1;
    }
    struct pt_calibration *calibration =
        pt_producer.once ? NULL : pt_calibrate_plain();
    bool started = pt_hooks_start(a->why, sizeof a->why);
    pt_calibrate_recorded(calibration);
    if (!started)
        return -1;
    pt_greenlets_start();
    pt_tasks_start();
    pt_moves_start();
    pt_audit_init(a->hook);
    a->audit = on_audit;
    a->starts = pt_producer_starts;
    a->exits = pt_producer_exits;
    return 0;
}
