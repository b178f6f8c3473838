/* Interface between Python and the native packet path of a media worker.

   The path relays the RTP and RTCP packets of legs in a thread of its own. Python handles ICE,
   DTLS, keys and every decision, and tells the path about legs and journals with the functions
   below. For each datagram, the path finds the leg by the source address, limits its rate, decrypts
   the packet, counts it, appends it to the journal, encrypts it for the peer and sends it.

   One mutex guards the state. The thread holds it for at most 256 packets at a time, and never
   during a system call on a socket. Each function may be called from any thread, but only one
   thread at a time may call path_set_files, path_receive, path_receive_from and path_send_rtcp.
   Legs and journals are identified by numbers that are not soon used again. A function that is
   called with an unknown number changes nothing and returns -1 or 0.

   The path passes to Python, as events in a bounded queue: STUN and DTLS of known addresses, STUN
   of unknown ones, RTCP packets with reports, RTP packets for the key frame watch, and datagrams
   for legs that are connected by TCP. If the queue is full, an event is counted and dropped.

   Python reads this file with cffi, without the lines that begin with a number sign. */

#ifndef VISAVIS_PACKET_PATH_H
#define VISAVIS_PACKET_PATH_H

#include <stddef.h>
#include <stdint.h>

enum {
  MAX_LEGS = 2048,
  MAX_JOURNALS = 2048,
  MAX_SOURCES = 128,         /* synchronisation sources (SSRCs) of a leg */
  MAX_PACKET = 1500,         /* bytes of a datagram with media */
  MAX_DATAGRAM = 2048,       /* bytes of any datagram */
  MAX_EVENTS = 1024,
  MAX_STRANGER_EVENTS = 256, /* queued datagrams of unknown addresses */
  MAX_LAZY_EVENTS = 768,     /* queued events that are not urgent */
  MAX_GATHER_US = 350,       /* longest pause during which datagrams gather */
};

/* Function of libsrtp: srtp_protect, srtp_unprotect, or one of those for RTCP. */
typedef int (*srtp_function)(void *session, void *packet, int *length);

struct path_srtp {
  srtp_function protect, protect_rtcp, unprotect, unprotect_rtcp;
};

/* Remote address with the layout of struct sockaddr_in or sockaddr_in6. Unused bytes are 0, so two
   addresses are equal if their bytes are. */
struct path_address {
  uint16_t family; /* AF_INET or AF_INET6; 0 means no address */
  uint16_t port;   /* in network byte order */
  uint32_t ipv4;
  uint8_t ipv6[16];
  uint32_t scope;
};

enum path_event_kind {
  EVENT_DATAGRAM = 1, /* STUN or DTLS; `leg` is -1 if the address is unknown */
  EVENT_REPORT,       /* decrypted RTCP packet with reports or timestamps */
  EVENT_WATCHED,      /* decrypted RTP packet for the key frame watch */
  EVENT_OUTGOING,     /* datagram that Python must send to the browser of `leg` */
};

struct path_event {
  enum path_event_kind kind;
  int leg;
  double now;                  /* time of arrival in seconds of the monotonic clock */
  int64_t arrival_us;          /* the same in microseconds */
  int64_t highest;             /* EVENT_WATCHED: highest sequence number before the packet */
  uint32_t step;               /* EVENT_WATCHED: distance from there to the packet's, modulo 2^16 */
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
  uint64_t received, sent, unsent, events_dropped;
};

struct path_journal_body {
  uint8_t *records; /* owned by the caller, who frees it with path_free_records */
  size_t length;
  uint64_t dropped; /* records since the last call for which there was no room */
};

struct path;

/* Return the checksum of the header from which the library was built. */
uint32_t path_header_crc32(void);

/* Return NULL if there is no memory. Pauses last `gather_us`, at most MAX_GATHER_US. */
struct path *path_new(const struct path_srtp *srtp, uint64_t seed, unsigned gather_us);
/* Free everything. The thread must have ended. */
void path_free(struct path *path);

/* Set the file descriptors, -1 for none, while no thread runs: the UDP sockets; an epoll instance
   that waits for them and for an event that follows path_stop; and an eventfd that is written when
   an urgent event is queued. `can_segment` tells whether the kernel supports UDP_SEGMENT. */
void path_set_files(struct path *path, int ipv4, int ipv6, int epoll, int wake, int can_segment);
/* Relay the datagrams of the sockets, in the calling thread, until path_stop is called. */
void path_run(struct path *path);
void path_stop(struct path *path);

/* Return a leg's number, or -1 if there are too many. Journals name the leg `journal_leg`. */
int path_add_leg(struct path *path, uint8_t journal_leg);
int path_remove_leg(struct path *path, int leg);
/* Set libsrtp's sessions, NULL for none. They must exist until they are replaced. */
int path_set_sessions(struct path *path, int leg, void *incoming, void *outgoing);
/* Limit the leg to `rate` bytes per second, with bursts of `burst` bytes. */
int path_limit_rate(struct path *path, int leg, double rate, double burst, double now);
/* Set the payload types, one bit each, of audio and of the packets for the key frame watch. */
int path_set_types(struct path *path, int leg, const uint8_t *audio, const uint8_t *watched);
/* Assign the datagrams of an address to the leg. */
int path_bind(struct path *path, int leg, const struct path_address *address);
void path_unbind(struct path *path, const struct path_address *address);
/* Set the destination of the leg's packets: NULL for none, family 0 for EVENT_OUTGOING. */
int path_send_to(struct path *path, int leg, const struct path_address *address);
/* Relay the packets that the leg receives to `peer` and append them to `journal`, -1 for none. */
int path_connect(struct path *path, int leg, int peer, int journal);

/* Handle a datagram with media that Python received, by TCP. */
int path_receive(struct path *path, int leg, const uint8_t *datagram, size_t length, double now,
                 int64_t arrival_us);
/* Handle a datagram like those of the sockets, for tests. */
void path_receive_from(struct path *path, const struct path_address *address,
                       const uint8_t *datagram, size_t length, double now, int64_t arrival_us);
/* Encrypt an RTCP packet and send it to the leg's browser. */
int path_send_rtcp(struct path *path, int leg, const uint8_t *packet, size_t length);
/* Return whether the leg's rate limit admits this many more bytes. */
int path_charge(struct path *path, int leg, size_t bytes, double now);

int path_leg_totals(struct path *path, int leg, struct path_leg_totals *totals);
/* Copy the leg's sources, oldest first, and return their number. */
int path_sources(struct path *path, int leg, struct path_source sources[MAX_SOURCES]);
/* Pass every packet of the leg's watched sources to the key frame watch. */
int path_alert(struct path *path, int leg);
/* Pass only packets out of order to it, unless events of the source may still be queued. */
int path_calm(struct path *path, int leg, uint32_t ssrc);

/* Return a journal's number, or -1 if there are too many. At most `limit` bytes wait. */
int path_add_journal(struct path *path, int64_t offset_us, size_t limit);
int path_remove_journal(struct path *path, int journal);
/* Append no more packets; records of Python are still appended. */
int path_stop_journal(struct path *path, int journal);
/* Append a record of Python and return how many bytes wait, or 0 if there was no room. */
size_t path_append(struct path *path, int journal, int64_t arrival_us, uint8_t kind, uint8_t leg,
                   const uint8_t *payload, size_t length);
/* Take the records that wait. */
int path_take(struct path *path, int journal, struct path_journal_body *body);
void path_free_records(uint8_t *records);

/* Copy the next event; return 0 if there is none. */
int path_next_event(struct path *path, struct path_event *event);
void path_totals(struct path *path, struct path_totals *totals);

#endif
