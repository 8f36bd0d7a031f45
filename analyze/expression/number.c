/* Numbers: ints of any size by GMP, floats as C's doubles, which Python's are.
 */
#include "analyze/expression/eval.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <string.h>

/* Nothing that a program meant to compute is that large, and memory stays
 * small. */
enum { BITS_MOST = 1 << 20 };

bool
pt_eval_is_int(const struct pt_value *v)
{
    return v->kind == PT_VALUE_BOOL || v->kind == PT_VALUE_INT ||
           v->kind == PT_VALUE_BIGINT;
}

bool
pt_eval_is_number(const struct pt_value *v)
{
    return pt_eval_is_int(v) || v->kind == PT_VALUE_FLOAT;
}

/* --- ints -----------------------------------------------------------------
 */

void
pt_eval_mpz(mpz_t z, const struct pt_value *v)
{
    if (v->kind == PT_VALUE_BIGINT) {
        mpz_import(z, v->s.len, 1, 1, 1, 0, v->s.data);
        if (v->i < 0)
            mpz_neg(z, z);
        return;
    }
    uint64_t size = v->i < 0 ? -(uint64_t)v->i : (uint64_t)v->i;
    mpz_import(z, 1, 1, sizeof size, 0, 0, &size);
    if (v->i < 0)
        mpz_neg(z, z);
}

/* Fills `out` from `z`; the bytes of a large one come from `memory`. */
static bool
store(struct pt_arena *memory, const mpz_t z, struct pt_value *out)
{
    size_t bits = mpz_sizeinbase(z, 2);
    if (bits > BITS_MOST)
        return false;
    if (bits <= 63) {
        uint64_t size = 0;
        mpz_export(&size, NULL, 1, sizeof size, 0, 0, z);
        *out = (struct pt_value){.kind = PT_VALUE_INT,
                                 .i = mpz_sgn(z) < 0 ? -(int64_t)size
                                                     : (int64_t)size};
        return true;
    }
    size_t n = (bits + 7) / 8;
    char *bytes = pt_arena_array(memory, n, 1);
    if (!bytes)
        return false;
    mpz_export(bytes, NULL, 1, 1, 1, 0, z);
    *out = (struct pt_value){
        .kind = PT_VALUE_BIGINT, .s = {bytes, n}, .i = mpz_sgn(z) < 0 ? -1 : 1};
    return true;
}

bool
pt_number_parse(struct pt_arena *memory, struct pt_str digits, unsigned base,
                bool negative, struct pt_value *out)
{
    char *text = pt_arena_array(memory, digits.len + 1, 1);
    mpz_t z;
    if (!text || digits.len == 0 || digits.len > BITS_MOST)
        return false;
    memcpy(text, digits.data, digits.len);
    mpz_init(z);
    bool done = mpz_set_str(z, text, (int)base) == 0;
    if (negative)
        mpz_neg(z, z);
    done = done && store(memory, z, out);
    mpz_clear(z);
    return done;
}

const struct pt_value *
pt_eval_from_mpz(struct pt_eval *e, const mpz_t z)
{
    struct pt_value *v = pt_eval_alloc(e, 1, sizeof *v);
    if (v && !store(&e->result->memory, z, v))
        return pt_eval_too_large(e);
    return v;
}

int64_t
pt_eval_clamped(const struct pt_value *v)
{
    if (v->kind == PT_VALUE_BIGINT)
        return v->i < 0 ? INT64_MIN : INT64_MAX;
    return v->i;
}

/* --- floats ---------------------------------------------------------------
 */

/* |a| / |b| correctly rounded, halves to even; HUGE_VAL where it is too
 * large.  CPython's method: a quotient of a few bits more than a double has,
 * whose last bit says whether anything was lost. */
static double
divide(const mpz_t a, const mpz_t b)
{
    if (mpz_sgn(a) == 0)
        return 0;
    long diff = (long)mpz_sizeinbase(a, 2) - (long)mpz_sizeinbase(b, 2);
    if (diff > DBL_MAX_EXP)
        return HUGE_VAL;
    if (diff < DBL_MIN_EXP - DBL_MANT_DIG - 1)
        return 0;
    long shift = (diff > DBL_MIN_EXP ? diff : DBL_MIN_EXP) - DBL_MANT_DIG - 2;
    mpz_t q, r, x, y;
    mpz_inits(q, r, x, y, NULL);
    mpz_abs(x, a);
    mpz_abs(y, b);
    if (shift <= 0)
        mpz_mul_2exp(x, x, (mp_bitcnt_t)-shift);
    else
        mpz_mul_2exp(y, y, (mp_bitcnt_t)shift);
    mpz_tdiv_qr(q, r, x, y);
    uint64_t n = 0;
    mpz_export(&n, NULL, 1, sizeof n, 0, 0, q);
    n |= mpz_sgn(r) != 0;
    long bits = n ? 64 - __builtin_clzll(n) : 0;
    long extra = (bits > DBL_MIN_EXP - shift ? bits : DBL_MIN_EXP - shift) -
                 DBL_MANT_DIG;
    /* The quotient has two bits more than a double, at least. */
    uint64_t half = extra > 0 ? (uint64_t)1 << (extra - 1) : 0;
    if ((n & half) && (n & (3 * half - 1)))
        n += half;
    n &= half ? ~(2 * half - 1) : n;
    mpz_clears(q, r, x, y, NULL);
    return ldexp((double)n, (int)shift);
}

bool
pt_eval_as_double(struct pt_eval *e, const struct pt_value *v, double *out)
{
    if (v->kind == PT_VALUE_FLOAT)
        *out = v->f;
    else if (v->kind != PT_VALUE_BIGINT)
        *out = (double)v->i;
    else {
        mpz_t z, one;
        mpz_init(z);
        mpz_init_set_ui(one, 1);
        pt_eval_mpz(z, v);
        *out = v->i < 0 ? -divide(z, one) : divide(z, one);
        mpz_clears(z, one, NULL);
        if (isinf(*out))
            return pt_eval_raise(
                       e, "OverflowError: int too large to convert to float") !=
                   NULL;
    }
    return true;
}

int
pt_eval_order(const struct pt_value *a, const struct pt_value *b)
{
    bool fa = a->kind == PT_VALUE_FLOAT, fb = b->kind == PT_VALUE_FLOAT;
    if ((fa && isnan(a->f)) || (fb && isnan(b->f)))
        return 2;
    if (fa && fb)
        return (a->f > b->f) - (a->f < b->f);
    if (fa)
        return -pt_eval_order(b, a);
    mpz_t x, y;
    int c;
    mpz_init(x);
    pt_eval_mpz(x, a);
    if (fb)
        c = mpz_cmp_d(x, b->f);
    else {
        mpz_init(y);
        pt_eval_mpz(y, b);
        c = mpz_cmp(x, y);
        mpz_clear(y);
    }
    mpz_clear(x);
    return (c > 0) - (c < 0);
}

/* Python's floor division and modulo of floats. */
static void
divmod(double a, double b, double *quotient, double *rest)
{
    double mod = fmod(a, b), div = (a - mod) / b;
    if (mod != 0) {
        if ((b < 0) != (mod < 0)) {
            mod += b;
            div -= 1;
        }
    } else
        mod = copysign(0.0, b);
    double down = copysign(0.0, a / b);
    if (div != 0) {
        down = floor(div);
        if (div - down > 0.5)
            down += 1;
    }
    *quotient = down;
    *rest = mod;
}

static const struct pt_value *
power(struct pt_eval *e, double a, double b)
{
    bool zero = a == 0, negative = b < 0;
    if (zero && negative)
        return pt_eval_raise(
            e, e->scope->hexversion >= 0x030e0000
                   ? "ZeroDivisionError: zero to a negative power"
                   : "ZeroDivisionError: 0.0 cannot be raised to a negative "
                     "power");
    if (a < 0 && isfinite(a) && isfinite(b) && b != floor(b))
        return pt_eval_unknown(e, "the result is a complex number, which is "
                                  "not calculated with");
    double r = pow(a, b);
    if (isinf(r) && isfinite(a) && isfinite(b))
        return pt_eval_raise(
            e, "OverflowError: (34, 'Numerical result out of range')");
    return pt_eval_float(e, r);
}

static const struct pt_value *
unsupported(struct pt_eval *e, enum pt_operator op, const struct pt_value *a,
            const struct pt_value *b)
{
    char left[1024], right[1024];
    return pt_eval_raise(
        e, "TypeError: unsupported operand type(s) for %s: '%s' and '%s'",
        op == PT_OP_POW ? "** or pow()" : pt_operator_text[op],
        pt_eval_type_name(e, a, left), pt_eval_type_name(e, b, right));
}

static const char *
float_by_zero(enum pt_operator op, uint32_t hexversion)
{
    if (hexversion >= 0x030e0000)
        return "division by zero";
    if (op == PT_OP_DIV)
        return "float division by zero";
    if (op == PT_OP_FLOORDIV)
        return "float floor division by zero";
    return hexversion >= 0x030d0000 ? "float modulo by zero" : "float modulo";
}

static const struct pt_value *
float_arithmetic(struct pt_eval *e, enum pt_operator op,
                 const struct pt_value *left, const struct pt_value *right)
{
    double a, b, quotient, rest;
    if (!pt_eval_as_double(e, left, &a) || !pt_eval_as_double(e, right, &b))
        return NULL;
    bool divides = op == PT_OP_DIV || op == PT_OP_FLOORDIV || op == PT_OP_MOD;
    if (divides && b == 0)
        return pt_eval_raise(e, "ZeroDivisionError: %s",
                             float_by_zero(op, e->scope->hexversion));
    switch (op) {
    case PT_OP_ADD:
        return pt_eval_float(e, a + b);
    case PT_OP_SUB:
        return pt_eval_float(e, a - b);
    case PT_OP_MUL:
        return pt_eval_float(e, a * b);
    case PT_OP_DIV:
        return pt_eval_float(e, a / b);
    case PT_OP_FLOORDIV:
    case PT_OP_MOD:
        divmod(a, b, &quotient, &rest);
        return pt_eval_float(e, op == PT_OP_MOD ? rest : quotient);
    case PT_OP_POW:
        return power(e, a, b);
    default:
        return unsupported(e, op, left, right);
    }
}

/* --- operators of ints ----------------------------------------------------
 */

/* Whether the result would be far too large, before it is calculated. */
static bool
is_too_large(enum pt_operator op, const mpz_t a, const mpz_t b)
{
    size_t bits = mpz_sizeinbase(a, 2);
    if (op == PT_OP_LSHIFT)
        return mpz_sgn(a) != 0 && mpz_cmp_ui(b, BITS_MOST) > 0;
    if (op != PT_OP_POW || mpz_cmpabs_ui(a, 1) <= 0)
        return false;
    return mpz_cmp_ui(b, BITS_MOST) > 0 ||
           (bits - 1) * mpz_get_ui(b) > BITS_MOST;
}

/* a op b into r; false for what ints do not have. */
static bool
calculate(enum pt_operator op, mpz_t r, const mpz_t a, const mpz_t b)
{
    switch (op) {
    case PT_OP_ADD:
        mpz_add(r, a, b);
        return true;
    case PT_OP_SUB:
        mpz_sub(r, a, b);
        return true;
    case PT_OP_MUL:
        mpz_mul(r, a, b);
        return true;
    case PT_OP_FLOORDIV:
        mpz_fdiv_q(r, a, b);
        return true;
    case PT_OP_MOD:
        mpz_fdiv_r(r, a, b);
        return true;
    case PT_OP_POW:
        mpz_pow_ui(r, a, mpz_get_ui(b));
        return true;
    case PT_OP_LSHIFT:
        mpz_mul_2exp(r, a, mpz_get_ui(b));
        return true;
    case PT_OP_RSHIFT:
        /* Beyond all bits there is only the sign. */
        mpz_fdiv_q_2exp(r, a,
                        mpz_fits_ulong_p(b) ? mpz_get_ui(b)
                                            : (mp_bitcnt_t)2 * BITS_MOST);
        return true;
    case PT_OP_BITAND:
        mpz_and(r, a, b);
        return true;
    case PT_OP_BITOR:
        mpz_ior(r, a, b);
        return true;
    case PT_OP_BITXOR:
        mpz_xor(r, a, b);
        return true;
    default:
        return false;
    }
}

static const struct pt_value *
quotient(struct pt_eval *e, const mpz_t a, const mpz_t b)
{
    double r = divide(a, b);
    if (isinf(r))
        return pt_eval_raise(
            e, "OverflowError: integer division result too large for a float");
    return pt_eval_float(e, (mpz_sgn(a) < 0) != (mpz_sgn(b) < 0) ? -r : r);
}

static const struct pt_value *
int_arithmetic(struct pt_eval *e, enum pt_operator op,
               const struct pt_value *left, const struct pt_value *right)
{
    const struct pt_value *result = NULL;
    bool zero = right->kind != PT_VALUE_BIGINT && right->i == 0;
    bool newer = e->scope->hexversion >= 0x030e0000;
    if (zero && (op == PT_OP_DIV || op == PT_OP_FLOORDIV || op == PT_OP_MOD))
        return pt_eval_raise(e, "ZeroDivisionError: %s",
                             op == PT_OP_DIV || newer ? "division by zero"
                             : op == PT_OP_FLOORDIV ||
                                     e->scope->hexversion < 0x030b0000
                                 ? "integer division or modulo by zero"
                                 : "integer modulo by zero");
    if (right->i < 0 && (op == PT_OP_LSHIFT || op == PT_OP_RSHIFT))
        return pt_eval_raise(e, "ValueError: negative shift count");
    if (right->i < 0 && op == PT_OP_POW)
        return float_arithmetic(e, op, left, right);
    mpz_t a, b, r;
    mpz_inits(a, b, r, NULL);
    pt_eval_mpz(a, left);
    pt_eval_mpz(b, right);
    if (op == PT_OP_DIV)
        result = quotient(e, a, b);
    else if (is_too_large(op, a, b))
        pt_eval_too_large(e);
    else if (!calculate(op, r, a, b))
        unsupported(e, op, left, right);
    else
        result = pt_eval_from_mpz(e, r);
    mpz_clears(a, b, r, NULL);
    return result;
}

const struct pt_value *
pt_eval_arithmetic(struct pt_eval *e, enum pt_operator op,
                   const struct pt_value *a, const struct pt_value *b)
{
    bool bits = op == PT_OP_BITAND || op == PT_OP_BITOR || op == PT_OP_BITXOR;
    if (a->cut || b->cut)
        return pt_eval_cut(e, a->cut ? a : b);
    if (a->kind == PT_VALUE_BOOL && b->kind == PT_VALUE_BOOL && bits)
        return pt_eval_bool(e, op == PT_OP_BITAND  ? a->i && b->i
                               : op == PT_OP_BITOR ? a->i || b->i
                                                   : a->i != b->i);
    if (a->kind == PT_VALUE_FLOAT || b->kind == PT_VALUE_FLOAT) {
        bool integral = bits || op == PT_OP_LSHIFT || op == PT_OP_RSHIFT;
        return integral ? unsupported(e, op, a, b)
                        : float_arithmetic(e, op, a, b);
    }
    return int_arithmetic(e, op, a, b);
}

const struct pt_value *
pt_eval_unary(struct pt_eval *e, enum pt_operator op, const struct pt_value *v)
{
    char name[1024];
    const struct pt_value *a = pt_eval_plain(v), *result;
    if (!pt_eval_told(e, a))
        return NULL;
    if (pt_eval_is_instance(e, a))
        return pt_eval_unknown(e, "what %s does with %s is not recorded",
                               pt_eval_type_name(e, a, name),
                               pt_operator_text[op]);
    if (!pt_eval_is_number(a) ||
        (a->kind == PT_VALUE_FLOAT && op == PT_OP_INVERT))
        return pt_eval_raise(e,
                             "TypeError: bad operand type for unary %s: "
                             "'%s'",
                             pt_operator_text[op],
                             pt_eval_type_name(e, a, name));
    if (a->cut)
        return pt_eval_cut(e, a);
    if (a->kind == PT_VALUE_FLOAT)
        return pt_eval_float(e, op == PT_OP_NEGATE ? -a->f : a->f);
    mpz_t z;
    mpz_init(z);
    pt_eval_mpz(z, a);
    if (op == PT_OP_NEGATE)
        mpz_neg(z, z);
    else if (op == PT_OP_INVERT)
        mpz_com(z, z);
    result = pt_eval_from_mpz(e, z);
    mpz_clear(z);
    return result;
}

/* --- sum ------------------------------------------------------------------
 */

/* Adds with compensation, as Python 3.12 and later do from the first float
 * on. */
static double
compensated(double total, double x, double *lost)
{
    double next = total + x;
    *lost += fabs(total) >= fabs(x) ? (total - next) + x : (x - next) + total;
    return next;
}

/* Floats from items[i] on, ints among them: sums of both ways. */
static const struct pt_value *
float_sum(struct pt_eval *e, const struct pt_value *items, size_t n,
          double start)
{
    double plain = start, total = start, lost = 0, x;
    for (size_t i = 0; i < n; i++) {
        bool is_float = items[i].kind == PT_VALUE_FLOAT;
        if (!pt_eval_as_double(e, &items[i], &x))
            return NULL;
        plain += x;
        if (is_float)
            total = compensated(total, x, &lost);
        else
            total += x;
    }
    if (lost != 0 && isfinite(lost))
        total += lost;
    bool same = total == plain || (isnan(total) && isnan(plain));
    if (!same && e->scope->hexversion == 0)
        return pt_eval_unknown(e, "versions of Python differ about this sum");
    return pt_eval_float(e, e->scope->hexversion >= 0x030c0000 ? total : plain);
}

const struct pt_value *
pt_eval_sum(struct pt_eval *e, const struct pt_value *items, size_t n,
            const struct pt_value *start)
{
    const struct pt_value *total = start;
    for (size_t i = 0; i < n && total; i++) {
        size_t floats = i;
        /* Once a float comes, numbers are added as floats. */
        if (total->kind == PT_VALUE_FLOAT) {
            while (floats < n && pt_eval_is_number(&items[floats]) &&
                   !items[floats].cut)
                floats++;
            if (floats > i) {
                total = float_sum(e, items + i, floats - i, total->f);
                i = floats - 1;
                continue;
            }
        }
        total = pt_eval_binary(e, PT_OP_ADD, total, &items[i]);
    }
    return total;
}
