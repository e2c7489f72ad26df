// npm run router: installs, builds what is out of date, and becomes the router before any subgraphs.
import { runBuilt } from './run-built.mjs';

const help = `Usage: npm run router -- --supergraph FILE [--port N]

Starts the router alone, before the subgraphs of any Apollo Federation 2 supergraph. Stop it with Ctrl-C.

  --supergraph FILE  the supergraph, as Apollo's composition writes it; it names the subgraphs' addresses
  --port N           where GraphQL listens: http://127.0.0.1:N/graphql (default 4000; 0 takes a free port)

The router executes queries and mutations, no subscriptions. Its settings come from the environment
(docs/operations/configuration.md). Here other defaults apply:
  HOST 127.0.0.1, LOG_LEVEL warn, DRAIN_SECONDS 0; INTROSPECTION and SANDBOX on;
  no limit of an operation's cost, nor of mutations and cost per minute, because only a supergraph with
  @cost and @listSize says how large its lists are.
Without AUTH_JWKS_URL, AUTH_ISSUER and AUTH_AUDIENCE the Authorization header is passed on to the subgraphs
unread. With them, only requests without a token, or with a valid one, are executed; the header is passed on.

For example:
  npm run router -- --supergraph supergraph.graphql --port 4000
  curl http://127.0.0.1:4000/graphql -H 'content-type: application/json' -d '{"query":"{ __typename }"}'`;

await runBuilt(help, 'router/src/standalone/main.js');
