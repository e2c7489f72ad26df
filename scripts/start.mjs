// npm start: installs, builds what is out of date, and becomes the supervisor.
import { runBuilt } from './run-built.mjs';

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

await runBuilt(help, 'supervisor/src/main.js');
