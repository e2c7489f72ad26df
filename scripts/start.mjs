// npm start: installs, builds what is out of date, and becomes the supervisor.
import { runBuilt } from './run-built.mjs';

const help = `Usage: npm start

Starts spacerent: the router, the four subgraphs and, with no further settings, an embedded
PostgreSQL. Stop it with Ctrl-C.

  PORT                  where GraphQL listens (default 4000; 0 takes a free port)
  HOST                  on which address (default 127.0.0.1)
  SPACERENT_HOME        folder of data, logs and secrets (default .spacerent in the project)
  SPACERENT_DEMO        "off" lists no demo spaces on the first start
  SPACERENT_KILL_HANGING  "off" lets a service hang, while a debugger halts it

To use servers instead of the embedded ones, set all eight:
  BOOK_DATABASE_URL     postgres://…
  PAYMENT_DATABASE_URL  postgres://…
  SPACE_DATABASE_URL    postgres://…
  MYPAGE_DATABASE_URL   mysql://…
  REDIS_URL             redis://…
  AUTH_JWKS_URL         https://…, the public keys of the OpenID provider that signs tokens
  AUTH_ISSUER           what its tokens say in "iss"
  AUTH_AUDIENCE         what they say in "aud" when they are meant for this API
Each can also come from a file: BOOK_DATABASE_URL_FILE=/run/secrets/book, and so on.

Everything else in the environment (LOG_LEVEL, HOLD_SECONDS …) reaches the services unchanged.`;

await runBuilt(help, 'supervisor/src/main.js');
