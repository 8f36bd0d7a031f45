/* A match takes a microsecond, and the same few names come again and again: so
 * what was found is kept by the hash of the name, which every key of a
 * dictionary has.  Hashes of 64 bits that a program cannot choose (PEP 456)
 * tell names apart. */
#include "value_redact.h"

#include <regex.h>
#include <string.h>

enum { NAME = 256, KEPT = 1 << 12 };

static struct {
    regex_t regex;
    bool on;
    struct kept {
        uint64_t hash;
        bool known, secret;
    } kept[KEPT];
} redact;

bool
pt_redact_init(const char *regex)
{
    if (*regex == '\0')
        return true;
    redact.on = regcomp(&redact.regex, regex,
                        REG_EXTENDED | REG_ICASE | REG_NOSUB) == 0;
    return redact.on;
}

static bool
matches_text(const char *name)
{
    return regexec(&redact.regex, name, 0, NULL, 0) == 0;
}

/* What is not ASCII is of no script that the words are in: any other character
 * stands for it.  Of a very long name its beginning counts. */
static bool
matches(PyObject *name)
{
    char text[NAME];
    Py_ssize_t n = PyUnicode_GET_LENGTH(name);
    int kind = PyUnicode_KIND(name);
    const void *data = PyUnicode_DATA(name);
    size_t used = 0;
    for (Py_ssize_t i = 0; i < n && used < NAME - 1; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, i);
        text[used++] = c > 0 && c < 128 ? (char)c : '?';
    }
    text[used] = '\0';
    return matches_text(text);
}

bool
pt_redact_name(PyObject *name)
{
    if (!redact.on || name == NULL || !PyUnicode_Check(name))
        return false;
#if PY_VERSION_HEX < 0x030C0000
    if (!PyUnicode_IS_READY(name))
        return true;
#endif
    Py_hash_t hash = ((PyASCIIObject *)name)->hash;
    if (hash == -1)
        return matches(name);
    struct kept *k = &redact.kept[(size_t)hash % KEPT];
    if (!k->known || k->hash != (uint64_t)hash)
        *k = (struct kept){(uint64_t)hash, true, matches(name)};
    return k->secret;
}

bool
pt_redact_text(const char *name)
{
    if (!redact.on)
        return false;
    uint64_t hash = 0xcbf29ce484222325u;
    for (const char *c = name; *c != '\0'; c++)
        hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
    struct kept *k = &redact.kept[hash % KEPT];
    if (!k->known || k->hash != hash)
        *k = (struct kept){hash, true, matches_text(name)};
    return k->secret;
}
