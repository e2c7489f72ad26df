import { paymentEvents } from '#contracts/payment.ts';
import { queueName } from '#platform/messaging/events.ts';
import type { RedisCluster } from './cluster.ts';
import type { ClusterNode } from './node.ts';

/** The hash tag of the queue without which no booking is registered. */
const APPROVALS = `{spacerent:${queueName(paymentEvents.PaymentApproved.topic, 'space')}}`;

/** What is done to the cluster. */
export interface Blow {
  name: string;
  /**
   * Calls `onStruck` once clients are affected; resolves with what happened, for people, when every queue is
   * stored by a node that responds.
   */
  strike(cluster: RedisCluster, onStruck: () => void): Promise<string>;
  /** Undoes what can be undone. */
  heal(): void;
}

/** Every queue's slot gets another master, one after the other. */
const moveSlots: Blow = {
  name: 'slots moved',
  async strike(cluster, onStruck) {
    const queues = [...(await cluster.queues()).values()].flat();
    onStruck();
    for (const queue of queues) await cluster.moveSlot(queue);
    return `the slots of ${queues.length} queues were moved to other masters`;
  },
  heal() {},
};

const killMaster: Blow = {
  name: 'master killed',
  async strike(cluster, onStruck) {
    const { node, queues } = await masterOfApprovals(cluster);
    node.kill();
    onStruck();
    const seconds = await failOver(cluster, node);
    return `kill -9 of the master of ${queues.length} queues; its replica took over after ${seconds} s`;
  },
  heal() {},
};

function freezeMaster(): Blow {
  let frozen: ClusterNode | undefined;
  return {
    name: 'master frozen',
    async strike(cluster, onStruck) {
      const { node, queues } = await masterOfApprovals(cluster);
      frozen = node;
      node.pause();
      onStruck();
      const seconds = await failOver(cluster, node);
      return `a master of ${queues.length} queues froze; its replica took over after ${seconds} s`;
    },
    heal: () => frozen?.resume(),
  };
}

export function drawBlows(isShort: boolean): Blow[] {
  // Last: a master that is killed has no other replica. The frozen one returns as one.
  return isShort ? [moveSlots, killMaster] : [moveSlots, freezeMaster(), killMaster];
}

/** The master of that queue, and all queues that it stores. */
async function masterOfApprovals(cluster: RedisCluster) {
  const node = await cluster.masterOf(APPROVALS);
  return { node, queues: (await cluster.queues()).get(node) ?? [] };
}

async function failOver(cluster: RedisCluster, from: ClusterNode) {
  const startedAt = performance.now();
  await cluster.failedOver(APPROVALS, from);
  return ((performance.now() - startedAt) / 1_000).toFixed(1);
}
