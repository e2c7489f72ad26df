import { z } from 'zod';
import { setting } from '#platform/config.ts';
import { trustedProxies } from './http/client-address.ts';
import { allowedOrigins } from './http/origins.ts';

const onOrOff = z.enum(['on', 'off'], { error: 'must be on or off' });

/** What the router takes from outside, and how much of it. */
export const edgeShape = {
  /** How large an operation may be; what a fragment holds counts wherever it is spread. */
  MAX_OPERATION_DEPTH: setting.integer(1, 1_000).default(15),
  MAX_OPERATION_ALIASES: setting.integer(0, 1_000_000).default(30),
  MAX_OPERATION_DIRECTIVES: setting.integer(0, 1_000_000).default(30),
  MAX_ROOT_FIELDS: setting.integer(1, 1_000_000).default(10),
  MAX_OPERATION_SELECTIONS: setting.integer(1, 1_000_000).default(1_000),
  MAX_OPERATION_TOKENS: setting.integer(1, 1_000_000).default(2_000),
  /** The file of the only operations that are executed; without, all are, and any may be persisted. */
  OPERATIONS_MANIFEST: z.string().optional(),
  /** How many mutations there may be in a minute; 0: any number. */
  MUTATIONS_PER_MINUTE_PER_USER: setting.integer(0, 1_000_000_000).default(120),
  MUTATIONS_PER_MINUTE_PER_ADDRESS: setting.integer(0, 1_000_000_000).default(1_200),
  /** What queries and starts of subscriptions may cost in a minute, by `@cost`; 0: any amount. */
  QUERY_COST_PER_MINUTE_PER_USER: setting.integer(0, 1_000_000_000).default(600_000),
  /** Of all who are not signed in. */
  QUERY_COST_PER_MINUTE_PER_ADDRESS: setting.integer(0, 1_000_000_000).default(300_000),
  /** WebSockets that are open at once; a /64 of IPv6 counts as one address. */
  WEBSOCKETS_PER_ADDRESS: setting.integer(1, 1_000_000).default(1_000),
  WEBSOCKETS_PER_PROCESS: setting.integer(1, 1_000_000).default(20_000),
  /** All TCP connections of clients, WebSockets among them. */
  CONNECTIONS_PER_PROCESS: setting.integer(1, 1_000_000).default(25_000),
  /** Proxies whose X-Forwarded-For is believed: addresses and networks. */
  TRUSTED_PROXIES: trustedProxies.default([]),
  /** Pages of these origins may ask, and open WebSockets. */
  CORS_ORIGINS: allowedOrigins.default([]),
  /** May clients ask for the schema, and is Apollo Sandbox shown? Unless said: when embedded. */
  INTROSPECTION: onOrOff.optional(),
  SANDBOX: onOrOff.optional(),
  /** How large a request may be, also as a message over WebSocket. */
  BODY_LIMIT_BYTES: setting.integer(1_024, 1_073_741_824).default(131_072),
  /** How long a request may take to come in, and, when it is no stream, to be answered. */
  REQUEST_RECEIVE_TIMEOUT_MS: setting.integer(100, 3_600_000).default(15_000),
  REQUEST_TIMEOUT_MS: setting.integer(100, 3_600_000).default(30_000),
  /** An upper bound of the objects that it may answer, by `@cost` and `@listSize`. */
  MAX_OPERATION_COST: setting.integer(1, 1_000_000_000).default(10_000),
};
