import type { FormattedExecutionResult } from 'graphql';

/** One result for many clients: serialised once for each protocol. */
export class Payload {
  /** A slow client gets only the latest payload of each topic. */
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

  /** An event of graphql-sse's distinct connections mode: PROTOCOL.md of graphql-sse. */
  get serverSentEvent(): string {
    this.#serverSentEvent ??= `event: next\ndata: ${this.json}\n\n`;
    return this.#serverSentEvent;
  }

  /** A part by Apollo's "multipart HTTP protocol for GraphQL subscriptions". */
  get part(): string {
    this.#part ??= `\r\nContent-Type: application/json\r\n\r\n{"payload":${this.json}}\r\n--graphql`;
    return this.#part;
  }
}
