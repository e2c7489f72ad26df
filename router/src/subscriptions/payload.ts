import type { FormattedExecutionResult } from 'graphql';

/** One answer on its way to many clients: written once, whatever protocols they speak. */
export class Payload {
  readonly json: string;
  #serverSentEvent: string | undefined;
  #part: string | undefined;

  constructor(result: FormattedExecutionResult) {
    this.json = JSON.stringify(result);
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
