import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedSystem } from '../faults/backup/embedded-system.ts';
import { nextSlot, REQUEST_BOOKING } from '../support/customer.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.ts';
import type { System } from '../support/system.ts';

export const METRICS_TOKEN = 'a-token-for-the-metrics-of-the-traces';

/** An embedded system that sends its traces to a receiver of its own. */
export interface TracedSystem {
  system: System;
  receiver: OtlpReceiver;
  stop(): Promise<void>;
}

export async function startTracedSystem(settings: Record<string, string>): Promise<TracedSystem> {
  const receiver = await startOtlpReceiver();
  const home = mkdtempSync(join(tmpdir(), 'spacerent-traces-'));
  const { system, stop } = await startEmbeddedSystem(home, {
    METRICS_TOKEN,
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_BSP_SCHEDULE_DELAY: '100',
    ...settings,
  });
  return {
    system,
    receiver,
    async stop() {
      await stop();
      await receiver.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** Requests a booking; returns its id, and that of the request's trace. */
export async function bookTraced(
  system: System,
  { token, spaceId, paymentMethod }: { token: string; spaceId: string; paymentMethod: string },
  headers: Record<string, string> = {},
): Promise<{ bookingId: string; traceId: string }> {
  const input = { idempotencyKey: crypto.randomUUID(), spaceId, slot: nextSlot(), paymentMethod };
  const response = await system.graphql(token, REQUEST_BOOKING, { input }, headers);
  if (response.errors) throw new Error(JSON.stringify(response.errors));
  const correlationId = String(response.headers.get('x-correlation-id'));
  return {
    bookingId: response.data.requestBooking.booking.id,
    traceId: correlationId.replaceAll('-', ''),
  };
}
