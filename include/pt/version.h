/* The version of ptrec, its libraries and tools (SemVer).  The log's own
 * version is in the header chunk and moves on its own. */
#ifndef PT_VERSION_H
#define PT_VERSION_H

#define PT_VERSION "0.1.0"
enum { PT_FORMAT_MAJOR = 1, PT_FORMAT_MINOR = 0 };

#endif
