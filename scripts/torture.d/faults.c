/* A library to be preloaded into a program, between it and the C library, for every call that changes files.

   Only files under FAULTS_ROOT count. Settings, all from the environment:

   FAULTS_COUNT=FILE      appends one line a call: number, call, path, place in the code from where it came
   FAULTS_AT=N            the N-th call fails, as FAULTS_KIND says:
   FAULTS_KIND=KIND       EIO ENOSPC EDQUOT EINTR EMFILE, or SHORT (half of a write is done), or SYNC (the N-th call or
                          the first fsync after it fails with EIO);
                          with a "+" behind it every later call that needs room or can fail so fails as well
   FAULTS_LOG=FILE        writes every call with its data to FILE, for scripts/torture.d/powercut.py
   FAULTS_READS=1         calls that only look count and can fail as well: open for reading, read, stat, opendir, readdir
   FAULTS_IN=WORD         only in a process with this word in its command line do calls count and fail
   FAULTS_ONCE=FILE       of all processes only the first that comes to its N-th call fails; it makes FILE to say so
   FAULTS_SWITCH=FILE     for a program that goes on: nothing counts while FILE is not there. In it "ID N KIND OP…", which
                          with each new ID begins to count anew; N is 0 for counting only, and where OPs are named
                          (fsync, write, …) every one of these fails, from the N-th call on
   FAULTS_SWALLOW=WHAT    answers "done" to fsync without doing it, and without a word in the log, for
                          all | file | directory | temporary | database
   A failed fsync is a failed fsync for good: the log says so, and the replay drops what it covered, as Linux may.
   Writes by mmap are not seen: SQLite's -shm is written so, and is made anew after a crash. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { MAXFD = 4096, DEPTH = 24 };
enum op { OPEN = 1, WRITE, TRUNCATE, SYNC, DIRSYNC, RENAME, LINK, UNLINK, MKDIR, RMDIR, SAID, FAILEDSYNC, ALLOCATE,
          LOOK, READ, STAT, OPENDIR, READDIR };
static const char *const names[] = {"",       "open",  "write", "truncate", "fsync", "fsync-directory", "rename",
                                    "link",   "unlink", "mkdir", "rmdir",    "said",  "failed-fsync",    "allocate",
                                    "open-read", "read", "stat", "opendir", "readdir"};

static char *paths[MAXFD];
static char root[PATH_MAX];
static size_t root_length;
static int count_file = -1, log_file = -1;
static long fault_at, calls;
static int fault_errno, fault_short, fault_sticky, fault_sync;
static const char *swallow, *switch_file, *once_file;
static char switch_ops[256];
static long switch_id = -1;
static int reads, bystander;
static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static __thread int inside;
static int ready;

/* Files of our own are moved away from the numbers that programs close at random. */
static int own(const char *path) {
    int file = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file < 0) return -1;
    int high = fcntl(file, F_DUPFD_CLOEXEC, 3000);
    if (high < 0) return file;
    syscall(SYS_close, file);
    return high;
}

/* How a call fails: the name of an error, or SHORT or SYNC. */
static void set_kind(const char *text) {
    fault_sticky = strchr(text, '+') != NULL;
    fault_errno = !strncmp(text, "ENOSPC", 6)   ? ENOSPC
                  : !strncmp(text, "EDQUOT", 6) ? EDQUOT
                  : !strncmp(text, "EINTR", 5)  ? EINTR
                  : !strncmp(text, "EMFILE", 6) ? EMFILE
                                                : EIO;
    fault_short = !strncmp(text, "SHORT", 5);
    fault_sync = !strncmp(text, "SYNC", 4);
}

/* Whether this process has WORD in its command line. */
static int meant(const char *word) {
    char line[4096] = "";
    int file = syscall(SYS_openat, AT_FDCWD, "/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t length = file >= 0 ? syscall(SYS_read, file, line, sizeof line - 1) : 0;
    if (file >= 0) syscall(SYS_close, file);
    for (ssize_t i = 0; i + 1 < length; i++)
        if (!line[i]) line[i] = ' ';
    return strstr(line, word) != NULL;
}

__attribute__((constructor)) static void begin(void) {
    const char *text = getenv("FAULTS_ROOT");
    if (!text) return;
    bystander = getenv("FAULTS_IN") && !meant(getenv("FAULTS_IN"));
    reads = getenv("FAULTS_READS") != NULL;
    switch_file = getenv("FAULTS_SWITCH");
    once_file = getenv("FAULTS_ONCE");
    snprintf(root, sizeof root, "%s", text);
    root_length = strlen(root);
    if ((text = getenv("FAULTS_COUNT"))) count_file = own(text);
    if ((text = getenv("FAULTS_LOG"))) log_file = own(text);
    swallow = getenv("FAULTS_SWALLOW");
    if ((text = getenv("FAULTS_AT"))) fault_at = atol(text);
    if ((text = getenv("FAULTS_KIND"))) set_kind(text);
    void *warm[4];
    backtrace(warm, 4);
    ready = 1;
}

/* The absolute path without "." and double slashes; links are left as they are. */
static int absolute(int folder, const char *path, char *out) {
    char base[PATH_MAX] = "", whole[2 * PATH_MAX + 2];
    if (path[0] != '/') {
        if (folder == AT_FDCWD) {
            if (!getcwd(base, sizeof base)) return 0;
        } else if (folder >= 0 && folder < MAXFD && paths[folder]) {
            snprintf(base, sizeof base, "%s", paths[folder]);
        } else {
            char link[64];
            snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
            ssize_t length = readlink(link, base, sizeof base - 1);
            if (length < 0) return 0;
            base[length] = 0;
        }
    }
    snprintf(whole, sizeof whole, "%s%s%s", base, path[0] == '/' ? "" : "/", path);
    size_t at = 0;
    for (char *part = whole; *part;) {
        while (*part == '/') part++;
        char *end = part;
        while (*end && *end != '/') end++;
        size_t length = end - part;
        if (length == 2 && part[0] == '.' && part[1] == '.') {
            while (at && out[at - 1] != '/') at--;
            if (at) at--;
        } else if (length && !(length == 1 && part[0] == '.')) {
            if (at + length + 2 >= PATH_MAX) return 0;
            out[at++] = '/';
            memcpy(out + at, part, length);
            at += length;
        }
        part = end;
    }
    if (!at) out[at++] = '/';
    out[at] = 0;
    return 1;
}

static int watched(const char *path) {
    return root_length && !strncmp(path, root, root_length) && (path[root_length] == '/' || !path[root_length]);
}

static const char *of(int file) { return file >= 0 && file < MAXFD ? paths[file] : NULL; }

static void enter(void) {
    pthread_mutex_lock(&lock);
    inside++;
    if (log_file >= 0) flock(log_file, LOCK_EX);
}

static void leave(void) {
    if (log_file >= 0) flock(log_file, LOCK_UN);
    inside--;
    pthread_mutex_unlock(&lock);
}

struct record {
    uint32_t magic;
    uint32_t process;
    uint16_t op;
    uint16_t flags;
    int32_t result;
    uint64_t inode;
    uint64_t offset;
    uint32_t path_length, other_length;
    uint64_t data_length;
} __attribute__((packed));

static void note(enum op op, int flags, uint64_t inode, uint64_t offset, const char *path, const char *other,
                 const void *data, size_t length) {
    if (log_file < 0) return;
    struct record record = {0x4d544f52, getpid(), op, flags, 0, inode, offset, path ? strlen(path) : 0,
                            other ? strlen(other) : 0, length};
    struct iovec parts[] = {{&record, sizeof record},
                            {(void *)(path ? path : ""), record.path_length},
                            {(void *)(other ? other : ""), record.other_length},
                            {(void *)data, length}};
    syscall(SYS_writev, log_file, parts, 4);
}

/* Where a call came from: the first frames outside this library, as library+offset. */
static void site(char *out, size_t room) {
    void *frames[DEPTH];
    int depth = backtrace(frames, DEPTH), shown = 0;
    Dl_info self, info;
    dladdr((void *)site, &self);
    size_t at = 0;
    out[0] = 0;
    for (int i = 0; i < depth && shown < 6; i++) {
        if (!dladdr(frames[i], &info) || info.dli_fbase == self.dli_fbase) continue;
        const char *name = info.dli_fname ? strrchr(info.dli_fname, '/') : NULL;
        at += snprintf(out + at, room - at, "%s%s+%lx", shown ? "<" : "", name ? name + 1 : "?",
                       (unsigned long)((char *)frames[i] - (char *)info.dli_fbase));
        if (at >= room) break;
        shown++;
    }
}

/* Takes up what the switch says now; gives whether it is on. */
static int switched(void) {
    char text[512] = "", kind[32] = "";
    long id = 0, at = 0;
    int file = syscall(SYS_openat, AT_FDCWD, switch_file, O_RDONLY | O_CLOEXEC), rest = 0;
    if (file < 0) return 0;
    ssize_t length = syscall(SYS_read, file, text, sizeof text - 1);
    syscall(SYS_close, file);
    if (length <= 0 || sscanf(text, "%ld %ld %31s%n", &id, &at, kind, &rest) < 3) return 0;
    if (id == switch_id) return 1;
    switch_id = id;
    calls = 0;
    fault_at = at;
    set_kind(kind);
    snprintf(switch_ops, sizeof switch_ops, "%s ", text + rest);
    for (char *end = switch_ops; *end; end++)
        if (*end == '\n') *end = ' ';
    return 1;
}

/* Whether this process is the first of all that comes to its N-th call. */
static int first(void) {
    if (!once_file) return 1;
    int file = syscall(SYS_openat, AT_FDCWD, once_file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (file < 0) return 0;
    syscall(SYS_close, file);
    return 1;
}

/* Numbers the call, and gives the error that it shall have: 0 for none, -1 for a short write. */
static int fault(enum op op, const char *path) {
    if (bystander || (switch_file && !switched())) return 0;
    long number = ++calls;
    if (count_file >= 0) {
        char where[1024], line[PATH_MAX + 1200];
        site(where, sizeof where);
        int length = snprintf(line, sizeof line, "%ld\t%s\t%s\t%s\n", number, names[op], path + root_length, where);
        syscall(SYS_write, count_file, line, length);
    }
    if (!fault_at || number < fault_at) return 0;
    if (switch_ops[0] && strspn(switch_ops, " ") < strlen(switch_ops)) {
        char name[32];
        snprintf(name, sizeof name, " %s ", names[op]);
        return strstr(switch_ops, name) ? fault_errno : 0;
    }
    if (fault_sync) {
        if (op != SYNC && op != DIRSYNC) return 0;
        fault_at = 0;
        return EIO;
    }
    if (number > fault_at && !fault_sticky) return 0;
    if (number == fault_at && !first()) {
        fault_at = 0;
        return 0;
    }
    if (number > fault_at && fault_errno != EIO) {
        /* A full disk still renames, removes and opens what is there. */
        if (op != WRITE && op != MKDIR && op != ALLOCATE && op != LINK) return 0;
    }
    if (fault_short) return op == WRITE ? -1 : 0;
    return fault_errno;
}

static uint64_t inode_of(int file) {
    struct stat info;
    return fstat(file, &info) == 0 ? info.st_ino : 0;
}

static int opened(int folder, const char *path, int flags, mode_t mode) {
    char full[PATH_MAX];
    if (!ready || inside || !absolute(folder, path, full) || !watched(full))
        return syscall(SYS_openat, folder, path, flags, mode);
    enter();
    int creates = flags & (O_CREAT | O_TRUNC), fresh = 0, result, number = 0;
    if (creates || (flags & O_ACCMODE) != O_RDONLY) number = fault(OPEN, full);
    else if (reads) number = fault(LOOK, full);
    if (number > 0) {
        errno = number;
        result = -1;
    } else {
        if (flags & O_CREAT) fresh = syscall(SYS_faccessat, AT_FDCWD, full, F_OK) != 0;
        result = syscall(SYS_openat, folder, path, flags, mode);
    }
    if (result >= 0 && result < MAXFD) {
        int failed = errno;
        free(paths[result]);
        paths[result] = strdup(full);
        if (fresh || flags & O_TRUNC) note(OPEN, (fresh ? 1 : 0) | (flags & O_TRUNC ? 2 : 0), inode_of(result), 0, full,
                                           NULL, NULL, 0);
        errno = failed;
    }
    leave();
    return result;
}

#define OPENED(folder)                                                                                                 \
    mode_t mode = 0;                                                                                                   \
    if (flags & (O_CREAT | __O_TMPFILE)) {                                                                             \
        va_list list;                                                                                                  \
        va_start(list, flags);                                                                                         \
        mode = va_arg(list, mode_t);                                                                                   \
        va_end(list);                                                                                                  \
    }                                                                                                                  \
    return opened(folder, path, flags, mode);
int open(const char *path, int flags, ...) { OPENED(AT_FDCWD) }
int open64(const char *path, int flags, ...) { OPENED(AT_FDCWD) }
int openat(int folder, const char *path, int flags, ...) { OPENED(folder) }
int openat64(int folder, const char *path, int flags, ...) { OPENED(folder) }
int __open_2(const char *path, int flags) { return opened(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return opened(AT_FDCWD, path, flags, 0); }
int creat(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

int close(int file) {
    if (ready && !inside && file >= 0 && file < MAXFD && paths[file]) {
        enter();
        free(paths[file]);
        paths[file] = NULL;
        leave();
    }
    return syscall(SYS_close, file);
}

static int copied(int from, int to) {
    if (to >= 0 && to < MAXFD && ready && (of(from) || paths[to])) {
        enter();
        free(paths[to]);
        paths[to] = of(from) ? strdup(of(from)) : NULL;
        leave();
    }
    return to;
}
int dup(int file) { return copied(file, syscall(SYS_dup, file)); }
int dup2(int file, int to) { return file == to ? to : copied(file, syscall(SYS_dup3, file, to, 0)); }
int dup3(int file, int to, int flags) { return copied(file, syscall(SYS_dup3, file, to, flags)); }

static ssize_t written(int file, const struct iovec *parts, int count, off_t offset, int placed) {
    const char *path = of(file);
    if (ready && !inside && !path && file == 1 && log_file >= 0) {
        enter();
        ssize_t result = syscall(SYS_writev, file, parts, count);
        if (result > 0) note(SAID, 0, 0, 0, NULL, NULL, parts[0].iov_base, (size_t)result < parts[0].iov_len
                                                                              ? (size_t)result : parts[0].iov_len);
        leave();
        return result;
    }
    if (!ready || inside || !path)
        return placed ? syscall(SYS_pwritev, file, parts, count, offset, 0) : syscall(SYS_writev, file, parts, count);
    enter();
    char *whole = NULL;
    size_t length = 0;
    for (int i = 0; i < count; i++) length += parts[i].iov_len;
    int number = length ? fault(WRITE, path) : 0;
    ssize_t result;
    if (number > 0) {
        errno = number;
        result = -1;
    } else {
        whole = malloc(length + 1);
        size_t at = 0;
        for (int i = 0; i < count; i++) {
            memcpy(whole + at, parts[i].iov_base, parts[i].iov_len);
            at += parts[i].iov_len;
        }
        if (number < 0 && length > 1) length /= 2;
        if (!placed) {
            struct stat info;
            int flags = fcntl(file, F_GETFL);
            if (flags & O_APPEND) offset = fstat(file, &info) == 0 ? info.st_size : 0;
            else offset = lseek(file, 0, SEEK_CUR);
        }
        result = placed ? syscall(SYS_pwrite64, file, whole, length, offset) : syscall(SYS_write, file, whole, length);
        int failed = errno;
        if (result > 0) note(WRITE, 0, inode_of(file), offset, path, NULL, whole, result);
        free(whole);
        errno = failed;
    }
    leave();
    return result;
}
ssize_t write(int file, const void *data, size_t length) {
    if (!ready || inside || (!of(file) && !(file == 1 && log_file >= 0))) return syscall(SYS_write, file, data, length);
    struct iovec part = {(void *)data, length};
    return written(file, &part, 1, 0, 0);
}
ssize_t writev(int file, const struct iovec *parts, int count) { return written(file, parts, count, 0, 0); }
ssize_t pwrite(int file, const void *data, size_t length, off_t offset) {
    if (!ready || inside || !of(file)) return syscall(SYS_pwrite64, file, data, length, offset);
    struct iovec part = {(void *)data, length};
    return written(file, &part, 1, offset, 1);
}
ssize_t pwrite64(int file, const void *data, size_t length, off64_t offset) { return pwrite(file, data, length, offset); }
ssize_t pwritev(int file, const struct iovec *parts, int count, off_t offset) {
    return written(file, parts, count, offset, 1);
}
ssize_t pwritev64(int file, const struct iovec *parts, int count, off64_t offset) {
    return written(file, parts, count, offset, 1);
}

/* Runs CALL for a watched path, unless it shall fail; what it did is noted by NOTE. */
#define GUARDED(op, path, call, noted)                                                                                 \
    enter();                                                                                                           \
    int number = fault(op, path);                                                                                      \
    long result;                                                                                                       \
    if (number > 0) {                                                                                                  \
        errno = number;                                                                                                \
        result = -1;                                                                                                   \
    } else {                                                                                                           \
        result = call;                                                                                                 \
        int failed = errno;                                                                                            \
        if (result == 0) noted;                                                                                        \
        errno = failed;                                                                                                \
    }                                                                                                                  \
    leave();                                                                                                           \
    return result;

int ftruncate(int file, off_t length) {
    const char *path = of(file);
    if (!ready || inside || !path) return syscall(SYS_ftruncate, file, length);
    GUARDED(TRUNCATE, path, syscall(SYS_ftruncate, file, length),
            note(TRUNCATE, 0, inode_of(file), length, path, NULL, NULL, 0))
}
int ftruncate64(int file, off64_t length) { return ftruncate(file, length); }

static int grown(int file, int mode, off_t offset, off_t length) {
    const char *path = of(file);
    if (!ready || inside || !path) return syscall(SYS_fallocate, file, mode, offset, length);
    struct stat info;
    GUARDED(ALLOCATE, path, syscall(SYS_fallocate, file, mode, offset, length),
            if (fstat(file, &info) == 0) note(TRUNCATE, 0, info.st_ino, info.st_size, path, NULL, NULL, 0))
}
int fallocate(int file, int mode, off_t offset, off_t length) { return grown(file, mode, offset, length); }
int fallocate64(int file, int mode, off64_t offset, off64_t length) { return grown(file, mode, offset, length); }
int posix_fallocate(int file, off_t offset, off_t length) {
    return grown(file, 0, offset, length) == 0 ? 0 : errno;
}
int posix_fallocate64(int file, off64_t offset, off64_t length) { return posix_fallocate(file, offset, length); }

static int swallowed(const char *path, int directory) {
    if (!swallow) return 0;
    const char *name = strrchr(path, '/');
    name = name ? name + 1 : path;
    size_t length = strlen(name);
    if (!strcmp(swallow, "all")) return 1;
    if (!strcmp(swallow, "directory")) return directory;
    if (directory) return 0;
    int database = strstr(name, ".db") != NULL;
    if (!strcmp(swallow, "database")) return database;
    int temporary = name[0] == '.' && length > 4 && !strcmp(name + length - 4, ".tmp");
    if (!strcmp(swallow, "temporary")) return temporary;
    return !strcmp(swallow, "file") && !database && !temporary;
}

static int synced(int file, long call) {
    const char *path = of(file);
    if (!ready || inside || !path) return syscall(call, file);
    struct stat info;
    int directory = syscall(SYS_fstat, file, &info) == 0 && S_ISDIR(info.st_mode);
    enum op op = directory ? DIRSYNC : SYNC;
    if (swallowed(path, directory)) return 0;
    enter();
    int number = fault(op, path);
    int result = -1;
    if (number > 0) {
        note(FAILEDSYNC, directory, info.st_ino, 0, path, NULL, NULL, 0);
        errno = number;
    } else {
        /* The disk under the test is not what is tested: nothing is lost by not waiting for it. */
        note(op, 0, info.st_ino, 0, path, NULL, NULL, 0);
        result = 0;
    }
    leave();
    return result;
}
int fsync(int file) { return synced(file, SYS_fsync); }
int fdatasync(int file) { return synced(file, SYS_fdatasync); }

static int renamed(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
    char a[PATH_MAX], b[PATH_MAX];
    if (!ready || inside || !absolute(from_folder, from, a) || !absolute(to_folder, to, b) || !watched(b))
        return syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
    GUARDED(RENAME, b, syscall(SYS_renameat2, from_folder, from, to_folder, to, flags),
            note(RENAME, 0, 0, 0, a, b, NULL, 0))
}
int rename(const char *from, const char *to) { return renamed(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int a, const char *from, int b, const char *to) { return renamed(a, from, b, to, 0); }
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) { return renamed(a, from, b, to, flags); }

static int linked(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    char a[PATH_MAX], b[PATH_MAX];
    if (!ready || inside || !absolute(from_folder, from, a) || !absolute(to_folder, to, b) || !watched(b))
        return syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
    GUARDED(LINK, b, syscall(SYS_linkat, from_folder, from, to_folder, to, flags), note(LINK, 0, 0, 0, a, b, NULL, 0))
}
int link(const char *from, const char *to) { return linked(AT_FDCWD, from, AT_FDCWD, to, 0); }
int linkat(int a, const char *from, int b, const char *to, int flags) { return linked(a, from, b, to, flags); }

static int removed(int folder, const char *path, int flags) {
    char full[PATH_MAX];
    if (!ready || inside || !absolute(folder, path, full) || !watched(full))
        return syscall(SYS_unlinkat, folder, path, flags);
    int directory = flags & AT_REMOVEDIR;
    GUARDED(directory ? RMDIR : UNLINK, full, syscall(SYS_unlinkat, folder, path, flags),
            note(directory ? RMDIR : UNLINK, 0, 0, 0, full, NULL, NULL, 0))
}
int unlink(const char *path) { return removed(AT_FDCWD, path, 0); }
int unlinkat(int folder, const char *path, int flags) { return removed(folder, path, flags); }
int rmdir(const char *path) { return removed(AT_FDCWD, path, AT_REMOVEDIR); }
int remove(const char *path) {
    struct stat info;
    if (syscall(SYS_newfstatat, AT_FDCWD, path, &info, AT_SYMLINK_NOFOLLOW) != 0) return -1;
    return removed(AT_FDCWD, path, S_ISDIR(info.st_mode) ? AT_REMOVEDIR : 0);
}

static int made(int folder, const char *path, mode_t mode) {
    char full[PATH_MAX];
    if (!ready || inside || !absolute(folder, path, full) || !watched(full))
        return syscall(SYS_mkdirat, folder, path, mode);
    GUARDED(MKDIR, full, syscall(SYS_mkdirat, folder, path, mode), note(MKDIR, 0, 0, 0, full, NULL, NULL, 0))
}
int mkdir(const char *path, mode_t mode) { return made(AT_FDCWD, path, mode); }
int mkdirat(int folder, const char *path, mode_t mode) { return made(folder, path, mode); }

#include "looks.c"
