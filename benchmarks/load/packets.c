/* The packets of many calls: sends each when it is due, receives, decrypts and counts.

   A wire is a connected UDP socket with its SRTP sessions; a stream is what one browser sends by a
   wire: Opus, 50 packets a second, or VP8-like frames, 30 a second, of many sizes. A frame is cut
   into packets and sent as Chromium 156 does it: all of one size or the last ones a byte longer,
   and all at once (0.1 ms apart at its socket), so that they come as far apart as the uplink lets
   them. What is due at once leaves a stream by one call (UDP_SEGMENT), and what arrives together is
   read by one (UDP_GRO). Every packet carries its stream and number under the encryption, so that whoever relays it
   may rewrite its header. libsrtp's functions are given by the caller. */

#define _GNU_SOURCE
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum {
  MAX_TRAIN = 65507, /* bytes of datagrams that are sent by one call */
  MAX_SEGMENTS = 64,
  READ_BYTES = 65536,
  READS = 8, /* datagrams or trains of them that are read from a wire by one call */
  MAX_WIRES = 4096,
  MAX_STREAMS = 4096,
  MAX_SOURCES = 4,
  MAX_OTHERS = 1024,
  MAX_DATAGRAM = 2048,
  REMEMBERED = 1024, /* packets of a stream: seven seconds of them */
  BUCKETS = 20000,
  BUCKET_NS = 10000,
  EVENTS = 256,

  OPUS = 111,
  VP8 = 96,
  AUDIO_PAYLOAD = 80,
  VIDEO_PAYLOAD = 920, /* on an average */
  VIDEO_SPREAD = 200,
  KEY_FRAME_PACKETS = 20,
  KEY_FRAME_EVERY = 90,
  MARK_AT = 20, /* after what a relay reads of Opus or VP8 */
};

#define MS 1000000LL
#define SECOND 1000000000LL
#define AUDIO_EVERY (20 * MS)
#define FRAME_EVERY (SECOND / 30)
#define LONGEST_SLEEP (20 * MS)
#define SHORTEST_SLEEP (MS / 10)
#define PAUSE (50 * MS)
#define NTP_UNIX_SECONDS 2208988800ULL

typedef int (*cipher)(void *session, void *packet, int *length);

struct counts {
  uint64_t sent, received, repeated, foreign, broken, unsent, rtcp_sent, rtcp_received;
  uint64_t latency[BUCKETS];
};

struct other {
  int wire, length;
  uint8_t datagram[MAX_DATAGRAM];
};

struct source { /* whose packets a wire receives */
  uint32_t ssrc, highest, middle;
  int64_t middle_at;
};

struct wire {
  int socket, sources;
  uint32_t ssrc;
  void *out, *in;
  int64_t report_at;
  struct source source[MAX_SOURCES];
};

struct stream {
  int wire, is_video, left, longer, size, frame;
  uint32_t ssrc, timestamp, octets;
  uint64_t number, first, last; /* counted are those from first up to last */
  int64_t frame_at, report_at;
  int64_t sent_at[REMEMBERED];
};

struct train { /* datagrams of one length for one wire, the last may be shorter */
  int wire, count, segment, length, is_ended;
  uint8_t bytes[READ_BYTES];
};

#define CONTROL_BYTES (CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct timespec)))

struct load {
  cipher protect, protect_rtcp, unprotect, unprotect_rtcp;
  int epoll, wires, streams, others, scale;
  int64_t paused_at, tick_ns; /* what is due within a tick is due now */
  double ns_per_byte;         /* of a browser's uplink */
  struct train train;
  struct mmsghdr message[READS];
  struct iovec iov[READS];
  _Alignas(struct cmsghdr) uint8_t control[READS][CONTROL_BYTES];
  uint8_t read[READS][READ_BYTES];
  int64_t due[MAX_STREAMS];
  struct wire wire[MAX_WIRES];
  struct stream *stream[MAX_STREAMS];
  struct other other[MAX_OTHERS];
  struct counts counts;
  uint8_t noise[MAX_DATAGRAM];
};

static int64_t clock_now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * SECOND + t.tv_nsec;
}

static int64_t now_ns(void) { return clock_now(CLOCK_MONOTONIC); }
static int64_t wall_ns(void) { return clock_now(CLOCK_REALTIME); } /* the clock of the kernel's time stamps */

static void put16(uint8_t *at, uint32_t value) {
  at[0] = value >> 8;
  at[1] = value;
}

static void put32(uint8_t *at, uint32_t value) {
  put16(at, value >> 16);
  put16(at + 2, value);
}

static uint32_t get16(const uint8_t *at) { return at[0] << 8 | at[1]; }

static uint32_t get32(const uint8_t *at) { return get16(at) << 16 | get16(at + 2); }

/* `uplink` in bits a second, `tick` in seconds; `scale` times as many packets in each frame. */
struct load *load_new(double uplink, double tick, int scale, void *protect, void *protect_rtcp,
                      void *unprotect, void *unprotect_rtcp) {
  struct load *load = calloc(1, sizeof *load);
  load->ns_per_byte = 8 * SECOND / uplink;
  load->tick_ns = (int64_t)(tick * SECOND);
  load->scale = scale;
  load->protect = (cipher)protect;
  load->protect_rtcp = (cipher)protect_rtcp;
  load->unprotect = (cipher)unprotect;
  load->unprotect_rtcp = (cipher)unprotect_rtcp;
  load->epoll = epoll_create1(0);
  for (int i = 0; i < READS; i++) {
    load->iov[i] = (struct iovec){load->read[i], READ_BYTES};
    load->message[i].msg_hdr = (struct msghdr){.msg_iov = &load->iov[i], .msg_iovlen = 1};
    load->message[i].msg_hdr.msg_control = load->control[i];
  }
  for (int i = 0; i < MAX_DATAGRAM; i++) load->noise[i] = rand();
  prctl(PR_SET_TIMERSLACK, 1000);
  return load;
}

/* The number of the new wire, or -1. */
int load_wire(struct load *load, int socket, void *out, void *in, uint32_t ssrc) {
  if (load->wires == MAX_WIRES) return -1;
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = load->wires};
  if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, socket, &event)) return -1;
  int on = 1;
  setsockopt(socket, IPPROTO_UDP, UDP_GRO, &on, sizeof on);
  setsockopt(socket, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  load->wire[load->wires] = (struct wire){
      .socket = socket, .out = out, .in = in, .ssrc = ssrc, .report_at = now_ns() + rand() % SECOND};
  return load->wires++;
}

/* The number of the new stream, or -1. It begins at once, at a phase of its own. */
int load_stream(struct load *load, int wire, int is_video, uint32_t ssrc) {
  if (load->streams == MAX_STREAMS) return -1;
  struct stream *stream = calloc(1, sizeof *stream);
  int64_t start = now_ns() + rand() % FRAME_EVERY;
  *stream = (struct stream){.wire = wire, .is_video = is_video, .ssrc = ssrc, .frame_at = start};
  stream->frame = is_video ? -1 : 0;
  stream->number = rand() % 30000;
  stream->first = stream->last = UINT64_MAX;
  stream->report_at = start;
  load->due[load->streams] = start;
  load->stream[load->streams] = stream;
  return load->streams++;
}

/* Send the train that waits. */
static void depart(struct load *load) {
  struct train *train = &load->train;
  if (!train->count) return;
  union {
    struct cmsghdr header;
    uint8_t bytes[CMSG_SPACE(sizeof(uint16_t))];
  } control = {.header = {CMSG_LEN(sizeof(uint16_t)), IPPROTO_UDP, UDP_SEGMENT}};
  uint16_t segment = train->segment;
  memcpy(CMSG_DATA(&control.header), &segment, sizeof segment);
  struct iovec iov = {train->bytes, train->length};
  struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
  if (train->count > 1) {
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
  }
  if (sendmsg(load->wire[train->wire].socket, &message, MSG_DONTWAIT) != train->length)
    load->counts.unsent += train->count;
  train->count = train->length = train->is_ended = 0;
}

static void transmit(struct load *load, struct wire *wire, uint8_t *packet, int length, int is_rtcp) {
  struct train *train = &load->train;
  int number = wire - load->wire;
  if ((is_rtcp ? load->protect_rtcp : load->protect)(wire->out, packet, &length)) {
    load->counts.unsent++;
    return;
  }
  if (train->count &&
      (train->wire != number || train->is_ended || length > train->segment ||
       train->count == MAX_SEGMENTS || train->length + length > MAX_TRAIN))
    depart(load);
  if (!train->count) {
    train->wire = number;
    train->segment = length;
  }
  memcpy(train->bytes + train->length, packet, length);
  train->length += length;
  train->is_ended = length < train->segment;
  train->count++;
}

static void send_sender_report(struct load *load, struct stream *stream, int64_t now) {
  uint8_t packet[MAX_DATAGRAM] = {0x80, 200, 0, 6};
  int64_t wall = wall_ns();
  put32(packet + 4, stream->ssrc);
  put32(packet + 8, wall / SECOND + NTP_UNIX_SECONDS);
  put32(packet + 12, ((wall % SECOND) << 32) / SECOND);
  put32(packet + 16, stream->timestamp);
  put32(packet + 20, stream->number);
  put32(packet + 24, stream->octets);
  transmit(load, &load->wire[stream->wire], packet, 28, 1);
  load->counts.rtcp_sent++;
  stream->report_at = now + SECOND;
}

static void send_receiver_report(struct load *load, struct wire *wire, int64_t now) {
  uint8_t packet[MAX_DATAGRAM] = {0x80 | wire->sources, 201, 0, 1 + 6 * wire->sources};
  put32(packet + 4, wire->ssrc);
  for (int i = 0; i < wire->sources; i++) {
    struct source *source = &wire->source[i];
    uint8_t *block = packet + 8 + 24 * i;
    put32(block, source->ssrc);
    put32(block + 8, source->highest);
    put32(block + 16, source->middle);
    put32(block + 20, source->middle ? ((wall_ns() - source->middle_at) << 16) / SECOND : 0);
  }
  transmit(load, wire, packet, 8 + 24 * wire->sources, 1);
  load->counts.rtcp_sent++;
  wire->report_at = now + SECOND;
}

/* 30 frames a second, of 4 and 5 packets in turn, and of 20 every three seconds: 140 a second. */
static void begin_frame(struct load *load, struct stream *stream) {
  stream->frame++;
  int is_key = stream->frame % KEY_FRAME_EVERY == 0;
  stream->left = load->scale * (is_key ? KEY_FRAME_PACKETS : 4 + stream->frame % 2);
  stream->size = VIDEO_PAYLOAD - VIDEO_SPREAD + rand() % (2 * VIDEO_SPREAD);
  stream->longer = rand() % stream->left;
  stream->timestamp += 3000;
}

static void write_vp8(struct stream *stream, uint8_t *payload, int is_first) {
  payload[0] = is_first ? 0x90 : 0x80; /* RFC 7741 4.2: X, S */
  payload[1] = 0x80;                   /* I */
  put16(payload + 2, 0x8000 | (stream->frame & 0x7fff));
  if (!is_first) return;
  payload[4] = stream->frame % KEY_FRAME_EVERY ? 0x11 : 0x10;
  memcpy(payload + 5, "\0\0\x9d\x01\x2a\x80\x02\x68\x01", 9);
}

static void write_mark(uint8_t *payload, uint32_t stream, uint64_t number) {
  put32(payload + MARK_AT, 0x56697361);
  put32(payload + MARK_AT + 4, stream);
  put32(payload + MARK_AT + 8, number >> 32);
  put32(payload + MARK_AT + 12, number);
}

/* Send the stream's next packet and tell when the one after it is due. */
static int64_t send_packet(struct load *load, int which, int64_t now) {
  struct stream *stream = load->stream[which];
  uint8_t packet[MAX_DATAGRAM], *payload = packet + 12;
  int is_first = stream->is_video && stream->left == 0;
  if (is_first) begin_frame(load, stream);
  int length = stream->is_video ? stream->size + (stream->left <= stream->longer) : AUDIO_PAYLOAD;
  if (!stream->is_video) stream->timestamp += 960;
  memcpy(payload, load->noise, length);
  if (stream->is_video) write_vp8(stream, payload, is_first);
  else payload[0] = 0x78; /* 20 ms of CELT, fullband */
  write_mark(payload, which, stream->number);
  int is_last = stream->is_video && --stream->left == 0;
  packet[0] = 0x80;
  packet[1] = (is_last ? 0x80 : 0) | (stream->is_video ? VP8 : OPUS);
  put16(packet + 2, stream->number);
  put32(packet + 4, stream->timestamp);
  put32(packet + 8, stream->ssrc);
  stream->octets += length;
  stream->sent_at[stream->number % REMEMBERED] = wall_ns();
  if (stream->number >= stream->first && stream->number < stream->last) load->counts.sent++;
  stream->number++;
  transmit(load, &load->wire[stream->wire], packet, 12 + length, 0);
  if (now >= stream->report_at) send_sender_report(load, stream, now);
  if (stream->is_video && !is_last) return load->due[which] + (int64_t)(length * load->ns_per_byte);
  stream->frame_at += stream->is_video ? FRAME_EVERY : AUDIO_EVERY;
  return stream->frame_at > now ? stream->frame_at : now;
}

/* When the next packet is due. */
static int64_t send_due(struct load *load, int64_t now) {
  int64_t next = now + LONGEST_SLEEP;
  for (int i = 0; i < load->streams; i++) {
    while (load->due[i] <= now + load->tick_ns) load->due[i] = send_packet(load, i, now);
    depart(load);
    if (load->due[i] < next) next = load->due[i];
  }
  return next;
}

static struct source *source_of(struct wire *wire, uint32_t ssrc) {
  for (int i = 0; i < wire->sources; i++)
    if (wire->source[i].ssrc == ssrc) return &wire->source[i];
  if (wire->sources == MAX_SOURCES) return NULL;
  struct source *source = &wire->source[wire->sources++];
  *source = (struct source){.ssrc = ssrc};
  return source;
}

static void count_packet(struct load *load, const uint8_t *mark, int64_t now) {
  uint32_t which = get32(mark + 4);
  uint64_t number = (uint64_t)get32(mark + 8) << 32 | get32(mark + 12);
  if (get32(mark) != 0x56697361 || which >= (uint32_t)load->streams) {
    load->counts.foreign++;
    return;
  }
  struct stream *stream = load->stream[which];
  if (number < stream->first || number >= stream->last) return;
  int64_t *sent_at = &stream->sent_at[number % REMEMBERED];
  if (*sent_at == 0) {
    load->counts.repeated++;
    return;
  }
  int64_t bucket = (now - *sent_at) / BUCKET_NS;
  load->counts.latency[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
  load->counts.received++;
  *sent_at = 0;
}

static void receive_rtp(struct load *load, struct wire *wire, uint8_t *packet, int length, int64_t now) {
  if (load->unprotect(wire->in, packet, &length)) {
    load->counts.broken++;
    return;
  }
  int start = 12 + 4 * (packet[0] & 15);
  if (packet[0] & 16) start += 4 + 4 * get16(packet + start + 2);
  struct source *source = source_of(wire, get32(packet + 8));
  if (source) {
    uint32_t step = (get16(packet + 2) - source->highest) & 0xffff;
    if (step < 0x8000 || !source->highest) source->highest += step;
  }
  if (start + MARK_AT + 16 <= length) count_packet(load, packet + start + MARK_AT, now);
  else load->counts.foreign++;
}

static void receive_rtcp(struct load *load, struct wire *wire, uint8_t *packet, int length, int64_t now) {
  if (load->unprotect_rtcp(wire->in, packet, &length)) {
    load->counts.broken++;
    return;
  }
  load->counts.rtcp_received++;
  if (packet[1] != 200 || length < 28) return;
  struct source *source = source_of(wire, get32(packet + 4));
  if (source) {
    source->middle = get32(packet + 10);
    source->middle_at = now;
  }
}

/* STUN and DTLS wait for the caller. */
static void keep(struct load *load, int wire, const uint8_t *datagram, int length) {
  if (load->others == MAX_OTHERS) return;
  struct other *other = &load->other[load->others++];
  other->wire = wire;
  other->length = length;
  memcpy(other->datagram, datagram, length);
}

/* When a message arrived, and how long its datagrams are if it is a train of them. */
static int64_t read_control(struct msghdr *message, int *segment) {
  struct timespec arrival = {0};
  for (struct cmsghdr *each = CMSG_FIRSTHDR(message); each; each = CMSG_NXTHDR(message, each)) {
    if (each->cmsg_level == IPPROTO_UDP && each->cmsg_type == UDP_GRO)
      memcpy(segment, CMSG_DATA(each), sizeof *segment);
    if (each->cmsg_level == SOL_SOCKET && each->cmsg_type == SCM_TIMESTAMPNS)
      memcpy(&arrival, CMSG_DATA(each), sizeof arrival);
  }
  return arrival.tv_sec ? arrival.tv_sec * SECOND + arrival.tv_nsec : wall_ns();
}

static void receive_datagram(struct load *load, int number, uint8_t *datagram, int length,
                             int64_t now) {
  struct wire *wire = &load->wire[number];
  if (length < 2) return;
  if (datagram[0] < 128) keep(load, number, datagram, length);
  else if (datagram[1] >= 192 && datagram[1] <= 223) receive_rtcp(load, wire, datagram, length, now);
  else receive_rtp(load, wire, datagram, length, now);
}

static void receive_message(struct load *load, int number, int which) {
  _Alignas(16) uint8_t datagram[MAX_DATAGRAM];
  int length = load->message[which].msg_len, segment = length;
  int64_t arrival = read_control(&load->message[which].msg_hdr, &segment);
  if (segment <= 0) return;
  for (int at = 0; at < length; at += segment) {
    int size = length - at < segment ? length - at : segment;
    if (size > MAX_DATAGRAM) return;
    memcpy(datagram, load->read[which] + at, size);
    receive_datagram(load, number, datagram, size, arrival);
  }
}

static void receive(struct load *load, int number) {
  for (int i = 0; i < READS; i++) load->message[i].msg_hdr.msg_controllen = CONTROL_BYTES;
  int count = recvmmsg(load->wire[number].socket, load->message, READS, MSG_DONTWAIT, NULL);
  for (int i = 0; i < count; i++) receive_message(load, number, i);
}

static void receive_all(struct load *load) {
  struct epoll_event events[EVENTS];
  int ready;
  do {
    ready = epoll_wait(load->epoll, events, EVENTS, 0);
    for (int i = 0; i < ready; i++) receive(load, events[i].data.u32);
  } while (ready == EVENTS);
}

static void report_due(struct load *load, int64_t now) {
  for (int i = 0; i < load->wires; i++)
    if (load->wire[i].sources && now >= load->wire[i].report_at)
      send_receiver_report(load, &load->wire[i], now);
  depart(load);
}

/* What was due while the load did not run is due from now on, each stream at a phase of its own. */
static void resume(struct load *load, int64_t now) {
  if (now - load->paused_at < PAUSE) return;
  for (int i = 0; i < load->streams; i++) {
    int64_t late = now - load->due[i] + rand() % FRAME_EVERY;
    load->due[i] += late;
    load->stream[i]->frame_at += late;
  }
}

void load_run(struct load *load, double seconds) {
  int64_t now = now_ns(), end = now + (int64_t)(seconds * SECOND), report_at = now;
  resume(load, now);
  while ((now = now_ns()) < end) {
    int64_t next = send_due(load, now);
    if (now >= report_at) {
      report_due(load, now);
      report_at = now + 10 * MS;
    }
    receive_all(load);
    if (next > end) next = end;
    int64_t wait = next - now_ns();
    struct timespec sleep = {0, wait > SHORTEST_SLEEP ? wait : SHORTEST_SLEEP};
    nanosleep(&sleep, NULL);
  }
  load->paused_at = now;
}

/* Count what is sent from now on. */
void load_begin(struct load *load) {
  memset(&load->counts, 0, sizeof load->counts);
  for (int i = 0; i < load->streams; i++) {
    load->stream[i]->first = load->stream[i]->number;
    load->stream[i]->last = UINT64_MAX;
  }
}

/* Count what is sent no longer, but what of it is still to arrive. */
void load_end(struct load *load) {
  for (int i = 0; i < load->streams; i++) load->stream[i]->last = load->stream[i]->number;
}

struct counts *load_counts(struct load *load) { return &load->counts; }

/* The next datagram that is neither RTP nor RTCP; NULL if there is none. */
struct other *load_other(struct load *load) {
  return load->others ? &load->other[--load->others] : NULL;
}

void load_free(struct load *load) {
  for (int i = 0; i < load->streams; i++) free(load->stream[i]);
  close(load->epoll);
  free(load);
}
