/** Commas separate addresses only before the next scheme: a password may contain some. */
const SEPARATOR = /,\s*(?=[a-z]+:\/\/)/;

/** The addresses of a setting such as `REDIS_URL`, which may name several nodes of one cluster. */
export function splitUrls(setting: string): [first: string, ...others: string[]] {
  return setting.trim().split(SEPARATOR) as [string, ...string[]];
}

/** Whether every address of the setting is a `redis://` or `rediss://` address. */
export function isRedisSetting(setting: string): boolean {
  return splitUrls(setting).every((url) => /^rediss?:\/\//.test(url) && URL.canParse(url));
}

/** A node as a cluster announces it; without a host where it announces the port only. */
export interface AnnouncedNode {
  host: string | null;
  port: number;
}

/** The address of a node that the node at `url` has named: user, password and TLS are the same. */
export function urlOfNode({ host, port }: AnnouncedNode, url: string): string {
  const address = new URL(url);
  if (host) address.hostname = host.includes(':') ? `[${host}]` : host;
  address.port = String(port);
  return address.href;
}

/** `host:port`, without the password. */
export function nodeName(url: string): string {
  const { hostname, port } = new URL(url);
  return `${hostname}:${port || DEFAULT_PORT}`;
}

const DEFAULT_PORT = 6379;
