/*
 * Kernel calls that the C library does not have, or hides behind variadic functions and macros that Swift cannot import.
 * Every function returns a value >= 0, or -errno.
 */
#ifndef SKOOP_CLINUX_H
#define SKOOP_CLINUX_H

#include <stddef.h>
#include <stdint.h>

/* setns(2) of the calling thread into the network namespace that `fd` refers to. */
int clinux_setns_net(int fd);

/* unshare(2) of the calling thread's network namespace. For tests and the demo. */
int clinux_unshare_net(void);

/* The cookie of the calling thread's network namespace (SO_NETNS_COOKIE, 5.14). -ENOPROTOOPT where the kernel has none. */
int clinux_netns_cookie(uint64_t *cookie);

/* Names the calling thread for ps(1) and debuggers; the kernel keeps 15 bytes. */
void clinux_set_thread_name(const char *name);

/* malloc_trim(3), whose header Swift does not import. */
void clinux_release_free_memory(void);

/* Fixes glibc's thresholds for giving memory back (mallopt(3)), which grow with the largest buffer freed otherwise. */
void clinux_keep_little_memory(void);

/* An eventfd(2), whose header Swift does not import. */
int clinux_eventfd(void);

/* Whether `fd` is a file of nsfs, that is a namespace (NSFS_MAGIC, linux/magic.h): 1 or 0. */
int clinux_is_namespace(int fd);

/* pipe2(2) with O_CLOEXEC, which Swift does not import: where to read, and where to write. */
int clinux_pipe(int ends[2]);

/* A socket of netlink(7) for `protocol` (NETLINK_ROUTE, ...), with readable errors (NETLINK_EXT_ACK) where the kernel has
 * them, a large receive buffer, and 10 s of patience. */
int clinux_netlink_open(int protocol);

/* Sends `size` bytes to the kernel, or one datagram from it into `buffer`; returns its length. -EMSGSIZE when it was
 * longer than `size`. Datagrams that other processes sent are skipped. */
long clinux_netlink_send(int fd, const void *bytes, size_t size);
long clinux_netlink_receive(int fd, void *buffer, size_t size);

#endif
