// The benchmarks: what each measures, its options, and the built program.

/** @type {Record<string, { purpose: string, program: string, help: string }>} */
export const benchmarks = {
  booking: {
    purpose: 'bookings per second, latencies, CPU time, and the share of the limit (default)',
    program: 'bench/booking/main.js',
    help: `Usage: npm run bench -- booking [options]

Starts spacerent (embedded profile, a free port, a temporary home) and measures it: confirmed
bookings per second and how long they take, first almost empty and again with many bookings stored;
reads of mypage per second; the CPU time that each process spends on a booking; and the limit: how
many whole bookings a bare program completes on the same PostgreSQL and disk with the same SQL.
Takes about two and a half minutes; close other programs first, because they affect the result.

  --seconds N   how long bookings are measured, each time (default 20)
  --clients N   how many clients book and read at once (default 32)
  --stored N    how many bookings are stored before the second time (default 100000; 0: leave out)
  --out FILE    where the results go as JSON (default .spacerent/bench-results.json)

The clients run on this very machine, so the table of CPU time lists them as well.`,
  },
  'capacity-model': {
    purpose: 'what a booking costs, a simulation of the system, and sizes for many bookings',
    program: 'bench/capacity-model/main.js',
    help: `Usage: npm run bench -- capacity-model [options]

Starts spacerent (embedded profile, a free port, a temporary home) and measures what a booking costs each
process and database: CPU time, rows, stored bytes, and bytes read and written. From one client and from four it
derives a model of a booking, simulates many clients on this machine with it, and compares the throughput with
that of as many real ones. Only if both differ by less than 20 % it prints sizes for a million, a hundred million
and a billion bookings a year; else it ends with status 1. Linux only. Takes about two and a half minutes;
close other programs first, because they affect the result.

  --seconds N   how long each load is measured (default 20)
  --clients N   how many clients book at once in the comparison (default 32)
  --peak N      bookings of the busiest hour as a multiple of the average hour's (default 10)
  --out FILE    where the results go as JSON (default .spacerent/bench-capacity-model.json)`,
  },
  'host-page': {
    purpose: 'pages of a host with many bookings against those of a host with few',
    program: 'bench/host-page/main.js',
    help: `Usage: npm run bench -- host-page [options]

Stores bookings in a SQLite database of its own (with --mariadb-url in a MariaDB one, too), and reads
hostPage.bookings from it as mypage does, in turns of a host with 10,000 bookings and of one with 10: the
first page, a later page, and the number of bookings that wait for approval. Starts nothing else of
spacerent. Takes two to five minutes for each engine.

  --stored N         how many bookings are stored (default 1000000)
  --requests N       how many pages are read of each host (default 1000)
  --mariadb-url URL  a MariaDB server (mysql://…) on which to measure as well; a database is created on it,
                     and dropped at the end
  --out FILE         where the results go as JSON (default .spacerent/bench-host-page.json)`,
  },
  live: {
    purpose: 'live updates: latency, throughput and memory for each subscriber',
    program: 'bench/live/main.js',
    help: `Usage: npm run bench -- live [options]

Starts spacerent (embedded profile, a free port, a temporary home) and measures live statuses
over graphql-ws on one router process, for each number of subscribers: how long a change takes from
mypage's commit to the client, when each watches a booking of its own; how many messages a second get
through when all watch the same one; the router's memory for each idle subscriber. For comparison the
limit: a bare ws server that broadcasts the same bytes to as many clients.
Linux only. Takes about three and a half minutes; close other programs first, because they affect the result.

  --subscribers N,…  how many there are, one after the other (default 1000,10000)
  --rate N           how many bookings change a second while latency is measured (default 100)
  --seconds N        how long each part is measured (default 8)
  --folder DIR       where its databases are during the run (default .spacerent; one in memory,
                     like /dev/shm, leaves the disk's part out)
  --out FILE         where the results go as JSON (default .spacerent/bench-live.json)

The clients run on this very machine, in a process of their own.`,
  },
  'free-slots': {
    purpose: 'live free slots: latency, and computations for each change',
    program: 'bench/free-slots/main.js',
    help: `Usage: npm run bench -- free-slots [options]

Starts spacerent (embedded profile, a free port, a temporary home) and measures the free slots of one
space that many clients without a token watch over graphql-ws: how long a change, a block of an hour or
its removal, takes to each of them, and how often book computes the slots for it.
Takes about half a minute; close other programs first, because they affect the result.

  --watchers N  how many clients watch (default 1000)
  --changes N   how many changes are measured, one after the other (default 50)
  --folder DIR  where its databases are during the run (default .spacerent; one in memory, like
                /dev/shm, leaves the disk's part out)
  --out FILE    where the results go as JSON (default .spacerent/bench-free-slots.json)

The clients run on this very machine, in the process of the benchmark.`,
  },
  outages: {
    purpose: 'an unavailable payment, and a backlog of events',
    program: 'bench/outages/main.js',
    help: `Usage: npm run bench -- outages [options]

Starts spacerent (embedded profile, a free port, a temporary home) and measures what outages
cost: how fast requestBooking responds while payment is silent and its circuit open, how fast deferred
payments drain afterwards, and how fast a backlog of events is processed once space is back, in how much
memory. Linux only. Takes about ten minutes; close other programs before it.

  --rate N      how many bookings a second are requested while payment is silent (default 30)
  --seconds N   for how long (default 20)
  --backlog N   how many events wait for space (default 100000; 0: leave out)
  --folder DIR  where its databases are during the run (default .spacerent; one in memory, like
                /dev/shm, leaves the disk's part out)
  --out FILE    where the results go as JSON (default .spacerent/bench-outages.json)`,
  },
  protection: {
    purpose: 'what identity, rules, limits and audit cost, against an earlier version',
    program: 'bench/protection/main.js',
    help: `Usage: npm run bench -- protection [options]

Measures what identity, rules, limits and audit cost a client who reads mypage: the very same query, in
turns, of this version and of an earlier one that runs next to it, each with a system of its own. Then it
compares how long the response takes for another customer's booking and for one that does not exist.
Takes about three minutes, the other version's build included.

  --against REF  the earlier version, as git knows it (default: leave the comparison out)
  --requests N   how many requests of each kind are measured (default 2000)
  --out FILE     where the results go as JSON (default .spacerent/bench-protection.json)`,
  },
  router: {
    purpose: 'the router against the stock gateway',
    program: 'bench/router/main.js',
    help: `Usage: npm run bench -- router [options]

Compares "npm run router" with the stock gateway behind Apollo's standalone server: both before the same
subgraphs, which respond from memory, each in a process of its own, in turns. The operation has every join
that the usual users, products, reviews and stock allow. Then it compares the executors alone, in one
process, and measures the preparation of operations of 100 fields. Linux only, because it reads the CPU
time of the processes. Starts nothing else of spacerent. Takes under a minute.

  --seconds N   how long each of the three rounds of each router takes (default 3)
  --clients N   how many requests are under way at once (default 8)
  --out FILE    where the results go as JSON (default .spacerent/bench-router.json)`,
  },
  tracing: {
    purpose: 'CPU time of traces: switched off, and of a share of the requests',
    program: 'bench/tracing/main.js',
    help: `Usage: npm run bench -- tracing [options]

Measures the CPU time that all services of spacerent (embedded profile) spend on a booking, to the
acknowledgement of its last event, and on a page of mypage: with traces off, with a share of them exported
to a collector in the process of the benchmark, and in an earlier version. Off and on are the same processes,
which are switched; the earlier version runs next to them. They are measured in turns, in an order that changes
with each round; what counts is the ratio to the variant before within a round. Before, it measures spans alone,
in its own process. Linux only. Takes about four minutes; close other programs first.

  --against REF  an earlier version, as git knows it (default: leave it out)
  --percent N    the share of the traces that is exported (default 1)
  --rounds N     how many rounds are measured (default 40)
  --bookings N   how many bookings there are in each round of each system (default 25)
  --reads N      how many pages are read in each round of each system (default 150)
  --out FILE     where the results go as JSON (default .spacerent/bench-tracing.json)`,
  },
  rules: {
    purpose: 'CPU time of booking rules, prices and refunds with the longest lists',
    program: 'bench/rules/main.js',
    help: `Usage: npm run bench -- rules [options]

Measures the CPU time of what book computes for each request, of a space whose lists are all at their
limits: 6 opening hours a day, 400 opening exceptions, 50 price rules, 30 add-ons and 50 refund tiers. Free
slots and the quote are of 31 days. Starts nothing else of spacerent. Takes some seconds.

  --repetitions N  how often each is evaluated (default 200)
  --out FILE       where the results go as JSON (default .spacerent/bench-rules.json)`,
  },
  rollout: {
    purpose: 'replaces every process behind HAProxy: failed requests, missed versions',
    program: 'tests/faults/rollout/main.js',
    help: `Usage: npm run bench -- rollout [options]

Starts two replicas of every service behind HAProxy, on PostgreSQL, MariaDB and Redis of its own (temporary data,
free ports), while clients read, book, cancel and watch their bookings. It replaces every process, one after the
other: first those of the last release (contracts/baseline/commit, which it builds) by this version, then
these by new ones. It prints the requests, failures and latencies of each service, checks every invariant, and ends
with status 1 when a request failed, a subscriber missed or received a version twice, or an invariant is violated.
Needs the programs redis-server, mariadbd and haproxy (Debian: redis-server, mariadb-server, haproxy). Takes
about ten minutes.

  --requests N     how many requests are sent at least (default 50000)
  --subscribers N  how many customers book, watch over graphql-ws or graphql-sse, and cancel (default 200)
  --readers N      how many clients read, with pauses (default 16)
  --drain N        DRAIN_SECONDS of every service; HAProxy checks readiness ten times in it (default 5)
  --only ROUND     upgrade (from the last release) or restart (of this version) alone
  --short          restarts this version alone, and one replica of each service: a minute
  --keep           keeps data and logs of a good run, too
  --out FILE       where the results go as JSON (default .spacerent/bench-rollout.json)

For example: npm run bench -- rollout --short --requests 500 --subscribers 10`,
  },
  'redis-cluster': {
    purpose: 'moves slots of a Redis Cluster and takes masters away: lost events, missed versions',
    program: 'tests/faults/redis-cluster/main.js',
    help: `Usage: npm run bench -- redis-cluster [options]

Starts a Redis Cluster of six nodes and two replicas of every service behind HAProxy, on PostgreSQL and MariaDB of
its own (temporary data, free ports), while clients read, book, cancel and watch their bookings. It moves the slots of
all queues to other masters, freezes one master, and kills another. It prints what clients saw of each fault, checks
every invariant, and ends with status 1 when a request failed, a subscriber missed or received a version twice, an
invariant is violated, or the routers no longer limit rates together.
Needs the programs redis-server (7 or later), mariadbd and haproxy (Debian: redis-server, mariadb-server, haproxy).
Takes about three minutes.

  --subscribers N  how many customers book, watch over graphql-ws or graphql-sse, and cancel (default 40)
  --readers N      how many clients read, with pauses (default 4)
  --rest N         seconds before, between and after the faults (default 20)
  --short          freezes no master
  --keep           keeps data and logs of a good run, too
  --out FILE       where the results go as JSON (default .spacerent/bench-redis-cluster.json)`,
  },
  scale: {
    purpose: '1, 2 and 4 replicas of each service: throughput, CPU time, evenness',
    program: 'tests/faults/scale/main.js',
    help: `Usage: npm run bench -- scale [options]

Starts one replica of every service behind HAProxy, on PostgreSQL, MariaDB and Redis of its own (temporary data,
free ports). Under the same load it measures each service with 1, 2 and 4 replicas: requests per second,
latencies, CPU time for each request, and the share of the requests and events that each replica processed. Then it
checks every invariant: nothing is done twice. Ends with status 1 when a request failed or an invariant is violated.
Needs the programs redis-server, mariadbd and haproxy (Debian: redis-server, mariadb-server, haproxy), and
Linux, because it reads the CPU time of the processes. Takes about eight minutes.

  --seconds N   how long each number of replicas is measured (default 15)
  --clients N   how many requests are under way at once; a quarter of them book and cancel (default 16)
  --only NAME   one service alone: router, book, payment, space or mypage
  --drain N     DRAIN_SECONDS of every service (default 5)
  --keep        keeps data and logs of a good run, too
  --out FILE    where the results go as JSON (default .spacerent/bench-scale.json)`,
  },
  healing: {
    purpose: 'one fault after another: failed requests, and how long until none fails',
    program: 'tests/faults/healing/main.js',
    help: `Usage: npm run bench -- healing [options]

Starts the whole system while clients book, cancel and read, and does one thing after another to it: first to what
npm start runs, then to two replicas of every service behind HAProxy, on two PostgreSQL servers with synchronous
replication, MariaDB, and a Redis with a replica (temporary data, free ports). For each fault it prints how many
requests failed or came late, which operations worked throughout, how long until no request failed any more, and
when what failed was back; after each it checks every invariant. Ends with status 1 when something did not heal or an
invariant is violated. docs/operations/healing.md explains the faults.
Needs the programs redis-server, mariadbd and haproxy (Debian: redis-server, mariadb-server, haproxy), and
Linux; memory and disk also need the rights to limit and to mount (root). Takes about twelve minutes.

  --only GROUPS  some of these, separated by commas:
                   kill      kill -9 of each service
                   hang      SIGSTOP of each service, until its liveness probe ends it
                   memory    a service reaches its memory limit
                   disk      the disk of the home is full, and has space again later
                   database  restarts of PostgreSQL (fast and immediate) and MariaDB
                   failover  the primary PostgreSQL is lost: its standby takes over; and what asynchronous
                             replication would have lost
                   redis     the master Redis is lost: its replica takes over
  --clients N    how many clients act; every other one books and cancels, the others read (default 12)
  --short        the first fault of each group, of replicas alone, with faster probes than in the chart
  --keep         keeps data and logs of a good run, too
  --out FILE     where the results go as JSON (default .spacerent/bench-healing.json)

For example: npm run bench -- healing --only kill,failover`,
  },
};
