/* Python's door to the packet path: the type `Path`, whose methods are the functions of
   packet_path.h. Limited API: one file serves every CPython from 3.11 on. */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "packet_path.h"

typedef struct {
  PyObject ob_base;
  struct path *path;
  struct path_event event; /* the one that is handed up at present */
} Path;

static struct path *path_of(PyObject *self) { return ((Path *)self)->path; }

/* Addresses, as Python's sockets have them */

static int fill_address(struct path_address *address, PyObject *text) {
  const char *host;
  unsigned port, flow = 0, scope = 0;
  char bare[INET6_ADDRSTRLEN];
  memset(address, 0, sizeof *address);
  if (!PyArg_ParseTuple(text, "sI|II", &host, &port, &flow, &scope)) return 0;
  size_t length = strcspn(host, "%");
  if (length >= sizeof bare) length = sizeof bare - 1;
  memcpy(bare, host, length);
  bare[length] = 0;
  address->port = htons((uint16_t)port);
  address->scope = PyTuple_Size(text) == 2 ? 0 : scope;
  address->family = PyTuple_Size(text) == 2 ? AF_INET : AF_INET6;
  if (inet_pton((int)address->family, bare, address->host) == 1) return 1;
  PyErr_SetString(PyExc_ValueError, "not an IP address");
  return 0;
}

static PyObject *address_text(const struct path_address *address) {
  struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_scope_id = address->scope};
  char host[NI_MAXHOST];
  if (address->family == AF_INET) {
    inet_ntop(AF_INET, address->host, host, sizeof host);
    return Py_BuildValue("si", host, ntohs(address->port));
  }
  memcpy(&ipv6.sin6_addr, address->host, sizeof ipv6.sin6_addr);
  if (getnameinfo((struct sockaddr *)&ipv6, sizeof ipv6, host, sizeof host, NULL, 0, NI_NUMERICHOST))
    inet_ntop(AF_INET6, address->host, host, sizeof host);
  return Py_BuildValue("siiI", host, ntohs(address->port), 0, address->scope);
}

/* Commands */

static PyObject *start(PyObject *self, PyObject *arguments) {
  int ipv4, ipv6, wake;
  if (!PyArg_ParseTuple(arguments, "iii", &ipv4, &ipv6, &wake)) return NULL;
  if (path_start(path_of(self), ipv4, ipv6, wake)) return PyErr_SetFromErrno(PyExc_OSError);
  Py_RETURN_NONE;
}

static PyObject *stop(PyObject *self, PyObject *Py_UNUSED(none)) {
  Py_BEGIN_ALLOW_THREADS
  path_stop(path_of(self));
  Py_END_ALLOW_THREADS
  Py_RETURN_NONE;
}

static PyObject *number_or_error(int number) {
  if (number >= 0) return PyLong_FromLong(number);
  PyErr_SetString(PyExc_OverflowError, "too many");
  return NULL;
}

static PyObject *add_leg(PyObject *self, PyObject *arguments) {
  unsigned char journal_leg;
  if (!PyArg_ParseTuple(arguments, "b", &journal_leg)) return NULL;
  return number_or_error(path_add_leg(path_of(self), journal_leg));
}

static PyObject *remove_leg(PyObject *self, PyObject *arguments) {
  int leg;
  if (!PyArg_ParseTuple(arguments, "i", &leg)) return NULL;
  path_remove_leg(path_of(self), leg);
  Py_RETURN_NONE;
}

static PyObject *set_sessions(PyObject *self, PyObject *arguments) {
  int leg;
  unsigned long long incoming, outgoing;
  if (!PyArg_ParseTuple(arguments, "iKK", &leg, &incoming, &outgoing)) return NULL;
  path_set_sessions(path_of(self), leg, (void *)(uintptr_t)incoming, (void *)(uintptr_t)outgoing);
  Py_RETURN_NONE;
}

static PyObject *limit_rate(PyObject *self, PyObject *arguments) {
  int leg;
  double rate, burst, now;
  if (!PyArg_ParseTuple(arguments, "iddd", &leg, &rate, &burst, &now)) return NULL;
  path_limit_rate(path_of(self), leg, rate, burst, now);
  Py_RETURN_NONE;
}

static PyObject *set_types(PyObject *self, PyObject *arguments) {
  int leg;
  const char *audio, *watched;
  Py_ssize_t audio_length, watched_length;
  if (!PyArg_ParseTuple(arguments, "iy#y#", &leg, &audio, &audio_length, &watched, &watched_length))
    return NULL;
  if (audio_length != 16 || watched_length != 16) {
    PyErr_SetString(PyExc_ValueError, "not 128 bits");
    return NULL;
  }
  path_set_types(path_of(self), leg, (const uint8_t *)audio, (const uint8_t *)watched);
  Py_RETURN_NONE;
}

static PyObject *bind_address(PyObject *self, PyObject *arguments) {
  int leg;
  PyObject *text;
  struct path_address address;
  if (!PyArg_ParseTuple(arguments, "iO!", &leg, &PyTuple_Type, &text)) return NULL;
  if (!fill_address(&address, text)) return NULL;
  path_bind(path_of(self), leg, &address);
  Py_RETURN_NONE;
}

static PyObject *unbind_address(PyObject *self, PyObject *arguments) {
  PyObject *text;
  struct path_address address;
  if (!PyArg_ParseTuple(arguments, "O!", &PyTuple_Type, &text)) return NULL;
  if (!fill_address(&address, text)) return NULL;
  path_unbind(path_of(self), &address);
  Py_RETURN_NONE;
}

static PyObject *send_to(PyObject *self, PyObject *arguments) {
  int leg;
  PyObject *text;
  struct path_address address = {0};
  if (!PyArg_ParseTuple(arguments, "iO", &leg, &text)) return NULL;
  int is_nowhere = text == Py_None, is_by_python = !is_nowhere && !PyObject_IsTrue(text);
  if (!is_nowhere && !is_by_python && !fill_address(&address, text)) return NULL;
  path_send_to(path_of(self), leg, is_nowhere ? NULL : &address);
  Py_RETURN_NONE;
}

static PyObject *connect_leg(PyObject *self, PyObject *arguments) {
  int leg, peer, journal;
  if (!PyArg_ParseTuple(arguments, "iii", &leg, &peer, &journal)) return NULL;
  path_connect(path_of(self), leg, peer, journal);
  Py_RETURN_NONE;
}

static PyObject *receive(PyObject *self, PyObject *arguments) {
  int leg;
  const char *datagram;
  Py_ssize_t length;
  double now;
  long long arrival_us;
  if (!PyArg_ParseTuple(arguments, "iy#dL", &leg, &datagram, &length, &now, &arrival_us))
    return NULL;
  path_receive(path_of(self), leg, (const uint8_t *)datagram, (size_t)length, now, arrival_us);
  Py_RETURN_NONE;
}

static PyObject *receive_from(PyObject *self, PyObject *arguments) {
  PyObject *text;
  struct path_address address;
  const char *datagram;
  Py_ssize_t length;
  double now;
  long long arrival_us;
  if (!PyArg_ParseTuple(arguments, "O!y#dL", &PyTuple_Type, &text, &datagram, &length, &now,
                        &arrival_us) ||
      !fill_address(&address, text))
    return NULL;
  path_receive_from(path_of(self), &address, (const uint8_t *)datagram, (size_t)length, now,
                    arrival_us);
  Py_RETURN_NONE;
}

static PyObject *send_rtcp(PyObject *self, PyObject *arguments) {
  int leg;
  const char *packet;
  Py_ssize_t length;
  if (!PyArg_ParseTuple(arguments, "iy#", &leg, &packet, &length)) return NULL;
  return PyBool_FromLong(
      path_send_rtcp(path_of(self), leg, (const uint8_t *)packet, (size_t)length) == 0);
}

static PyObject *charge(PyObject *self, PyObject *arguments) {
  int leg;
  Py_ssize_t bytes;
  double now;
  if (!PyArg_ParseTuple(arguments, "ind", &leg, &bytes, &now)) return NULL;
  return PyBool_FromLong(path_charge(path_of(self), leg, bytes < 0 ? 0 : (size_t)bytes, now));
}

static PyObject *leg_totals(PyObject *self, PyObject *arguments) {
  int leg;
  struct path_leg_totals totals = {0};
  if (!PyArg_ParseTuple(arguments, "i", &leg)) return NULL;
  path_leg_totals(path_of(self), leg, &totals);
  return Py_BuildValue("KKKKK", totals.packets_in, totals.bytes_in, totals.packets_out,
                       totals.bytes_out, totals.dropped);
}

static PyObject *sources(PyObject *self, PyObject *arguments) {
  int leg;
  struct path_source source[MAX_SOURCES];
  if (!PyArg_ParseTuple(arguments, "i", &leg)) return NULL;
  int count = path_sources(path_of(self), leg, source);
  PyObject *list = PyList_New(count);
  for (int i = 0; list && i < count; i++) {
    struct path_source *one = &source[i];
    PyObject *item = Py_BuildValue("IBLKKKd", one->ssrc, one->payload_type, (long long)one->highest,
                                   one->expected, one->received, one->octets, one->jitter);
    if (item) PyList_SetItem(list, i, item);
    else Py_CLEAR(list);
  }
  return list;
}

static PyObject *alert(PyObject *self, PyObject *arguments) {
  int leg;
  if (!PyArg_ParseTuple(arguments, "i", &leg)) return NULL;
  path_alert(path_of(self), leg);
  Py_RETURN_NONE;
}

static PyObject *calm(PyObject *self, PyObject *arguments) {
  int leg;
  unsigned ssrc;
  if (!PyArg_ParseTuple(arguments, "iI", &leg, &ssrc)) return NULL;
  path_calm(path_of(self), leg, ssrc);
  Py_RETURN_NONE;
}

static PyObject *add_journal(PyObject *self, PyObject *arguments) {
  long long offset_us;
  Py_ssize_t limit;
  if (!PyArg_ParseTuple(arguments, "Ln", &offset_us, &limit)) return NULL;
  return number_or_error(path_add_journal(path_of(self), offset_us, limit < 0 ? 0 : (size_t)limit));
}

static PyObject *remove_journal(PyObject *self, PyObject *arguments) {
  int journal;
  if (!PyArg_ParseTuple(arguments, "i", &journal)) return NULL;
  path_remove_journal(path_of(self), journal);
  Py_RETURN_NONE;
}

static PyObject *stop_journal(PyObject *self, PyObject *arguments) {
  int journal;
  if (!PyArg_ParseTuple(arguments, "i", &journal)) return NULL;
  path_stop_journal(path_of(self), journal);
  Py_RETURN_NONE;
}

static PyObject *append(PyObject *self, PyObject *arguments) {
  int journal;
  long long arrival_us;
  unsigned char kind, leg;
  const char *payload;
  Py_ssize_t length;
  if (!PyArg_ParseTuple(arguments, "iLbby#", &journal, &arrival_us, &kind, &leg, &payload, &length))
    return NULL;
  return PyLong_FromSize_t(path_append(path_of(self), journal, arrival_us, kind, leg,
                                       (const uint8_t *)payload, (size_t)length));
}

static PyObject *take(PyObject *self, PyObject *arguments) {
  int journal;
  struct path_journal_body body = {0};
  if (!PyArg_ParseTuple(arguments, "i", &journal)) return NULL;
  path_take(path_of(self), journal, &body);
  PyObject *taken = Py_BuildValue("y#K", body.records ? (char *)body.records : "",
                                  (Py_ssize_t)body.length, body.gaps);
  free(body.records);
  return taken;
}

static PyObject *next_event(PyObject *self, PyObject *Py_UNUSED(none)) {
  struct path_event *event = &((Path *)self)->event;
  if (!path_next_event(path_of(self), event)) Py_RETURN_NONE;
  PyObject *address = Py_None;
  if (event->kind == EVENT_DATAGRAM) address = address_text(&event->address);
  else Py_INCREF(address);
  if (!address) return NULL;
  return Py_BuildValue("iidLLIy#N", (int)event->kind, event->leg, event->now,
                       (long long)event->arrival_us, (long long)event->highest, event->step,
                       (char *)event->data, (Py_ssize_t)event->length, address);
}

static PyObject *totals(PyObject *self, PyObject *Py_UNUSED(none)) {
  struct path_totals all;
  path_totals(path_of(self), &all);
  return Py_BuildValue("KKKKKdI", all.received, all.sent, all.unsent, all.events_dropped,
                       all.wake_ups, all.datagrams_per_second, all.gather_us);
}

static PyObject *new_path(PyTypeObject *type, PyObject *arguments, PyObject *Py_UNUSED(named)) {
  unsigned long long function[4], seed;
  unsigned gather_us;
  if (!PyArg_ParseTuple(arguments, "KKKKKI", &function[0], &function[1], &function[2], &function[3],
                        &seed, &gather_us))
    return NULL;
  struct path_srtp srtp = {
      (srtp_function)(uintptr_t)function[0], (srtp_function)(uintptr_t)function[1],
      (srtp_function)(uintptr_t)function[2], (srtp_function)(uintptr_t)function[3]};
  allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
  Path *self = (Path *)allocate(type, 0);
  if (self && !(self->path = path_new(&srtp, seed, gather_us))) {
    Py_DECREF(self);
    return PyErr_NoMemory();
  }
  return (PyObject *)self;
}

static void dealloc(PyObject *self) {
  PyTypeObject *type = Py_TYPE(self);
  if (path_of(self)) path_free(path_of(self));
  ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
  Py_DECREF(type);
}

static PyMethodDef METHODS[] = {
    {"start", start, METH_VARARGS, NULL},
    {"stop", stop, METH_NOARGS, NULL},
    {"add_leg", add_leg, METH_VARARGS, NULL},
    {"remove_leg", remove_leg, METH_VARARGS, NULL},
    {"set_sessions", set_sessions, METH_VARARGS, NULL},
    {"limit_rate", limit_rate, METH_VARARGS, NULL},
    {"set_types", set_types, METH_VARARGS, NULL},
    {"bind", bind_address, METH_VARARGS, NULL},
    {"unbind", unbind_address, METH_VARARGS, NULL},
    {"send_to", send_to, METH_VARARGS, NULL},
    {"connect", connect_leg, METH_VARARGS, NULL},
    {"receive", receive, METH_VARARGS, NULL},
    {"receive_from", receive_from, METH_VARARGS, NULL},
    {"send_rtcp", send_rtcp, METH_VARARGS, NULL},
    {"charge", charge, METH_VARARGS, NULL},
    {"leg_totals", leg_totals, METH_VARARGS, NULL},
    {"sources", sources, METH_VARARGS, NULL},
    {"alert", alert, METH_VARARGS, NULL},
    {"calm", calm, METH_VARARGS, NULL},
    {"add_journal", add_journal, METH_VARARGS, NULL},
    {"remove_journal", remove_journal, METH_VARARGS, NULL},
    {"stop_journal", stop_journal, METH_VARARGS, NULL},
    {"append", append, METH_VARARGS, NULL},
    {"take", take, METH_VARARGS, NULL},
    {"next_event", next_event, METH_NOARGS, NULL},
    {"totals", totals, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot SLOTS[] = {
    {Py_tp_doc, (void *)"The packet path; see packet_path.h."},
    {Py_tp_new, (void *)(uintptr_t)new_path},
    {Py_tp_dealloc, (void *)(uintptr_t)dealloc},
    {Py_tp_methods, METHODS},
    {0, NULL},
};

static PyType_Spec TYPE = {
    .name = "visavis.media.native._packet_path.Path",
    .basicsize = sizeof(Path),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = SLOTS,
};

static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, "_packet_path", NULL, -1, NULL, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__packet_path(void) {
  PyObject *module = PyModule_Create(&MODULE), *type = module ? PyType_FromSpec(&TYPE) : NULL;
  if (!type || PyModule_AddObject(module, "Path", type)) {
    Py_XDECREF(type);
    Py_XDECREF(module);
    return NULL;
  }
  PyModule_AddIntConstant(module, "INTERFACE", INTERFACE);
  PyModule_AddIntConstant(module, "MAX_GATHER_US", MAX_GATHER_US);
  PyModule_AddIntConstant(module, "MAX_LEGS", MAX_LEGS);
  PyModule_AddIntConstant(module, "MAX_EVENTS", MAX_EVENTS);
  PyModule_AddIntConstant(module, "MAX_STRANGER_EVENTS", MAX_STRANGER_EVENTS);
  return module;
}
