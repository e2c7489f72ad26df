// npm run bench:outages: installs, builds what is out of date, and measures.
import { runBuilt } from './run-built.mjs';

const help = `Usage: npm run bench:outages -- [options]

Starts spacerent (embedded profile, a free port, a home that is thrown away) and measures what outages
cost: how fast requestBooking answers while payment is silent and its circuit open, how fast deferred
payments drain afterwards, and how fast a backlog of events is taken once space is back, in how much
memory. Linux only. Takes about ten minutes; close other programs before it.

  --rate N      how many bookings a second are requested while payment is silent (default 30)
  --seconds N   for how long (default 20)
  --backlog N   how many events wait for space (default 100000; 0: leave out)
  --folder DIR  where its databases are for the time being (default .spacerent; one in memory, like
                /dev/shm, leaves the disk's part out)
  --out FILE    where the results go as JSON (default .spacerent/bench-outages.json)`;

await runBuilt(help, 'bench/outages/main.js');
