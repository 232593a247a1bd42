/* Between nodes the watchdog speaks UDP: a datagram that does not come keeps nobody waiting, which
 * a connection to a frozen process does once its buffers are full, and a file system would when it
 * is the file system that is slow. Two nodes listen, rank 0's and the next one, as one of the two
 * may be what is frozen. Where they listen goes round by MPI at the start: all IPv4 addresses of
 * both, of which a node keeps the first that answers. A node is missed only once it has been heard
 * of, so that a network that lets no datagrams through costs the watch between nodes and no job. */
#include "mpi/watchdog_nodes.h"

#include "src/base/log.h"
#include "src/base/memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <math.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

/* LATER: seconds that the second listener leaves the first to speak, and both a node's own ranks.
 */
enum { HUBS = 2, ADDRESSES = 8, LATER = 1 };

/* A node that listens. */
typedef struct hub {
    uint64_t token; /* the first one's is the job's */
    int32_t rank, count;
    uint32_t address[ADDRESSES]; /* network order, as the port */
    uint16_t port;
} hub;

typedef struct heard {
    bool once;
    double silent; /* seconds of this process's own time */
    node_report last;
} heard;

struct watchdog_nodes {
    int socket, rank;
    hub hub[HUBS];
    int chosen[HUBS]; /* index of its address; -1: none has answered yet */
    int listens;      /* number of this hub; -1: it is none */
    heard *from;      /* [ranks]: of the node whose first rank it is; a hub's */
    int ranks;
    uint64_t ticks; /* of all nodes, when something moved last */
    double still;
};

/* Addresses of interfaces that are up; the host's own loop last, for nodes that are one host. */
static void list_addresses(hub *h) {
    struct ifaddrs *all = NULL;
    if (getifaddrs(&all) != 0) return;
    for (int loop = 0; loop < 2; loop++)
        for (struct ifaddrs *a = all; a && h->count < ADDRESSES; a = a->ifa_next) {
            if (!a->ifa_addr || a->ifa_addr->sa_family != AF_INET || !(a->ifa_flags & IFF_UP))
                continue;
            if (((a->ifa_flags & IFF_LOOPBACK) != 0) != (loop == 1)) continue;
            h->address[h->count++] = ((struct sockaddr_in *)(void *)a->ifa_addr)->sin_addr.s_addr;
        }
    freeifaddrs(all);
}

/* A port of the system's choice; -1 without one. */
static int open_socket(uint16_t *port) {
    struct sockaddr_in any = {.sin_family = AF_INET};
    socklen_t size = sizeof any;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    if (bind(fd, (struct sockaddr *)&any, sizeof any) != 0 ||
        getsockname(fd, (struct sockaddr *)&any, &size) != 0) {
        close(fd);
        return -1;
    }
    *port = any.sin_port;
    return fd;
}

/* Rank 0 and the lowest rank above it that is the first of a node; the second -1: there is none.
 * Collective. */
static void choose_hubs(const comm *c, bool first, int *hubs) {
    double second = first && !comm_root(c) ? (double)comm_rank(c) : HUGE_VAL;
    comm_min_f64(c, &second, 1);
    hubs[0] = 0;
    hubs[1] = isfinite(second) ? (int)second : -1;
}

/* What the two hubs say of themselves, on all ranks. Collective. */
static status share_hubs(watchdog_nodes *n, const comm *c, const int *hubs) {
    hub mine = {.rank = comm_rank(c)};
    size_t *bytes = memory_alloc((size_t)comm_size(c), sizeof *bytes, "watchdog");
    status st = comm_agree(c, bytes ? STATUS_OK : STATUS_FAILED);
    n->listens = comm_rank(c) == hubs[0] ? 0 : comm_rank(c) == hubs[1] ? 1 : -1;
    n->socket = open_socket(&mine.port);
    if (st == STATUS_OK) {
        list_addresses(&mine);
        if (getrandom(&mine.token, sizeof mine.token, GRND_NONBLOCK) < 0)
            mine.token = (uint64_t)getpid();
        for (int i = 0; i < HUBS; i++) bytes[hubs[i]] = sizeof mine;
        comm_gather(c, &mine, bytes, n->hub);
    }
    memory_free(bytes);
    return st;
}

status watchdog_nodes_create(watchdog_nodes **out, const comm *c, bool first) {
    int hubs[HUBS];
    choose_hubs(c, first, hubs);
    *out = NULL;
    if (hubs[1] < 0) return STATUS_OK;
    watchdog_nodes *n = memory_alloc(1, sizeof *n, "watchdog");
    heard *from = memory_alloc((size_t)comm_size(c), sizeof *from, "watchdog");
    status st = comm_agree(c, n && from ? STATUS_OK : STATUS_FAILED);
    if (st != STATUS_OK) {
        memory_free(from);
        memory_free(n);
        return st;
    }
    *n = (watchdog_nodes){.socket = -1, .from = from, .ranks = comm_size(c)};
    n->rank = comm_rank(c);
    n->chosen[0] = n->chosen[1] = -1;
    st = share_hubs(n, c, hubs);
    if (st == STATUS_OK && first && n->socket < 0)
        log_warn("watchdog: no socket (%s): this node is not watched by others", strerror(errno));
    if (st == STATUS_OK && first && n->socket >= 0)
        *out = n;
    else
        watchdog_nodes_destroy(n);
    return st;
}

void watchdog_nodes_destroy(watchdog_nodes *n) {
    if (!n) return;
    if (n->socket >= 0) close(n->socket);
    memory_free(n->from);
    memory_free(n);
}

bool watchdog_nodes_reached(const watchdog_nodes *n) {
    for (int h = 0; h < HUBS; h++)
        if (n->hub[h].rank != n->rank && n->chosen[h] < 0) return false;
    return true;
}

/* Lost datagrams and closed doors are no matter: the next beat tries again. */
static void send_to(watchdog_nodes *n, const node_report *r, uint32_t address, uint16_t port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = port};
    to.sin_addr.s_addr = address;
    if (sendto(n->socket, r, sizeof *r, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&to,
            sizeof to) < 0)
        return;
}

static void send_report(watchdog_nodes *n, const node_report *mine) {
    for (int h = 0; h < HUBS; h++) {
        const hub *to = &n->hub[h];
        if (to->rank == n->rank) continue;
        for (int i = 0; i < to->count; i++)
            if (n->chosen[h] < 0 || n->chosen[h] == i) send_to(n, mine, to->address[i], to->port);
    }
}

/* An answer says by which address a hub is reached. */
static void take_answer(watchdog_nodes *n, const node_report *r, uint32_t address) {
    for (int h = 0; h < HUBS; h++)
        for (int i = 0; i < n->hub[h].count; i++)
            if (n->hub[h].rank == r->first && n->hub[h].address[i] == address) n->chosen[h] = i;
}

/* All that has come. An answer goes where a report came from. */
static void receive(watchdog_nodes *n, const node_report *mine) {
    node_report r;
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    while (recvfrom(n->socket, &r, sizeof r, MSG_DONTWAIT, (struct sockaddr *)&from, &size) ==
           (ssize_t)sizeof r) {
        size = sizeof from;
        if (r.token != n->hub[0].token || r.first < 0 || r.first >= n->ranks) continue;
        if (r.answer) {
            take_answer(n, &r, from.sin_addr.s_addr);
            continue;
        }
        r.host[WATCHDOG_HOST - 1] = r.behind.stage[PULSE_STAGE - 1] = '\0';
        heard *h = &n->from[r.first];
        *h = (heard){.once = true, .last = r};
        node_report answer = *mine;
        answer.answer = 1;
        send_to(n, &answer, from.sin_addr.s_addr, from.sin_port);
    }
}

/* Of the nodes that were heard: one that has gone silent; or all of them waiting, with not one
 * piece of work done, which no node can see by itself. What a silent node said last is no longer
 * so: it does not wait. */
static node_verdict judge(
    watchdog_nodes *n, double dt, double limit, node_report *about, double *seconds) {
    uint64_t ticks = 0;
    int waiting = 0, ranks = 0, behind = n->rank;
    double most = limit + LATER * (1 + n->listens);
    for (int r = 0; r < n->ranks; r++) {
        heard *h = &n->from[r];
        if (!h->once) continue;
        if (r != n->rank) h->silent += dt;
        if (h->silent >= most) {
            *about = h->last;
            *seconds = h->silent;
            return NODES_SILENT;
        }
        ticks += h->last.ticks;
        waiting += h->silent <= limit / 2 ? h->last.waiting : 0;
        ranks += h->last.ranks;
        if (h->last.behind.step < n->from[behind].last.behind.step) behind = r;
    }
    bool still = waiting == n->ranks && ranks == n->ranks && ticks == n->ticks;
    n->ticks = ticks;
    n->still = still ? n->still + dt : 0;
    if (n->still < most) return NODES_FINE;
    *about = n->from[behind].last;
    *seconds = n->still;
    return NODES_WAIT;
}

node_verdict watchdog_nodes_beat(watchdog_nodes *n, node_report *mine, double dt, double limit,
    node_report *about, double *seconds) {
    mine->token = n->hub[0].token;
    send_report(n, mine);
    receive(n, mine);
    if (n->listens < 0) return NODES_FINE;
    n->from[n->rank] = (heard){.once = true, .last = *mine};
    return judge(n, dt, limit, about, seconds);
}
