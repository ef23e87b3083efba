// A TCP proxy on a free loopback port that hands on every byte DELAY_US later, both ways, as a longer wire would:
//   delay TARGET_PORT DELAY_US
// It says {"port": N} and ends with its standard input. One epoll thread; the delay is the same for all, so one queue is.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

// One end of a connection: what is read from `fd` goes to `other`, and `left` is what `fd` would not take yet.
typedef struct End {
  int fd, is_closed;
  struct End *other;
  char *left;
  size_t left_bytes;
} End;

typedef struct Chunk {
  struct Chunk *next;
  uint64_t due;
  End *to;
  size_t bytes;  // 0: its sender has ended.
  char data[];
} Chunk;

static Chunk *head, **tail = &head;
static int epoll_fd, timer_fd;
static char buffer[1 << 18];

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void watch(int how, End *end, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = end};
  epoll_ctl(epoll_fd, how, end->fd, &event);
}

// Ends are few, and chunks on their way point to them: they are never freed.
static void close_both(End *end) {
  for (int i = 0; i < 2; i++, end = end->other) {
    if (!end->is_closed) close(end->fd);
    end->is_closed = 1;
  }
}

static void send_left(End *end) {
  ssize_t sent = send(end->fd, end->left, end->left_bytes, MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN) { close_both(end); return; }
  if (sent > 0) {
    end->left_bytes -= sent;
    memmove(end->left, end->left + sent, end->left_bytes);
  }
  if (!end->left_bytes) watch(EPOLL_CTL_MOD, end, EPOLLIN);
}

static void arrive(Chunk *chunk) {
  End *to = chunk->to;
  if (to->is_closed) return;
  if (!chunk->bytes) { close_both(to); return; }
  size_t sent = 0;
  if (!to->left_bytes) {
    ssize_t taken = send(to->fd, chunk->data, chunk->bytes, MSG_NOSIGNAL);
    if (taken < 0 && errno != EAGAIN) { close_both(to); return; }
    if (taken > 0) sent = taken;
  }
  if (sent == chunk->bytes) return;
  to->left = realloc(to->left, to->left_bytes + chunk->bytes - sent);
  memcpy(to->left + to->left_bytes, chunk->data + sent, chunk->bytes - sent);
  to->left_bytes += chunk->bytes - sent;
  watch(EPOLL_CTL_MOD, to, EPOLLIN | EPOLLOUT);
}

static void take(End *from, uint64_t delay_ns) {
  ssize_t got = recv(from->fd, buffer, sizeof buffer, 0);
  if (got < 0 && errno == EAGAIN) return;
  size_t bytes = got > 0 ? got : 0;
  if (!bytes) epoll_ctl(epoll_fd, EPOLL_CTL_DEL, from->fd, 0);
  Chunk *chunk = malloc(sizeof *chunk + bytes);
  chunk->next = 0;
  chunk->due = now_ns() + delay_ns;
  chunk->to = from->other;
  chunk->bytes = bytes;
  memcpy(chunk->data, buffer, bytes);
  *tail = chunk;
  tail = &chunk->next;
}

static void connected(int client, int target_port) {
  int server = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(target_port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (connect(server, (void *)&to, sizeof to) < 0) { close(server); close(client); return; }
  int fds[2] = {client, server};
  End *ends = calloc(2, sizeof *ends);
  for (int i = 0; i < 2; i++) {
    fcntl(fds[i], F_SETFL, fcntl(fds[i], F_GETFL) | O_NONBLOCK);
    setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    ends[i].fd = fds[i];
    ends[i].other = &ends[1 - i];
    watch(EPOLL_CTL_ADD, &ends[i], EPOLLIN);
  }
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  int target_port = atoi(argv[1]), one = 1;
  uint64_t delay_ns = strtoull(argv[2], 0, 10) * 1000;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof own;
  if (bind(listener, (void *)&own, size) < 0 || listen(listener, 512) < 0) return 1;
  getsockname(listener, (void *)&own, &size);
  printf("{\"port\":%d}\n", ntohs(own.sin_port));
  fflush(stdout);
  epoll_fd = epoll_create1(0);
  timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  End input = {.fd = 0}, door = {.fd = listener}, timer = {.fd = timer_fd};
  watch(EPOLL_CTL_ADD, &input, EPOLLIN);
  watch(EPOLL_CTL_ADD, &door, EPOLLIN);
  watch(EPOLL_CTL_ADD, &timer, EPOLLIN);
  for (;;) {
    struct epoll_event events[256];
    int ready = epoll_wait(epoll_fd, events, 256, -1);
    for (int i = 0; i < ready; i++) {
      End *end = events[i].data.ptr;
      if (end == &input) return 0;
      if (end == &door) { connected(accept(listener, 0, 0), target_port); continue; }
      if (end == &timer) { uint64_t times; if (read(timer_fd, &times, sizeof times) < 0) continue; continue; }
      if (!end->is_closed && events[i].events & EPOLLOUT) send_left(end);
      if (!end->is_closed && events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) take(end, delay_ns);
    }
    uint64_t now = now_ns();
    while (head && head->due <= now) {
      Chunk *chunk = head;
      head = chunk->next;
      if (!head) tail = &head;
      arrive(chunk);
      free(chunk);
    }
    if (head) {
      struct itimerspec at = {.it_value = {head->due / 1000000000ull, head->due % 1000000000ull}};
      timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &at, 0);
    }
  }
}
