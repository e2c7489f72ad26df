import CircuitBreaker from 'opossum';
import { Counter, Gauge } from 'prom-client';
import type { Logger } from '#platform/observability/logger.ts';
import type { Metrics } from '#platform/observability/metrics.ts';
import { inChildSpan, type SpanOptions } from '#platform/tracing/tracing.ts';
import {
  ChargeUndecided,
  type PaymentProvider,
  ProviderUnavailable,
  RefundRefused,
} from '../ports.ts';

export interface ProviderCircuit extends PaymentProvider {
  close(): void;
}

type Call = () => Promise<unknown>;

const SPAN: SpanOptions = { kind: 'client' };

/**
 * A provider behind a circuit breaker of its own: it opens when half of at least 20 calls within
 * 10 s failed, and lets one through again every 5 s; calls meanwhile fail at once. One payment method
 * cannot open it: an undecided charge and a refused refund are responses, and a charge without a response
 * is a failure only if the provider cannot be queried for its outcome either.
 */
export function providerCircuit(
  name: string,
  provider: PaymentProvider,
  metrics: Metrics,
  logger: Pick<Logger, 'info' | 'warn'>,
): ProviderCircuit {
  const calls = new Counter({
    name: 'spacerent_provider_calls_total',
    help: 'Calls to a payment provider; not-called: its circuit breaker was open. Per process.',
    labelNames: ['provider', 'call', 'outcome'],
    registers: [metrics],
  });
  const breaker = new CircuitBreaker((call: Call) => call(), {
    // The provider's client has a timeout of its own.
    timeout: false,
    volumeThreshold: 20,
    errorThresholdPercentage: 50,
    rollingCountTimeout: 10_000,
    resetTimeout: 5_000,
    errorFilter: (error) => !isFailure(error),
  });
  breaker.on('open', () => logger.warn({ provider: name }, 'the provider fails: circuit open'));
  breaker.on('close', () =>
    logger.info({ provider: name }, 'the provider responds: circuit closed'),
  );
  new Gauge({
    name: 'spacerent_provider_circuit',
    help: 'The circuit breaker of the calls to a payment provider: 1 for the state that it is in. Per process.',
    labelNames: ['provider', 'state'],
    registers: [metrics],
    collect() {
      const half = breaker.halfOpen;
      this.set({ provider: name, state: 'closed' }, breaker.closed ? 1 : 0);
      this.set({ provider: name, state: 'half-open' }, half ? 1 : 0);
      this.set({ provider: name, state: 'open' }, breaker.opened && !half ? 1 : 0);
    },
  });

  async function callProvider<T>(call: keyof PaymentProvider, work: () => Promise<T>): Promise<T> {
    try {
      const fire = () => breaker.fire(work) as Promise<T>;
      const result = await inChildSpan(`provider ${call}`, SPAN, fire, isFailure);
      calls.inc({ provider: name, call, outcome: 'responded' });
      return result;
    } catch (error) {
      const notCalled = CircuitBreaker.isOurError(error as Error);
      calls.inc({ provider: name, call, outcome: toOutcome(error, notCalled) });
      if (notCalled) throw new ProviderUnavailable(`the circuit of ${name} is open`);
      throw error;
    }
  }

  return {
    charge: (request) =>
      callProvider('charge', async () => {
        try {
          return await provider.charge(request);
        } catch (error) {
          if (!(error instanceof ProviderUnavailable)) throw error;
          const found = await provider.find(request.key);
          if (found) return found;
          throw new ChargeUndecided(error.message);
        }
      }),
    find: (key) => callProvider('find', () => provider.find(key)),
    void: (key) => callProvider('void', () => provider.void(key)),
    refund: (account, refundKey, amount) =>
      callProvider('refund', () => provider.refund(account, refundKey, amount)),
    close: () => breaker.shutdown(),
  };
}

/** A charge that is not decided yet and a refund that is refused are responses of the provider. */
function isFailure(error: unknown): boolean {
  return !(error instanceof ChargeUndecided || error instanceof RefundRefused);
}

function toOutcome(error: unknown, notCalled: boolean): string {
  if (notCalled) return 'not-called';
  if (error instanceof ChargeUndecided) return 'undecided';
  return error instanceof RefundRefused ? 'refused' : 'failed';
}
