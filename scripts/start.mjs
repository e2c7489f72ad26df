// npm start: installs, builds what is out of date, and becomes the supervisor.
import { requireNode } from './node-version.mjs';

const help = `Usage: npm start

Starts spacerent: the router, the four subgraphs and, with no further settings, an embedded
PostgreSQL. Stop it with Ctrl-C.

  PORT                  where GraphQL listens (default 4000; 0 takes a free port)
  HOST                  on which address (default 127.0.0.1)
  SPACERENT_HOME        folder of data, logs and secrets (default .spacerent in the project)
  SPACERENT_DEMO        "off" lists no demo spaces on the first start

To use servers instead of the embedded ones, set all six:
  BOOK_DATABASE_URL     postgres://…
  PAYMENT_DATABASE_URL  postgres://…
  SPACE_DATABASE_URL    postgres://…
  MYPAGE_DATABASE_URL   mysql://…
  REDIS_URL             redis://…
  AUTH_SECRET           the secret that tokens are signed with, at least 32 characters

Everything else in the environment (LOG_LEVEL, HOLD_SECONDS …) reaches the services unchanged.`;

if (process.argv.includes('--help') || process.argv.includes('-h')) {
  console.log(help);
} else {
  requireNode();
  await start();
}

async function start() {
  const { ensureInstalled } = await import('./install.mjs');
  const { prepare } = await import('./prepare.mjs');
  try {
    await ensureInstalled();
    await prepare();
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
  // In this very process: signals and the exit code need no passing on, and nothing can be orphaned.
  await import('../dist/supervisor/src/main.js');
}
