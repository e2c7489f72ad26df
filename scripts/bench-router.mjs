// npm run bench:router: installs, builds what is out of date, and measures.
import { runBuilt } from './run-built.mjs';

const help = `Usage: npm run bench:router -- [options]

Compares the router's own executor with the stock one, in turns in one process: the same operation with
every join that the well-known users, products, reviews and stock allow, through Apollo Server, against
subgraphs over HTTP that answer from memory in a process of their own. Starts nothing else of spacerent.
Takes under a minute.

  --seconds N   how long each of the four rounds of each executor takes (default 5)
  --clients N   how many requests are under way at once (default 8)
  --out FILE    where the results go as JSON (default .spacerent/bench-router.json)`;

await runBuilt(help, 'bench/router/main.js');
