#define _GNU_SOURCE
#include "CPathLab.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/errqueue.h>

static int result(long value)
{
	return value < 0 ? -errno : (int)value;
}

static int family_of(int family)
{
	return family == 4 ? AF_INET : AF_INET6;
}

static socklen_t to_kernel(const struct pathlab_address *from, struct sockaddr_storage *to)
{
	memset(to, 0, sizeof(*to));
	if (from->family == 4) {
		struct sockaddr_in *v4 = (void *)to;

		v4->sin_family = AF_INET;
		v4->sin_port = htons(from->port);
		memcpy(&v4->sin_addr, from->bytes, 4);
		return sizeof(*v4);
	}
	struct sockaddr_in6 *v6 = (void *)to;

	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(from->port);
	v6->sin6_scope_id = from->scope;
	memcpy(&v6->sin6_addr, from->bytes, 16);
	return sizeof(*v6);
}

static void from_kernel(const struct sockaddr_storage *from, struct pathlab_address *to)
{
	memset(to, 0, sizeof(*to));
	if (from->ss_family == AF_INET) {
		const struct sockaddr_in *v4 = (const void *)from;

		to->family = 4;
		to->port = ntohs(v4->sin_port);
		memcpy(to->bytes, &v4->sin_addr, 4);
	} else if (from->ss_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const void *)from;

		to->port = ntohs(v6->sin6_port);
		if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
			to->family = 4;
			memcpy(to->bytes, v6->sin6_addr.s6_addr + 12, 4);
		} else {
			to->family = 6;
			to->scope = v6->sin6_scope_id;
			memcpy(to->bytes, &v6->sin6_addr, 16);
		}
	}
}

static int set(int fd, int level, int name, int value)
{
	return result(setsockopt(fd, level, name, &value, sizeof(value)));
}

int pathlab_socket(enum pathlab_kind kind, int family)
{
	const int flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
	int fd;

	if (kind == PATHLAB_TCP)
		return result(socket(family_of(family), SOCK_STREAM | flags, 0));
	if (kind == PATHLAB_UDP)
		return result(socket(family_of(family), SOCK_DGRAM | flags, 0));
	fd = socket(family_of(family), SOCK_RAW | flags, family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	if (fd < 0)
		return -errno;
	/* As ping(8): errors about the request come back. */
	if (family == 4)
		set(fd, IPPROTO_IP, IP_RECVERR, 1);
	else
		set(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
	return fd;
}

int pathlab_set_device(int fd, const char *device)
{
	return result(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, strlen(device) + 1));
}

int pathlab_set_mark(int fd, uint32_t mark)
{
	return set(fd, SOL_SOCKET, SO_MARK, (int)mark);
}

int pathlab_set_v6only(int fd, int on)
{
	return set(fd, IPPROTO_IPV6, IPV6_V6ONLY, on);
}

int pathlab_set_owner(int fd, uint32_t uid)
{
	return result(fchown(fd, uid, (gid_t)-1));
}

int pathlab_set_dont_fragment(int fd, int family, int on)
{
	if (family == 4)
		return set(fd, IPPROTO_IP, IP_MTU_DISCOVER, on ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT);
	return set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, on ? IPV6_PMTUDISC_DO : IPV6_PMTUDISC_DONT);
}

int pathlab_set_abort_on_close(int fd)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	return result(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
}

int pathlab_set_packet_info(int fd, int family)
{
	/* A socket for both families tells of IPv4 by its own option. */
	if (family == 6)
		set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	return set(fd, IPPROTO_IP, IP_PKTINFO, 1);
}

int pathlab_bind(int fd, const struct pathlab_address *address)
{
	struct sockaddr_storage storage;
	socklen_t length = to_kernel(address, &storage);

	set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	return result(bind(fd, (void *)&storage, length));
}

int pathlab_connect(int fd, const struct pathlab_address *address)
{
	struct sockaddr_storage storage;
	socklen_t length = to_kernel(address, &storage);

	return result(connect(fd, (void *)&storage, length));
}

int pathlab_name(int fd, struct pathlab_address *address)
{
	struct sockaddr_storage storage = {};
	socklen_t length = sizeof(storage);

	if (getsockname(fd, (void *)&storage, &length) < 0)
		return -errno;
	from_kernel(&storage, address);
	return 0;
}

int pathlab_accept(int fd, struct pathlab_address *peer)
{
	struct sockaddr_storage storage = {};
	socklen_t length = sizeof(storage);
	int accepted = accept4(fd, (void *)&storage, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (accepted < 0)
		return -errno;
	from_kernel(&storage, peer);
	return accepted;
}

int pathlab_pending_error(int fd)
{
	int value = 0;
	socklen_t length = sizeof(value);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &length) < 0)
		return -errno;
	return value;
}

int pathlab_send(int fd, const void *bytes, size_t count, const struct pathlab_address *to)
{
	struct sockaddr_storage storage;

	if (!to)
		return result(send(fd, bytes, count, MSG_NOSIGNAL));
	socklen_t length = to_kernel(to, &storage);

	return result(sendto(fd, bytes, count, MSG_NOSIGNAL, (void *)&storage, length));
}

int pathlab_receive(int fd, void *bytes, size_t count, struct pathlab_address *from, struct pathlab_address *to)
{
	struct sockaddr_storage storage = {};
	char control[256];
	struct iovec vector = { .iov_base = bytes, .iov_len = count };
	struct msghdr message = {
		.msg_name = &storage,
		.msg_namelen = sizeof(storage),
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t received = recvmsg(fd, &message, 0);

	if (received < 0)
		return -errno;
	from_kernel(&storage, from);
	memset(to, 0, sizeof(*to));
	for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
		if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(header), sizeof(info));
			to->family = 4;
			memcpy(to->bytes, &info.ipi_addr, 4);
		} else if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_PKTINFO && !to->family) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(header), sizeof(info));
			if (IN6_IS_ADDR_V4MAPPED(&info.ipi6_addr)) {
				to->family = 4;
				memcpy(to->bytes, info.ipi6_addr.s6_addr + 12, 4);
			} else {
				to->family = 6;
				memcpy(to->bytes, &info.ipi6_addr, 16);
			}
		}
	}
	return (int)received;
}

int pathlab_receive_error(int fd, int family, void *bytes, size_t count, int *type, int *code, size_t *length)
{
	char control[512];
	struct iovec vector = { .iov_base = bytes, .iov_len = count };
	struct msghdr message = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t received = recvmsg(fd, &message, MSG_ERRQUEUE);

	if (received < 0)
		return -errno;
	*length = (size_t)received;
	for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
		struct sock_extended_err error;

		if (!(family == 4 && header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_RECVERR) &&
		    !(family == 6 && header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_RECVERR))
			continue;
		memcpy(&error, CMSG_DATA(header), sizeof(error));
		*type = error.ee_origin == SO_EE_ORIGIN_LOCAL ? -1 : error.ee_type;
		*code = error.ee_code;
		return (int)error.ee_errno;
	}
	return 0;
}

const char *pathlab_error_name(int number)
{
	return strerrorname_np(number);
}
