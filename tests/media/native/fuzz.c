/* Random datagrams and random commands for the native packet path, without Python.

     fuzz INPUTS SEED      this many inputs, each a sequence of commands
     fuzz threads SECONDS  the path's thread on real sockets, and commands from another thread
     fuzz refused SECONDS  the same, while the kernel rejects most messages with UDP_SEGMENT

   Build it with sanitizers and link it with --wrap=sendmmsg. With -DLIBFUZZER there is no `main`,
   because clang's libFuzzer has its own. libsrtp is replaced by functions that depend only on the
   input. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "packet_path.h"

enum { LEGS = 8, JOURNALS = 4, TAG = 16, FRESH_EVERY = 5000, LONGEST_INPUT = 600 };

static int session; /* all sessions point to this */

static int protect(void *of, void *packet, int *length) {
  assert(of == &session);
  assert(*length >= 8 && *length <= MAX_PACKET);
  memset((uint8_t *)packet + *length, 0x5A, TAG);
  *length += TAG;
  return 0;
}

static int unprotect(void *of, void *packet, int *length) {
  assert(of == &session);
  assert(*length >= 12 && *length <= MAX_PACKET);
  if (*length < 12 + TAG || ((uint8_t *)packet)[*length - 1] & 1) return 1;
  *length -= TAG;
  return 0;
}

static int is_refusing; /* let sendmmsg fail like a device that cannot segment */
static unsigned long refused;

int __real_sendmmsg(int udp, struct mmsghdr *messages, unsigned count, int flags);
int __wrap_sendmmsg(int udp, struct mmsghdr *messages, unsigned count, int flags);

int __wrap_sendmmsg(int udp, struct mmsghdr *messages, unsigned count, int flags) {
  static const int errors[] = {EIO, EINVAL, EMSGSIZE, EINTR};
  static unsigned calls;
  if (is_refusing && messages->msg_hdr.msg_controllen && ++calls % 8) {
    refused++;
    errno = errors[calls % 4];
    return -1;
  }
  if (is_refusing && count > 1) count = 1 + calls++ % count; /* sendmmsg may send only some */
  return __real_sendmmsg(udp, messages, count, flags);
}

static const struct path_srtp SRTP = {protect, protect, unprotect, unprotect};

struct input {
  const uint8_t *at, *end;
};

static unsigned byte(struct input *input) { return input->at < input->end ? *input->at++ : 0; }

static unsigned word(struct input *input) { return byte(input) << 8 | byte(input); }

static struct path *path;
static int leg[LEGS], journal[JOURNALS];
static double now;

static void check_journal(int number) {
  struct path_journal_body body;
  if (path_take(path, number, &body)) return;
  size_t at = 0;
  while (at < body.length) { /* the body consists of complete records */
    assert(at + 14 <= body.length);
    const uint8_t *record = body.records + at;
    assert(record[8] >= 1 && record[8] <= 4 && record[9] <= 2);
    at += 14 + ((size_t)record[10] << 24 | record[11] << 16 | record[12] << 8 | record[13]);
  }
  assert(at == body.length);
  path_free_records(body.records);
}

static void check_events(unsigned most) {
  static struct path_event event;
  while (most-- && path_next_event(path, &event)) {
    assert(event.kind >= EVENT_DATAGRAM && event.kind <= EVENT_OUTGOING);
    assert(event.length <= MAX_DATAGRAM);
    if (event.kind != EVENT_DATAGRAM) assert(event.leg >= 0);
    if (event.kind == EVENT_WATCHED) assert(event.length >= 12 && event.step < 65536);
  }
}

static struct path_address some_address(struct input *input) {
  unsigned which = byte(input);
  struct path_address address = {.family = which & 1 ? AF_INET : AF_INET6, .port = which >> 4};
  address.ipv6[0] = which & 0x0E;
  return address;
}

static size_t some_datagram(struct input *input, uint8_t datagram[MAX_DATAGRAM]) {
  unsigned kind = byte(input), length = word(input) % (MAX_DATAGRAM + 1);
  if (kind & 0x80) length = length % 64 + 12;
  for (unsigned i = 0; i < length; i++)
    datagram[i] = input->at < input->end ? (uint8_t)byte(input) : (uint8_t)(kind + i);
  if (length > 12 && kind & 1) { /* RTP or RTCP of one of a few sources */
    datagram[0] = 0x80;
    datagram[1] = kind & 2 ? 192 + kind % 32 : 90 + kind % 16;
    memset(datagram + 4, 0, 8);
    datagram[kind & 2 ? 7 : 11] = kind & 0x10 ? kind : 1;
    datagram[length - 1] &= 0xFE;
  }
  return length;
}

static void one_command(struct input *input) {
  uint8_t datagram[MAX_DATAGRAM], bits[32];
  struct path_address address;
  struct path_source sources[MAX_SOURCES];
  struct path_leg_totals totals;
  unsigned command = byte(input), which = byte(input);
  int *of = &leg[which % LEGS], *in = &journal[which / 16 % JOURNALS];
  int number = command & 0x80 && which == 255 ? (int)(word(input) << 16 | word(input)) : *of;
  now += word(input) * 1e-6;
  switch (command % 24) {
    case 0:
      if (byte(input) % 4 == 0) {
        path_remove_leg(path, *of);
        *of = path_add_leg(path, which % 3);
        assert(*of >= 0);
      }
      break;
    case 1: path_set_sessions(path, number, which & 1 ? &session : NULL, which & 2 ? &session : NULL); break;
    case 2:
      path_limit_rate(path, number, which & 1 ? 1e300 : which * 1000.0, which * 2000.0, now);
      break;
    case 3:
      for (int i = 0; i < 32; i++) bits[i] = byte(input);
      path_set_types(path, number, bits, bits + 16);
      break;
    case 4: case 5: address = some_address(input); path_bind(path, number, &address); break;
    case 6: address = some_address(input); path_unbind(path, &address); break;
    case 7: case 8:
      address = some_address(input);
      if (which & 4) address.family = 0;
      path_send_to(path, number, which & 8 ? NULL : &address);
      break;
    case 9: case 10: path_connect(path, number, leg[byte(input) % LEGS], which & 4 ? *in : -1); break;
    case 11: {
      size_t length = some_datagram(input, datagram);
      path_receive(path, number, datagram, length, now, (int64_t)(now * 1e6));
      break;
    }
    case 12: {
      size_t length = some_datagram(input, datagram);
      path_send_rtcp(path, number, datagram, length);
      break;
    }
    case 13: path_charge(path, number, which * 100, now); break;
    case 14:
      if (!path_leg_totals(path, number, &totals)) assert(totals.packets_in <= totals.bytes_in);
      break;
    case 15: assert(path_sources(path, number, sources) <= MAX_SOURCES); break;
    case 16: path_alert(path, number); path_calm(path, number, which & 0x1F); break;
    case 17:
      if (byte(input) % 4 == 0) {
        path_remove_journal(path, *in);
        *in = path_add_journal(path, (int64_t)word(input) << 40, which * 64);
        assert(*in >= 0);
      }
      break;
    case 18: path_stop_journal(path, *in); break;
    case 19:
      path_append(path, *in, (int64_t)(now * 1e6), 3, 0, input->at, (size_t)(input->end - input->at));
      break;
    case 20: check_journal(*in); break;
    case 21: check_events(which); break;
    default: {
      address = some_address(input);
      size_t length = some_datagram(input, datagram);
      for (unsigned i = 0; i <= which % 8; i++) {
        datagram[3] += 1;
        path_receive_from(path, &address, datagram, length, now, (int64_t)(now * 1e6));
      }
    }
  }
}

static void begin(void) {
  path = path_new(&SRTP, 7, MAX_GATHER_US);
  assert(path);
  for (int i = 0; i < LEGS; i++) {
    leg[i] = path_add_leg(path, i % 3);
    struct path_address address = {.family = i & 1 ? AF_INET : AF_INET6, .port = i};
    path_set_sessions(path, leg[i], &session, &session);
    path_bind(path, leg[i], &address);
    path_send_to(path, leg[i], &address);
  }
  for (int i = 0; i < JOURNALS; i++) journal[i] = path_add_journal(path, 0, 1 << 16);
  for (int i = 0; i < LEGS; i++) path_connect(path, leg[i], leg[i ^ 1], journal[i / 2]);
}

static void end(void) {
  for (int i = 0; i < JOURNALS; i++) check_journal(journal[i]);
  check_events(2 * MAX_EVENTS);
  path_free(path);
  path = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  static unsigned inputs;
  if (inputs++ % FRESH_EVERY == 0) {
    if (path) end();
    begin();
  }
  struct input input = {data, data + length};
  while (input.at < input.end) one_command(&input);
  return 0;
}

#ifndef LIBFUZZER
static uint64_t state;

static uint64_t next_random(void) { /* xorshift64* */
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * 0x2545F4914F6CDD1Du;
}

static void fuzz(unsigned long inputs, uint64_t seed) {
  uint8_t data[LONGEST_INPUT];
  state = seed * 0x9E3779B97F4A7C15u + 1;
  for (unsigned long i = 0; i < inputs; i++) {
    size_t length = next_random() % (next_random() % 4 ? 80 : LONGEST_INPUT);
    for (size_t at = 0; at < length; at++) data[at] = next_random() >> 56;
    LLVMFuzzerTestOneInput(data, length);
  }
  struct path_totals totals;
  path_totals(path, &totals);
  printf("%lu inputs\n", inputs);
  end();
}

static int udp_socket(struct sockaddr_in *name) {
  int udp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  socklen_t length = sizeof *name;
  *name = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  assert(udp >= 0 && !bind(udp, (struct sockaddr *)name, sizeof *name));
  assert(!getsockname(udp, (struct sockaddr *)name, &length));
  return udp;
}

/* Return whether the thread reads a datagram that is sent to this socket when it is idle. */
static int is_read(int browser, const struct sockaddr_in *name) {
  struct path_totals before, totals;
  do { /* until everything sent earlier was read */
    path_totals(path, &before);
    usleep(100000);
    path_totals(path, &totals);
  } while (totals.received != before.received);
  sendto(browser, "a check that no leg knows", 20, 0, (const struct sockaddr *)name, sizeof *name);
  for (int i = 0; i < 1000 && totals.received == before.received; i++) {
    usleep(10000);
    path_totals(path, &totals);
  }
  return totals.received != before.received;
}

static void *run(void *of) {
  path_run(of);
  return NULL;
}

static void watch(int epoll, int file) {
  struct epoll_event event = {.events = EPOLLIN};
  assert(!epoll_ctl(epoll, EPOLL_CTL_ADD, file, &event));
}

/* Let the thread relay and record while legs and journals are added and removed. */
static void threads(double seconds) {
  struct sockaddr_in ours[2], theirs[2]; /* our second socket replaces that of IPv6 */
  uint8_t datagram[1200] = {0x80, 96}, received[2048];
  struct path_address address[2] = {0};
  int udp[2] = {udp_socket(&ours[0]), udp_socket(&ours[1])};
  int browser[2] = {udp_socket(&theirs[0]), udp_socket(&theirs[1])};
  int wake = eventfd(0, EFD_NONBLOCK), stop = eventfd(0, EFD_NONBLOCK), epoll = epoll_create1(0);
  pthread_t thread;
  unsigned long sent = 0, arrived = 0;
  path = path_new(&SRTP, 7, MAX_GATHER_US);
  assert(path);
  for (int i = 0; i < 2; i++) {
    memcpy(&address[i], &theirs[i], sizeof theirs[i]);
    watch(epoll, udp[i]);
  }
  watch(epoll, stop);
  path_set_files(path, udp[0], udp[1], epoll, wake, 1);
  assert(!pthread_create(&thread, NULL, run, path));
  state = 1;
  for (time_t until = time(NULL) + (time_t)seconds; time(NULL) < until;) {
    int one = path_add_leg(path, 1), other = path_add_leg(path, 2);
    int tap = path_add_journal(path, 0, 1 << 16);
    for (int i = 0; i < 2; i++) {
      int number = i ? other : one;
      path_set_sessions(path, number, &session, &session);
      path_bind(path, number, &address[i]);
      path_send_to(path, number, &address[i]);
      path_connect(path, number, i ? one : other, tap);
    }
    for (int i = 0; i < 400; i++, sent++) {
      if (i % 20 == 19) usleep(200);
      size_t length = i % 10 ? 900 : 28 + next_random() % 1000;
      datagram[2] = i >> 8;
      datagram[3] = i;
      datagram[0] = i % 50 == 49 ? 0 : 0x80;
      sendto(browser[i & 1], datagram, length, 0, (struct sockaddr *)&ours[i / 2 % 2], sizeof ours[0]);
      while (recv(browser[0], received, sizeof received, 0) > 0) arrived++;
      while (recv(browser[1], received, sizeof received, 0) > 0) arrived++;
      if (i % 16 == 0) path_charge(path, one, 100, 0);
    }
    check_events(100);
    check_journal(tap);
    path_remove_leg(path, one);
    if (next_random() & 1) path_remove_journal(path, tap);
    path_remove_leg(path, other);
    path_remove_journal(path, tap);
  }
  assert(is_read(browser[0], &ours[0]) && is_read(browser[0], &ours[1]));
  path_stop(path);
  assert(!eventfd_write(stop, 1));
  assert(!pthread_join(thread, NULL));
  path_set_files(path, -1, -1, -1, -1, 0);
  struct path_totals totals;
  path_totals(path, &totals);
  printf("%lu sent, %lu arrived, %llu received, %llu not sent, %lu refused\n", sent, arrived,
         (unsigned long long)totals.received, (unsigned long long)totals.unsent, refused);
  assert(totals.received > 0 && arrived > 0 && totals.unsent == 0);
  assert(!is_refusing || refused > 0);
  path_free(path);
  close(udp[0]);
  close(udp[1]);
  close(browser[0]);
  close(browser[1]);
  close(wake);
  close(stop);
  close(epoll);
}

int main(int count, char **argument) {
  assert(count == 3);
  is_refusing = strcmp(argument[1], "refused") == 0;
  if (is_refusing || strcmp(argument[1], "threads") == 0) threads(atof(argument[2]));
  else fuzz(strtoul(argument[1], NULL, 10), strtoul(argument[2], NULL, 10));
  return 0;
}
#endif
