// npm run bench:protection: installs, builds what is out of date, and measures.
import { runBuilt } from './run-built.mjs';

const help = `Usage: npm run bench:protection -- [options]

Measures what identity, rules, limits and audit cost a client who reads mypage: the very same query, in
turns, of this version and of an earlier one that runs beside it, each with a system of its own. Then it
compares how long the answer takes for a booking of somebody else and for one that does not exist.
Takes about three minutes, the other version's build included.

  --against REF  the earlier version, as git knows it (default: leave the comparison out)
  --requests N   how many requests of each kind are measured (default 2000)
  --out FILE     where the results go as JSON (default .spacerent/bench-protection.json)`;

await runBuilt(help, 'bench/protection/main.js');
