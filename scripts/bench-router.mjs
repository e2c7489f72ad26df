// npm run bench:router: installs, builds what is out of date, and measures.
import { runBuilt } from './run-built.mjs';

const help = `Usage: npm run bench:router -- [options]

Compares the router's own executor with the stock one, in turns in one process: one operation with every
join that the well-known users, products, reviews and stock allow, through Apollo Server. First the
subgraphs are asked over HTTP, in a process of their own; then they are answered from memory, which
leaves the executors alone. Starts nothing else of spacerent. Takes under a minute.

  --seconds N   how long each of the three rounds of each executor takes (default 3)
  --clients N   how many requests are under way at once (default 8)
  --out FILE    where the results go as JSON (default .spacerent/bench-router.json)`;

await runBuilt(help, 'bench/router/main.js');
