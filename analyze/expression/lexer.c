#include "analyze/expression/lexer.h"
#include "analyze/utf8.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool
fail(struct pt_lexer *l, const char *why)
{
    l->failed = why;
    return false;
}

static unsigned char
peek(const struct pt_lexer *l, size_t ahead)
{
    return ahead < (size_t)(l->end - l->at) ? (unsigned char)l->at[ahead] : 0;
}

static bool
starts_name(unsigned char c)
{
    return isalpha(c) || c == '_' || c >= 128;
}

static bool
in_name(unsigned char c)
{
    return starts_name(c) || isdigit(c);
}

/* --- numbers --------------------------------------------------------------
 */

/* Copies digits of a base, with single underscores between them; NULL where
 * there are none or an underscore is out of place. */
static char *
digits(struct pt_lexer *l, unsigned base, size_t *len)
{
    size_t n = 0;
    while (in_name(peek(l, n)))
        n++;
    char *copy = pt_arena_array(l->memory, n + 1, 1);
    n = 0;
    bool gap = base != 10; /* 0x_1 is fine */
    while (copy) {
        unsigned char c = peek(l, 0);
        unsigned digit = isdigit(c)   ? (unsigned)c - '0'
                         : isalpha(c) ? (c | 0x20u) - 'a' + 10
                                      : 99;
        if (c == '_' && gap && isalnum(peek(l, 1)))
            gap = false;
        else if (digit < base) {
            copy[n++] = (char)c;
            gap = true;
        } else
            break;
        l->at++;
    }
    *len = n;
    return n ? copy : NULL;
}

static bool
based(struct pt_lexer *l, unsigned base)
{
    size_t n;
    l->at += 2;
    char *text = digits(l, base, &n);
    if (!text || in_name(peek(l, 0)))
        return fail(l, "invalid number");
    if (!pt_number_parse(l->memory, (struct pt_str){text, n}, base, false,
                         &l->token.value))
        return fail(l, "the number is too large");
    return true;
}

/* The fraction and the exponent of a float behind its whole digits. */
static bool
fraction(struct pt_lexer *l, char *text, size_t n)
{
    size_t more;
    char *part;
    if (peek(l, 0) == '.') {
        l->at++;
        text[n++] = '.';
        if (isdigit(peek(l, 0)) && (part = digits(l, 10, &more))) {
            memcpy(text + n, part, more);
            n += more;
        }
    }
    if ((peek(l, 0) | 0x20) == 'e') {
        bool sign = peek(l, 1) == '-' || peek(l, 1) == '+';
        if (!isdigit(peek(l, 1 + sign)))
            return fail(l, "invalid number");
        text[n++] = 'e';
        if (sign)
            text[n++] = (char)peek(l, 1);
        l->at += 1 + sign;
        if ((part = digits(l, 10, &more))) {
            memcpy(text + n, part, more);
            n += more;
        }
    }
    text[n] = '\0';
    if ((peek(l, 0) | 0x20) == 'j')
        return fail(l, "complex numbers are not calculated with");
    l->token.value =
        (struct pt_value){.kind = PT_VALUE_FLOAT, .f = strtod(text, NULL)};
    return true;
}

static bool
number(struct pt_lexer *l)
{
    unsigned char mark = peek(l, 1) | 0x20;
    unsigned base = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 10;
    l->token.kind = PT_TOKEN_VALUE;
    if (peek(l, 0) == '0' && base != 10)
        return based(l, base);
    /* Signs among them: more than a number takes, and little more. */
    size_t room = 0, n = 0;
    while (in_name(peek(l, room)) ||
           (peek(l, room) && strchr(".+-", peek(l, room))))
        room++;
    char *text = pt_arena_array(l->memory, room + 1, 1);
    char *whole = peek(l, 0) == '.' ? NULL : digits(l, 10, &n);
    if (!text)
        return fail(l, "the number is too long");
    if (whole)
        memcpy(text, whole, n);
    unsigned char c = peek(l, 0) | 0x20;
    if (peek(l, 0) == '.' || c == 'e' || c == 'j') {
        if (!fraction(l, text, n))
            return false;
    } else {
        if (n > 1 && text[0] == '0' && strspn(text, "0") != n)
            return fail(l, "leading zeros in decimal integer literals are not "
                           "permitted");
        if (n > 4300 || !pt_number_parse(l->memory, (struct pt_str){text, n},
                                         10, false, &l->token.value))
            return fail(l, "the number is too large");
    }
    if (in_name(peek(l, 0)))
        return fail(l, "invalid number");
    return true;
}

/* --- strings --------------------------------------------------------------
 */

static size_t
put_code_point(char *to, uint32_t c)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (char)(0xc0 | c >> 6);
        to[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        to[0] = (char)(0xe0 | c >> 12);
        to[1] = (char)(0x80 | (c >> 6 & 0x3f));
        to[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    to[0] = (char)(0xf0 | c >> 18);
    to[1] = (char)(0x80 | (c >> 12 & 0x3f));
    to[2] = (char)(0x80 | (c >> 6 & 0x3f));
    to[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* `n` hexadecimal digits at the lexer's place. */
static bool
hex(struct pt_lexer *l, unsigned n, uint32_t *out)
{
    *out = 0;
    for (unsigned i = 0; i < n; i++, l->at++) {
        unsigned char c = peek(l, 0);
        if (!isxdigit(c))
            return fail(l, "truncated escape in a string");
        *out = *out * 16 +
               (unsigned)(isdigit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    if (*out > 0x10ffff)
        return fail(l, "illegal Unicode character in a string");
    return true;
}

/* What follows a backslash; *c receives the character, or `none` is set where
 * there is none: a line that goes on. */
static bool
escape(struct pt_lexer *l, bool bytes, uint32_t *c, bool *none)
{
    static const char names[] = "\\'\"abfnrtv";
    static const char means[] = "\\'\"\a\b\f\n\r\t\v";
    unsigned char e = peek(l, 0);
    const char *known = e ? strchr(names, e) : NULL;
    *none = false;
    if (l->at == l->end)
        return fail(l, "unterminated string");
    l->at++;
    if (known)
        *c = (unsigned char)means[known - names];
    else if (e == '\n')
        *none = true;
    else if (e == 'x')
        return hex(l, 2, c);
    else if (!bytes && (e == 'u' || e == 'U'))
        return hex(l, e == 'u' ? 4 : 8, c);
    else if (!bytes && e == 'N')
        return fail(l, "\\N{...} is not known here");
    else if (e >= '0' && e <= '7') {
        *c = e - '0';
        for (unsigned i = 0; i < 2 && peek(l, 0) >= '0' && peek(l, 0) <= '7';
             i++)
            *c = *c * 8 + (*l->at++ - '0');
        if (bytes)
            *c &= 0xff;
    } else {
        *c = '\\';
        l->at--;
    }
    return true;
}

/* The string behind its prefix. */
static bool
string(struct pt_lexer *l, bool bytes, bool raw)
{
    char quote = *l->at;
    size_t n = 0, points = 0;
    unsigned quotes =
        peek(l, 1) == (unsigned char)quote && peek(l, 2) == (unsigned char)quote
            ? 3
            : 1;
    l->at += quotes;
    char *text = pt_arena_array(l->memory, (size_t)(l->end - l->at) + 1, 1);
    if (!text)
        return fail(l, "the string is too long");
    for (;; points++) {
        unsigned long left = (unsigned long)(l->end - l->at);
        if (left < quotes || (quotes == 1 && *l->at == '\n'))
            return fail(l, "unterminated string");
        if (*l->at == quote &&
            (quotes == 1 || (l->at[1] == quote && l->at[2] == quote)))
            break;
        uint32_t c;
        bool none = false, plain = *l->at != '\\';
        unsigned size = pt_utf8_next(l->at, left, &c);
        if (bytes && c >= 128)
            return fail(l, "bytes can only contain ASCII literal characters");
        l->at += size;
        if (!plain && raw) {
            text[n++] = '\\';
            if (l->at == l->end)
                return fail(l, "unterminated string");
            points++;
            size = pt_utf8_next(l->at, (size_t)(l->end - l->at), &c);
            l->at += size;
        } else if (!plain && !escape(l, bytes, &c, &none))
            return false;
        if (none)
            points--;
        else if (bytes)
            text[n++] = (char)c;
        else
            n += put_code_point(text + n, c);
    }
    l->at += quotes;
    l->token.value =
        (struct pt_value){.kind = bytes ? PT_VALUE_BYTES : PT_VALUE_STR,
                          .s = {text, n},
                          .length = bytes ? n : points};
    return true;
}

/* Whether a string begins here, with its prefix; reads it. */
static bool
prefixed(struct pt_lexer *l, bool *is_string)
{
    size_t n = 0;
    bool bytes = false, raw = false, formatted = false;
    while (n < 2 && isalpha(peek(l, n)) && strchr("bBrRuUfF", peek(l, n))) {
        unsigned char c = peek(l, n++) | 0x20;
        bytes = bytes || c == 'b';
        raw = raw || c == 'r';
        formatted = formatted || c == 'f';
    }
    *is_string = peek(l, n) == '\'' || peek(l, n) == '"';
    if (!*is_string)
        return true;
    if (formatted)
        return fail(l, "f-strings are not evaluated; use % or +");
    l->at += n;
    l->token.kind = PT_TOKEN_VALUE;
    return string(l, bytes, raw);
}

/* --- the rest -------------------------------------------------------------
 */

static bool
sign(struct pt_lexer *l)
{
    static const char *const signs[] = {
        "...", "**", "//", "<<", ">>", "<=", ">=", "==", "!=", ":=", "+",
        "-",   "*",  "/",  "%",  "&",  "|",  "^",  "~",  "<",  ">",  "(",
        ")",   "[",  "]",  "{",  "}",  ",",  ":",  ".",  "=",  "@"};
    size_t left = (size_t)(l->end - l->at);
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        size_t n = strlen(signs[i]);
        if (n > left || memcmp(signs[i], l->at, n) != 0)
            continue;
        l->token.kind = PT_TOKEN_SIGN;
        l->token.text = (struct pt_str){l->at, n};
        l->at += n;
        return true;
    }
    return fail(l, "invalid syntax");
}

bool
pt_lexer_next(struct pt_lexer *l)
{
    bool is_string;
    while (l->at < l->end && strchr(" \t\n\r\f", *l->at) && *l->at)
        l->at++;
    l->token = (struct pt_token){.text = {l->at, 0}};
    if (l->at == l->end)
        return true;
    unsigned char c = peek(l, 0);
    if (isdigit(c) || (c == '.' && isdigit(peek(l, 1))))
        return number(l);
    if (!prefixed(l, &is_string))
        return false;
    if (is_string)
        return true;
    if (!starts_name(c))
        return sign(l);
    const char *start = l->at;
    while (in_name(peek(l, 0)))
        l->at++;
    l->token.kind = PT_TOKEN_NAME;
    l->token.text = (struct pt_str){start, (size_t)(l->at - start)};
    return true;
}
