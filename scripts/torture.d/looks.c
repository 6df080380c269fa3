/* Part of faults.c: calls that only look, which count and fail where FAULTS_READS is set.

   SQLite reads its -shm through a map, and fopen opens within the C library: neither is seen. */

static int unread(enum op op, const char *path) {
    if (!reads || !ready || inside || !path) return 0;
    enter();
    int number = fault(op, path);
    leave();
    if (number > 0) errno = number;
    return number > 0;
}
ssize_t read(int file, void *data, size_t length) {
    if (unread(READ, of(file))) return -1;
    return syscall(SYS_read, file, data, length);
}
ssize_t __read_chk(int file, void *data, size_t length, size_t room) {
    (void)room;
    return read(file, data, length);
}
ssize_t readv(int file, const struct iovec *parts, int count) {
    if (unread(READ, of(file))) return -1;
    return syscall(SYS_readv, file, parts, count);
}
ssize_t pread(int file, void *data, size_t length, off_t offset) {
    if (unread(READ, of(file))) return -1;
    return syscall(SYS_pread64, file, data, length, offset);
}
ssize_t pread64(int file, void *data, size_t length, off64_t offset) { return pread(file, data, length, offset); }

/* Runs CALL unless the path is watched and shall fail. */
static int unseen(int folder, const char *path) {
    char full[PATH_MAX];
    if (!reads || !ready || inside || !path || !*path || !absolute(folder, path, full) || !watched(full)) return 0;
    return unread(STAT, full);
}
#define STATTED(folder, path, call) return unseen(folder, path) ? -1 : (int)(call);
int stat(const char *path, struct stat *out) { STATTED(AT_FDCWD, path, syscall(SYS_newfstatat, AT_FDCWD, path, out, 0)) }
int stat64(const char *path, struct stat64 *out) {
    STATTED(AT_FDCWD, path, syscall(SYS_newfstatat, AT_FDCWD, path, out, 0))
}
int lstat(const char *path, struct stat *out) {
    STATTED(AT_FDCWD, path, syscall(SYS_newfstatat, AT_FDCWD, path, out, AT_SYMLINK_NOFOLLOW))
}
int lstat64(const char *path, struct stat64 *out) {
    STATTED(AT_FDCWD, path, syscall(SYS_newfstatat, AT_FDCWD, path, out, AT_SYMLINK_NOFOLLOW))
}
int fstatat(int folder, const char *path, struct stat *out, int flags) {
    STATTED(folder, path, syscall(SYS_newfstatat, folder, path, out, flags))
}
int fstatat64(int folder, const char *path, struct stat64 *out, int flags) {
    STATTED(folder, path, syscall(SYS_newfstatat, folder, path, out, flags))
}
int fstat(int file, struct stat *out) {
    if (unread(STAT, of(file))) return -1;
    return syscall(SYS_fstat, file, out);
}
int fstat64(int file, struct stat64 *out) {
    if (unread(STAT, of(file))) return -1;
    return syscall(SYS_fstat, file, out);
}
/* Those of libraries that were built with an older C library. */
int __xstat(int version, const char *path, struct stat *out) { return (void)version, stat(path, out); }
int __xstat64(int version, const char *path, struct stat64 *out) { return (void)version, stat64(path, out); }
int __lxstat(int version, const char *path, struct stat *out) { return (void)version, lstat(path, out); }
int __lxstat64(int version, const char *path, struct stat64 *out) { return (void)version, lstat64(path, out); }
int __fxstat(int version, int file, struct stat *out) { return (void)version, fstat(file, out); }
int __fxstat64(int version, int file, struct stat64 *out) { return (void)version, fstat64(file, out); }
int access(const char *path, int mode) {
    STATTED(AT_FDCWD, path, syscall(SYS_faccessat, AT_FDCWD, path, mode))
}

DIR *opendir(const char *path) {
    static DIR *(*real)(const char *);
    if (!real) real = (DIR * (*)(const char *)) dlsym(RTLD_NEXT, "opendir");
    char full[PATH_MAX];
    if (reads && ready && !inside && absolute(AT_FDCWD, path, full) && watched(full) && unread(OPENDIR, full)) return NULL;
    return real(path);
}

/* Whether the next entry of a folder cannot be read. */
static int unlisted(DIR *folder) {
    char link[64], full[PATH_MAX];
    if (!reads || !ready || inside) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", dirfd(folder));
    ssize_t length = readlink(link, full, sizeof full - 1);
    if (length < 0) return 0;
    full[length] = 0;
    return watched(full) && unread(READDIR, full);
}
struct dirent *readdir(DIR *folder) {
    static struct dirent *(*real)(DIR *);
    if (!real) real = (struct dirent * (*)(DIR *)) dlsym(RTLD_NEXT, "readdir");
    return unlisted(folder) ? NULL : real(folder);
}
struct dirent64 *readdir64(DIR *folder) {
    static struct dirent64 *(*real)(DIR *);
    if (!real) real = (struct dirent64 * (*)(DIR *)) dlsym(RTLD_NEXT, "readdir64");
    return unlisted(folder) ? NULL : real(folder);
}
