import type { FormattedExecutionResult } from 'graphql';

/** One answer on its way to many clients: written once, whatever protocols they speak. */
export class Payload {
  /** Of a slow client's answers, the latest of each topic counts. */
  readonly topic: string;
  readonly json: string;
  readonly jsonBytes: number;
  #serverSentEvent: string | undefined;
  #part: string | undefined;

  constructor(result: FormattedExecutionResult, topic = '') {
    this.topic = topic;
    this.json = JSON.stringify(result);
    this.jsonBytes = Buffer.byteLength(this.json);
  }

  /** As graphql-sse's distinct connections mode wants it: PROTOCOL.md of graphql-sse. */
  get serverSentEvent(): string {
    this.#serverSentEvent ??= `event: next\ndata: ${this.json}\n\n`;
    return this.#serverSentEvent;
  }

  /** As Apollo's "multipart HTTP protocol for GraphQL subscriptions" wants it. */
  get part(): string {
    this.#part ??= `\r\nContent-Type: application/json\r\n\r\n{"payload":${this.json}}\r\n--graphql`;
    return this.#part;
  }
}
