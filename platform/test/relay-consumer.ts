import Fastify, { type FastifyInstance } from 'fastify';
import type { ContextName } from '#contracts/topology.ts';
import { type EventRecord, queueName } from '../messaging/events.ts';
import { INBOX_PATH } from '../messaging/peer-inboxes.ts';
import type { Transport } from '../messaging/queue.ts';

/** A consumer with a real worker and a real HTTP inbox. */
export class TestConsumer {
  readonly name: ContextName;
  readonly received: string[] = [];
  readonly inbox = new Set<string>();
  /** Whether received events get into the inbox, which acknowledges them. */
  processes = true;
  url = '';
  #port = 0;
  #server: FastifyInstance | undefined;

  constructor(name: ContextName) {
    this.name = name;
  }

  /** Serves the inbox; after a stop on the same port as before. */
  async start(): Promise<this> {
    this.#server = Fastify({ forceCloseConnections: true });
    this.#server.post<{ Body: { ids: string[] } }>(INBOX_PATH, async ({ body }) => ({
      recorded: body.ids.filter((id) => this.inbox.has(id)),
    }));
    this.url = await this.#server.listen({ host: '127.0.0.1', port: this.#port });
    this.#port = Number(new URL(this.url).port);
    return this;
  }

  async stop(): Promise<void> {
    await this.#server?.close();
    this.#server = undefined;
  }

  async receive(transport: Transport, topic: string): Promise<void> {
    await transport.receive(queueName(topic, this.name), 4, async (batch) => {
      for (const { id } of batch) {
        this.received.push(id);
        if (this.processes) this.inbox.add(id);
      }
    });
  }

  /** How often the event was delivered. */
  deliveries(event: EventRecord): number {
    return this.received.filter((id) => id === event.id).length;
  }
}
