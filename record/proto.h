/* The shared memory between a recorded process and the collector.
 *
 * One arena (a sealed memfd that the collector creates, sizes and touches) per
 * process, and two pages per recording, bell and tether.  After the handshake
 * the process holds no descriptor of ours: the collector learns of its death by
 * a pidfd, it learns of the collector's death by the robust mutex in the arena.
 *
 * A forked child keeps bell and tether, loses the arena, and joins by itself
 * at its first event: it then goes on with the local ids that its parent had
 * defined until the fork.
 *
 *   offset 0         struct pt_arena            control, one page and more
 *   PT_SLOTS_AT      struct pt_slot x PT_SLOTS  one per live thread
 *   PT_DEFS_AT       definitions ring, a byte stream of messages
 *   PT_RINGS_AT      event rings, see pt_ring_place()
 *
 * Event ring: a slot's ring is PT_SEGMENTS equal segments of 4-byte words.
 * `head` and `tail` count bytes since the slot was first used and never wrap
 * in practice; position = offset % ring size.  A record never crosses the end
 * of a segment: the producer fills the rest with PT_W_PAD, which says "go on
 * at the next segment", before it publishes past it.
 *
 * The producer (one thread) writes a record's words and stores head (release),
 * per record.  It enters a segment only when all of it is free (its end less
 * tail is at most the ring's size), else it sets `waiting` and sleeps on
 * tail_word.  The collector loads head (acquire), then defs_head (acquire) and
 * takes the definitions, decodes [tail, head), stores tail (release), per
 * segment, bumps tail_word, and wakes who waits.
 *
 * Slots are managed by producers alone: FREE -> LIVE -> DEAD -> LIVE ...; a new
 * thread adopts a dead slot and writes on after its head (PT_W_BEGIN).
 * A definition is committed to the definitions ring before the event that
 * first names it is published.  Both sides check what they read. */
#ifndef PT_RECORD_PROTO_H
#define PT_RECORD_PROTO_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

enum {
    PT_PROTO_MAGIC = 0x52545004, /* a byte for the protocol's version */
    PT_SLOTS = 4096,
    PT_SEGMENTS = 8,
    PT_SLOTS_AT = 8192,
    PT_SLOT_SIZE = 192,
    PT_DEFS_AT = PT_SLOTS_AT + PT_SLOTS * PT_SLOT_SIZE,
    PT_DEFS_SIZE = 1 << 20, /* this and the rings: of a large arena */
    PT_RINGS_AT = PT_DEFS_AT + PT_DEFS_SIZE,
    PT_RINGS_LARGE = 8,   /* the first slots: rings of PT_RING_LARGE */
    PT_RINGS_MEDIUM = 64, /* slots below this: PT_RING_MEDIUM */
    PT_RING_LARGE = 2 << 20,
    PT_RING_MEDIUM = 1 << 18,
    PT_RING_SMALL = 1 << 16, /* so that a thousand threads need 80 MB */
    PT_MAP_STEP = 16 << 20,  /* the producer maps rings in such steps */
    PT_DEF_LIMIT = 64 << 20, /* longest definition message */
    PT_LOCAL_IDS = 1 << 24,  /* local ids of a type are below this */
    /* Where many processes live at once, the definitions ring and the event
       rings are smaller by this many powers of two. */
    PT_SHRINK_SOME = 2,
    PT_SHRINK_MOST = 3,
    PT_FILTER_TEXT = 6144, /* bytes of all rules of a recording */
    PT_REDACT_TEXT = 512,  /* bytes of what secret names look like */
};

static inline uint32_t
pt_defs_size(uint32_t shrink)
{
    return (uint32_t)PT_DEFS_SIZE >> shrink;
}

/* Where slot `i`'s ring lies in an arena, and its size. */
static inline uint64_t
pt_ring_place(uint32_t shrink, uint32_t i, uint32_t *size)
{
    const uint32_t large = (uint32_t)PT_RING_LARGE >> shrink;
    const uint32_t medium = (uint32_t)PT_RING_MEDIUM >> shrink;
    const uint32_t small = (uint32_t)PT_RING_SMALL >> shrink;
    uint64_t at = PT_RINGS_AT;
    if (i < PT_RINGS_LARGE) {
        *size = large;
        return at + (uint64_t)i * large;
    }
    at += (uint64_t)PT_RINGS_LARGE * large;
    if (i < PT_RINGS_MEDIUM) {
        *size = medium;
        return at + (uint64_t)(i - PT_RINGS_LARGE) * medium;
    }
    at += (uint64_t)(PT_RINGS_MEDIUM - PT_RINGS_LARGE) * medium;
    *size = small;
    return at + (uint64_t)(i - PT_RINGS_MEDIUM) * small;
}

/* A whole arena's size. */
static inline uint64_t
pt_arena_size(uint32_t shrink)
{
    uint32_t size;
    uint64_t at = pt_ring_place(shrink, PT_SLOTS - 1, &size);
    return at + size;
}

enum pt_clock_source {
    PT_CLOCK_MONOTONIC = 0,
    PT_CLOCK_TSC = 1,
    PT_CLOCK_CNTVCT = 2
};
enum pt_on_full { PT_FULL_WAIT = 0, PT_FULL_DROP = 1 };

/* `stop` in the arena: the producers turn themselves off. */
enum pt_stop {
    PT_STOP_NO = 0,
    PT_STOP_DISK = 1,
    PT_STOP_PROTOCOL = 2,
    PT_STOP_GONE = 3 /* a producer found the collector dead */
};

/* Which values are recorded: arguments and results of calls, and also what
 * each line did to its frame's variables. */
enum pt_values_of {
    PT_VALUES_NONE = 0,
    PT_VALUES_CALLS = 1,
    PT_VALUES_LOCALS = 2
};
/* The most that can be asked for: what a value has in the log is bounded. */
enum { PT_VALUE_DEPTH_MOST = 16, PT_VALUE_RECORD_MOST = 60 << 10 };

/* What the collector wants of every process; constant for a recording. */
struct pt_config {
    uint32_t events;       /* bit per enum pt_kind to record */
    uint32_t stamped;      /* bit per kind that carries a time */
    uint32_t quantum_log2; /* ticks per quantum, as a shift */
    uint32_t clock;        /* enum pt_clock_source */
    uint32_t on_full;      /* enum pt_on_full */
    uint32_t asked;        /* those of `events` that the user named */
    uint32_t flow;         /* 1: events say where they happen, see below */
    uint32_t alone;        /* 1: children are not recorded */
    uint32_t values;       /* enum pt_values_of */
    uint32_t value_depth;  /* containers within containers that are told */
    uint32_t value_length; /* elements of a container ... */
    uint32_t value_bytes;  /* ... bytes of a str, bytes or int ... */
    uint32_t record_bytes; /* ... and of a whole record, which are told */
    uint32_t once;         /* 1: each line and way of a branch is told once */
    uint32_t reserved[2];
    /* Values of such names are not told: a POSIX extended regular expression,
       without regard to case; "" none. */
    char redact[PT_REDACT_TEXT];
    /* Rules as <pt/choice.h> has them, each with its NUL, then an empty one. */
    char filters[PT_FILTER_TEXT];
};

struct pt_arena {
    uint32_t magic;          /* PT_PROTO_MAGIC */
    uint32_t shrink;         /* of the rings, at most PT_SHRINK_MOST */
    uint64_t size;           /* pt_arena_size(shrink) */
    struct pt_config config; /* read-only to the producer */
    _Atomic uint32_t stop;   /* enum pt_stop, set by the collector */
    uint32_t pad1[11];

    _Alignas(64) _Atomic uint32_t slots_used; /* highest slot in use + 1 */
    _Atomic uint64_t unslotted; /* threads that found no slot: unrecorded */
    /* What a process says of its end, for want of a better witness. */
    _Atomic uint32_t exiting; /* PT_EXITING | status, once it calls exit */
    _Atomic uint64_t exec_at; /* quanta, when it last called exec; 0 never */

    _Alignas(64) _Atomic uint64_t defs_head; /* producer, under the GIL */
    _Alignas(64) _Atomic uint64_t defs_tail; /* collector */
    _Atomic uint32_t defs_tail_word;         /* futex */
    _Alignas(64) _Atomic uint32_t defs_waiting;

    /* Robust and process-shared; the collector locks it before it answers and
     * never unlocks it while it lives.  trylock: EBUSY lives, else gone. */
    _Alignas(64) pthread_mutex_t alive;
};
_Static_assert(sizeof(struct pt_arena) <= PT_SLOTS_AT, "control area");

enum pt_slot_state {
    PT_SLOT_FREE = 0,
    PT_SLOT_LIVE = 1,
    PT_SLOT_DEAD = 2,
    PT_SLOT_BUSY = 3
};

struct pt_slot {
    _Atomic uint64_t head; /* producer, per record */
    char pad0[56];
    _Atomic uint64_t tail;      /* collector, per segment */
    _Atomic uint32_t tail_word; /* futex: bumped when tail moves */
    char pad1[52];
    _Atomic uint32_t state;   /* enum pt_slot_state, producers */
    _Atomic uint32_t waiting; /* the producer sleeps on tail_word */
    _Atomic uint64_t dropped; /* events not yet told in a gap record */
    uint32_t tid;             /* of the thread that owns it now */
    char pad2[44];
};
_Static_assert(sizeof(struct pt_slot) == PT_SLOT_SIZE, "slot");

enum { PT_EXITING = 1 << 8 };

/* One page, shared by all processes of a recording and the children that they
 * fork.  A producer that enters a new segment, or is about to wait, and sees
 * `sleeping` set, bumps `word` and wakes it. */
struct pt_bell {
    _Atomic uint32_t sleeping;
    _Atomic uint32_t word;
    /* Forked children that could not join: how many, and of one of them its
       pid as it sees itself, and the errno value. */
    _Atomic uint32_t outside;
    _Atomic uint32_t outside_pid;
    _Atomic uint32_t outside_error;
    /* CLOCK_MONOTONIC in ms when a program was last started: its interpreter,
       if it has one, takes a moment to reach the collector. */
    _Atomic uint64_t started;
};

/* The tether is a page without contents that every recorded process maps, and
 * that a forked child inherits.  While somebody maps it, the kernel refuses to
 * seal it against writing: so the collector, which does not map it, knows
 * whether there is still a child that has not had its first event. */

/* --- records in an event ring -------------------------------------------- */

/* Word 0 of a record: kind in the low 6 bits, and in the upper 26 the quanta
 * since the thread's previous time, for kinds that config.stamped names (0
 * otherwise).  The end of a frame names its code, so that a frame of whose
 * beginning or end CPython did not tell is noticed.  A longer pause is told by
 * PT_W_TIME first.  A key or count is two words, low first. */
enum pt_word {
    PT_W_PAD = 0,         /* go on at the next segment */
    PT_W_CALL = 1,        /* code */
    PT_W_CALL_KEY = 2,    /* code, key, key */
    PT_W_RETURN = 3,      /* code */
    PT_W_YIELD = 4,       /* code */
    PT_W_RESUME = 5,      /* code, key, key */
    PT_W_THROW = 6,       /* code, key, key */
    PT_W_UNWIND = 7,      /* code */
    PT_W_LINE = 8,        /* line */
    PT_W_INSTRUCTION = 9, /* byte offset */
    PT_W_BRANCH = 10,     /* byte offset, destination */
    PT_W_JUMP = 11,       /* byte offset, destination */
    PT_W_EXCEPTION = 12,  /* byte offset << 2 | enum pt_raise, type */
    PT_W_HANDLED = 13,    /* byte offset */
    PT_W_C_CALL = 14,     /* callee */
    PT_W_C_RETURN = 15,
    PT_W_C_EXCEPTION = 16,
    /* of flow: the same with places.  A caller's place is the byte offset in
       the Python frame below, PT_NOWHERE where there is none. */
    PT_W_CALL_AT = 17,      /* code, caller's place */
    PT_W_CALL_KEY_AT = 18,  /* code, key, key, caller's place */
    PT_W_RESUME_AT = 19,    /* code, key, key, caller's place, own offset */
    PT_W_THROW_AT = 20,     /* code, key, key, caller's place, own offset */
    PT_W_YIELD_AT = 21,     /* code, byte offset */
    PT_W_EXCEPTION_AT = 22, /* code, byte offset << 2 | enum pt_raise, type,
                               offset of the frame's last instruction */
    PT_W_C_CALL_AT = 23,    /* callee, byte offset */
    PT_W_BRANCH_TIMED = 24, /* byte offset, destination */
    /* from here on without a time in word 0 */
    PT_W_BRANCH_NEAR = 25, /* upper bits: code unit, destination's code unit */
    PT_W_TIME = 26,  /* absolute quanta (ticks >> quantum_log2), two words */
    PT_W_BEGIN = 27, /* a thread begins: tid, absolute quanta (2) */
    PT_W_END = 28,   /* the thread ends */
    PT_W_GAP = 29,   /* lost events, two words; stack and greenlet, as of
                        SWITCH, on which it goes on; its frames follow */
    PT_W_FRAME = 30, /* a frame that is on the stack, outermost first: code,
                        key, key, byte offset (PT_NOWHERE where the record to
                        come tells it); upper bits: frames to come */
    PT_W_FRAME_C =
        31,           /* on top of those: a C call that has not ended: callee */
    PT_W_SWITCH = 32, /* another greenlet goes on: its stack's number and its
                         own; the upper bits have a time after all */
    PT_W_TASK = 33,   /* id of a task, enum pt_task_act; with a time, too */
    PT_W_VALUE = 34,  /* upper bits: bytes of the value, of which PT_W_BYTES
                         records follow; byte offset, dst of the event */
    PT_W_BYTES = 35,  /* upper bits: how many bytes, then these, in as many
                         words as they need */
    /* each once, of whatever frame; without a time */
    PT_W_LINE_IN = 36,   /* code, byte offset */
    PT_W_BRANCH_IN = 37, /* code, byte offset, destination */
    PT_W_LIMIT = 38
};
/* A value: an item of CBOR with definite lengths, as spec/format.md has it in
 * section 10, but that `type` is a local id, and that [2] and [11] do not say
 * where: it is what the thread told last of the frame's variable, or of the
 * object.  At most PT_LIMIT_VALUE bytes of <pt/value.h>.  One that is torn by a
 * gap or by the process's end is left out. */
enum { PT_VALUE_PIECE = 240 }; /* bytes of a PT_W_BYTES, at most */
/* A thread's stacks: 0 is where it began; the number of a greenlet that has
 * ended goes to the next that starts. */
enum { PT_STACKS_LIMIT = 1 << 16 };
#define PT_NOWHERE UINT32_MAX
/* In the byte offset of FRAME, which is even: that instruction comes next; else
 * it is under way, or done. */
#define PT_FRAME_NEXT 1u
enum { PT_NEAR_BITS = 13, PT_NEAR_LIMIT = 1 << 13 };
enum { PT_WORD_KIND_BITS = 6, PT_DT_LIMIT = 1 << 26 };

/* --- messages in the definitions ring ------------------------------------ */

/* A message is u32 length (all of it), u32 type, u32 local id, and fields:
 * u32, u64 little endian, strings as u32 length and bytes.  Local ids count
 * from 1 per type and process. */
enum pt_message {
    PT_M_INTERPRETER = 1, /* u32 hexversion, str version, soabi, executable,
                             256 x (str name, u32 flags, u32 caches), str
                             standard library */
    PT_M_PROCESS = 2,     /* str cwd, executable, u32 argc, str... */
    PT_M_CODE = 3,        /* str file name qualname, u32 firstline argcount
                             posonly kwonly flags stacksize nlocals, str bytecode
                             linetable exctable, u32 n, str names..., u32 n, str
                             locals..., str localkinds, u32 n, constants... */
    PT_M_CALLABLE = 4,    /* u32 kind, str module owner name label */
    PT_M_TYPE = 5,        /* str module name */
    PT_M_NOTE = 6,        /* str: one sentence for the summary */
    PT_M_COSTS = 7, /* u32 turns, quantum_log2, PT_LOOPS x (u64 ticks of that
                       many turns, u64 ticks recorded, str records of them), u64
                       ticks, u64 ns that these took */
    PT_M_TASK = 8,  /* u32 creator (a task's local id, 0 none), u32 code
                       (0 none), str name */
    PT_M_TASK_NAME = 9, /* str: of a task that was told */
};

/* The loops of PT_M_COSTS: nothing but the loop; a call each turn; a call of a
 * function of C; a generator that goes on and yields, itself looping. */
enum pt_loop {
    PT_LOOP_ALONE,
    PT_LOOP_CALLS,
    PT_LOOP_C_CALLS,
    PT_LOOP_RESUMES,
    PT_LOOPS
};

/* The types of which a forked child inherits ids: PT_M_CODE + enum pt_known. */
enum pt_known { PT_KNOWN_CODES, PT_KNOWN_CALLABLES, PT_KNOWN_TYPES, PT_KNOWN };

/* A constant: u32 kind (enum pt_const_kind), u32 n, u64 i, u64 f, u64 g (the
 * doubles' bits), str s.  For PT_CONST_CODE n is the local id. */

/* --- handshake over the Unix socket (SOCK_SEQPACKET) ---------------------- */

struct pt_hello {
    uint32_t magic; /* PT_PROTO_MAGIC */
    uint32_t kind;  /* enum pt_hello_kind */
    uint32_t hexversion;
    uint32_t known[PT_KNOWN]; /* of PT_HELLO_FORKED: the ids up to these are
                                 the parent's, by enum pt_known */
    uint64_t parent; /* the number of the recorded process that started this
                        one, 0 none */
    char text[208];  /* soabi, or for PT_HELLO_REFUSED why, NUL-terminated */
};
enum pt_hello_kind {
    PT_HELLO_JOIN = 1,
    PT_HELLO_REFUSED = 2,
    PT_HELLO_FORKED = 3
};

/* The answer to JOIN and FORKED carries PT_WELCOME_FDS descriptors: arena,
 * bell and tether. */
struct pt_welcome {
    uint32_t magic;
    uint32_t status; /* 0, or an errno value: run unrecorded */
    uint64_t arena_size;
    uint64_t number; /* of this process, for what it starts in its turn */
};
enum { PT_WELCOME_FDS = 3 };

/* The variable that the launcher sets beside LD_PRELOAD, and the shim takes
 * out and puts back.  Its value is
 *
 *   SOCKET,MAIN,PARENT,ALONE
 *
 * the collector's name; the pid of the process that ptrec itself starts (0:
 * this is none); the number of the recorded process that started this one, 0;
 * and 1 where children are not recorded, else 0. */
#define PT_ENV "PTREC_RECORDING"
enum { PT_ENV_LONGEST = 128 }; /* NAME=VALUE and its NUL */

#endif
