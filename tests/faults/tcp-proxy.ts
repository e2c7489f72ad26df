import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface Target {
  host: string;
  port: number;
}

/** One connection through the proxy. */
interface Link {
  client: Socket;
  server: Socket;
  /** Half open: both ends keep the connection, but no more bytes pass. */
  silent: boolean;
}

/**
 * A TCP proxy on this machine between a service and a server that simulates faults of the network.
 * Every fault lasts until {@link heal}, except {@link cut}, which resets connections once.
 */
export class TcpProxy {
  readonly #targets: readonly Target[];
  readonly #links = new Set<Link>();
  readonly #server: Server;
  readonly #delayed = new Set<NodeJS.Timeout>();
  #refuses = false;
  #delayMs = 0;
  #cutAfter: { bytes: Buffer; times: number } | undefined;
  #host = '';
  #accepted = 0;

  private constructor(targets: readonly Target[]) {
    this.#targets = targets;
    this.#server = createServer({ allowHalfOpen: false }, (client) => this.#accept(client));
  }

  /**
   * Listens on a free port and forwards all bytes unchanged. With several targets, connections are
   * assigned to them in turn; a target that refuses the connection is skipped.
   */
  static open(...targets: [Target, ...Target[]]): Promise<TcpProxy> {
    return TcpProxy.openAt({ host: '127.0.0.1', port: 0 }, ...targets);
  }

  /** Like {@link open}, at an address of the caller's choice. */
  static async openAt(address: Target, ...targets: [Target, ...Target[]]): Promise<TcpProxy> {
    const proxy = new TcpProxy(targets);
    await once(proxy.#server.listen(address), 'listening');
    const { port } = proxy.#server.address() as { port: number };
    proxy.#host = `${address.host}:${port}`;
    return proxy;
  }

  /** The same address with the proxy's host and port. */
  through(url: string): string {
    const address = new URL(url);
    address.host = this.#host;
    return address.href;
  }

  /** The number of connections that clients have open. */
  get connections(): number {
    return [...this.#links].filter(({ client }) => !client.destroyed).length;
  }

  /** Resets every open connection; new connections are accepted. */
  cut(): void {
    for (const link of this.#links) reset(link);
    this.#links.clear();
  }

  /** Resets every open and every new connection, as if the server were down. */
  refuse(): void {
    this.#refuses = true;
    this.cut();
  }

  /** Makes every open connection half open: no more bytes pass. New connections work. */
  silenceOpen(): void {
    for (const link of this.#links) link.silent = true;
  }

  /** Delays all bytes from the server by `ms`. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /**
   * The next `times` requests whose bytes contain `text` reach the server, but the connection is reset
   * before the response: the client cannot know whether the request was executed.
   */
  cutAfter(text: string, times = 1): void {
    this.#cutAfter = { bytes: Buffer.from(text), times };
  }

  /** How many resets of the current {@link cutAfter} are left. */
  get cutsLeft(): number {
    return this.#cutAfter?.times ?? 0;
  }

  /** Ends every fault. Half-open connections have lost bytes and cannot resume: they are reset. */
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

  /** Resets every connection and stops listening. */
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
    // The client's bytes wait until a target accepts the connection.
    client.pause();
    const targets = this.#targets.map(
      (_, index) => this.#targets[(this.#accepted + index) % this.#targets.length] as Target,
    );
    this.#accepted += 1;
    this.#connect(client, targets);
  }

  #connect(client: Socket, [target, ...others]: readonly Target[]): void {
    if (!target || client.destroyed) {
      client.resetAndDestroy();
      return;
    }
    const server = connect(target);
    const link: Link = { client, server, silent: false };
    const tryNextTarget = () => {
      this.#links.delete(link);
      this.#connect(client, others);
    };
    this.#links.add(link);
    server.once('error', tryNextTarget);
    server.once('connect', () => {
      server.off('error', tryNextTarget);
      this.#join(link);
    });
  }

  #join(link: Link): void {
    const { client, server } = link;
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        // A half-open connection does not report the close of one end to the other.
        if (!link.silent) reset(link);
        if (client.destroyed && server.destroyed) this.#links.delete(link);
      });
    }
    client.on('data', (bytes) => this.#forwardToServer(link, bytes));
    server.on('data', (bytes) => this.#forwardToClient(link, bytes));
    if (client.destroyed) reset(link);
    else client.resume();
  }

  #forwardToServer(link: Link, bytes: Buffer): void {
    if (link.silent) return;
    const cut = this.#cutAfter;
    if (cut && cut.times > 0 && bytes.includes(cut.bytes)) {
      cut.times -= 1;
      // The server executes the request; its response is dropped.
      link.silent = true;
      link.server.end(bytes);
      link.client.resetAndDestroy();
      return;
    }
    link.server.write(bytes);
  }

  #forwardToClient(link: Link, bytes: Buffer): void {
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
