// A light Socket.IO v5 / Engine.IO v4 load generator over WebSocket: one epoll thread.
// It reads commands on standard input and answers a JSON line to each (generator.py speaks to it):
//   connect N TASKS CONCURRENCY LIMIT_S   N viewers; viewer i joins task "bench-task-<i % TASKS>"; joins a second
//   watch DUR_S WARM_S DRAIN_S            what arrives for DUR_S; rates and latencies of the time after WARM_S
//   deaf N                                the first N viewers stop reading
//   slow N BYTES_PER_S                    before `connect`: once joined, the first N viewers read no faster than that,
//                                         and nothing of them is counted
//   drop                                  close every connection
//   flee DELAY_MS LIMIT_S PORT …          viewers whose server goes away join again at one of these, DELAY_MS ± 30 % later
// Latency is receipt minus `details.ts`, both in nanoseconds of CLOCK_MONOTONIC.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTING, UPGRADING, OPENING, JOINING_NAMESPACE, JOINING, READY, DEAD };

typedef struct {
  int fd, state, id, task, port, has_seen;
  char *left;
  int left_bytes;
  uint64_t last_ts, lost_at, due, back_at;
} Viewer;

enum { STATE_WITHIN = 200 };  // `state` is among the first fields.

static Viewer *viewers;
static int count, capacity = 40000, joined, failed, inflight, dead, epoll_fd, port;
static char buffer[1 << 21];
static uint64_t received, in_window, last_receipt, window_from, window_to, max_latency, backwards, finals, max_final;
static int slow_viewers, slow_bytes_per_s;
static uint64_t slow_read_at, slow_bytes;

#define OCTAVE 64
#define BUCKETS (OCTAVE * 40)
static uint64_t histogram[BUCKETS];

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static double cpu_s(void) {
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  return r.ru_utime.tv_sec + r.ru_stime.tv_sec + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

// Microseconds, log-linear: 64 buckets an octave.
static int bucket_of(uint64_t ns) {
  uint64_t us = ns / 1000;
  if (us < OCTAVE) return us;
  int exponent = 63 - __builtin_clzll(us);
  int bucket = (exponent - 5) * OCTAVE + ((us >> (exponent - 6)) & 63);
  return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

static double bucket_us(int bucket) {
  if (bucket < OCTAVE) return bucket;
  int exponent = bucket / OCTAVE + 5;
  return (double)((1ull << exponent) + ((uint64_t)(bucket % OCTAVE) << (exponent - 6)));
}

static double percentile_ms(double q) {
  uint64_t total = 0, seen = 0;
  for (int i = 0; i < BUCKETS; i++) total += histogram[i];
  if (!total) return -1;
  for (int i = 0; i < BUCKETS; i++) {
    seen += histogram[i];
    if (seen >= q * total) return bucket_us(i) / 1000.0;
  }
  return -1;
}

static void kill_viewer(Viewer *v) {
  if (v->state == DEAD) return;
  if (v->state < READY) { failed++; inflight--; } else dead++;
  v->state = DEAD;
  close(v->fd);
}

static void send_frame(Viewer *v, int opcode, const char *text, int bytes) {
  char frame[600];
  int head = 0;
  frame[head++] = 0x80 | opcode;
  if (bytes < 126) frame[head++] = 0x80 | bytes;
  else { frame[head++] = 0x80 | 126; frame[head++] = bytes >> 8; frame[head++] = bytes & 255; }
  memset(frame + head, 0, 4);  // A mask of zeros: legal, and cheap.
  head += 4;
  memcpy(frame + head, text, bytes);
  if (send(v->fd, frame, head + bytes, MSG_NOSIGNAL) < 0 && errno != EAGAIN) kill_viewer(v);
}

static void on_progress(Viewer *v, const char *digits, uint64_t at, int is_final) {
  uint64_t ts = 0;
  while (*digits == ' ') digits++;
  while (*digits >= '0' && *digits <= '9') ts = ts * 10 + (*digits++ - '0');
  if (ts < 1000) return;  // The state at the join.
  received++;
  last_receipt = at;
  if (ts < v->last_ts) backwards++;
  v->last_ts = ts;
  uint64_t latency = at > ts ? at - ts : 0;
  if (is_final) {
    finals++;
    if (latency > max_final) max_final = latency;
  }
  if (at >= window_from && at < window_to) in_window++;
  if (ts < window_from || ts >= window_to) return;
  histogram[bucket_of(latency)]++;
  if (latency > max_latency) max_latency = latency;
}

static void on_frame(Viewer *v, int opcode, char *text, int bytes, uint64_t at) {
  if (opcode == 8) { kill_viewer(v); return; }
  if (opcode == 9) { send_frame(v, 10, text, bytes < 125 ? bytes : 125); return; }
  if (opcode == 10 || bytes < 1) return;
  if (v->state >= JOINING && text[0] == '4' && memmem(text, bytes < 60 ? bytes : 60, "\"progress\"", 10)) v->has_seen = 1;
  if (v->state == READY && text[0] == '4' && bytes > 30) {
    char *ts = memmem(text, bytes, "\"ts\":", 5);
    int head = bytes < STATE_WITHIN ? bytes : STATE_WITHIN;
    if (ts) on_progress(v, ts + 5, at, memmem(text, head, "\"state\":\"completed\"", 19) != NULL);
    return;
  }
  if (text[0] == '2') { send_frame(v, 1, "3", 1); return; }
  if (text[0] == '0' && v->state == OPENING) {
    send_frame(v, 1, "40/progress,", 12);
    v->state = JOINING_NAMESPACE;
  } else if (v->state == JOINING_NAMESPACE && bytes >= 11 && !memcmp(text, "40/progress", 11)) {
    char join[200];
    int length = sprintf(join, "42/progress,1[\"join\",{\"task_id\":\"bench-task-%d\"}]", v->task);
    v->state = JOINING;
    send_frame(v, 1, join, length);
  } else if (v->state == JOINING && bytes >= 11 && !memcmp(text, "43/progress", 11)) {
    v->state = READY;
    if (v->id < slow_viewers) epoll_ctl(epoll_fd, EPOLL_CTL_DEL, v->fd, 0);
    joined++;
    inflight--;
  }
}

static void on_readable(Viewer *v) {
  int kept = v->left_bytes;
  if (kept) memcpy(buffer, v->left, kept);
  ssize_t got = recv(v->fd, buffer + kept, sizeof buffer - kept, 0);
  if (got <= 0) {
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    kill_viewer(v);
    return;
  }
  uint64_t at = now_ns();
  int total = kept + got, position = 0;
  if (v->state == UPGRADING) {
    char *end = memmem(buffer, total, "\r\n\r\n", 4);
    if (!end) goto keep;
    if (memcmp(buffer, "HTTP/1.1 101", 12)) { kill_viewer(v); return; }
    position = end + 4 - buffer;
    v->state = OPENING;
  }
  while (total - position >= 2) {
    unsigned char *f = (unsigned char *)buffer + position;
    int head = 2;
    uint64_t bytes = f[1] & 127;
    if (bytes == 126) { if (total - position < 4) break; bytes = f[2] << 8 | f[3]; head = 4; }
    else if (bytes == 127) { if (total - position < 10) break; bytes = 0; for (int i = 0; i < 8; i++) bytes = bytes << 8 | f[2 + i]; head = 10; }
    if ((uint64_t)(total - position) < head + bytes) break;
    on_frame(v, f[0] & 15, (char *)f + head, bytes, at);
    if (v->state == DEAD) return;
    position += head + bytes;
  }
keep:
  v->left_bytes = total - position;
  if (v->left_bytes) {
    v->left = realloc(v->left, v->left_bytes);
    memcpy(v->left, buffer + position, v->left_bytes);
  }
}

static void open_at(Viewer *v, int at_port) {
  v->state = CONNECTING;
  v->port = at_port;
  v->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  inflight++;
  if (v->fd < 0) { kill_viewer(v); return; }
  int one = 1;
  setsockopt(v->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  int narrow = 4096;  // So that what is not read is not taken from the server, either.
  if (v->id < slow_viewers) setsockopt(v->fd, SOL_SOCKET, SO_RCVBUF, &narrow, sizeof narrow);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(at_port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (connect(v->fd, (void *)&to, sizeof to) < 0 && errno != EINPROGRESS) { kill_viewer(v); return; }
  struct epoll_event event = {.events = EPOLLOUT | EPOLLIN, .data.u32 = v->id};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, v->fd, &event);
}

static void open_viewer(int task) {
  Viewer *v = &viewers[count];
  memset(v, 0, sizeof *v);
  v->id = count++;
  v->task = task;
  open_at(v, port);
}

static void on_connected(Viewer *v) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(v->fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error) { kill_viewer(v); return; }
  char request[300];
  int length = sprintf(request,
                       "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
                       "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                       v->port);
  if (send(v->fd, request, length, MSG_NOSIGNAL) < 0) { kill_viewer(v); return; }
  v->state = UPGRADING;
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = v->id};
  epoll_ctl(epoll_fd, EPOLL_CTL_MOD, v->fd, &event);
}

// Ten times a second each of the slow ones takes its share, and throws it away.
static void read_slowly(void) {
  uint64_t now = now_ns();
  if (!slow_viewers || now - slow_read_at < 100000000ull) return;
  slow_read_at = now;
  for (int i = 0; i < slow_viewers && i < count; i++) {
    if (viewers[i].state != READY) continue;
    ssize_t got = recv(viewers[i].fd, buffer, slow_bytes_per_s / 10, MSG_DONTWAIT);
    if (got > 0) slow_bytes += got;
  }
}

static void pump(int ms) {
  static struct epoll_event events[1024];
  read_slowly();
  int ready = epoll_wait(epoll_fd, events, 1024, ms);
  for (int i = 0; i < ready; i++) {
    Viewer *v = &viewers[events[i].data.u32];
    if (v->state == DEAD) continue;
    if (v->state == CONNECTING) { if (events[i].events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) on_connected(v); }
    else on_readable(v);
  }
}

static void connect_all(const char *args) {
  int wanted, tasks, concurrency;
  double limit_s;
  sscanf(args, "%d %d %d %lf", &wanted, &tasks, &concurrency, &limit_s);
  int joined_before = joined, failed_before = failed;
  uint64_t began = now_ns();
  double cpu_before = cpu_s();
  for (int i = 0; i < wanted && now_ns() - began < limit_s * 1e9 && failed - failed_before <= 200;) {
    while (inflight < concurrency && i < wanted) open_viewer(i++ % tasks);
    pump(10);
  }
  while (inflight && now_ns() - began < limit_s * 1e9) pump(10);
  double elapsed = (now_ns() - began) / 1e9;
  printf("{\"joined\":%d,\"failed\":%d,\"inflight\":%d,\"s\":%.3f,\"per_s\":%.0f,\"cpu\":%.1f}\n", joined - joined_before,
         failed - failed_before, inflight, elapsed, (joined - joined_before) / elapsed, 100 * (cpu_s() - cpu_before) / elapsed);
}

static void watch(const char *args) {
  double duration_s, warm_s, drain_s;
  sscanf(args, "%lf %lf %lf", &duration_s, &warm_s, &drain_s);
  memset(histogram, 0, sizeof histogram);
  received = in_window = max_latency = last_receipt = backwards = finals = max_final = 0;
  int dead_before = dead;
  uint64_t began = now_ns();
  window_from = began + warm_s * 1e9;
  window_to = began + duration_s * 1e9;
  double cpu_before = cpu_s();
  while (now_ns() < window_to) pump(5);
  double cpu = 100 * (cpu_s() - cpu_before) / duration_s;
  for (uint64_t drained = now_ns();;) {
    pump(5);
    uint64_t t = now_ns(), quiet_from = last_receipt > drained ? last_receipt : drained;
    if (t - drained > drain_s * 1e9 || t - quiet_from > 300000000ull) break;
  }
  double drain = last_receipt > window_to ? (last_receipt - window_to) / 1e9 : 0;
  printf("{\"received\":%lu,\"per_s\":%.0f,\"p50_ms\":%.3f,\"p95_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f,\"cpu\":%.1f,"
         "\"drain_s\":%.3f,\"dead\":%d,\"backwards\":%lu,\"finals\":%lu,\"final_ms\":%.3f,\"slow_bytes\":%lu}\n",
         received, in_window / (duration_s - warm_s), percentile_ms(.5), percentile_ms(.95), percentile_ms(.99),
         max_latency / 1e6, cpu, drain, dead - dead_before, backwards, finals, max_final / 1e6, slow_bytes);
}

static int by_value(const void *a, const void *b) {
  double difference = *(const double *)a - *(const double *)b;
  return (difference > 0) - (difference < 0);
}

static void flee(char *args) {
  double delay_ms = strtod(args, &args), limit_s = strtod(args, &args);
  int ports[8], port_count = 0, lost = 0, back = 0, shown = 0;
  while (port_count < 8 && (ports[port_count] = strtol(args, &args, 10))) port_count++;
  for (int i = 0; i < count; i++) viewers[i].has_seen = 0, viewers[i].lost_at = viewers[i].back_at = viewers[i].due = 0;
  for (uint64_t began = now_ns(); (back < count || shown < count) && now_ns() - began < limit_s * 1e9;) {
    pump(2);
    uint64_t now = now_ns();
    shown = 0;
    for (int i = 0; i < count; i++) {
      Viewer *v = &viewers[i];
      if (v->state == DEAD && !v->due) {
        if (!v->lost_at) { v->lost_at = now; lost++; }
        v->due = now + delay_ms * 1e6 * (0.7 + 0.6 * drand48());
      } else if (v->state == DEAD && now >= v->due) {
        free(v->left);
        v->left = 0;
        v->left_bytes = v->due = v->has_seen = 0;
        open_at(v, ports[i % port_count]);
      } else if (v->state == READY && v->lost_at && !v->back_at) {
        v->back_at = now;
        back++;
      }
      shown += v->back_at && v->has_seen;
    }
  }
  double *took = calloc(count + 1, sizeof *took);
  int kept = 0;
  for (int i = 0; i < count; i++) if (viewers[i].back_at) took[kept++] = (viewers[i].back_at - viewers[i].lost_at) / 1e9;
  qsort(took, kept, sizeof *took, by_value);
  printf("{\"lost\":%d,\"back\":%d,\"shown\":%d,\"first_s\":%.3f,\"p50_s\":%.3f,\"last_s\":%.3f}\n", lost, back, shown,
         took[0], took[kept / 2], took[kept ? kept - 1 : 0]);
  free(took);
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  port = atoi(argv[1]);
  viewers = calloc(capacity, sizeof(Viewer));
  epoll_fd = epoll_create1(0);
  setvbuf(stdout, 0, _IOLBF, 0);
  fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK);
  char line[1024];
  int length = 0;
  for (;;) {
    char c;
    ssize_t got = read(0, &c, 1);
    if (got == 0) return 0;
    if (got < 0) { pump(5); continue; }  // Idle: pings are answered.
    if (c != '\n' && length < 1023) { line[length++] = c; continue; }
    line[length] = 0;
    length = 0;
    if (!strncmp(line, "connect ", 8)) connect_all(line + 8);
    else if (!strncmp(line, "watch ", 6)) watch(line + 6);
    else if (!strncmp(line, "deaf ", 5)) {
      int n = atoi(line + 5);
      for (int i = 0; i < n && i < count; i++) epoll_ctl(epoll_fd, EPOLL_CTL_DEL, viewers[i].fd, 0);
      printf("{\"deaf\":%d}\n", n);
    } else if (!strncmp(line, "slow ", 5)) {
      sscanf(line + 5, "%d %d", &slow_viewers, &slow_bytes_per_s);
      printf("{\"slow\":%d}\n", slow_viewers);
    } else if (!strncmp(line, "flee ", 5)) flee(line + 5);
    else if (!strcmp(line, "drop")) {
      for (int i = 0; i < count; i++) if (viewers[i].state != DEAD) { close(viewers[i].fd); free(viewers[i].left); }
      int dropped = count;
      count = joined = failed = inflight = dead = 0;
      printf("{\"dropped\":%d}\n", dropped);
    } else printf("{\"error\":\"unknown command\"}\n");
  }
}
