#include "record/summary.h"

#include <stdio.h>
#include <sys/stat.h>

enum { NUMBER = 40 };

/* 1234567 as "1,234,567"; this and sizes as ptana writes them. */
static const char *
grouped(uint64_t n, char *out)
{
    char digits[NUMBER];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
    int k = 0;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            out[k++] = ',';
        out[k++] = digits[i];
    }
    out[k] = '\0';
    return out;
}

static const char *
sized(uint64_t bytes, char *out)
{
    static const char *const units[] = {"bytes", "KB", "MB", "GB", "TB"};
    double value = (double)bytes;
    int u = 0;
    while (value >= 999.5 && u < 4) {
        value /= 1000;
        u++;
    }
    snprintf(out, NUMBER, "%.*f %s",
             u == 0 || value >= 99.95 ? 0
             : value < 9.995          ? 2
                                      : 1,
             value, units[u]);
    return out;
}

void
pt_summary_progress(const struct pt_collector *c)
{
    char events[NUMBER], size[NUMBER];
    pt_say("%s events, %s so far",
           grouped(pt_writer_event_count(c->journal.writer), events),
           sized(pt_writer_bytes(c->journal.writer), size));
}

static void
print_line(const struct pt_collector *c)
{
    char events[NUMBER], processes[NUMBER], threads[NUMBER], size[NUMBER];
    char many[NUMBER + 32] = "";
    char each[NUMBER + 32] = "";
    struct stat file = {0};
    stat(c->output->path, &file);
    uint64_t bytes = (uint64_t)file.st_size;
    if (c->events > 0 && bytes >= c->definitions)
        snprintf(each, sizeof each, ", %.2f bytes an event",
                 (double)(bytes - c->definitions) / (double)c->events);
    if (c->joined > 1)
        snprintf(many, sizeof many, "%s processes, ",
                 grouped(c->joined, processes));
    pt_say("%s event%s of %s%s thread%s in %.2f s -> %s (%s%s)",
           grouped(c->events, events), c->events == 1 ? "" : "s", many,
           grouped(c->journal.threads, threads),
           c->journal.threads == 1 ? "" : "s", (double)c->ended / 1e9,
           c->output->path, sized(bytes, size), each);
}

void
pt_summary_print(const struct pt_collector *c, enum pt_status closed,
                 bool quiet)
{
    char gaps[NUMBER], lost[NUMBER];
    const struct pt_output *out = c->output;
    pt_notes_print(&c->notes);
    if (c->journal.gaps > 0 && !quiet)
        pt_say("%s gap%s: %s events are known to be missing",
               grouped(c->journal.gaps, gaps), c->journal.gaps == 1 ? "" : "s",
               grouped(c->journal.lost, lost));
    if (out->error.status != PT_OK)
        pt_say("%s", out->error.text);
    if (closed != PT_OK)
        pt_say("%s.part holds what was recorded until then", out->path);
    else if (!quiet)
        print_line(c);
}
