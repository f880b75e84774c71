#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <malloc.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Newer than Debian 12's headers (include/uapi/asm-generic/socket.h, Linux 5.14; include/uapi/linux/magic.h). */
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif
#define SKOOP_NSFS_MAGIC 0x6e736673

int clinux_setns_net(int fd)
{
	return setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;
}

int clinux_unshare_net(void)
{
	return unshare(CLONE_NEWNET) < 0 ? -errno : 0;
}

int clinux_netns_cookie(uint64_t *cookie)
{
	socklen_t size = sizeof(*cookie);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int result;

	if (fd < 0)
		return -errno;
	result = getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, cookie, &size) < 0 ? -errno : 0;
	close(fd);
	return result;
}

void clinux_set_thread_name(const char *name)
{
	prctl(PR_SET_NAME, name);
}

void clinux_release_free_memory(void)
{
	malloc_trim(0);
}

void clinux_keep_little_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, 1 << 20);
	mallopt(M_TRIM_THRESHOLD, 1 << 20);
}

int clinux_eventfd(void)
{
	int fd = eventfd(0, EFD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int clinux_is_namespace(int fd)
{
	struct statfs info;

	if (fstatfs(fd, &info) < 0)
		return -errno;
	return info.f_type == SKOOP_NSFS_MAGIC;
}

int clinux_netlink_open(int protocol)
{
	/* The kernel bounds the buffer by net.core.rmem_max; FORCE goes beyond it where we may. */
	int room = 4 << 20, on = 1;
	struct timeval patience = {.tv_sec = 10};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	return fd;
}

long clinux_netlink_send(int fd, const void *bytes, size_t size)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t sent;

	do
		sent = sendto(fd, bytes, size, 0, (struct sockaddr *)&kernel, sizeof(kernel));
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : sent;
}

long clinux_netlink_receive(int fd, void *buffer, size_t size)
{
	for (;;) {
		struct sockaddr_nl sender = {0};
		struct iovec part = {buffer, size};
		struct msghdr message = {
			.msg_name = &sender, .msg_namelen = sizeof(sender), .msg_iov = &part, .msg_iovlen = 1};
		ssize_t length = recvmsg(fd, &message, 0);

		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			return -errno;
		if (sender.nl_pid != 0)
			continue;
		return message.msg_flags & MSG_TRUNC ? -EMSGSIZE : length;
	}
}

int clinux_pipe(int ends[2])
{
	return pipe2(ends, O_CLOEXEC) < 0 ? -errno : 0;
}
