import { connect, createServer, type Server, type Socket } from 'node:net';

export interface Target {
  host: string;
  port: number;
}

/** One connection through the proxy. */
interface Link {
  client: Socket;
  server: Socket;
  /** Half open: both ends believe in the connection, nothing gets through it any more. */
  silent: boolean;
}

/**
 * A TCP proxy on 127.0.0.1 that stands between a service and a server and does what networks do.
 * Every fault but {@link silenceOpen} and {@link cut} lasts until {@link heal}.
 */
export class TcpProxy {
  readonly #targets: readonly Target[];
  readonly #links = new Set<Link>();
  readonly #server: Server;
  readonly #delayed = new Set<NodeJS.Timeout>();
  #refuses = false;
  #delayMs = 0;
  #cutAfter: { bytes: Buffer; times: number } | undefined;
  #port = 0;
  #accepted = 0;

  private constructor(targets: readonly Target[]) {
    this.#targets = targets;
    this.#server = createServer({ allowHalfOpen: false }, (client) => this.#accept(client));
  }

  /**
   * Listens on a free port and passes everything on, untouched. Of several targets each connection
   * gets one, in turn; one on which nobody listens is passed over.
   */
  static async open(...targets: [Target, ...Target[]]): Promise<TcpProxy> {
    const proxy = new TcpProxy(targets);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    proxy.#port = (proxy.#server.address() as { port: number }).port;
    return proxy;
  }

  /** The same address, reached through this proxy. */
  through(url: string): string {
    const address = new URL(url);
    address.host = `127.0.0.1:${this.#port}`;
    return address.href;
  }

  /** How many clients are connected, as they see it. */
  get connections(): number {
    return [...this.#links].filter(({ client }) => !client.destroyed).length;
  }

  /** Resets every open connection; new ones are accepted. */
  cut(): void {
    for (const link of this.#links) reset(link);
    this.#links.clear();
  }

  /** Resets every open connection and every new one: the server is gone. */
  refuse(): void {
    this.#refuses = true;
    this.cut();
  }

  /** Open connections stay open for ever, but carry nothing any more; new ones work. */
  silenceOpen(): void {
    for (const link of this.#links) link.silent = true;
  }

  /** Whatever comes back from the server arrives `ms` later. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /**
   * The next `times` times that a client's bytes contain `text`, they still reach the server; the
   * connection is reset before its answer: the client cannot know whether it took place.
   */
  cutAfter(text: string, times = 1): void {
    this.#cutAfter = { bytes: Buffer.from(text), times };
  }

  /** How often the present {@link cutAfter} is still to come. */
  get cutsLeft(): number {
    return this.#cutAfter?.times ?? 0;
  }

  /** Ends every fault. Silent connections cannot come back to life: they are reset. */
  heal(): void {
    this.#refuses = false;
    this.#delayMs = 0;
    this.#cutAfter = undefined;
    for (const link of this.#links) {
      if (!link.silent) continue;
      reset(link);
      this.#links.delete(link);
    }
  }

  /** Ends every connection and takes no more. */
  async close(): Promise<void> {
    this.#refuses = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.cut();
    for (const timer of this.#delayed) clearTimeout(timer);
    await closed;
  }

  #accept(client: Socket): void {
    client.on('error', () => {});
    if (this.#refuses) {
      client.resetAndDestroy();
      return;
    }
    // Kept until somebody takes the connection.
    client.pause();
    const inTurn = this.#targets.map(
      (_, index) => this.#targets[(this.#accepted + index) % this.#targets.length] as Target,
    );
    this.#accepted += 1;
    this.#connect(client, inTurn);
  }

  #connect(client: Socket, [target, ...others]: readonly Target[]): void {
    if (!target || client.destroyed) {
      client.resetAndDestroy();
      return;
    }
    const server = connect(target);
    const link: Link = { client, server, silent: false };
    const refused = () => {
      this.#links.delete(link);
      this.#connect(client, others);
    };
    this.#links.add(link);
    server.once('error', refused);
    server.once('connect', () => {
      server.off('error', refused);
      this.#join(link);
    });
  }

  #join(link: Link): void {
    const { client, server } = link;
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        // A silent link's ends learn nothing of each other, until it is healed.
        if (!link.silent) reset(link);
        if (client.destroyed && server.destroyed) this.#links.delete(link);
      });
    }
    client.on('data', (bytes) => this.#toServer(link, bytes));
    server.on('data', (bytes) => this.#toClient(link, bytes));
    if (client.destroyed) reset(link);
    else client.resume();
  }

  #toServer(link: Link, bytes: Buffer): void {
    if (link.silent) return;
    const cut = this.#cutAfter;
    if (cut && cut.times > 0 && bytes.includes(cut.bytes)) {
      cut.times -= 1;
      // Unheard from here on: the server acts, its answer never arrives.
      link.silent = true;
      link.server.end(bytes);
      link.client.resetAndDestroy();
      return;
    }
    link.server.write(bytes);
  }

  #toClient(link: Link, bytes: Buffer): void {
    if (link.silent) return;
    if (this.#delayMs === 0) {
      link.client.write(bytes);
      return;
    }
    const timer = setTimeout(() => {
      this.#delayed.delete(timer);
      if (!link.silent) link.client.write(bytes);
    }, this.#delayMs);
    this.#delayed.add(timer);
  }
}

function reset({ client, server }: Link): void {
  client.resetAndDestroy();
  server.resetAndDestroy();
}
