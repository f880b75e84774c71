/*
 * Socket calls of the path laboratory whose structures and macros Swift cannot import: control messages, error queues,
 * netlink dumps, and starting a program in the calling thread's network namespace. Every function returns a value >= 0,
 * or -errno.
 */
#ifndef SKOOP_CPATHLAB_H
#define SKOOP_CPATHLAB_H

#include <stddef.h>
#include <stdint.h>

/* An address in network order (an IPv4 address uses the first four bytes) with its port; family 4 or 6. */
struct pathlab_address {
	uint8_t bytes[16];
	uint16_t port;
	uint8_t family;
	uint8_t padding;
	/* sin6_scope_id of a link-local address. */
	uint32_t scope;
};

enum pathlab_kind { PATHLAB_TCP, PATHLAB_UDP, PATHLAB_ECHO };

/* A non-blocking socket in the calling thread's namespace. PATHLAB_ECHO: a raw socket for ICMP or ICMPv6 as ping(8) has. */
int pathlab_socket(enum pathlab_kind kind, int family);

/* SO_BINDTODEVICE, SO_MARK, and whether only IPv6 is taken; the owner, which policy rules look at, by fchown(2). */
int pathlab_set_device(int fd, const char *device);
int pathlab_set_mark(int fd, uint32_t mark);
int pathlab_set_v6only(int fd, int on);
int pathlab_set_owner(int fd, uint32_t uid);
/* IP_MTU_DISCOVER: Don't Fragment always, or never. */
int pathlab_set_dont_fragment(int fd, int family, int on);
/* close(2) of a connection sends a reset and leaves no state behind. */
int pathlab_set_abort_on_close(int fd);
/* Datagrams come with the address that they were sent to. */
int pathlab_set_packet_info(int fd, int family);

int pathlab_bind(int fd, const struct pathlab_address *address);
int pathlab_connect(int fd, const struct pathlab_address *address);
int pathlab_name(int fd, struct pathlab_address *address);
int pathlab_accept(int fd, struct pathlab_address *peer);
/* SO_ERROR. */
int pathlab_pending_error(int fd);

/* sendto(2); `to` NULL on a connected socket. */
int pathlab_send(int fd, const void *bytes, size_t count, const struct pathlab_address *to);
/* recvmsg(2): where from, and with pathlab_set_packet_info where to (family 0: not told). */
int pathlab_receive(int fd, void *bytes, size_t count, struct pathlab_address *from, struct pathlab_address *to);
/*
 * recvmsg(2) from the error queue: the error's number, and the bytes of the packet it is about. -EAGAIN: nothing there.
 * `type` is -1 for an error of this machine, else ICMP's.
 */
int pathlab_receive_error(int fd, int family, void *bytes, size_t count, int *type, int *code, size_t *length);

/* The symbol of an error number, such as ECONNREFUSED; NULL for an unknown one. */
const char *pathlab_error_name(int number);

/*
 * Starts `path` with `argv` in the calling thread's namespaces, `input` on its standard input, and reads what it says on
 * standard error into `output` (cut to `room`, ended by a zero). Returns its exit status.
 */
int pathlab_run(const char *path, char *const argv[], const char *input, size_t input_length, char *output, size_t room);

/*
 * Removes what the calling thread's namespace has learned: neighbours that nobody configured, and dynamic entries of
 * forwarding databases. Returns how many.
 */
int pathlab_forget_learned(void);

#endif
