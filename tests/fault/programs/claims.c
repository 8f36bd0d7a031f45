/* All that ptrec sees of an interpreter before it is one: a version. */
#include <stdio.h>

const char *Py_GetVersion(void);
int PySys_AddAuditHook(void *hook, void *user);

const char *
Py_GetVersion(void)
{
    return VERSION;
}

int
PySys_AddAuditHook(void *hook, void *user)
{
    (void)hook;
    (void)user;
    return 0;
}

int
main(void)
{
    puts("ran");
    return 0;
}
