#define _GNU_SOURCE
#include "CPathLab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

/* Sends one request, and waits for its acknowledgement. */
static int request(int fd, struct nlmsghdr *message)
{
	char answer[1024];
	ssize_t count;

	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	if (send(fd, message, message->nlmsg_len, 0) < 0)
		return -errno;
	count = recv(fd, answer, sizeof(answer), 0);
	if (count < (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)))
		return -EIO;
	return ((struct nlmsgerr *)NLMSG_DATA((struct nlmsghdr *)answer))->error;
}

static int is_learned(const struct ndmsg *entry)
{
	if (entry->ndm_flags & NTF_PROXY)
		return 0;
	/* NUD_NOARP marks multicast neighbours and static entries of a bridge. */
	return !(entry->ndm_state & (NUD_PERMANENT | NUD_NOARP));
}

/* Removes the learned entries of one kind of table: AF_UNSPEC for neighbours, AF_BRIDGE for forwarding databases. */
static int forget(int family)
{
	enum { room = 1 << 16 };
	struct {
		struct nlmsghdr header;
		struct ndmsg entry;
	} dump = {
		.header = { .nlmsg_len = sizeof(dump), .nlmsg_type = RTM_GETNEIGH, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.entry = { .ndm_family = (unsigned char)family },
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int removal = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	char *bytes = malloc(room);
	int removed = 0, done = 0, error = 0;

	if (fd < 0 || removal < 0 || !bytes || send(fd, &dump, sizeof(dump), 0) < 0)
		error = -errno;
	while (!done && !error) {
		ssize_t count = recv(fd, bytes, room, 0);

		if (count < 0) {
			error = -errno;
			break;
		}
		for (struct nlmsghdr *message = (void *)bytes; NLMSG_OK(message, count); message = NLMSG_NEXT(message, count)) {
			struct ndmsg *entry = NLMSG_DATA(message);

			if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) {
				done = 1;
				break;
			}
			if (message->nlmsg_type != RTM_NEWNEIGH || !is_learned(entry))
				continue;
			message->nlmsg_type = RTM_DELNEIGH;
			message->nlmsg_seq = 0;
			/* A port's entry in its bridge's table is told with its bridge (NDA_MASTER) and removed by NTF_MASTER. */
			if (family == AF_BRIDGE && !(entry->ndm_flags & (NTF_SELF | NTF_MASTER)))
				entry->ndm_flags |= NTF_MASTER;
			if (request(removal, message) == 0)
				removed++;
		}
	}
	free(bytes);
	if (fd >= 0)
		close(fd);
	if (removal >= 0)
		close(removal);
	return error ? error : removed;
}

int pathlab_forget_learned(void)
{
	int neighbours = forget(AF_UNSPEC);
	int entries = forget(AF_BRIDGE);

	return neighbours < 0 ? neighbours : entries < 0 ? entries : neighbours + entries;
}
