import { EventEmitter } from 'node:events';
import { createClient } from 'redis';

export type RedisClient = ReturnType<typeof createClient>;
type ClientOptions = Omit<NonNullable<Parameters<typeof createClient>[0]>, 'url'>;

export interface MovableClient {
  /** For its users, one client of node-redis that loses its connection and reconnects. */
  readonly client: RedisClient;
  /** The address of the node to which it connects. */
  readonly url: string;
  /** Replaces the connection, and those of the client's copies, by connections to another node. */
  moveTo(url: string): void;
  /** Ends the connection and those of all copies for good. */
  close(): void;
}

const EVENTS = ['ready', 'error', 'end', 'reconnecting'] as const;

/**
 * A client whose node can change: node-redis fixes the address of a client when it is created. Copies that
 * are made with `duplicate` move along. None is removed: one that BullMQ reports as ended may connect again.
 */
export function movableClient(firstUrl: string, options: ClientOptions): MovableClient {
  const events = new EventEmitter();
  // An error without a listener ends the process; BullMQ removes its own when it closes a connection.
  events.on('error', () => {});
  const copies = new Set<MovableClient>();
  let url = firstUrl;
  let current = open();
  let isClosed = false;

  function open(): RedisClient {
    const opened = createClient({ ...options, url }) as RedisClient;
    for (const event of EVENTS) {
      opened.on(event, (...args) => void (opened === current && events.emit(event, ...args)));
    }
    return opened;
  }

  const own: Record<string | symbol, unknown> = {
    connect() {
      // A worker that was not closed cleanly during an outage would open its connection again.
      return isClosed ? Promise.reject(new Error('the connection is closed')) : current.connect();
    },
    duplicate() {
      const copy = movableClient(url, options);
      if (isClosed) copy.close();
      copies.add(copy);
      return copy.client;
    },
  };
  const client = new Proxy(events, {
    get(_, name) {
      if (Object.hasOwn(own, name)) return own[name];
      const owner = name in events ? events : current;
      const value = Reflect.get(owner, name);
      return typeof value === 'function' ? value.bind(owner) : value;
    },
  }) as unknown as RedisClient;

  return {
    client,
    get url() {
      return url;
    },
    moveTo(newUrl) {
      const wasOpen = current.isOpen;
      // Rejects at once every command that waits for a response.
      current.destroy();
      url = newUrl;
      current = open();
      if (wasOpen) current.connect().catch(() => {});
      for (const copy of copies) copy.moveTo(newUrl);
    },
    close() {
      isClosed = true;
      current.destroy();
      for (const copy of copies) copy.close();
    },
  };
}
