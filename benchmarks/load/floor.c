// The kernel's floor: a loop of send() of one prebuilt WebSocket frame to every viewer of a room, and nothing else.
// Speaks just enough Engine.IO for generator.c to join; commands as the other servers: JSON lines on standard input.
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
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX 45000
static int fds[MAX], stage[MAX], count, epoll_fd;

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void send_text(int fd, const char *text) {
  char frame[1100];
  int bytes = strlen(text), head = 0;
  frame[head++] = 0x81;
  if (bytes < 126) frame[head++] = bytes;
  else { frame[head++] = 126; frame[head++] = bytes >> 8; frame[head++] = bytes & 255; }
  memcpy(frame + head, text, bytes);
  if (send(fd, frame, head + bytes, MSG_NOSIGNAL) < 0 && errno != EAGAIN) close(fd);
}

static void on_readable(int i) {
  char buffer[4096];
  ssize_t got = recv(fds[i], buffer, sizeof buffer, MSG_DONTWAIT);
  if (got <= 0) return;
  if (stage[i] == 0) {
    // The generator's key is always the same, and so is the answer to it (RFC 6455, 1.3).
    const char *yes = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    if (send(fds[i], yes, strlen(yes), MSG_NOSIGNAL) < 0) return;
    send_text(fds[i], "0{\"sid\":\"x\",\"upgrades\":[],\"pingTimeout\":20000,\"pingInterval\":25000}");
  } else if (stage[i] == 1) send_text(fds[i], "40/progress,{\"sid\":\"x\"}");
  else if (stage[i] == 2) send_text(fds[i], "43/progress,1[{\"ok\":true}]");
  stage[i]++;
}

static void pump(int listener, int ms) {
  struct epoll_event events[512];
  int ready = epoll_wait(epoll_fd, events, 512, ms);
  for (int e = 0; e < ready; e++) {
    if (events[e].data.u32 != MAX) { on_readable(events[e].data.u32); continue; }
    int fd, one = 1;
    while (count < MAX && (fd = accept4(listener, 0, 0, SOCK_NONBLOCK)) >= 0) {
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      struct epoll_event event = {.events = EPOLLIN, .data.u32 = count};
      fds[count++] = fd;
      epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
    }
  }
}

static long run(int listener, double rate, double s) {
  double began = now_s();
  long turn = 0, sent = 0;
  char text[1000], frame[1100];
  while (now_s() - began < s) {
    if (turn > (now_s() - began) * rate) { pump(listener, 1); continue; }
    long due = (now_s() - began) * rate;
    turn = due + 1;
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    int bytes = sprintf(text,
        "42/progress,[\"progress\",{\"task_id\":\"bench-task-0\",\"name\":null,\"state\":\"running\",\"status\":\"running\","
        "\"progress\":1,\"message\":\"\",\"details\":{\"ts\":%lld},\"stages\":null,\"eta_s\":null,\"rate\":null,"
        "\"epoch\":\"0123456789abcdef\",\"rev\":1795424089125,\"attempt\":1,\"worker\":\"alive\",\"cancel_requested_at\":null,"
        "\"cancel_reason\":null,\"created_at\":1795424089.121,\"started_at\":1795424089.121,\"updated_at\":1795424089.121,"
        "\"finished_at\":null,\"server_time\":1795424089.121,\"result\":null,\"result_url\":null,\"error\":null}]",
        t.tv_sec * 1000000000ll + t.tv_nsec);
    frame[0] = 0x81; frame[1] = 126; frame[2] = bytes >> 8; frame[3] = bytes & 255;
    memcpy(frame + 4, text, bytes);
    for (int i = 0; i < count; i++)
      if (send(fds[i], frame, bytes + 4, MSG_NOSIGNAL) < 0 && errno == EAGAIN) pump(listener, 0);
    sent++;
  }
  return sent;
}

int main(void) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof at;
  bind(listener, (void *)&at, sizeof at);
  listen(listener, 4096);
  getsockname(listener, (void *)&at, &size);
  epoll_fd = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = MAX};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event);
  setvbuf(stdout, 0, _IOLBF, 0);
  fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK);
  printf("{\"port\":%d}\n", ntohs(at.sin_port));
  char line[500];
  int length = 0;
  for (;;) {
    char c;
    ssize_t got = read(0, &c, 1);
    if (got == 0) return 0;
    if (got < 0) { pump(listener, 5); continue; }
    if (c != '\n' && length < 499) { line[length++] = c; continue; }
    line[length] = 0;
    length = 0;
    char *rate = strstr(line, "\"rate\":"), *s = strstr(line, "\"s\":");
    if (strstr(line, "\"run\"") && rate && s) printf("{\"sent\":%ld}\n", run(listener, atof(rate + 7), atof(s + 4)));
    else if (strstr(line, "\"stat\"")) {
      struct rusage r;
      getrusage(RUSAGE_SELF, &r);
      printf("{\"rss_kib\":%ld,\"cpu_s\":%.3f}\n", r.ru_maxrss, r.ru_utime.tv_sec + r.ru_stime.tv_sec + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6);
    } else printf("{}\n");
  }
}
