import { actAsCustomer } from '../load/customer.ts';
import { actAsHost } from '../load/host.ts';
import { actAsOperator } from '../load/operator.ts';
import type { Records } from '../load/records.ts';
import { createRouterClient } from '../load/router-client.ts';
import { createSlotPlan, type SlotPlan } from '../load/slot-plan.ts';
import { Random } from '../random.ts';
import type { EmbeddedSystem } from './embedded-system.ts';

const CUSTOMERS = 8;

/** Lists the spaces that the load books. */
export async function listSpaces(
  { system, signToken }: EmbeddedSystem,
  records: Records,
  name: string,
): Promise<SlotPlan> {
  const hosts = createRouterClient(system.address, signToken, 'host');
  try {
    return await createSlotPlan(hosts, records, name);
  } finally {
    await hosts.close();
  }
}

/**
 * Lets customers book, change and cancel, a host decide and an operator refund, until `isOver`. `name`
 * distinguishes their idempotency keys from those of other loads.
 */
export async function runLoad(
  { system, signToken }: EmbeddedSystem,
  plan: SlotPlan,
  records: Records,
  options: { name: string; seed: number; isOver: () => boolean },
): Promise<void> {
  const { name, seed, isOver } = options;
  const random = new Random(`${name} ${seed}`);
  const clientFor = (role: string) => createRouterClient(system.address, signToken, role);
  const [customers, hosts, operators] = ['customer', 'host', 'operator'].map(clientFor);
  if (!customers || !hosts || !operators) throw new Error('A client is missing.');
  const common = { records, isOver };
  try {
    await Promise.all([
      ...Array.from({ length: CUSTOMERS }, (_, index) =>
        actAsCustomer({
          ...common,
          name: `customer ${name} ${index}`,
          random: random.fork(`customer ${index}`),
          router: customers,
          slots: plan.slotsFor(index, CUSTOMERS),
          changesBookings: true,
        }),
      ),
      actAsHost({
        ...common,
        name: 'host',
        random: random.fork('host'),
        router: hosts,
        slots: plan.slotsFor(0, CUSTOMERS),
      }),
      actAsOperator({
        ...common,
        name: `operator ${name}`,
        random: random.fork('operator'),
        router: operators,
      }),
    ]);
  } finally {
    await Promise.all([customers, hosts, operators].map((client) => client.close()));
  }
}
