#include "analyze/output.h"
#include "analyze/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { DEFAULT_WIDTH = 100, LEAST_WIDTH = 40, MOST_WIDTH = 1000 };

/* 0 where `fd` is no terminal: a file or a program takes lines of any length,
 * whatever terminal there may be besides. */
static unsigned
terminal_width(int fd)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    long n = columns ? strtol(columns, NULL, 10) : 0;
    if (!isatty(fd))
        return 0;
    if (n >= LEAST_WIDTH && n <= MOST_WIDTH)
        return (unsigned)n;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col)
        return size.ws_col < LEAST_WIDTH ? LEAST_WIDTH : size.ws_col;
    return 0;
}

static bool
wants_color(const char *mode, int fd)
{
    const char *term = getenv("TERM");
    if (mode && strcmp(mode, "always") == 0)
        return true;
    if (mode && strcmp(mode, "never") == 0)
        return false;
    return isatty(fd) && !getenv("NO_COLOR") && term &&
           strcmp(term, "dumb") != 0;
}

/* By the environment, as setlocale() goes by it; whether such a locale is
 * installed does not matter to a terminal. */
static bool
is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *locale = getenv(names[i]);
        if (locale && locale[0])
            return strcasestr(locale, "utf-8") || strcasestr(locale, "utf8");
    }
    return false;
}

static enum pt_status
refused(struct pt_error *error, const char *path, int sys)
{
    *error = (struct pt_error){
        .status = PT_EIO, .sys = sys, .offset = -1, .seq = -1};
    bool full = sys == ENOSPC || sys == EDQUOT || sys == EFBIG;
    snprintf(error->text, sizeof error->text, "%s cannot be written (%s); %s",
             path ? path : "the output", strerror(sys),
             full ? "make room" : "name another file with -o");
    return PT_EIO;
}

enum pt_status
pt_out_open(const struct pt_out_options *options, struct pt_error *error,
            struct pt_out **out)
{
    struct pt_out *o = malloc(sizeof *o);
    if (!o) {
        *error =
            (struct pt_error){.status = PT_ENOMEM, .text = "out of memory"};
        return PT_ENOMEM;
    }
    *o = (struct pt_out){.fd = STDOUT_FILENO};
    if (options->path && strcmp(options->path, "-") != 0) {
        o->path = options->path;
        o->fd = open(o->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (o->fd < 0) {
            int sys = errno;
            free(o);
            return refused(error, options->path, sys);
        }
    }
    o->color = wants_color(options->color, o->fd);
    o->width = options->width == 0            ? terminal_width(o->fd)
               : options->width < LEAST_WIDTH ? LEAST_WIDTH
               : options->width > MOST_WIDTH  ? MOST_WIDTH
                                              : (unsigned)options->width;
    o->utf8 = is_utf8();
    o->fit = o->width != 0;
    if (!o->fit)
        o->width = DEFAULT_WIDTH;
    *out = o;
    return PT_OK;
}

bool
pt_out_is_terminal(const struct pt_out *o)
{
    return isatty(o->fd);
}

/* Writes or, once something failed, drops. */
static void
drain(struct pt_out *o, const char *data, size_t len)
{
    while (len && o->status == PT_OK) {
        ssize_t n = write(o->fd, data, len);
        if (n >= 0) {
            data += n;
            len -= (size_t)n;
        } else if (errno != EINTR) {
            o->status = PT_EIO;
            o->sys = errno;
        }
    }
}

void
pt_out_flush(struct pt_out *o)
{
    drain(o, o->buffer, o->used);
    o->used = 0;
}

enum pt_status
pt_out_close(struct pt_out *o, struct pt_error *error)
{
    if (!o)
        return PT_OK;
    pt_out_flush(o);
    if (o->path && close(o->fd) != 0 && o->status == PT_OK) {
        o->status = PT_EIO;
        o->sys = errno;
    }
    enum pt_status st = o->status;
    if (st != PT_OK)
        st = refused(error, o->path, o->sys);
    free(o);
    return st;
}

void
pt_out_bytes(struct pt_out *o, const void *data, size_t len)
{
    if (len > PT_OUT_BUFFER - o->used) {
        pt_out_flush(o);
        if (len > PT_OUT_BUFFER) {
            drain(o, data, len);
            return;
        }
    }
    if (len)
        memcpy(o->buffer + o->used, data, len);
    o->used += len;
}

void
pt_out_text(struct pt_out *o, const char *text)
{
    pt_out_bytes(o, text, strlen(text));
}

void
pt_out_printf(struct pt_out *o, const char *fmt, ...)
{
    char line[1024];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (n > 0)
        pt_out_bytes(o, line,
                     (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

void
pt_out_u64(struct pt_out *o, uint64_t n)
{
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + n % 10);
    while (n /= 10);
    pt_out_bytes(o, digits + at, sizeof digits - at);
}

void
pt_out_i64(struct pt_out *o, int64_t n)
{
    if (n < 0)
        pt_out_char(o, '-');
    pt_out_u64(o, n < 0 ? -(uint64_t)n : (uint64_t)n);
}

void
pt_out_spaces(struct pt_out *o, unsigned n)
{
    while (n--)
        pt_out_char(o, ' ');
}

void
pt_out_style(struct pt_out *o, enum pt_style style)
{
    static const char *const codes[] = {"\033[0m",  "\033[1m",  "\033[2m",
                                        "\033[33m", "\033[32m", "\033[31m"};
    if (o->color)
        pt_out_text(o, codes[style]);
}

size_t
pt_text_escape(struct pt_str s, char *buffer, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < s.len;) {
        uint32_t code;
        unsigned n = pt_utf8_next(s.data + i, s.len - i, &code);
        /* Some take the separators of lines and paragraphs for ends of line. */
        bool control = code < 32 || (code > 126 && code < 160) ||
                       code == 0x2028 || code == 0x2029;
        bool surrogate = code >= 0xd800 && code <= 0xdfff;
        /* Byte by byte; what follows a first byte is no start of its own. */
        bool odd = control || surrogate || (n == 1 && code == 0xfffd);
        if (used + 4 + 1 > size)
            break;
        if (odd) {
            snprintf(buffer + used, 5, "\\x%02x", (unsigned char)s.data[i++]);
            used += 4;
        } else {
            memcpy(buffer + used, s.data + i, n);
            used += n;
            i += n;
        }
    }
    buffer[used] = 0;
    return used;
}

void
pt_out_str(struct pt_out *o, struct pt_str s)
{
    char buffer[512];
    /* In pieces that no escape outgrows; a sequence may be cut only where it
     * would be escaped anyway, so pieces end at the start of one. */
    for (size_t i = 0; i < s.len;) {
        size_t n = s.len - i < 120 ? s.len - i : 120;
        while (i + n < s.len && n > 100 &&
               ((unsigned char)s.data[i + n] & 0xc0) == 0x80)
            n--;
        size_t used = pt_text_escape((struct pt_str){s.data + i, n}, buffer,
                                     sizeof buffer);
        pt_out_bytes(o, buffer, used);
        i += n;
    }
}

unsigned
pt_text_width(const char *text)
{
    unsigned n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

/* The byte index of column `column`. */
static size_t
column_index(const char *text, unsigned column)
{
    size_t i = 0;
    for (unsigned n = 0; text[i]; i++)
        if (((unsigned char)text[i] & 0xc0) != 0x80 && n++ == column)
            break;
    return i;
}

void
pt_text_shorten(char *text, unsigned width)
{
    unsigned now = pt_text_width(text);
    if (now <= width)
        return;
    if (width < 5) {
        text[column_index(text, width)] = 0;
        return;
    }
    /* The end tells more of a name than its beginning, and its last component
     * more than all. */
    unsigned head = (width - 2) * 2 / 5, tail = width - 2 - head;
    const char *dot = strrchr(text, '.');
    unsigned last = dot ? pt_text_width(dot + 1) : 0;
    if (last > tail && last <= width - 2) {
        tail = last;
        head = width - 2 - tail;
    }
    size_t from = column_index(text, now - tail), at = column_index(text, head);
    text[at] = text[at + 1] = '.';
    memmove(text + at + 2, text + from, strlen(text + from) + 1);
}

const char *
pt_text_duration(int64_t ns, char *buffer)
{
    static const char *const units[] = {"ns", "us", "ms", "s"};
    double value = (double)ns;
    unsigned unit = 0;
    double size = value < 0 ? -value : value;
    while (unit < 3 && size >= 999.95) {
        size /= 1000;
        value /= 1000;
        unit++;
    }
    int digits = unit == 0 ? 0 : size < 9.9995 ? 3 : size < 99.995 ? 2 : 1;
    if (unit == 3 && size >= 999.95)
        digits = 0;
    snprintf(buffer, PT_NUMBER_TEXT, "%.*f %s", digits, value, units[unit]);
    return buffer;
}

const char *
pt_text_grouped(uint64_t n, char *buffer)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%" PRIu64, n);
    char *p = buffer;
    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            *p++ = ',';
        *p++ = digits[i];
    }
    *p = 0;
    return buffer;
}

const char *
pt_text_plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

const char *
pt_text_size(uint64_t bytes, char *buffer)
{
    static const char *const units[] = {"bytes", "KB", "MB", "GB", "TB"};
    double value = (double)bytes;
    unsigned unit = 0;
    while (unit < 4 && value >= 999.5) {
        value /= 1000;
        unit++;
    }
    snprintf(buffer, PT_NUMBER_TEXT, "%.*f %s",
             unit == 0 || value >= 99.95 ? 0
             : value < 9.995             ? 2
                                         : 1,
             value, units[unit]);
    return buffer;
}

void
pt_out_say(const char *fmt, ...)
{
    va_list ap;
    fputs("ptana: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
}
