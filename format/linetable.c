#include "format/linetable.h"

enum {
    FORM_ONE_LINE = 10,
    FORM_NO_COLUMNS = 13,
    FORM_LONG = 14,
    FORM_NONE = 15
};

static bool
take_byte(struct pt_linetable *in, uint8_t *out)
{
    if (in->p == in->end)
        return false;
    *out = *in->p++;
    return true;
}

static bool
take_varint(struct pt_linetable *in, uint32_t *out)
{
    uint32_t value = 0;
    unsigned shift = 0;
    uint8_t b;
    do {
        if (shift > 30 || !take_byte(in, &b))
            return false;
        value |= (uint32_t)(b & 63) << shift;
        shift += 6;
    } while (b & 64);
    *out = value;
    return true;
}

static bool
take_signed(struct pt_linetable *in, int64_t *out)
{
    uint32_t value;
    if (!take_varint(in, &value))
        return false;
    *out = value & 1 ? -(int64_t)(value >> 1) : (int64_t)(value >> 1);
    return true;
}

/* Reads the rest of an entry of the given form. */
static bool
take_place(struct pt_linetable *in, unsigned form, struct pt_location *at)
{
    int64_t delta = 0;
    uint32_t end_delta = 0, column = 0, end_column = 0;
    uint8_t b, c;
    if (form == FORM_NONE) {
        at->line = at->end_line = 0;
        at->column = at->end_column = -1;
        return true;
    }
    if (form >= FORM_NO_COLUMNS) {
        if (!take_signed(in, &delta))
            return false;
        if (form == FORM_LONG &&
            !(take_varint(in, &end_delta) && take_varint(in, &column) &&
              take_varint(in, &end_column)))
            return false;
    } else if (form >= FORM_ONE_LINE) {
        if (!take_byte(in, &b) || !take_byte(in, &c))
            return false;
        delta = form - FORM_ONE_LINE;
        column = b + 1u;
        end_column = c + 1u;
    } else {
        if (!take_byte(in, &b))
            return false;
        column = (form << 3 | b >> 4) + 1u;
        end_column = column + (b & 15);
    }
    in->line += delta;
    if (in->line < 0 || in->line + end_delta > INT32_MAX ||
        column > INT32_MAX || end_column > INT32_MAX)
        return false;
    at->line = (uint32_t)in->line;
    at->end_line = (uint32_t)in->line + end_delta;
    at->column = (int32_t)column - 1;
    at->end_column = (int32_t)end_column - 1;
    return true;
}

struct pt_linetable
pt_linetable_over(struct pt_str table, uint32_t firstline)
{
    const uint8_t *data = (const uint8_t *)table.data;
    return (struct pt_linetable){data, data ? data + table.len : data,
                                 firstline};
}

bool
pt_linetable_next(struct pt_linetable *in, struct pt_location *at)
{
    uint8_t first;
    if (!take_byte(in, &first) || !(first & 128))
        return false;
    at->units = (first & 7) + 1u;
    return take_place(in, first >> 3 & 15, at);
}
