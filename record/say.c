#include "record/say.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
pt_say(const char *format, ...)
{
    char line[1024] = "ptrec: ";
    size_t n = strlen(line);
    va_list args;
    va_start(args, format);
    int more = vsnprintf(line + n, sizeof line - n - 1, format, args);
    va_end(args);
    if (more < 0)
        return;
    n +=
        (size_t)more < sizeof line - n - 1 ? (size_t)more : sizeof line - n - 2;
    line[n++] = '\n';
    /* One write, so that a line of ours never mixes with the program's. */
    for (size_t done = 0; done < n;) {
        ssize_t k = write(STDERR_FILENO, line + done, n - done);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return;
        done += (size_t)k;
    }
}

void
pt_tell(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
}

void
pt_notes_add(struct pt_notes *notes, const char *format, ...)
{
    char text[PT_NOTE_TEXT];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);

    for (size_t i = 0; i < notes->count; i++) {
        if (strcmp(notes->text[i], text) == 0)
            return;
    }
    if (notes->text == NULL)
        notes->text = calloc(PT_NOTE_LIMIT, PT_NOTE_TEXT);
    if (notes->text == NULL || notes->count == PT_NOTE_LIMIT) {
        notes->more++;
        return;
    }
    memcpy(notes->text[notes->count++], text, sizeof text);
}

void
pt_notes_print(const struct pt_notes *notes)
{
    for (size_t i = 0; i < notes->count; i++)
        pt_say("%s", notes->text[i]);
    if (notes->more > 0)
        pt_say("... and %zu more remarks of this kind", notes->more);
}

void
pt_notes_clear(struct pt_notes *notes)
{
    free(notes->text);
    *notes = (struct pt_notes){0};
}
