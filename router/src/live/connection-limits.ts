import type { Duplex } from 'node:stream';

/** Why no more connections are accepted; an HTTP status, for the response to the upgrade. */
export type Refusal = '429 Too Many Requests' | '503 Service Unavailable';

export interface ConnectionLimits {
  /** Counts the connection until its socket is closed; null: it may be opened. */
  count(address: string, socket: Duplex): Refusal | null;
  readonly open: number;
}

/** Counts open connections of each address, and of all of them. */
export function connectionLimits(limits: {
  perAddress: number;
  perProcess: number;
}): ConnectionLimits {
  const ofAddress = new Map<string, number>();
  let open = 0;
  return {
    get open() {
      return open;
    },
    count(address, socket) {
      const own = ofAddress.get(address) ?? 0;
      if (own >= limits.perAddress) return '429 Too Many Requests';
      if (open >= limits.perProcess) return '503 Service Unavailable';
      ofAddress.set(address, own + 1);
      open += 1;
      socket.once('close', () => {
        open -= 1;
        const left = (ofAddress.get(address) ?? 1) - 1;
        if (left === 0) ofAddress.delete(address);
        else ofAddress.set(address, left);
      });
      return null;
    },
  };
}
