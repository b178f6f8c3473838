/* The packet path of a media worker: relays the RTP and RTCP of legs in a thread of its own.

   The interface between Python and the packet path. Python owns ICE, DTLS, keys and every decision;
   it tells the path of legs and journals by the functions below, and the path does the rest for
   each datagram: it finds the leg by the source address, limits its rate, unprotects, counts,
   appends to the journal, protects for the peer and sends.

   One mutex guards the state; the path's thread holds it for at most 256 packets at a time and never
   during a system call on a socket. Functions may be called from any thread, those that send
   (`path_receive`, `path_send_rtcp`) and `path_start` and `path_stop` by one at a time. A leg or a
   journal is named by a number that is never used again soon; a number that is not known (any more)
   is refused with -1 or 0 and changes nothing.

   What the path does not deal with goes up to Python as events, in a bounded queue: STUN and DTLS
   of known addresses, STUN of unknown ones, reports in RTCP, packets that the watch for key frames
   is to see, and datagrams for legs that are reached by TCP. An event that finds the queue full is
   counted and dropped. `wake` is an eventfd that is written when an event is urgent. */

#ifndef VISAVIS_PACKET_PATH_H
#define VISAVIS_PACKET_PATH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
  INTERFACE = 1, /* to be changed with this file: Python uses no other */
  MAX_LEGS = 2048,
  MAX_JOURNALS = 2048,
  MAX_SOURCES = 128,   /* synchronisation sources of one leg */
  MAX_PACKET = 1500,   /* bytes of a datagram with media */
  MAX_DATAGRAM = 2048, /* bytes of any datagram */
  MAX_EVENTS = 1024,
  MAX_STRANGER_EVENTS = 256, /* waiting datagrams of unknown addresses */
  MAX_LAZY_EVENTS = 768,     /* waiting events that are not urgent */
  MAX_GATHER_US = 350,       /* the longest pause in which datagrams gather */
};

/* A function of libsrtp: srtp_protect, srtp_unprotect or one of those for RTCP. */
typedef int (*srtp_function)(void *session, void *packet, int *length);

struct path_srtp {
  srtp_function protect, protect_rtcp, unprotect, unprotect_rtcp;
};

/* A remote address in one form, so that two are equal if their bytes are. */
struct path_address {
  uint32_t family; /* AF_INET or AF_INET6; 0 is no address */
  uint16_t port;   /* in network order */
  uint16_t zero;
  uint32_t scope;
  uint8_t host[16];
};

enum path_event_kind {
  EVENT_DATAGRAM = 1, /* STUN or DTLS; `leg` is -1 if its address is not bound */
  EVENT_REPORT,       /* a decrypted RTCP packet with reports or time stamps */
  EVENT_WATCHED,      /* a decrypted RTP packet for the watch over key frames */
  EVENT_OUTGOING,     /* a datagram to be sent to `leg` by Python */
};

struct path_event {
  enum path_event_kind kind;
  int leg;
  double now;          /* seconds of the monotonic clock */
  int64_t arrival_us;  /* the same in microseconds */
  int64_t highest;     /* EVENT_WATCHED: the highest sequence number before the packet */
  uint32_t step;       /* EVENT_WATCHED: from there to the packet's, modulo 2^16 */
  struct path_address address; /* EVENT_DATAGRAM */
  uint32_t length;
  uint8_t data[MAX_DATAGRAM];
};

struct path_source {
  uint32_t ssrc;
  uint8_t payload_type, is_audio, is_watched, is_alert, has_transit;
  uint32_t transit;
  int64_t highest;
  uint64_t expected, received, octets;
  double jitter;
};

struct path_leg_totals {
  uint64_t packets_in, bytes_in, packets_out, bytes_out, dropped;
};

struct path_totals {
  uint64_t received, sent, unsent, events_dropped, wake_ups;
  double datagrams_per_second;
  uint32_t gather_us; /* the pause at present */
};

struct path_journal_body {
  uint8_t *records; /* the caller's to free */
  size_t length;
  uint64_t gaps; /* since the last time */
};

struct path;

/* NULL without memory. `gather_us` is the longest pause, at most MAX_GATHER_US. */
struct path *path_new(const struct path_srtp *srtp, uint64_t seed, unsigned gather_us);
/* Stop the thread and free everything. */
void path_free(struct path *path);

/* Read from the sockets (-1 for none) in a thread; -1 with errno if that cannot be. */
int path_start(struct path *path, int ipv4, int ipv6, int wake);
void path_stop(struct path *path);

/* A leg whose packets are `journal_leg`'s in a journal; -1 when there are too many. */
int path_add_leg(struct path *path, uint8_t journal_leg);
int path_remove_leg(struct path *path, int leg);
/* Sessions of libsrtp, which live until other ones are set or the leg is removed; NULL for none. */
int path_set_sessions(struct path *path, int leg, void *incoming, void *outgoing);
/* Bytes a second that the leg may send, with bursts of `burst` bytes. */
int path_limit_rate(struct path *path, int leg, double rate, double burst, double now);
/* Payload types, one bit each, of audio and of what the watch for key frames sees. */
int path_set_types(struct path *path, int leg, const uint8_t audio[16], const uint8_t watched[16]);
/* Datagrams of this address are the leg's, whoever's they were. */
int path_bind(struct path *path, int leg, const struct path_address *address);
void path_unbind(struct path *path, const struct path_address *address);
/* Send to this address; NULL for nowhere, a family of 0 for by way of EVENT_OUTGOING. */
int path_send_to(struct path *path, int leg, const struct path_address *address);
/* Relay what the leg receives to `peer` and append it to `journal`; -1 for neither. */
int path_connect(struct path *path, int leg, int peer, int journal);

/* Take a datagram with media that arrived elsewhere. */
int path_receive(struct path *path, int leg, const uint8_t *datagram, size_t length, double now,
                 int64_t arrival_us);
/* Protect an RTCP packet and send it to the leg's browser. */
int path_send_rtcp(struct path *path, int leg, const uint8_t *packet, size_t length);
/* Whether the leg's rate admits so many bytes more. */
int path_charge(struct path *path, int leg, size_t bytes, double now);

int path_leg_totals(struct path *path, int leg, struct path_leg_totals *totals);
/* The leg's sources, oldest first; the number of them. */
int path_sources(struct path *path, int leg, struct path_source sources[MAX_SOURCES]);
/* Let the watch see every packet of the leg's watched sources. */
int path_alert(struct path *path, int leg);
/* Let it see only what is out of order, unless events of the source may still be waiting. */
int path_calm(struct path *path, int leg, uint32_t ssrc);

/* A journal that holds at most `limit` bytes that have not been taken; -1: too many journals. */
int path_add_journal(struct path *path, int64_t offset_us, size_t limit);
int path_remove_journal(struct path *path, int journal);
/* Append no more packets; records of Python's still. */
int path_stop_journal(struct path *path, int journal);
/* The bytes that wait, or 0 when the record found no room; the time is without the offset. */
size_t path_append(struct path *path, int journal, int64_t arrival_us, uint8_t kind, uint8_t leg,
                   const uint8_t *payload, size_t length);
int path_take(struct path *path, int journal, struct path_journal_body *body);

/* The next event; 0 if there is none. */
int path_next_event(struct path *path, struct path_event *event);
void path_totals(struct path *path, struct path_totals *totals);

/* For tests: the part of the path that the thread runs for each datagram that it has read. */
void path_receive_from(struct path *path, const struct path_address *address,
                       const uint8_t *datagram, size_t length, double now, int64_t arrival_us);
unsigned path_gather_us(double datagrams_per_second, unsigned longest);
int path_address_of(struct path_address *address, const struct sockaddr *from, socklen_t length);

#endif
