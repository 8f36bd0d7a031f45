/* As much of Criterion as the tests of the rings need, all of them in one
 * process: Criterion's own runner wants memory where ThreadSanitizer has its
 * shadow.  The first check that fails ends the run. */
#ifndef PT_TSAN_CRITERION_H
#define PT_TSAN_CRITERION_H

void tsan_add(const char *name, void (*test)(void));
void tsan_failed(const char *file, int line, const char *what)
    __attribute__((noreturn));

#define Test(suite, name, ...)                                                 \
    static void suite##_##name(void);                                          \
    __attribute__((constructor)) static void suite##_##name##_add(void)        \
    {                                                                          \
        tsan_add(#suite "/" #name, suite##_##name);                            \
    }                                                                          \
    static void suite##_##name(void)

#define cr_assert(condition, ...)                                              \
    ((condition) ? (void)0 : tsan_failed(__FILE__, __LINE__, #condition))
#define cr_assert_eq(a, b, ...) cr_assert((a) == (b))
#define cr_assert_geq(a, b, ...) cr_assert((a) >= (b))
#define cr_assert_leq(a, b, ...) cr_assert((a) <= (b))
#define cr_assert_gt(a, b, ...) cr_assert((a) > (b))

#endif
