// npm run bench:live: installs, builds what is out of date, and measures.
import { runBuilt } from './run-built.mjs';

const help = `Usage: npm run bench:live -- [options]

Starts spacerent (embedded profile, a free port, a home that is thrown away) and measures live statuses
over graphql-ws on one router process, for each number of subscribers: how long a change takes from
mypage's commit to the client, when each watches a booking of its own; how many messages a second get
through when all watch the same one; the router's memory for each idle subscriber. Beside it the
limit: a bare ws server that broadcasts the same bytes to as many clients.
Linux only. Takes about three and a half minutes; close other programs before it, they take part in the result.

  --subscribers N,…  how many there are, one after the other (default 1000,10000)
  --rate N           how many bookings change a second while latency is measured (default 100)
  --seconds N        how long each part is measured (default 8)
  --folder DIR       where its databases are for the time being (default .spacerent; one in memory,
                     like /dev/shm, leaves the disk's part out)
  --out FILE         where the results go as JSON (default .spacerent/bench-live.json)

The clients run on this very machine, in a process of their own.`;

await runBuilt(help, 'bench/live/main.js');
