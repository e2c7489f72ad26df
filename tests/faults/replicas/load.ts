import { findViolations } from '../invariants/check-invariants.ts';
import { MAX_VIOLATIONS_PER_INVARIANT } from '../invariants/invariant.ts';
import { waitForQuiescence } from '../invariants/quiescence.ts';
import { Records } from '../load/records.ts';
import { createRouterClient, type RouterClient } from '../load/router-client.ts';
import { createSlotPlan, type SlotPlan } from '../load/slot-plan.ts';
import type { Random } from '../random.ts';
import { waitForCatalogue } from '../recovery.ts';
import { databaseUrls } from '../system/chaos-system.ts';
import type { Servers } from '../system/servers.ts';
import { RequestLog, recordedClient } from './request-log.ts';

const QUIESCENCE_TIMEOUT_MS = 120_000;
/** Longer than any of the system's own timeouts: whether a request fails is up to the system. */
const REQUEST_TIMEOUT_MS = 90_000;

/** What a load needs to know of its system. */
export interface LoadedSystem {
  /** The address of the router. */
  url: string;
  tokenFor(user: string, role: string): Promise<string>;
  postgres: Pick<Servers['postgres'], 'urls' | 'adminUrl'>;
  viewsUrl: string;
}

/** What the clients of a run share. */
export interface Load {
  /** Customers' client, whose requests are recorded. */
  router: RouterClient;
  requests: RequestLog;
  records: Records;
  slots: SlotPlan;
  /** A booking of the load and its customer; undefined before the first. */
  drawBooking(random: Random): { customer: string; bookingId: string } | undefined;
  close(): Promise<void>;
}

/** Lists the spaces of a load and waits until they can be booked. */
export async function prepareLoad(
  system: LoadedSystem,
  name: string,
  signal: AbortSignal,
): Promise<Load> {
  const records = new Records();
  const requests = new RequestLog();
  const hosts = createRouterClient(system.url, system.tokenFor, 'host', REQUEST_TIMEOUT_MS);
  const customers = createRouterClient(system.url, system.tokenFor, 'customer', REQUEST_TIMEOUT_MS);
  try {
    const slots = await createSlotPlan(hosts, records, name, { withTerms: false });
    await waitForCatalogue(system, records, signal);
    return {
      router: recordedClient(customers, requests),
      requests,
      records,
      slots,
      drawBooking(random) {
        if (records.requests.length === 0) return undefined;
        const { customer, outcome } = random.pick(records.requests);
        return outcome.kind === 'ok' ? { customer, bookingId: outcome.bookingId } : undefined;
      },
      close: () => customers.close(),
    };
  } catch (error) {
    await customers.close();
    throw error;
  } finally {
    await hosts.close();
  }
}

/** Waits until no work is left, and describes what violates an invariant: lost, duplicated or unexpected. */
export async function describeViolations(
  system: LoadedSystem,
  records: Records,
  { hasOlderViews, signal }: { hasOlderViews: boolean; signal: AbortSignal },
): Promise<string[]> {
  const { isQuiescent, unfinished } = await waitForQuiescence(system.postgres.urls, {
    timeoutMs: QUIESCENCE_TIMEOUT_MS,
    hasten: false,
    signal,
  });
  const violations = await findViolations(databaseUrls(system), records, new Date(0), {
    hasOlderViews,
  });
  return [
    ...(isQuiescent ? [] : unfinished.slice(0, MAX_VIOLATIONS_PER_INVARIANT)).map(
      (what) => `lost: all work is finished before the timeout: ${what}`,
    ),
    ...violations.map(({ kind, invariant, subject, detail }) =>
      [`${kind}: ${invariant}:`, subject, detail].filter(Boolean).join(' '),
    ),
  ];
}
