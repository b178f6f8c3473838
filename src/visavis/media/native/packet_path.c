#define _GNU_SOURCE
#include "packet_path.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum {
  SHORTEST = 12,            /* nothing that has a meaning is shorter */
  TRAILER = 16 + 128 + 4,   /* libsrtp's longest: tag, MKI, SRTCP index */
  SLOT = 1664,              /* MAX_PACKET and TRAILER, and a multiple of a cache line */
  BATCH_PACKETS = 256,      /* packets that are sent together, and for which the mutex is held */
  MESSAGES = 8,             /* datagrams, or trains of them, that are read and sent together */
  ROUNDS = 8,               /* after which a socket is read that had nothing more */
  MESSAGE_BYTES = 65536,    /* a train of datagrams by UDP_GRO */
  MESSAGE_STRIDE = MESSAGE_BYTES + 320, /* else all begin in the same lines of the cache */
  PRECEDENCE = 10,          /* of niceness, where that is allowed */
  MAX_SEGMENTS = 64,
  MAX_SEGMENTED = 65507,
  ADDRESS_SLOTS = 32768,
  MAX_ADDRESSES = 24576,
  NUMBERS = 4096,           /* a leg's number is its index, and so many times its generation */
  GENERATIONS = 1 << 18,
  LEAST_COST = 400,         /* a small packet takes as much time as a large one */
  CONTROL_COST = 4000,      /* STUN and DTLS take as much as ten packets */
  AUDIO_RATE = 48000,
  RECORD_HEADER = 14,
  RECORD_RTP = 1,
  RECORD_RTCP = 2,
  RECORD_NOTE = 3,
  FIRST_JOURNAL_BYTES = 16 * 1024,
  GATHER_FROM = 5000,       /* datagrams a second above which they are left to gather, */
  GATHER_FULLY = 9000,      /* and above which for the longest time */
  WINDOW_US = 10000,
};

struct journal {
  int number;
  int is_stopped;
  int64_t offset_us;
  size_t limit, length, room, last_length;
  uint64_t dropped, gaps;
  uint8_t *records;
};

enum destination { NOWHERE, BY_UDP, BY_PYTHON };

struct leg {
  int number, peer, journal, addresses;
  uint8_t journal_leg, is_unsegmented;
  enum destination destination;
  struct path_address address;
  void *incoming, *outgoing;
  double rate, burst, allowance, charged_at;
  uint8_t audio[16], watched[16];
  int sources, rtcp_sources, room;
  struct path_source *source;
  uint32_t rtcp_source[MAX_SOURCES];
  struct path_leg_totals totals;
};

struct binding {
  struct path_address address;
  int leg;
};

struct target { /* the packets of a batch for one leg */
  int leg, first, last, is_unsegmented;
  struct path_address address;
};

struct run { /* packets of one length, the last may be shorter, which are sent as one datagram */
  int target, first_iov, packets;
};

struct batch {
  int packets, targets, messages, iovs;
  uint32_t length[BATCH_PACKETS];
  int next[BATCH_PACKETS];
  struct target target[BATCH_PACKETS];
  int target_of[MAX_LEGS]; /* by the leg's index; holds if the target is that leg's */
  struct run run[BATCH_PACKETS];
  struct mmsghdr message[BATCH_PACKETS];
  struct iovec iov[BATCH_PACKETS];
  struct sockaddr_in6 name[BATCH_PACKETS];
  _Alignas(struct cmsghdr) uint8_t control[BATCH_PACKETS][CMSG_SPACE(sizeof(uint16_t))];
  _Alignas(64) uint8_t data[BATCH_PACKETS][SLOT];
};

struct reader {
  struct mmsghdr message[MESSAGES];
  struct iovec iov[MESSAGES];
  struct sockaddr_in6 from[MESSAGES];
  _Alignas(struct cmsghdr) uint8_t control[MESSAGES][CMSG_SPACE(sizeof(int))];
  uint8_t data[MESSAGES][MESSAGE_STRIDE];
};

struct path {
  pthread_mutex_t mutex;
  struct path_srtp srtp;
  uint64_t seed;
  unsigned longest_gather_us;
  struct leg *leg[MAX_LEGS];
  struct journal *journal[MAX_JOURNALS];
  int generation, addresses;
  struct binding *binding; /* open addressing by the address's hash */
  struct path_event *event;
  int first_event, events, stranger_events, lazy_events, is_woken;
  struct path_totals totals;
  int ipv4, ipv6, wake, stop, epoll, can_segment, is_running;
  atomic_int is_stopping;
  pthread_t thread;
  struct batch *batch;       /* the thread's */
  struct batch *other_batch; /* of packets that Python hands in */
  struct reader *reader;
};

static uint32_t get16(const uint8_t *at) { return (uint32_t)at[0] << 8 | at[1]; }
static uint32_t get32(const uint8_t *at) { return get16(at) << 16 | get16(at + 2); }

static void put32(uint8_t *at, uint32_t value) {
  for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static int has_bit(const uint8_t bits[16], unsigned bit) { return bits[bit / 8] >> (bit % 8) & 1; }

/* Legs and journals by their numbers */

static struct leg *leg_of(struct path *path, int number) {
  struct leg *leg = number < 0 ? NULL : path->leg[number % NUMBERS % MAX_LEGS];
  return leg && leg->number == number ? leg : NULL;
}

static struct journal *journal_of(struct path *path, int number) {
  struct journal *journal = number < 0 ? NULL : path->journal[number % NUMBERS % MAX_JOURNALS];
  return journal && journal->number == number ? journal : NULL;
}

static int new_number(struct path *path, int index) {
  path->generation = (path->generation + 1) % GENERATIONS;
  return path->generation * NUMBERS + index;
}

/* Remote addresses */

int path_address_of(struct path_address *address, const struct sockaddr *from, socklen_t length) {
  memset(address, 0, sizeof *address);
  if (length >= sizeof(struct sockaddr_in) && from->sa_family == AF_INET) {
    struct sockaddr_in ipv4;
    memcpy(&ipv4, from, sizeof ipv4);
    address->family = AF_INET;
    address->port = ipv4.sin_port;
    memcpy(address->host, &ipv4.sin_addr, 4);
    return 0;
  }
  if (length >= sizeof(struct sockaddr_in6) && from->sa_family == AF_INET6) {
    struct sockaddr_in6 ipv6;
    memcpy(&ipv6, from, sizeof ipv6);
    address->family = AF_INET6;
    address->port = ipv6.sin6_port;
    address->scope = ipv6.sin6_scope_id;
    memcpy(address->host, &ipv6.sin6_addr, 16);
    return 0;
  }
  return -1;
}

static socklen_t name_of(struct sockaddr_in6 *name, const struct path_address *address) {
  memset(name, 0, sizeof *name);
  if (address->family == AF_INET) {
    struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = address->port};
    memcpy(&ipv4.sin_addr, address->host, 4);
    memcpy(name, &ipv4, sizeof ipv4);
    return sizeof ipv4;
  }
  name->sin6_family = AF_INET6;
  name->sin6_port = address->port;
  name->sin6_scope_id = address->scope;
  memcpy(&name->sin6_addr, address->host, 16);
  return sizeof *name;
}

static uint32_t slot_of(const struct path *path, const struct path_address *address) {
  uint64_t hash = path->seed;
  for (size_t i = 0; i < sizeof *address / 4; i++) {
    uint32_t word;
    memcpy(&word, (const uint8_t *)address + 4 * i, 4);
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 29;
  }
  return (uint32_t)(hash >> 32) % ADDRESS_SLOTS;
}

/* The slot of the address, or the free one that it would have. */
static uint32_t find_slot(const struct path *path, const struct path_address *address) {
  uint32_t slot = slot_of(path, address);
  while (path->binding[slot].address.family &&
         memcmp(&path->binding[slot].address, address, sizeof *address) != 0)
    slot = (slot + 1) % ADDRESS_SLOTS;
  return slot;
}

static struct leg *leg_at(struct path *path, const struct path_address *address) {
  struct binding *found = &path->binding[find_slot(path, address)];
  return found->address.family ? leg_of(path, found->leg) : NULL;
}

static void free_slot(struct path *path, uint32_t slot) {
  struct leg *leg = leg_of(path, path->binding[slot].leg);
  if (leg) leg->addresses--;
  path->addresses--;
  path->binding[slot].address.family = 0;
  for (uint32_t next = (slot + 1) % ADDRESS_SLOTS; path->binding[next].address.family;
       next = (next + 1) % ADDRESS_SLOTS) {
    uint32_t home = slot_of(path, &path->binding[next].address);
    if ((next - home) % ADDRESS_SLOTS < (next - slot) % ADDRESS_SLOTS) continue;
    path->binding[slot] = path->binding[next];
    path->binding[next].address.family = 0;
    slot = next;
  }
}

/* Events */

static void wake_python(struct path *path) {
  uint64_t one = 1;
  if (path->wake < 0 || path->is_woken) return;
  path->is_woken = write(path->wake, &one, sizeof one) == sizeof one;
}

/* A place in the queue for an event, or NULL. */
static struct path_event *push_event(struct path *path, enum path_event_kind kind, int leg,
                                     const uint8_t *data, size_t length, double now,
                                     int64_t arrival_us) {
  int is_lazy = kind == EVENT_REPORT || kind == EVENT_WATCHED;
  int is_stranger = kind == EVENT_DATAGRAM && leg < 0;
  if (path->events == MAX_EVENTS || length > MAX_DATAGRAM ||
      (is_stranger && path->stranger_events == MAX_STRANGER_EVENTS) ||
      (is_lazy && path->lazy_events == MAX_LAZY_EVENTS)) {
    path->totals.events_dropped++;
    return NULL;
  }
  struct path_event *event = &path->event[(path->first_event + path->events++) % MAX_EVENTS];
  path->stranger_events += is_stranger;
  path->lazy_events += is_lazy;
  event->kind = kind;
  event->leg = leg;
  event->now = now;
  event->arrival_us = arrival_us;
  event->length = (uint32_t)length;
  memcpy(event->data, data, length);
  if (!is_lazy || path->lazy_events >= MAX_LAZY_EVENTS / 4) wake_python(path);
  return event;
}

int path_next_event(struct path *path, struct path_event *event) {
  pthread_mutex_lock(&path->mutex);
  int found = path->events > 0;
  if (found) {
    struct path_event *first = &path->event[path->first_event];
    memcpy(event, first, offsetof(struct path_event, data) + first->length);
    path->first_event = (path->first_event + 1) % MAX_EVENTS;
    path->events--;
    path->stranger_events -= first->kind == EVENT_DATAGRAM && first->leg < 0;
    path->lazy_events -= first->kind == EVENT_REPORT || first->kind == EVENT_WATCHED;
  } else if (path->is_woken) {
    uint64_t count;
    path->is_woken = 0;
    if (read(path->wake, &count, sizeof count) < 0) count = 0; /* somebody else has read it */
  }
  pthread_mutex_unlock(&path->mutex);
  return found;
}

/* Journals */

static void write_record(struct journal *journal, int64_t time_us, uint8_t kind, uint8_t leg,
                         const uint8_t *payload, size_t length) {
  uint8_t *at = journal->records + journal->length;
  put32(at, (uint32_t)((uint64_t)time_us >> 32));
  put32(at + 4, (uint32_t)time_us);
  at[8] = kind;
  at[9] = leg;
  put32(at + 10, (uint32_t)length);
  if (length) memcpy(at + RECORD_HEADER, payload, length);
  journal->length += RECORD_HEADER + length;
}

/* Whether there is, now, room for so many bytes. */
static int make_room(struct journal *journal, size_t bytes) {
  size_t wanted = journal->length + bytes;
  if (wanted > journal->limit) return 0;
  if (wanted <= journal->room) return 1;
  size_t room = journal->room ? journal->room : FIRST_JOURNAL_BYTES;
  if (room < journal->last_length) room = journal->last_length;
  while (room < wanted) room *= 2;
  uint8_t *larger = realloc(journal->records, room);
  if (!larger) return 0;
  journal->records = larger;
  journal->room = room;
  return 1;
}

static int append_record(struct journal *journal, int64_t arrival_us, uint8_t kind, uint8_t leg,
                         const uint8_t *payload, size_t length) {
  char note[64];
  size_t note_length = 0;
  if (journal->dropped) {
    int written = snprintf(note, sizeof note, "{\"type\":\"gap\",\"records\":%llu}",
                           (unsigned long long)journal->dropped);
    note_length = (size_t)written + RECORD_HEADER;
  }
  if (!make_room(journal, note_length + RECORD_HEADER + length)) {
    journal->dropped++;
    return 0;
  }
  int64_t time_us = (int64_t)((uint64_t)arrival_us + (uint64_t)journal->offset_us);
  if (note_length) {
    write_record(journal, time_us, RECORD_NOTE, 0, (uint8_t *)note, note_length - RECORD_HEADER);
    journal->dropped = 0;
    journal->gaps++;
  }
  write_record(journal, time_us, kind, leg, payload, length);
  return 1;
}

static void record_packet(struct path *path, struct leg *leg, uint8_t kind, const uint8_t *packet,
                          size_t length, int64_t arrival_us) {
  struct journal *journal = journal_of(path, leg->journal);
  if (journal && !journal->is_stopped)
    append_record(journal, arrival_us, kind, leg->journal_leg, packet, length);
}

/* Batches of packets that are to be sent */

static int target_for(struct batch *batch, const struct leg *leg) {
  int index = leg->number % NUMBERS, found = batch->target_of[index];
  if (found < batch->targets && batch->target[found].leg == leg->number) return found;
  found = batch->targets++;
  batch->target[found] = (struct target){
      .leg = leg->number, .first = -1, .is_unsegmented = leg->is_unsegmented, .address = leg->address};
  return batch->target_of[index] = found;
}

/* The packet in the batch's next slot is the leg's. */
static void add_packet(struct batch *batch, const struct leg *leg, size_t length) {
  struct target *target = &batch->target[target_for(batch, leg)];
  int packet = batch->packets++;
  batch->length[packet] = (uint32_t)length;
  batch->next[packet] = -1;
  if (target->first < 0) target->first = packet;
  else batch->next[target->last] = packet;
  target->last = packet;
}

static void add_message(struct batch *batch, int target, int first_iov) {
  int number = batch->messages++, packets = batch->iovs - first_iov;
  struct msghdr *header = &batch->message[number].msg_hdr;
  *header = (struct msghdr){.msg_name = &batch->name[number],
                            .msg_namelen = name_of(&batch->name[number], &batch->target[target].address),
                            .msg_iov = &batch->iov[first_iov],
                            .msg_iovlen = (size_t)packets};
  batch->run[number] = (struct run){target, first_iov, packets};
  if (packets == 1) return;
  uint16_t size = (uint16_t)batch->iov[first_iov].iov_len;
  header->msg_control = batch->control[number];
  header->msg_controllen = sizeof batch->control[number];
  memset(batch->control[number], 0, sizeof batch->control[number]);
  struct cmsghdr *control = CMSG_FIRSTHDR(header);
  control->cmsg_level = IPPROTO_UDP;
  control->cmsg_type = UDP_SEGMENT;
  control->cmsg_len = CMSG_LEN(sizeof size);
  memcpy(CMSG_DATA(control), &size, sizeof size);
}

/* Cut the packets for one target into runs of one length. */
static void add_runs(struct path *path, struct batch *batch, int number) {
  struct target *target = &batch->target[number];
  int can_segment = path->can_segment && !target->is_unsegmented;
  int first = batch->iovs;
  size_t size = 0, bytes = 0;
  for (int packet = target->first; packet >= 0; packet = batch->next[packet]) {
    size_t length = batch->length[packet];
    int is_run = batch->iovs > first;
    if (is_run && (!can_segment || length > size || batch->iov[batch->iovs - 1].iov_len < size ||
                   bytes + length > MAX_SEGMENTED || batch->iovs - first == MAX_SEGMENTS)) {
      add_message(batch, number, first);
      first = batch->iovs;
      is_run = 0;
    }
    if (!is_run) size = length, bytes = 0;
    bytes += length;
    batch->iov[batch->iovs++] = (struct iovec){batch->data[packet], length};
  }
  if (batch->iovs > first) add_message(batch, number, first);
}

static void refuse_segments(struct path *path, int number) {
  pthread_mutex_lock(&path->mutex);
  struct leg *leg = leg_of(path, number);
  if (leg) leg->is_unsegmented = 1;
  pthread_mutex_unlock(&path->mutex);
}

/* Send a run's packets by themselves: how many were sent. */
static int send_singly(int udp, struct batch *batch, int number) {
  struct msghdr header = batch->message[number].msg_hdr;
  int sent = 0;
  header.msg_control = NULL;
  header.msg_controllen = 0;
  header.msg_iovlen = 1;
  for (int i = 0; i < batch->run[number].packets; i++, header.msg_iov++)
    sent += sendmsg(udp, &header, MSG_DONTWAIT) >= 0;
  return sent;
}

/* What cannot be sent is lost: a full buffer or a missing route is packet loss to the browsers. */
static void send_messages(struct path *path, struct batch *batch, int udp, uint64_t *sent,
                          uint64_t *unsent) {
  for (int at = 0; at < batch->messages;) {
    int count = sendmmsg(udp, &batch->message[at], (unsigned)(batch->messages - at), MSG_DONTWAIT);
    if (count > 0) {
      for (; count > 0; count--) *sent += (uint64_t)batch->run[at++].packets;
      continue;
    }
    if (count < 0 && errno == EINTR) continue;
    struct run *run = &batch->run[at];
    int done = 0;
    if (run->packets > 1 && (errno == EINVAL || errno == EIO || errno == EMSGSIZE)) {
      refuse_segments(path, batch->target[run->target].leg); /* by the device */
      done = send_singly(udp, batch, at);
    }
    *sent += (uint64_t)done;
    *unsent += (uint64_t)(run->packets - done);
    at++;
  }
}

/* Send a batch and empty it; not to be called with the mutex held. */
static void flush(struct path *path, struct batch *batch) {
  if (!batch->packets) return;
  uint64_t sent = 0, unsent = 0;
  const int families[] = {AF_INET, AF_INET6}, sockets[] = {path->ipv4, path->ipv6};
  for (int i = 0; i < 2; i++) {
    batch->messages = batch->iovs = 0;
    for (int target = 0; target < batch->targets; target++)
      if (batch->target[target].address.family == (uint32_t)families[i])
        add_runs(path, batch, target);
    send_messages(path, batch, sockets[i], &sent, &unsent);
  }
  batch->packets = batch->targets = 0;
  pthread_mutex_lock(&path->mutex);
  path->totals.sent += sent;
  path->totals.unsent += unsent;
  pthread_mutex_unlock(&path->mutex);
}

/* Legs' packets; all with the mutex held */

/* Protect the packet in the batch's next slot and put it with those that are sent to the leg. */
static int send_packet(struct path *path, struct batch *batch, struct leg *leg, size_t length,
                       int is_rtcp, double now, int64_t arrival_us) {
  uint8_t *packet = batch->data[batch->packets];
  int protected_length = (int)length;
  if (!leg->outgoing || leg->destination == NOWHERE) return 0;
  if ((is_rtcp ? path->srtp.protect_rtcp : path->srtp.protect)(leg->outgoing, packet,
                                                               &protected_length))
    return 0;
  if (protected_length <= 0 || protected_length > SLOT) return 0;
  leg->totals.packets_out++;
  leg->totals.bytes_out += length;
  if (leg->destination == BY_UDP) add_packet(batch, leg, (size_t)protected_length);
  else
    push_event(path, EVENT_OUTGOING, leg->number, packet, (size_t)protected_length, now, arrival_us);
  return 1;
}

static int charge(struct leg *leg, size_t bytes, double now) {
  double cost = bytes < LEAST_COST ? LEAST_COST : (double)bytes;
  double allowance = leg->allowance + (now - leg->charged_at) * leg->rate;
  leg->charged_at = now;
  if (!(allowance < leg->burst)) allowance = leg->burst;
  if (allowance < cost) {
    leg->allowance = allowance;
    leg->totals.dropped++;
    return 0;
  }
  leg->allowance = allowance - cost;
  return 1;
}

static struct path_source *source_of(struct leg *leg, uint32_t ssrc) {
  for (int i = 0; i < leg->sources; i++)
    if (leg->source[i].ssrc == ssrc) return &leg->source[i];
  return NULL;
}

static int is_rtcp_source(const struct leg *leg, uint32_t ssrc) {
  for (int i = 0; i < leg->rtcp_sources; i++)
    if (leg->rtcp_source[i] == ssrc) return 1;
  return 0;
}

/* libsrtp keeps something of every source there ever was. */
static int admits_source(struct leg *leg, uint32_t ssrc) {
  return source_of(leg, ssrc) || is_rtcp_source(leg, ssrc) ||
         leg->sources + leg->rtcp_sources < MAX_SOURCES;
}

static struct path_source *add_source(struct leg *leg, const uint8_t *packet) {
  if (leg->sources == leg->room) {
    int room = leg->room ? 2 * leg->room : 4;
    struct path_source *larger = realloc(leg->source, (size_t)room * sizeof *larger);
    if (!larger) return NULL;
    leg->source = larger;
    leg->room = room;
  }
  uint8_t type = packet[1] & 0x7F;
  struct path_source *source = &leg->source[leg->sources++];
  *source = (struct path_source){.ssrc = get32(packet + 8),
                                 .payload_type = type,
                                 .is_audio = (uint8_t)has_bit(leg->audio, type),
                                 .is_watched = (uint8_t)has_bit(leg->watched, type),
                                 .is_alert = 1,
                                 .highest = (int64_t)get16(packet + 2) - 1};
  return source;
}

/* RFC 3550 Appendix A.8 */
static void see_transit(struct path_source *source, const uint8_t *packet, int64_t arrival_us) {
  uint64_t ticks = (uint64_t)arrival_us / 1000000 * AUDIO_RATE +
                   (uint64_t)arrival_us % 1000000 * AUDIO_RATE / 1000000;
  uint32_t transit = (uint32_t)ticks - get32(packet + 4);
  if (source->has_transit) {
    uint32_t difference = transit - source->transit;
    if (difference > 0x80000000u) difference = 0u - difference;
    source->jitter += ((double)difference - source->jitter) / 16;
  }
  source->transit = transit;
  source->has_transit = 1;
}

static void count_rtp(struct path *path, struct leg *leg, const uint8_t *packet, size_t length,
                      double now, int64_t arrival_us) {
  struct path_source *source = source_of(leg, get32(packet + 8));
  if (!source && !(source = add_source(leg, packet))) return;
  uint32_t step = (get16(packet + 2) - (uint32_t)source->highest) & 0xFFFF;
  if (source->is_watched && (step != 1 || source->is_alert)) {
    source->is_alert = 1; /* until Python has looked */
    struct path_event *event =
        push_event(path, EVENT_WATCHED, leg->number, packet, length, now, arrival_us);
    if (event) event->highest = source->highest, event->step = step;
  }
  if (step < 0x8000) {
    source->highest += step;
    source->expected += step;
  }
  source->received++;
  source->octets += length;
  if (source->is_audio) see_transit(source, packet, arrival_us);
}

/* Whether a compound packet has reports or time stamps, which Python reads. */
static int has_reports(const uint8_t *packet, size_t length) {
  for (size_t at = 0; at + 4 <= length; at += 4 * (size_t)(get16(packet + at + 2) + 1)) {
    uint8_t type = packet[at + 1];
    if (packet[at] >> 6 != 2) return 0;
    if (type == 200 || type == 201 || type == 207) return 1;
  }
  return 0;
}

static void count_rtcp(struct path *path, struct leg *leg, const uint8_t *packet, size_t length,
                       double now, int64_t arrival_us) {
  uint32_t ssrc = get32(packet + 4);
  if (!source_of(leg, ssrc) && !is_rtcp_source(leg, ssrc) && leg->rtcp_sources < MAX_SOURCES)
    leg->rtcp_source[leg->rtcp_sources++] = ssrc;
  if (has_reports(packet, length))
    push_event(path, EVENT_REPORT, leg->number, packet, length, now, arrival_us);
}

static int is_rtcp_type(uint8_t type) { return type >= 192 && type <= 223; } /* RFC 5761 4 */

/* One datagram of media: the whole way from unprotecting it to the batch that it leaves with. */
static void relay(struct path *path, struct batch *batch, struct leg *leg, const uint8_t *datagram,
                  size_t length, double now, int64_t arrival_us) {
  if (length < SHORTEST || length > MAX_PACKET || !charge(leg, length, now)) return;
  int is_rtcp = is_rtcp_type(datagram[1]), size = (int)length;
  if (!leg->incoming || !admits_source(leg, get32(datagram + (is_rtcp ? 4 : 8)))) return;
  uint8_t *packet = batch->data[batch->packets];
  memcpy(packet, datagram, length);
  if ((is_rtcp ? path->srtp.unprotect_rtcp : path->srtp.unprotect)(leg->incoming, packet, &size))
    return;
  if (size < (is_rtcp ? 8 : SHORTEST) || size > MAX_PACKET) return;
  length = (size_t)size;
  leg->totals.packets_in++;
  leg->totals.bytes_in += length;
  if (is_rtcp) count_rtcp(path, leg, packet, length, now, arrival_us);
  else count_rtp(path, leg, packet, length, now, arrival_us);
  if (leg->journal >= 0)
    record_packet(path, leg, is_rtcp ? RECORD_RTCP : RECORD_RTP, packet, length, arrival_us);
  struct leg *peer = leg_of(path, leg->peer);
  if (peer) send_packet(path, batch, peer, length, is_rtcp, now, arrival_us);
}

/* One datagram of any kind, told apart by its first byte (RFC 7983). */
static void receive(struct path *path, struct batch *batch, const struct path_address *address,
                    const uint8_t *datagram, size_t length, double now, int64_t arrival_us) {
  path->totals.received++;
  if (length < SHORTEST) return;
  uint8_t first = datagram[0];
  struct leg *leg = leg_at(path, address);
  struct path_event *event = NULL;
  if (!leg) { /* of a stranger only a check can have a meaning */
    if (first < 4) event = push_event(path, EVENT_DATAGRAM, -1, datagram, length, now, arrival_us);
  } else if (first >= 128 && first < 192) {
    relay(path, batch, leg, datagram, length, now, arrival_us);
  } else if (first < 64 && charge(leg, CONTROL_COST, now)) {
    event = push_event(path, EVENT_DATAGRAM, leg->number, datagram, length, now, arrival_us);
  }
  if (event) event->address = *address;
}

/* The thread */

static int64_t now_us(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static size_t segment_of(struct msghdr *header, size_t length) {
  for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control;
       control = CMSG_NXTHDR(header, control)) {
    int size;
    if (control->cmsg_level != IPPROTO_UDP || control->cmsg_type != UDP_GRO) continue;
    memcpy(&size, CMSG_DATA(control), sizeof size);
    if (size > 0) return (size_t)size;
  }
  return length ? length : 1;
}

/* Deal with one message that was read, a datagram or a train of them; the number of them. */
static unsigned receive_message(struct path *path, int number, int64_t arrival_us) {
  struct mmsghdr *message = &path->reader->message[number];
  struct path_address address;
  size_t length = message->msg_len, segment = segment_of(&message->msg_hdr, length);
  unsigned count = 0;
  if (message->msg_hdr.msg_flags & MSG_TRUNC ||
      path_address_of(&address, (struct sockaddr *)&path->reader->from[number],
                      message->msg_hdr.msg_namelen))
    return 1;
  for (size_t at = 0; at < length; at += segment, count++) {
    if (path->batch->packets == BATCH_PACKETS) {
      pthread_mutex_unlock(&path->mutex);
      flush(path, path->batch);
      pthread_mutex_lock(&path->mutex);
    }
    size_t rest = length - at;
    receive(path, path->batch, &address, path->reader->data[number] + at,
            rest < segment ? rest : segment, (double)arrival_us / 1e6, arrival_us);
  }
  return count;
}

/* Read what waits at a socket, at most MESSAGES; how many were read, and of how many datagrams. */
static int read_socket(struct path *path, int udp, unsigned *datagrams) {
  struct reader *reader = path->reader;
  for (int i = 0; i < MESSAGES; i++) {
    struct msghdr *header = &reader->message[i].msg_hdr;
    header->msg_namelen = sizeof reader->from[i];
    header->msg_controllen = sizeof reader->control[i];
  }
  int count = udp < 0 ? -1 : recvmmsg(udp, reader->message, MESSAGES, MSG_DONTWAIT, NULL);
  if (count <= 0) return 0;
  int64_t arrival_us = now_us();
  pthread_mutex_lock(&path->mutex);
  for (int i = 0; i < count; i++) *datagrams += receive_message(path, i, arrival_us);
  pthread_mutex_unlock(&path->mutex);
  flush(path, path->batch);
  return count;
}

/* A pause saves wake-ups, which cost the most while there are many, and nothing while few. */
unsigned path_gather_us(double datagrams_per_second, unsigned longest) {
  if (!(datagrams_per_second > GATHER_FROM)) return 0;
  if (datagrams_per_second >= GATHER_FULLY) return longest;
  double part = (datagrams_per_second - GATHER_FROM) / (GATHER_FULLY - GATHER_FROM);
  return (unsigned)(part * longest);
}

struct pace {
  int64_t began_us;
  unsigned datagrams, gather_us;
  uint64_t wake_ups;
  double rate;
};

/* Count what has arrived; the pause follows the rate of the last tenths of a second. */
static void keep_pace(struct path *path, struct pace *pace, unsigned datagrams) {
  int64_t now = now_us(), took = now - pace->began_us;
  pace->datagrams += datagrams;
  if (took < WINDOW_US) return;
  double weight = took >= 10 * WINDOW_US ? 1.0 : 0.1 * (double)took / WINDOW_US;
  pace->rate += (pace->datagrams * 1e6 / (double)took - pace->rate) * weight;
  pace->gather_us = path_gather_us(pace->rate, path->longest_gather_us);
  pace->began_us = now;
  pace->datagrams = 0;
  pthread_mutex_lock(&path->mutex);
  path->totals.datagrams_per_second = pace->rate;
  path->totals.gather_us = pace->gather_us;
  path->totals.wake_ups = pace->wake_ups;
  pthread_mutex_unlock(&path->mutex);
}

/* Go before Python's thread, which would hold packets up for as long as it computes. */
static void take_precedence(void) {
  struct sched_param parameters;
  int policy = sched_getscheduler(0); /* of this thread, as all three; glibc's may be out of date */
  if (policy < 0 || sched_getparam(0, &parameters)) return;
  parameters.sched_priority++;
  if (policy == SCHED_RR || policy == SCHED_FIFO)
    (void)sched_setscheduler(0, policy, &parameters);
  else
    (void)setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) - PRECEDENCE); /* the thread's */
}

/* Wait for datagrams if there were none or they come seldom, and let them gather. */
static void wait_for_datagrams(struct path *path, struct pace *pace, int is_idle) {
  struct epoll_event ready[3];
  struct timespec pause = {0, (long)pace->gather_us * 1000};
  if (is_idle || !pace->gather_us) {
    epoll_wait(path->epoll, ready, 3, -1);
    pace->wake_ups++;
  }
  if (pace->gather_us) nanosleep(&pause, NULL);
}

static void *run(void *argument) {
  struct path *path = argument;
  struct pace pace = {.began_us = now_us()};
  const int sockets[] = {path->ipv4, path->ipv6};
  int is_idle = 1, is_full[] = {0, 0}; /* more waits at a socket that brought all that was wanted */
  unsigned rounds = 0;
  prctl(PR_SET_NAME, "packet path");
  prctl(PR_SET_TIMERSLACK, 1000); /* ns: the default of 50 us is as long as the pauses */
  take_precedence();
  while (!atomic_load(&path->is_stopping)) {
    int is_drained = !is_full[0] && !is_full[1];
    int is_both = is_drained || ++rounds % ROUNDS == 0; /* else one that floods is read alone */
    unsigned datagrams = 0;
    if (is_drained) wait_for_datagrams(path, &pace, is_idle);
    for (int i = 0; i < 2; i++)
      if (is_both || is_full[i])
        is_full[i] = read_socket(path, sockets[i], &datagrams) == MESSAGES;
    is_idle = datagrams == 0;
    keep_pace(path, &pace, datagrams);
  }
  return NULL;
}

static void prepare_reader(struct reader *reader) {
  for (int i = 0; i < MESSAGES; i++) {
    reader->iov[i] = (struct iovec){reader->data[i], MESSAGE_BYTES};
    reader->message[i].msg_hdr = (struct msghdr){.msg_name = &reader->from[i],
                                                 .msg_iov = &reader->iov[i],
                                                 .msg_iovlen = 1,
                                                 .msg_control = reader->control[i]};
  }
}

static int watch(struct path *path, int file) {
  struct epoll_event event = {.events = EPOLLIN};
  return file < 0 ? 0 : epoll_ctl(path->epoll, EPOLL_CTL_ADD, file, &event);
}

/* Have the kernel join datagrams of one sender, if it can. */
static void prepare_socket(struct path *path, int udp) {
  int on = 1, size = 0;
  socklen_t length = sizeof size;
  if (udp < 0) return;
  (void)setsockopt(udp, IPPROTO_UDP, UDP_GRO, &on, sizeof on);
  if (getsockopt(udp, IPPROTO_UDP, UDP_SEGMENT, &size, &length)) path->can_segment = 0;
}

static void close_files(struct path *path) {
  if (path->epoll >= 0) close(path->epoll);
  if (path->stop >= 0) close(path->stop);
  path->epoll = path->stop = -1;
}

int path_start(struct path *path, int ipv4, int ipv6, int wake) {
  if (path->is_running) return errno = EBUSY, -1;
  path->ipv4 = ipv4;
  path->ipv6 = ipv6;
  path->wake = wake;
  path->can_segment = 1;
  prepare_socket(path, ipv4);
  prepare_socket(path, ipv6);
  prepare_reader(path->reader);
  atomic_store(&path->is_stopping, 0);
  path->epoll = epoll_create1(EPOLL_CLOEXEC);
  path->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  sigset_t all, before;
  sigfillset(&all);
  if (path->epoll < 0 || path->stop < 0 || watch(path, path->stop) || watch(path, ipv4) ||
      watch(path, ipv6))
    return close_files(path), -1;
  pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are Python's */
  int failed = pthread_create(&path->thread, NULL, run, path);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (failed) return close_files(path), errno = failed, -1;
  path->is_running = 1;
  return 0;
}

void path_stop(struct path *path) {
  uint64_t one = 1;
  if (!path->is_running) return;
  atomic_store(&path->is_stopping, 1);
  if (write(path->stop, &one, sizeof one) < 0) abort(); /* an eventfd of ours, never full */
  pthread_join(path->thread, NULL);
  path->is_running = 0;
  path->ipv4 = path->ipv6 = path->wake = -1;
  close_files(path);
}

/* Commands */

struct path *path_new(const struct path_srtp *srtp, uint64_t seed, unsigned gather_us) {
  struct path *path = calloc(1, sizeof *path);
  if (!path) return NULL;
  pthread_mutex_init(&path->mutex, NULL);
  path->srtp = *srtp;
  path->seed = seed;
  path->longest_gather_us = gather_us < MAX_GATHER_US ? gather_us : MAX_GATHER_US;
  path->ipv4 = path->ipv6 = path->wake = path->epoll = path->stop = -1;
  path->binding = calloc(ADDRESS_SLOTS, sizeof *path->binding);
  path->event = calloc(MAX_EVENTS, sizeof *path->event);
  path->batch = aligned_alloc(64, (sizeof *path->batch + 63) / 64 * 64);
  path->other_batch = aligned_alloc(64, (sizeof *path->other_batch + 63) / 64 * 64);
  path->reader = calloc(1, sizeof *path->reader);
  if (!path->binding || !path->event || !path->batch || !path->other_batch || !path->reader)
    return path_free(path), NULL;
  memset(path->batch, 0, sizeof *path->batch);
  memset(path->other_batch, 0, sizeof *path->other_batch);
  return path;
}

static void free_leg(struct leg *leg) {
  free(leg->source);
  free(leg);
}

static void free_journal(struct journal *journal) {
  free(journal->records);
  free(journal);
}

void path_free(struct path *path) {
  path_stop(path);
  for (int i = 0; i < MAX_LEGS; i++)
    if (path->leg[i]) free_leg(path->leg[i]);
  for (int i = 0; i < MAX_JOURNALS; i++)
    if (path->journal[i]) free_journal(path->journal[i]);
  free(path->binding);
  free(path->event);
  free(path->batch);
  free(path->other_batch);
  free(path->reader);
  pthread_mutex_destroy(&path->mutex);
  free(path);
}

/* The leg with the mutex held, or NULL without it. */
static struct leg *lock_leg(struct path *path, int number) {
  pthread_mutex_lock(&path->mutex);
  struct leg *leg = leg_of(path, number);
  if (!leg) pthread_mutex_unlock(&path->mutex);
  return leg;
}

static struct journal *lock_journal(struct path *path, int number) {
  pthread_mutex_lock(&path->mutex);
  struct journal *journal = journal_of(path, number);
  if (!journal) pthread_mutex_unlock(&path->mutex);
  return journal;
}

static int unlock(struct path *path) { return pthread_mutex_unlock(&path->mutex); }

int path_add_leg(struct path *path, uint8_t journal_leg) {
  struct leg *leg = calloc(1, sizeof *leg);
  int index = 0, number = -1;
  if (!leg) return -1;
  pthread_mutex_lock(&path->mutex);
  while (index < MAX_LEGS && path->leg[index]) index++;
  if (index < MAX_LEGS) {
    number = leg->number = new_number(path, index);
    leg->peer = leg->journal = -1;
    leg->journal_leg = journal_leg;
    leg->burst = leg->allowance = __builtin_inf();
    path->leg[index] = leg;
  }
  unlock(path);
  if (number < 0) free(leg);
  return number;
}

int path_remove_leg(struct path *path, int number) {
  struct leg *leg = lock_leg(path, number);
  if (!leg) return -1;
  for (uint32_t slot = 0; leg->addresses; slot = (slot + 1) % ADDRESS_SLOTS)
    while (path->binding[slot].address.family && path->binding[slot].leg == number)
      free_slot(path, slot); /* another address may have moved to the slot */
  path->leg[number % NUMBERS] = NULL;
  unlock(path);
  free_leg(leg);
  return 0;
}

int path_set_sessions(struct path *path, int number, void *incoming, void *outgoing) {
  struct leg *leg = lock_leg(path, number);
  if (!leg) return -1;
  leg->incoming = incoming;
  leg->outgoing = outgoing;
  return unlock(path);
}

int path_limit_rate(struct path *path, int number, double rate, double burst, double now) {
  struct leg *leg = lock_leg(path, number);
  if (!leg) return -1;
  int is_limited = rate < 1e15; /* also not if it is not a number */
  leg->rate = is_limited ? rate : 0;
  leg->burst = leg->allowance = is_limited ? burst : __builtin_inf();
  leg->charged_at = now;
  return unlock(path);
}

int path_set_types(struct path *path, int number, const uint8_t audio[16],
                   const uint8_t watched[16]) {
  struct leg *leg = lock_leg(path, number);
  if (!leg) return -1;
  memcpy(leg->audio, audio, 16);
  memcpy(leg->watched, watched, 16);
  for (int i = 0; i < leg->sources; i++) {
    struct path_source *source = &leg->source[i];
    source->is_audio = (uint8_t)has_bit(audio, source->payload_type);
    source->is_watched = (uint8_t)has_bit(watched, source->payload_type);
    source->is_alert = 1;
  }
  return unlock(path);
}

int path_bind(struct path *path, int number, const struct path_address *address) {
  struct leg *leg = address->family ? lock_leg(path, number) : NULL;
  if (!leg) return -1;
  struct binding *binding = &path->binding[find_slot(path, address)];
  int is_new = binding->address.family == 0;
  if (is_new && path->addresses == MAX_ADDRESSES) return unlock(path), -1;
  struct leg *owner = is_new ? NULL : leg_of(path, binding->leg);
  if (owner) owner->addresses--;
  leg->addresses++;
  path->addresses += is_new;
  *binding = (struct binding){*address, number};
  return unlock(path);
}

void path_unbind(struct path *path, const struct path_address *address) {
  pthread_mutex_lock(&path->mutex);
  uint32_t slot = find_slot(path, address);
  if (path->binding[slot].address.family) free_slot(path, slot);
  unlock(path);
}

int path_send_to(struct path *path, int number, const struct path_address *address) {
  struct leg *leg = lock_leg(path, number);
  if (!leg) return -1;
  leg->destination = !address ? NOWHERE : address->family ? BY_UDP : BY_PYTHON;
  leg->is_unsegmented = 0;
  if (address) leg->address = *address;
  return unlock(path);
}

int path_connect(struct path *path, int number, int peer, int journal) {
  struct leg *leg = lock_leg(path, number);
  if (!leg) return -1;
  leg->peer = peer;
  leg->journal = journal;
  return unlock(path);
}

int path_receive(struct path *path, int number, const uint8_t *datagram, size_t length, double now,
                 int64_t arrival_us) {
  struct leg *leg = lock_leg(path, number);
  if (!leg) return -1;
  relay(path, path->other_batch, leg, datagram, length, now, arrival_us);
  unlock(path);
  flush(path, path->other_batch);
  return 0;
}

void path_receive_from(struct path *path, const struct path_address *address,
                       const uint8_t *datagram, size_t length, double now, int64_t arrival_us) {
  pthread_mutex_lock(&path->mutex);
  receive(path, path->other_batch, address, datagram, length, now, arrival_us);
  unlock(path);
  flush(path, path->other_batch);
}

int path_send_rtcp(struct path *path, int number, const uint8_t *packet, size_t length) {
  struct leg *leg = length >= 8 && length <= MAX_PACKET ? lock_leg(path, number) : NULL;
  if (!leg) return -1;
  memcpy(path->other_batch->data[0], packet, length);
  int is_sent = send_packet(path, path->other_batch, leg, length, 1, 0, 0);
  unlock(path);
  flush(path, path->other_batch);
  return is_sent ? 0 : -1;
}

int path_charge(struct path *path, int number, size_t bytes, double now) {
  struct leg *leg = lock_leg(path, number);
  int is_admitted = leg && charge(leg, bytes, now);
  if (leg) unlock(path);
  return is_admitted;
}

int path_leg_totals(struct path *path, int number, struct path_leg_totals *totals) {
  struct leg *leg = lock_leg(path, number);
  if (!leg) return -1;
  *totals = leg->totals;
  return unlock(path);
}

int path_sources(struct path *path, int number, struct path_source sources[MAX_SOURCES]) {
  struct leg *leg = lock_leg(path, number);
  if (!leg) return 0;
  int count = leg->sources;
  if (count) memcpy(sources, leg->source, (size_t)count * sizeof *sources);
  unlock(path);
  return count;
}

int path_alert(struct path *path, int number) {
  struct leg *leg = lock_leg(path, number);
  if (!leg) return -1;
  for (int i = 0; i < leg->sources; i++) leg->source[i].is_alert = 1;
  return unlock(path);
}

int path_calm(struct path *path, int number, uint32_t ssrc) {
  struct leg *leg = lock_leg(path, number);
  if (!leg) return -1;
  struct path_source *source = source_of(leg, ssrc);
  if (source && !path->lazy_events) source->is_alert = 0;
  return unlock(path);
}

int path_add_journal(struct path *path, int64_t offset_us, size_t limit) {
  struct journal *journal = calloc(1, sizeof *journal);
  int index = 0, number = -1;
  if (!journal) return -1;
  pthread_mutex_lock(&path->mutex);
  while (index < MAX_JOURNALS && path->journal[index]) index++;
  if (index < MAX_JOURNALS) {
    number = journal->number = new_number(path, index);
    journal->offset_us = offset_us;
    journal->limit = limit;
    path->journal[index] = journal;
  }
  unlock(path);
  if (number < 0) free(journal);
  return number;
}

int path_remove_journal(struct path *path, int number) {
  struct journal *journal = lock_journal(path, number);
  if (!journal) return -1;
  path->journal[number % NUMBERS] = NULL;
  unlock(path);
  free_journal(journal);
  return 0;
}

int path_stop_journal(struct path *path, int number) {
  struct journal *journal = lock_journal(path, number);
  if (!journal) return -1;
  journal->is_stopped = 1;
  return unlock(path);
}

size_t path_append(struct path *path, int number, int64_t arrival_us, uint8_t kind, uint8_t leg,
                   const uint8_t *payload, size_t length) {
  struct journal *journal = length <= UINT32_MAX / 2 ? lock_journal(path, number) : NULL;
  if (!journal) return 0;
  int is_appended = append_record(journal, arrival_us, kind, leg, payload, length);
  size_t waiting = is_appended ? journal->length : 0;
  unlock(path);
  return waiting;
}

int path_take(struct path *path, int number, struct path_journal_body *body) {
  struct journal *journal = lock_journal(path, number);
  if (!journal) return -1;
  *body = (struct path_journal_body){journal->records, journal->length, journal->gaps};
  journal->last_length = journal->length;
  journal->records = NULL;
  journal->length = journal->room = 0;
  journal->gaps = 0;
  return unlock(path);
}

void path_totals(struct path *path, struct path_totals *totals) {
  pthread_mutex_lock(&path->mutex);
  *totals = path->totals;
  unlock(path);
}
