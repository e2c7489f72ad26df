import { WebSocket } from 'ws';

const QUERY = `subscription ($spaceId: ID!, $from: DateTime!, $to: DateTime!) {
  freeSlots(spaceId: $spaceId, from: $from, to: $to) { slots { startAt endAt } version }
}`;
const MAX_OPENING = 32;
const TIMEOUT_MS = 20_000;

/** Clients without a token that watch the same free slots over graphql-transport-ws. */
export interface Watchers {
  /**
   * Resolves with the instants of `performance.now()` at which the clients received their next state;
   * rejects when one has not received it in time. Call it before the change.
   */
  next(): Promise<number[]>;
  close(): void;
}

export async function openWatchers(
  url: string,
  count: number,
  variables: { spaceId: string; from: string; to: string },
): Promise<Watchers> {
  const sockets: WebSocket[] = [];
  let onState: (at: number) => void = () => {};
  const waiting = Array.from({ length: count }, (_, index) => index);
  const openers = Array.from({ length: MAX_OPENING }, async () => {
    while (waiting.pop() !== undefined) {
      sockets.push(await subscribe(url, variables, () => onState(performance.now())));
    }
  });
  await Promise.all(openers);

  return {
    next: () =>
      new Promise((resolve, reject) => {
        const received: number[] = [];
        const timer = setTimeout(
          () => reject(new Error(`${received.length} of ${count} clients received a change.`)),
          TIMEOUT_MS,
        );
        onState = (at) => {
          received.push(at);
          if (received.length < count) return;
          clearTimeout(timer);
          resolve(received);
        };
      }),
    close() {
      for (const socket of sockets) socket.terminate();
    },
  };
}

/** Resolves when the client has received the present state; calls `onState` for each one after it. */
function subscribe(url: string, variables: object, onState: () => void): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, 'graphql-transport-ws');
    let isStarted = false;
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('The router closed a connection.')));
    socket.once('open', () => socket.send('{"type":"connection_init"}'));
    socket.on('message', (data: Buffer) => {
      const text = data.toString('utf8');
      if (text.includes('"type":"connection_ack"')) {
        const payload = { query: QUERY, variables };
        socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload }));
      } else if (!text.includes('"type":"next"')) {
        if (text.includes('"type":"error"')) reject(new Error(`The router refused: ${text}`));
      } else if (isStarted) {
        onState();
      } else {
        isStarted = true;
        resolve(socket);
      }
    });
  });
}
