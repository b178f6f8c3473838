#define _GNU_SOURCE
#include "packet_path.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef HEADER_CRC32
#define HEADER_CRC32 0
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum {
  MIN_DATAGRAM = 12,      /* a shorter one is neither STUN, DTLS, RTP nor RTCP */
  MIN_RTCP = 8,
  TRAILER = 16 + 128 + 4, /* most bytes that libsrtp adds: tag, MKI, SRTCP index */
  SLOT = 1664,            /* MAX_PACKET and TRAILER, rounded up to whole cache lines */
  BATCH_PACKETS = 256,    /* packets that are sent together; the mutex is held for so many */
  MESSAGES = 8,           /* messages that are read together; each may have several datagrams */
  ROUNDS = 8,             /* a socket without a backlog is read at least once in so many rounds */
  MESSAGE_BYTES = 65536,  /* longest message with UDP_GRO */
  MESSAGE_STRIDE = MESSAGE_BYTES + 320, /* spreads the beginnings over the sets of the cache */
  MAX_SEGMENTS = 64,
  MAX_SEGMENTED = 65507,
  ADDRESS_SLOTS = 32768,
  MAX_ADDRESSES = 24576,
  NUMBERS = 4096,         /* a number is the generation times this, plus the index */
  GENERATIONS = 1 << 18,
  MIN_COST = 400,         /* bytes: a small packet takes as much time as a large one */
  CONTROL_COST = 4000,    /* STUN and DTLS take as much time as ten packets */
  AUDIO_RATE = 48000,
  RECORD_HEADER = 14,
  RECORD_RTP = 1,
  RECORD_RTCP = 2,
  FIRST_JOURNAL_BYTES = 16 * 1024,
  GATHER_FROM = 2500,     /* datagrams per second above which a pause has about one or more */
  SHORTEN_FROM = 12000,   /* datagrams per second above which the pauses are shorter: */
  SHORTEN_EVERY = 400,    /* by 1 us for so many more, */
  MIN_GATHER_US = 150,    /* down to this */
  WINDOW_US = 10000,
};

struct journal {
  int number, is_stopped;
  int64_t offset_us;
  size_t limit, length, room, last_length;
  uint64_t dropped;
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

struct target { /* packets of a batch for one leg, as a linked list */
  int leg, first, last, is_unsegmented;
  struct path_address address;
};

struct batch { /* packets that are sent together; a message may have several of one length */
  int packets, targets, messages, iovs;
  uint32_t length[BATCH_PACKETS];
  int next[BATCH_PACKETS];
  struct target target[BATCH_PACKETS];
  int target_of_leg[MAX_LEGS]; /* by index; valid if the target has the leg's number */
  int target_of_message[BATCH_PACKETS];
  struct mmsghdr message[BATCH_PACKETS];
  struct iovec iov[BATCH_PACKETS];
  _Alignas(struct cmsghdr) uint8_t control[BATCH_PACKETS][CMSG_SPACE(sizeof(uint16_t))];
  _Alignas(64) uint8_t data[BATCH_PACKETS][SLOT];
};

struct reader {
  struct mmsghdr message[MESSAGES];
  struct iovec iov[MESSAGES];
  struct path_address from[MESSAGES];
  _Alignas(struct cmsghdr) uint8_t control[MESSAGES][CMSG_SPACE(sizeof(int))];
  uint8_t data[MESSAGES][MESSAGE_STRIDE];
};

struct path {
  pthread_mutex_t mutex;
  struct path_srtp srtp;
  uint64_t seed;
  unsigned gather_us;
  struct leg *leg[MAX_LEGS];
  struct journal *journal[MAX_JOURNALS];
  int generation, addresses;
  struct binding *binding; /* hash table with open addressing */
  struct path_event *event;
  int first_event, events, stranger_events, lazy_events, is_woken;
  struct path_totals totals;
  int ipv4, ipv6, epoll, wake, can_segment;
  atomic_int is_stopping;
  struct batch *batch;       /* of the path's thread */
  struct batch *other_batch; /* of packets that Python passes to the path */
  struct reader *reader;
};

_Static_assert(sizeof(struct path_address) == sizeof(struct sockaddr_in6), "the same layout");

static uint32_t get16(const uint8_t *at) { return (uint32_t)at[0] << 8 | at[1]; }
static uint32_t get32(const uint8_t *at) { return get16(at) << 16 | get16(at + 2); }

static void put32(uint8_t *at, uint32_t value) {
  for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static int has_bit(const uint8_t bits[16], unsigned bit) { return bits[bit / 8] >> (bit % 8) & 1; }

/* Legs and journals by number */

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

/* Return the slot of the address, or the free slot in which it belongs. */
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

/* Free a slot, and move up the addresses that would no longer be found (Knuth 6.4, algorithm R). */
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

/* Add an event to the queue and return it, or return NULL if there is no room. */
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
    if (read(path->wake, &count, sizeof count) < 0) count = 0; /* it was read already */
  }
  pthread_mutex_unlock(&path->mutex);
  return found;
}

/* Journals */

/* Ensure that the journal has room for `wanted` bytes; return 0 if there is no memory. */
static int make_room(struct journal *journal, size_t wanted) {
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

/* Append a record. Once one was dropped, so are all until Python takes the records: it then notes
   the gap after them, which is where it is. */
static int append_record(struct journal *journal, int64_t arrival_us, uint8_t kind, uint8_t leg,
                         const uint8_t *payload, size_t length) {
  size_t wanted = journal->length + RECORD_HEADER + length;
  if (journal->dropped || wanted > journal->limit || !make_room(journal, wanted)) {
    journal->dropped++;
    return 0;
  }
  uint64_t time_us = (uint64_t)arrival_us + (uint64_t)journal->offset_us;
  uint8_t *at = journal->records + journal->length;
  put32(at, (uint32_t)(time_us >> 32));
  put32(at + 4, (uint32_t)time_us);
  at[8] = kind;
  at[9] = leg;
  put32(at + 10, (uint32_t)length);
  if (length) memcpy(at + RECORD_HEADER, payload, length);
  journal->length = wanted;
  return 1;
}

static void record_packet(struct path *path, struct leg *leg, uint8_t kind, const uint8_t *packet,
                          size_t length, int64_t arrival_us) {
  struct journal *journal = journal_of(path, leg->journal);
  if (journal && !journal->is_stopped)
    append_record(journal, arrival_us, kind, leg->journal_leg, packet, length);
}

/* Batches of packets to be sent */

static int target_for(struct batch *batch, const struct leg *leg) {
  int index = leg->number % NUMBERS, found = batch->target_of_leg[index];
  if (found < batch->targets && batch->target[found].leg == leg->number) return found;
  found = batch->targets++;
  batch->target[found] = (struct target){.leg = leg->number,
                                         .first = -1,
                                         .is_unsegmented = leg->is_unsegmented,
                                         .address = leg->address};
  return batch->target_of_leg[index] = found;
}

/* Add the packet in the batch's next slot to those for the leg. */
static void add_packet(struct batch *batch, const struct leg *leg, size_t length) {
  struct target *target = &batch->target[target_for(batch, leg)];
  int packet = batch->packets++;
  batch->length[packet] = (uint32_t)length;
  batch->next[packet] = -1;
  if (target->first < 0) target->first = packet;
  else batch->next[target->last] = packet;
  target->last = packet;
}

/* Make a message of the packets from `first_iov` on. */
static void add_message(struct batch *batch, int target, int first_iov) {
  int number = batch->messages++, packets = batch->iovs - first_iov;
  struct msghdr *header = &batch->message[number].msg_hdr;
  *header = (struct msghdr){.msg_name = &batch->target[target].address,
                            .msg_namelen = sizeof batch->target[target].address,
                            .msg_iov = &batch->iov[first_iov],
                            .msg_iovlen = (size_t)packets};
  batch->target_of_message[number] = target;
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

/* Divide the packets for a target into messages. All packets of a message have the same length,
   except that the last one may be shorter. */
static void add_messages(struct path *path, struct batch *batch, int number) {
  struct target *target = &batch->target[number];
  int can_segment = path->can_segment && !target->is_unsegmented;
  int first = batch->iovs;
  size_t size = 0, bytes = 0;
  for (int packet = target->first; packet >= 0; packet = batch->next[packet]) {
    size_t length = batch->length[packet];
    int is_begun = batch->iovs > first;
    if (is_begun && (!can_segment || length > size || batch->iov[batch->iovs - 1].iov_len < size ||
                     bytes + length > MAX_SEGMENTED || batch->iovs - first == MAX_SEGMENTS)) {
      add_message(batch, number, first);
      first = batch->iovs;
      is_begun = 0;
    }
    if (!is_begun) size = length, bytes = 0;
    bytes += length;
    batch->iov[batch->iovs++] = (struct iovec){batch->data[packet], length};
  }
  if (batch->iovs > first) add_message(batch, number, first);
}

static void stop_segmenting(struct path *path, int number) {
  pthread_mutex_lock(&path->mutex);
  struct leg *leg = leg_of(path, number);
  if (leg) leg->is_unsegmented = 1;
  pthread_mutex_unlock(&path->mutex);
}

/* Send the packets of a message one by one; return how many were sent. */
static size_t send_one_by_one(int udp, struct msghdr header) {
  size_t packets = header.msg_iovlen, sent = 0;
  header.msg_control = NULL;
  header.msg_controllen = 0;
  header.msg_iovlen = 1;
  for (size_t i = 0; i < packets; i++, header.msg_iov++)
    sent += sendmsg(udp, &header, MSG_DONTWAIT) >= 0;
  return sent;
}

/* Send the messages. To the browsers, a full buffer or a missing route is packet loss. */
static void send_messages(struct path *path, struct batch *batch, int udp, uint64_t *sent,
                          uint64_t *unsent) {
  for (int at = 0; at < batch->messages;) {
    int count = sendmmsg(udp, &batch->message[at], (unsigned)(batch->messages - at), MSG_DONTWAIT);
    if (count > 0) {
      for (; count > 0; count--) *sent += batch->message[at++].msg_hdr.msg_iovlen;
      continue;
    }
    if (count < 0 && errno == EINTR) continue;
    struct msghdr *header = &batch->message[at].msg_hdr;
    size_t done = 0;
    if (header->msg_iovlen > 1 && (errno == EINVAL || errno == EIO || errno == EMSGSIZE)) {
      stop_segmenting(path, batch->target[batch->target_of_message[at]].leg); /* device cannot */
      done = send_one_by_one(udp, *header);
    }
    *sent += done;
    *unsent += header->msg_iovlen - done;
    at++;
  }
}

/* Send a batch and empty it. The caller must not hold the mutex. */
static void flush(struct path *path, struct batch *batch) {
  if (!batch->packets) return;
  uint64_t sent = 0, unsent = 0;
  const int families[] = {AF_INET, AF_INET6}, sockets[] = {path->ipv4, path->ipv6};
  for (int i = 0; i < 2; i++) {
    batch->messages = batch->iovs = 0;
    for (int target = 0; target < batch->targets; target++)
      if (batch->target[target].address.family == families[i]) add_messages(path, batch, target);
    send_messages(path, batch, sockets[i], &sent, &unsent);
  }
  batch->packets = batch->targets = 0;
  pthread_mutex_lock(&path->mutex);
  path->totals.sent += sent;
  path->totals.unsent += unsent;
  pthread_mutex_unlock(&path->mutex);
}

/* Packets of legs. The caller of all these functions holds the mutex. */

/* Encrypt the packet in the batch's next slot and add it to those for the leg. */
static int send_packet(struct path *path, struct batch *batch, struct leg *leg, size_t length,
                       int is_rtcp, double now, int64_t arrival_us) {
  uint8_t *packet = batch->data[batch->packets];
  int size = (int)length;
  if (!leg->outgoing || leg->destination == NOWHERE) return 0;
  srtp_function protect = is_rtcp ? path->srtp.protect_rtcp : path->srtp.protect;
  if (protect(leg->outgoing, packet, &size) || size <= 0 || size > SLOT) return 0;
  leg->totals.packets_out++;
  leg->totals.bytes_out += length;
  if (leg->destination == BY_UDP)
    add_packet(batch, leg, (size_t)size);
  else
    push_event(path, EVENT_OUTGOING, leg->number, packet, (size_t)size, now, arrival_us);
  return 1;
}

/* Return whether the rate limit, a token bucket, admits a datagram. */
static int charge(struct leg *leg, size_t bytes, double now) {
  double cost = bytes < MIN_COST ? MIN_COST : (double)bytes;
  double allowance = leg->allowance + (now - leg->charged_at) * leg->rate;
  leg->charged_at = now;
  if (!(allowance < leg->burst)) allowance = leg->burst;
  int is_admitted = allowance >= cost;
  leg->allowance = is_admitted ? allowance - cost : allowance;
  leg->totals.dropped += !is_admitted;
  return is_admitted;
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

/* Return whether to accept packets of a source. libsrtp keeps state for each source forever, so
   their number is limited. */
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

/* Update the jitter (RFC 3550 Appendix A.8). */
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
    source->is_alert = 1; /* until Python has seen the packet */
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

/* Return whether a compound packet has reports or timestamps, which Python evaluates. */
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

/* Relay a datagram with RTP or RTCP: decrypt it, count it, record it, and add it to the batch. */
static void relay(struct path *path, struct batch *batch, struct leg *leg, const uint8_t *datagram,
                  size_t length, double now, int64_t arrival_us) {
  if (length < MIN_DATAGRAM || length > MAX_PACKET || !charge(leg, length, now)) return;
  int is_rtcp = datagram[1] >= 192 && datagram[1] <= 223; /* RFC 5761 section 4 */
  if (!leg->incoming || !admits_source(leg, get32(datagram + (is_rtcp ? 4 : 8)))) return;
  uint8_t *packet = batch->data[batch->packets];
  memcpy(packet, datagram, length);
  srtp_function unprotect = is_rtcp ? path->srtp.unprotect_rtcp : path->srtp.unprotect;
  int size = (int)length;
  if (unprotect(leg->incoming, packet, &size)) return;
  if (size < (is_rtcp ? MIN_RTCP : MIN_DATAGRAM) || size > MAX_PACKET) return;
  length = (size_t)size;
  leg->totals.packets_in++;
  leg->totals.bytes_in += length;
  if (is_rtcp) count_rtcp(path, leg, packet, length, now, arrival_us);
  else count_rtp(path, leg, packet, length, now, arrival_us);
  record_packet(path, leg, is_rtcp ? RECORD_RTCP : RECORD_RTP, packet, length, arrival_us);
  struct leg *peer = leg_of(path, leg->peer);
  if (peer) send_packet(path, batch, peer, length, is_rtcp, now, arrival_us);
}

/* Handle a datagram. The first byte tells its protocol (RFC 7983). */
static void receive(struct path *path, struct batch *batch, const struct path_address *address,
                    const uint8_t *datagram, size_t length, double now, int64_t arrival_us) {
  path->totals.received++;
  if (length < MIN_DATAGRAM) return;
  uint8_t first = datagram[0];
  struct leg *leg = leg_at(path, address);
  struct path_event *event = NULL;
  if (!leg) { /* a stranger may only send connectivity checks */
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

/* Return the length of each datagram of a message: the kernel joins those of one sender. */
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

/* Clear the bytes of a sender's address that are not part of it. */
static void normalize(struct path_address *address) {
  if (address->family == AF_INET6) {
    address->ipv4 = 0; /* flow information */
  } else {
    memset(address->ipv6, 0, sizeof address->ipv6);
    address->scope = 0;
  }
}

/* Handle a message; return its number of datagrams. */
static unsigned receive_message(struct path *path, int number, int64_t arrival_us) {
  struct reader *reader = path->reader;
  struct mmsghdr *message = &reader->message[number];
  size_t length = message->msg_len, segment = segment_of(&message->msg_hdr, length);
  unsigned count = 0;
  if (message->msg_hdr.msg_flags & MSG_TRUNC) return 1;
  normalize(&reader->from[number]);
  for (size_t at = 0; at < length; at += segment, count++) {
    if (path->batch->packets == BATCH_PACKETS) {
      pthread_mutex_unlock(&path->mutex);
      flush(path, path->batch);
      pthread_mutex_lock(&path->mutex);
    }
    size_t rest = length - at;
    receive(path, path->batch, &reader->from[number], reader->data[number] + at,
            rest < segment ? rest : segment, (double)arrival_us / 1e6, arrival_us);
  }
  return count;
}

/* Read at most MESSAGES messages of a socket. Return their number and add that of datagrams. */
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

struct pace {
  int64_t began_us;
  unsigned datagrams, gather_us;
  double rate; /* datagrams per second */
};

/* Return the length of the pauses at a rate in datagrams per second. At low rates, a short pause is
   worse than none: it costs another wake-up and rarely saves one. At high rates, relaying what has
   gathered takes so long that shorter pauses save as many wake-ups and keep the delay the same. */
static unsigned pause_us(const struct path *path, double rate) {
  if (rate <= GATHER_FROM) return 0;
  double shorter = path->gather_us - (rate - SHORTEN_FROM) / SHORTEN_EVERY;
  if (rate <= SHORTEN_FROM || path->gather_us <= MIN_GATHER_US) return path->gather_us;
  return shorter < MIN_GATHER_US ? MIN_GATHER_US : (unsigned)shorter;
}

/* Count the datagrams read, and adapt the pauses to the rate of the last tenth of a second. */
static void keep_pace(struct path *path, struct pace *pace, unsigned datagrams) {
  int64_t now = now_us(), took = now - pace->began_us;
  pace->datagrams += datagrams;
  if (took < WINDOW_US) return;
  double weight = took >= 10 * WINDOW_US ? 1.0 : 0.1 * (double)took / WINDOW_US;
  pace->rate += (pace->datagrams * 1e6 / (double)took - pace->rate) * weight;
  pace->gather_us = pause_us(path, pace->rate);
  pace->began_us = now;
  pace->datagrams = 0;
}

/* Wait for datagrams, if the last pause brought none or they are rare, and let more gather. */
static void wait_for_datagrams(struct path *path, unsigned gather_us, int is_idle) {
  struct epoll_event ready[3];
  struct timespec pause = {0, (long)gather_us * 1000};
  if (is_idle || !gather_us) epoll_wait(path->epoll, ready, 3, -1);
  if (gather_us) nanosleep(&pause, NULL);
}

void path_run(struct path *path) {
  struct pace pace = {.began_us = now_us()};
  const int sockets[] = {path->ipv4, path->ipv6};
  int is_idle = 1, has_backlog[] = {0, 0};
  uint64_t rounds = 0;
  prctl(PR_SET_NAME, "packet path");
  prctl(PR_SET_TIMERSLACK, 1000); /* ns; the default of 50 us is too long for the pauses */
  while (!atomic_load(&path->is_stopping)) {
    int is_drained = !has_backlog[0] && !has_backlog[1];
    int reads_both = is_drained || ++rounds % ROUNDS == 0;
    unsigned datagrams = 0;
    if (is_drained) wait_for_datagrams(path, pace.gather_us, is_idle);
    for (int i = 0; i < 2; i++)
      if (reads_both || has_backlog[i])
        has_backlog[i] = read_socket(path, sockets[i], &datagrams) == MESSAGES;
    is_idle = datagrams == 0;
    keep_pace(path, &pace, datagrams);
  }
}

void path_stop(struct path *path) { atomic_store(&path->is_stopping, 1); }

void path_set_files(struct path *path, int ipv4, int ipv6, int epoll, int wake, int can_segment) {
  path->ipv4 = ipv4;
  path->ipv6 = ipv6;
  path->epoll = epoll;
  path->wake = wake;
  path->can_segment = can_segment;
  path->is_woken = 0;
  atomic_store(&path->is_stopping, 0);
}

/* Set-up */

uint32_t path_header_crc32(void) { return HEADER_CRC32; }

static void prepare_reader(struct reader *reader) {
  for (int i = 0; i < MESSAGES; i++) {
    reader->iov[i] = (struct iovec){reader->data[i], MESSAGE_BYTES};
    reader->message[i].msg_hdr = (struct msghdr){.msg_name = &reader->from[i],
                                                 .msg_iov = &reader->iov[i],
                                                 .msg_iovlen = 1,
                                                 .msg_control = reader->control[i]};
  }
}

static struct batch *new_batch(void) {
  size_t size = (sizeof(struct batch) + 63) / 64 * 64;
  struct batch *batch = aligned_alloc(64, size);
  return batch ? memset(batch, 0, size) : NULL;
}

struct path *path_new(const struct path_srtp *srtp, uint64_t seed, unsigned gather_us) {
  struct path *path = calloc(1, sizeof *path);
  if (!path) return NULL;
  pthread_mutex_init(&path->mutex, NULL);
  path->srtp = *srtp;
  path->seed = seed;
  path->gather_us = gather_us < MAX_GATHER_US ? gather_us : MAX_GATHER_US;
  path->binding = calloc(ADDRESS_SLOTS, sizeof *path->binding);
  path->event = calloc(MAX_EVENTS, sizeof *path->event);
  path->batch = new_batch();
  path->other_batch = new_batch();
  path->reader = calloc(1, sizeof *path->reader);
  path_set_files(path, -1, -1, -1, -1, 0);
  if (!path->binding || !path->event || !path->batch || !path->other_batch || !path->reader)
    return path_free(path), NULL;
  prepare_reader(path->reader);
  return path;
}

static void free_leg(struct leg *leg) {
  if (leg) free(leg->source);
  free(leg);
}

static void free_journal(struct journal *journal) {
  if (journal) free(journal->records);
  free(journal);
}

void path_free(struct path *path) {
  for (int i = 0; i < MAX_LEGS; i++) free_leg(path->leg[i]);
  for (int i = 0; i < MAX_JOURNALS; i++) free_journal(path->journal[i]);
  free(path->binding);
  free(path->event);
  free(path->batch);
  free(path->other_batch);
  free(path->reader);
  pthread_mutex_destroy(&path->mutex);
  free(path);
}

/* Commands */

/* Lock the mutex and return the leg; without one, return NULL and do not lock. */
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
      free_slot(path, slot); /* which may move another address of the leg to the slot */
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
  int is_limited = rate < 1e15; /* false for infinity and NaN */
  leg->rate = is_limited ? rate : 0;
  leg->burst = leg->allowance = is_limited ? burst : __builtin_inf();
  leg->charged_at = now;
  return unlock(path);
}

int path_set_types(struct path *path, int number, const uint8_t *audio, const uint8_t *watched) {
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
  struct leg *leg = length >= MIN_RTCP && length <= MAX_PACKET ? lock_leg(path, number) : NULL;
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
  *body = (struct path_journal_body){journal->records, journal->length, journal->dropped};
  journal->last_length = journal->length;
  journal->records = NULL;
  journal->length = journal->room = 0;
  journal->dropped = 0;
  return unlock(path);
}

void path_free_records(uint8_t *records) { free(records); }

void path_totals(struct path *path, struct path_totals *totals) {
  pthread_mutex_lock(&path->mutex);
  *totals = path->totals;
  unlock(path);
}
