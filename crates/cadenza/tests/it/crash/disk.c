/* A disk that fails as disks and machines do, put between a program and its files (LD_PRELOAD). It watches what lies in
 * the folder CADENZA_DISK_FOLDER and does, as far as it is told:
 *
 *   CADENZA_DISK_LOG=FILE     notes every write, cut, renaming and flush, so that a power cut can be played afterwards
 *   CADENZA_DISK_LIES=1       notes no flush: a disk that says "written" and has not
 *   CADENZA_DISK_FULL=FILE    has no more room while the first byte of FILE is '1'
 *   CADENZA_DISK_KILL=WHEN:N  kills the process before or after the n-th flush, or in the middle of the n-th write
 *                             (WHEN: before, after, torn)
 *
 * What it is told about is one process with threads; a lock keeps the notes in the order of the disk. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static char folder[PATH_MAX];
static size_t folder_length;
static int notes = -1;
static int lies;
static volatile const char *full;
static char kill_when[8];
static long kill_at, flushes, writes;

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_ftruncate)(int, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_rename)(const char *, const char *);
static int (*real_unlink)(const char *);

__attribute__((constructor)) static void begin(void) {
  real_write = dlsym(RTLD_NEXT, "write");
  real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
  real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
  real_fsync = dlsym(RTLD_NEXT, "fsync");
  real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
  real_rename = dlsym(RTLD_NEXT, "rename");
  real_unlink = dlsym(RTLD_NEXT, "unlink");
  const char *said = getenv("CADENZA_DISK_FOLDER");
  if (!said || !realpath(said, folder)) return;
  folder_length = strlen(folder);
  if ((said = getenv("CADENZA_DISK_LOG"))) notes = open(said, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  lies = getenv("CADENZA_DISK_LIES") != NULL;
  if ((said = getenv("CADENZA_DISK_KILL"))) sscanf(said, "%7[a-z]:%ld", kill_when, &kill_at);
  if ((said = getenv("CADENZA_DISK_FULL"))) {
    int fd = open(said, O_RDONLY | O_CLOEXEC);
    full = mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
  }
}

/* The path below the folder; NULL for what lies elsewhere. */
static const char *below(const char *path) {
  if (!folder_length || strncmp(path, folder, folder_length) != 0 || path[folder_length] != '/') return NULL;
  return path + folder_length + 1;
}

static const char *file_of(int fd, char path[PATH_MAX]) {
  char link[64];
  if (!folder_length) return NULL;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, PATH_MAX - 1);
  if (length < 0) return NULL;
  path[length] = 0;
  return below(path);
}

/* op, length of the name, name, offset, length of the data, data; numbers as 64 bits. */
static void note(char op, const char *name, uint64_t at, const void *data, uint64_t length) {
  if (notes < 0) return;
  uint64_t name_length = strlen(name);
  size_t size = 1 + 8 + name_length + 8 + 8 + length;
  char *line = malloc(size), *to = line;
  *to++ = op;
  to = mempcpy(to, &name_length, 8);
  to = mempcpy(to, name, name_length);
  to = mempcpy(to, &at, 8);
  to = mempcpy(to, &length, 8);
  if (length) memcpy(to, data, length);
  if (real_write(notes, line, size) != (ssize_t)size) abort();
  free(line);
}

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

static int is_now(const char *when, long count) { return count == kill_at && strcmp(kill_when, when) == 0; }

static ssize_t put(int fd, const char *name, const void *data, size_t length, off_t at) {
  if (is_now("torn", ++writes)) {
    real_pwrite(fd, data, length / 2, at);
    note('W', name, at, data, length / 2);
    die();
  }
  if (full && *full == '1') {
    /* What the file has already can be written anew; it cannot grow. */
    struct stat st;
    if (fstat(fd, &st) != 0 || at >= st.st_size) {
      errno = ENOSPC;
      return -1;
    }
    if ((off_t)(at + length) > st.st_size) length = st.st_size - at;
  }
  ssize_t done = real_pwrite(fd, data, length, at);
  if (done > 0) note('W', name, at, data, done);
  return done;
}

ssize_t pwrite64(int fd, const void *data, size_t length, off_t at) {
  char path[PATH_MAX];
  const char *name = file_of(fd, path);
  if (!name) return real_pwrite(fd, data, length, at);
  pthread_mutex_lock(&turn);
  ssize_t done = put(fd, name, data, length, at);
  pthread_mutex_unlock(&turn);
  return done;
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t at) { return pwrite64(fd, data, length, at); }

ssize_t write(int fd, const void *data, size_t length) {
  char path[PATH_MAX];
  const char *name = fd > 2 ? file_of(fd, path) : NULL;
  if (!name) return real_write(fd, data, length);
  pthread_mutex_lock(&turn);
  off_t at = lseek(fd, 0, SEEK_CUR);
  ssize_t done = put(fd, name, data, length, at);
  if (done > 0) lseek(fd, at + done, SEEK_SET);
  pthread_mutex_unlock(&turn);
  return done;
}

int ftruncate64(int fd, off_t length) {
  char path[PATH_MAX];
  const char *name = file_of(fd, path);
  if (!name) return real_ftruncate(fd, length);
  pthread_mutex_lock(&turn);
  int done = real_ftruncate(fd, length);
  if (done == 0) note('T', name, length, NULL, 0);
  pthread_mutex_unlock(&turn);
  return done;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

static int flush(int fd, int (*real)(int)) {
  char path[PATH_MAX];
  const char *name = file_of(fd, path);
  if (!name) return real(fd);
  pthread_mutex_lock(&turn);
  flushes++;
  if (is_now("before", flushes)) die();
  int done = real(fd);
  if (done == 0 && !lies) note('S', name, 0, NULL, 0);
  if (is_now("after", flushes)) die();
  pthread_mutex_unlock(&turn);
  return done;
}

int fsync(int fd) { return flush(fd, real_fsync); }
int fdatasync(int fd) { return flush(fd, real_fdatasync); }

int rename(const char *from, const char *to) {
  const char *name = below(from), *new = below(to);
  if (!name || !new) return real_rename(from, to);
  pthread_mutex_lock(&turn);
  int done = real_rename(from, to);
  if (done == 0) note('R', name, 0, new, strlen(new));
  pthread_mutex_unlock(&turn);
  return done;
}

int unlink(const char *path) {
  const char *name = below(path);
  if (!name) return real_unlink(path);
  pthread_mutex_lock(&turn);
  int done = real_unlink(path);
  if (done == 0) note('U', name, 0, NULL, 0);
  pthread_mutex_unlock(&turn);
  return done;
}
