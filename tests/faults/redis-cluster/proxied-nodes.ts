import { TcpProxy } from '../tcp-proxy.ts';
import type { ClusterNode } from './node.ts';

let hosts = 0;

/**
 * A proxy in front of each node, on a loopback address that only these have and on the nodes' ports. Nodes with
 * the endpoint type `unknown-endpoint` lead a client that uses one proxy to the others. Linux has the addresses.
 */
export async function openNodeProxies(nodes: readonly ClusterNode[]) {
  hosts += 1;
  const host = `127.9.${Math.floor(hosts / 250)}.${1 + (hosts % 250)}`;
  const proxies = await Promise.all(
    nodes.map(({ port }) => TcpProxy.openAt({ host, port }, { host: '127.0.0.1', port })),
  );
  const each = (act: (proxy: TcpProxy) => void) => () => {
    for (const proxy of proxies) act(proxy);
  };
  return {
    through(url: string): string {
      const address = new URL(url);
      address.hostname = host;
      return address.href;
    },
    get connections() {
      return proxies.reduce((sum, { connections }) => sum + connections, 0);
    },
    cut: each((proxy) => proxy.cut()),
    refuse: each((proxy) => proxy.refuse()),
    silenceOpen: each((proxy) => proxy.silenceOpen()),
    delay: (ms: number) => each((proxy) => proxy.delay(ms))(),
    heal: each((proxy) => proxy.heal()),
    close: async () => void (await Promise.all(proxies.map((proxy) => proxy.close()))),
  };
}
