import type { Duplex } from 'node:stream';

/** The HTTP status of the response to a refused upgrade. */
export type UpgradeRefusal = '429 Too Many Requests' | '503 Service Unavailable';

export interface ConnectionLimits {
  /** Counts the connection until its socket is closed; returns a refusal when a limit is reached. */
  count(address: string, socket: Duplex): UpgradeRefusal | null;
  readonly open: number;
}

/** Counts the open connections of each address, and of this process. */
export function connectionLimits(limits: {
  perAddress: number;
  perProcess: number;
}): ConnectionLimits {
  const perAddress = new Map<string, number>();
  let open = 0;
  return {
    get open() {
      return open;
    },
    count(address, socket) {
      const own = perAddress.get(address) ?? 0;
      if (own >= limits.perAddress) return '429 Too Many Requests';
      if (open >= limits.perProcess) return '503 Service Unavailable';
      perAddress.set(address, own + 1);
      open += 1;
      socket.once('close', () => {
        open -= 1;
        const left = (perAddress.get(address) ?? 1) - 1;
        if (left === 0) perAddress.delete(address);
        else perAddress.set(address, left);
      });
      return null;
    },
  };
}
