/* What a log says: chunk headers and definitions, as plain structures that
 * the writer takes and the reader gives.  The bytes are spec/format.md's.
 * Thread rule: plain data. */
#ifndef PT_LOG_H
#define PT_LOG_H

#include <pt/event.h>
#include <pt/status.h>

#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes.  A string is UTF-8 without a terminator, except that lone
 * surrogates of Python strings stand as WTF-8; `data` may be NULL when `len`
 * is 0. */
struct pt_str {
    const char *data;
    size_t len;
};

/* Numbers are part of the format.  Bit 7 of the chunk header's type byte is
 * set on chunks that a reader may skip when it does not know them. */
enum pt_chunk_type {
    PT_CHUNK_HEADER = 1,
    PT_CHUNK_DEFINITIONS = 2,
    PT_CHUNK_SYNTAX = 3 | 0x80,
    PT_CHUNK_EVENTS = 4,
    PT_CHUNK_VALUES = 5 | 0x80,
    PT_CHUNK_OUTPUT = 6 | 0x80,
    PT_CHUNK_INDEX = 7 | 0x80,
    PT_CHUNK_END = 8,
    PT_CHUNK_VARIABLES = 9 | 0x80, /* the index of variables */
    PT_CHUNK_OPTIONAL = 0x80
};

/* Bytes of a chunk's skippable frame in the file, its first 8 counted. */
enum { PT_CHUNK_HEADER_SIZE = 216 };

/* A chunk's skippable frame, decoded.  Times are ns since the clock origin. */
struct pt_chunk_info {
    uint8_t type;     /* enum pt_chunk_type */
    uint32_t process; /* trace-wide process id, 0 none */
    uint32_t thread;  /* trace-wide thread id, 0 none */
    uint64_t seq;     /* of the first event */
    uint32_t events;  /* how many: seq .. seq+events-1 */
    uint32_t gaps;    /* gap events among them */
    int64_t time_first;
    int64_t time_last;
    uint64_t raw_size;              /* of the CBOR item */
    uint64_t packed_size;           /* of the zstd frame */
    uint32_t counts[PT_KIND_LIMIT]; /* events per kind */
    uint64_t offset;                /* of the skippable frame in the file */
};

/* The trace's clock: ns = ((ticks - origin) * mult) >> shift, computed in 128
 * bits.  A time column counts quanta of `quantum` ticks since `origin`. */
struct pt_clock {
    uint64_t origin; /* ticks at time 0 */
    uint64_t mult;
    uint32_t shift;
    uint32_t quantum; /* ticks, a power of two */
    char source[16];  /* "tsc", "cntvct" or "monotonic" */
    int64_t unix_ns;  /* CLOCK_REALTIME at time 0 */
};

/* Two clocks read at one moment: what corrects the drift of the first. */
struct pt_clock_pair {
    uint64_t ticks;  /* of the trace's clock */
    int64_t unix_ns; /* CLOCK_REALTIME; 0 with ticks 0: no pair */
};

/* One per trace: the header chunk. */
struct pt_header {
    uint32_t version;  /* format version; readers refuse newer majors */
    uint32_t required; /* feature bits a reader must know */
    uint32_t optional; /* feature bits a reader may ignore */
    struct pt_clock clock;
    struct pt_str writer; /* "ptrec 0.1.0" */
    struct pt_str preset; /* "lines" */
    struct pt_str host;   /* uname nodename */
    struct pt_str system; /* "Linux 6.1.0 x86_64" */
    struct pt_str cwd;
    struct pt_str uuid;        /* 16 random bytes, as hex */
    const struct pt_str *argv; /* of ptrec itself */
    size_t argc;
    uint32_t events;              /* bit per kind that was asked for */
    uint32_t stamped;             /* bit per kind that carries a time */
    struct pt_str values;         /* which: "calls", "locals"; "" none */
    const struct pt_str *filters; /* rules of the recording: <pt/choice.h> */
    size_t nfilters;
};

/* One opcode of an interpreter's table. */
struct pt_opcode {
    struct pt_str name; /* "" where the number is unused */
    uint8_t flags;      /* enum pt_opcode_flag */
    uint8_t caches;     /* inline cache entries (code units) after it */
};
enum pt_opcode_flag {
    PT_OP_ARG = 1,   /* has an argument */
    PT_OP_JREL = 2,  /* argument is a relative jump, forwards */
    PT_OP_JBACK = 4, /* ... backwards */
    PT_OP_JABS = 8,
    PT_OP_CONST = 16, /* argument indexes the constants */
    PT_OP_NAME = 32,
    PT_OP_LOCAL = 64,
    PT_OP_FREE = 128
};

/* An interpreter that recorded: its opcode table makes bytecode readable
 * without knowing its version. */
struct pt_interpreter {
    uint32_t hexversion;   /* PY_VERSION_HEX */
    struct pt_str version; /* sys.version */
    struct pt_str soabi;
    struct pt_str executable;
    struct pt_opcode opcodes[256];
    struct pt_str stdlib; /* where its standard library lies, "" unknown */
};

/* A constant, in pre-order: a container is followed by its `n` items. */
struct pt_const {
    uint8_t kind;    /* enum pt_const_kind */
    uint32_t n;      /* items of a container, or a code object's id */
    int64_t i;       /* int that fits, bool */
    double f, g;     /* float; complex real and imaginary */
    struct pt_str s; /* str, bytes, big int (decimal), type's name */
};
enum pt_const_kind {
    PT_CONST_NONE,
    PT_CONST_ELLIPSIS,
    PT_CONST_BOOL,
    PT_CONST_INT,
    PT_CONST_BIGINT, /* sign, then magnitude: s is "-" or "" + hex digits */
    PT_CONST_FLOAT,
    PT_CONST_COMPLEX,
    PT_CONST_STR,
    PT_CONST_BYTES,
    PT_CONST_TUPLE,
    PT_CONST_FROZENSET,
    PT_CONST_CODE,
    PT_CONST_SLICE,
    PT_CONST_OTHER /* s: the type's name */
};

/* A code object, complete: everything a later reader needs to disassemble
 * it, map lines and exception handlers, and name its variables. */
struct pt_code {
    uint32_t interpreter;   /* id */
    uint32_t source;        /* id, 0 when its text is not in the trace */
    struct pt_str file;     /* co_filename */
    struct pt_str name;     /* co_name */
    struct pt_str qualname; /* co_qualname */
    uint32_t firstline, argcount, posonly, kwonly, flags, stacksize, nlocals;
    struct pt_str bytecode; /* co_code: never the adaptive bytes */
    struct pt_str linetable;
    struct pt_str exctable;
    const struct pt_str *names;
    size_t nnames;
    const struct pt_str *locals; /* co_localsplusnames */
    size_t nlocalsplus;
    struct pt_str localkinds;      /* co_localspluskinds, a byte each */
    const struct pt_const *consts; /* the tuple's items, pre-order */
    size_t nconsts;                /* entries of `consts`, not of the tuple */
};

/* How a callable that is no Python function is called by profiles. */
enum pt_callable_kind {
    PT_CALLABLE_BUILTIN = 1, /* function of a module: builtins.len */
    PT_CALLABLE_METHOD = 2,  /* method of a C type: list.append */
    PT_CALLABLE_TYPE = 3,    /* a class: collections.OrderedDict */
    PT_CALLABLE_OBJECT = 4   /* anything else with __call__, by its type */
};
struct pt_callable {
    uint8_t kind;         /* enum pt_callable_kind */
    struct pt_str module; /* "" where unknown */
    struct pt_str owner;  /* the defining type's name, "" for functions */
    struct pt_str name;   /* ml_name or the type's qualified name */
    struct pt_str label;  /* the key cProfile writes, "" for type, object */
};

/* A class, as the type of an exception. */
struct pt_type {
    struct pt_str module;
    struct pt_str name; /* __qualname__ */
};

/* A source file as the program had it; `text` is "" when it could not be
 * read, and `hash` then 0. */
struct pt_source {
    struct pt_str file; /* co_filename */
    struct pt_str path; /* absolute, where it was read */
    struct pt_str text;
    uint64_t hash; /* XXH64 of text, seed 0 */
};

struct pt_process {
    uint32_t parent;      /* id, 0 for the one ptrec started */
    uint32_t interpreter; /* id */
    uint32_t pid;
    int64_t time; /* ns, when it joined */
    struct pt_str executable;
    struct pt_str cwd;
    const struct pt_str *argv; /* sys.orig_argv */
    size_t argc;
};
struct pt_thread {
    uint32_t process;   /* id */
    uint32_t tid;       /* native id */
    int64_t time;       /* ns, its first event */
    struct pt_str name; /* "" where unknown */
    uint32_t carrier;   /* id of the thread of which this is another stack, on
                           which greenlets run; 0 for a thread itself */
};

/* An asyncio task. */
struct pt_task {
    uint32_t process;   /* id */
    uint32_t parent;    /* id of the task that created it, 0 none or unknown */
    uint32_t code;      /* id of its coroutine's code object, 0 unknown */
    struct pt_str name; /* "" where unknown */
};

/* How a process ended; the number is part of the format. */
enum pt_ending {
    PT_ENDED_UNKNOWN = 0, /* the recording stopped before it did */
    PT_ENDED_EXIT = 1,    /* value: the exit status */
    PT_ENDED_SIGNAL = 2,  /* value: the signal */
    PT_ENDED_EXEC = 3,    /* it became another program */
    PT_ENDED_GONE = 4     /* it ended; nobody could learn how */
};
struct pt_process_end {
    uint32_t process; /* id */
    uint8_t ending;   /* enum pt_ending */
    int32_t value;
    int64_t time;  /* ns */
    uint64_t lost; /* events that its gaps count */
};

/* What recording one event took, in picoseconds: before its time was read and
 * after.  Measured where the process began, on code that does little else; with
 * what CPython does to tell of the event.  0 where it is not known. */
struct pt_costs {
    uint32_t process; /* id */
    struct {
        uint32_t before, after;
    } of[PT_KIND_LIMIT]; /* by enum pt_kind */
};

/* Feature bits that a reader must know. */
enum pt_required {
    PT_REQUIRED_PREDICTED = 1 /* events of flow are predicted (spec/format.md
                                 6.6); the writer sets it */
};

/* Feature bits that a reader may ignore. */
enum pt_optional {
    PT_OPTIONAL_FLOW = 1, /* events say where they happened: the program's
                             instructions can be walked (spec/format.md) */
    PT_OPTIONAL_ONCE = 2  /* lines and branches name their code object, and each
                             is told once: what ran, not how often or when */
};

/* Where a frame on the stack stands, so that its instructions can be walked
 * from here on.  Only the flow of a program tells it (spec/format.md). */
enum pt_at {
    PT_AT_UNKNOWN = 0,
    PT_AT_START = 1,  /* nothing has run: it begins at its first RESUME */
    PT_AT_INSIDE = 2, /* the instruction at `off` is under way or done */
    PT_AT_JUMPED = 3, /* the one at `off` was the last, that at `dst` is next */
    PT_AT_RAISED = 4, /* the one at `off` raised; `dst` is the offset that the
                         exception table is asked for */
    PT_AT_THROWN = 5, /* it was suspended at `dst` when something was thrown
                         into it */
    PT_AT_LIMIT = 6
};

/* A frame on a thread's stack at the start of a chunk, outermost first. */
struct pt_frame {
    uint64_t key;     /* frame key, 0 where it cannot be suspended */
    uint64_t seq;     /* of the event that entered it, or UINT64_MAX */
    uint32_t id;      /* code or callable */
    uint32_t line;    /* last line started, 0 unknown */
    uint32_t off;     /* last offset, UINT32_MAX unknown */
    uint8_t callable; /* 1: a c_call, id is a callable */
    uint8_t at;       /* enum pt_at: where a walk of the frame goes on */
    uint32_t dst;     /* see enum pt_at; 0 where it has no meaning */
    uint32_t next;    /* value events have shown that it has since come so far
                         that this offset is next; 0 none did */
    int64_t time;     /* ns, when it was entered; INT64_MIN unknown */
};

/* The end chunk: a trace that has one was closed well. */
struct pt_end {
    uint64_t events;
    uint64_t gaps;
    uint64_t lost;
    int64_t time;
    struct pt_str reason; /* "complete", "disk full", "collector stopped" */
};

#endif
