// npm run bench: installs, builds what is out of date, and measures.
import { runBuilt } from './run-built.mjs';

const help = `Usage: npm run bench -- [options]

Starts spacerent (embedded profile, a free port, a home that is thrown away) and measures it: confirmed
bookings per second and how long they take, first almost empty and again with many bookings stored;
reads of mypage per second; the CPU time that each process spends on a booking; and the limit: how
many bookings' lives a bare program gets through the same PostgreSQL and disk with the same SQL.
Takes about two and a half minutes; close other programs before it, they take part in the result.

  --seconds N   how long bookings are measured, each time (default 20)
  --clients N   how many clients book and read at once (default 32)
  --stored N    how many bookings are stored before the second time (default 100000; 0: leave out)
  --out FILE    where the results go as JSON (default .spacerent/bench-results.json)

The clients run on this very machine, so the table of CPU time lists them as well.`;

await runBuilt(help, 'bench/main.js');
