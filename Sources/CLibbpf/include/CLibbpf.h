/*
 * libbpf for Swift. Its functions are used as they are; here stand only those whose option structures must lie in zeroed
 * memory (libbpf refuses others), and the variadic log callback. Functions return a value >= 0 or -errno.
 */
#ifndef SKOOP_CLIBBPF_H
#define SKOOP_CLIBBPF_H

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

/* Sends libbpf's messages, one call each, without their newline. level: enum libbpf_print_level. */
typedef void (*clibbpf_log_fn)(int level, const char *text);
void clibbpf_set_log(clibbpf_log_fn fn);

/* Opens an object from memory. btf_path: BTF of the running kernel, or NULL for the kernel's own. NULL: see errno. */
struct bpf_object *clibbpf_open(const void *bytes, size_t size, const char *name, const char *btf_path);

/* Gives `program` a buffer for the verifier's log, which must live until the object is loaded. */
int clibbpf_set_log_buffer(struct bpf_program *program, char *buffer, size_t size);

struct clibbpf_program_info {
	__u32 id;
	__u64 run_time_ns;
	__u64 run_count;
	__u64 recursion_misses;
};
int clibbpf_program_info(int fd, struct clibbpf_program_info *info);

/* Runs a loaded program once (BPF_PROG_TEST_RUN) with `size` bytes of context. */
int clibbpf_run(int fd, const void *context, size_t size);

struct clibbpf_map_info {
	__u32 id;
	__u32 type;
	__u32 key_size;
	__u32 value_size;
	__u32 max_entries;
};
int clibbpf_map_info(int fd, struct clibbpf_map_info *info);

/* One batch of a hash map, from *position (0 at first) to the new *position. *count: room in, entries out. Returns 1 at the
 * end of the map. */
int clibbpf_lookup_batch(int fd, _Bool first, __u64 *position, void *keys, void *values, __u32 *count);

/* The ids of the programs at `target` (a descriptor, or an interface's index for tcx) of a kind of enum bpf_attach_type,
 * which may be newer than this header: BPF_PROG_QUERY. Returns how many there are; at most `room` are written. */
int clibbpf_query_programs(int target, unsigned int attach_type, __u32 *ids, __u32 room);

/* The id after `id` of a loaded program, or of a link; 0 at the end. */
long clibbpf_next_program(__u32 id);
long clibbpf_next_link(__u32 id);

/* The type and name of a program. -ENOENT when it is gone. */
struct clibbpf_program_name {
	__u32 type;
	char name[BPF_OBJ_NAME_LEN];
};
int clibbpf_program_name(__u32 id, struct clibbpf_program_name *result);

/* The type of a link (enum bpf_link_type, which may be newer than this header) and its program's id. */
struct clibbpf_link_kind {
	__u32 type;
	__u32 program;
};
int clibbpf_link_kind(__u32 id, struct clibbpf_link_kind *result);

/* Kinds of BTF types (uapi/linux/btf.h), which Swift sees twice: as an enumeration and as macros. */
enum clibbpf_btf_kind {
	CLIBBPF_KIND_ARRAY = BTF_KIND_ARRAY,
	CLIBBPF_KIND_ENUM = BTF_KIND_ENUM,
	CLIBBPF_KIND_TYPEDEF = BTF_KIND_TYPEDEF,
	CLIBBPF_KIND_VOLATILE = BTF_KIND_VOLATILE,
	CLIBBPF_KIND_CONST = BTF_KIND_CONST,
	CLIBBPF_KIND_DATASEC = BTF_KIND_DATASEC,
};

#endif
