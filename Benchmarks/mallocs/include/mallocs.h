/* Counts what the process takes from the heap: linked into a program, these definitions come before the C library's.
   Elsewhere than on glibc nothing is counted and `mallocs_counted` is 0. */
#pragma once

extern const int mallocs_counted;

/* Calls of malloc, calloc, realloc, aligned_alloc and posix_memalign by any thread so far. */
long mallocs(void);
