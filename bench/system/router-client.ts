import { Pool as HttpPool } from 'undici';
import type { Role } from '#platform/auth/principal.ts';

const TIMEOUT_MS = 30_000;

/** A client of the router over HTTP. */
export interface RouterClient {
  /** A bearer token of the embedded profile's token desk. */
  tokenFor(user: string, role: Role): Promise<string>;
  /** Resolves with the response's data; rejects with a sentence when it contains errors. */
  request<Data>(query: string, variables: object, token: string): Promise<Data>;
  close(): Promise<void>;
}

export function routerClient(url: string, connections: number): RouterClient {
  const http = new HttpPool(url, {
    connections,
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
  });

  async function post<Body>(path: string, body: object, token?: string): Promise<Body> {
    const response = await http.request({
      method: 'POST',
      path,
      headers: {
        'content-type': 'application/json',
        ...(token && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
    });
    const text = await response.body.text();
    if (response.statusCode === 200) return JSON.parse(text) as Body;
    throw new Error(`the router responded to ${path} with HTTP ${response.statusCode}: ${text}`);
  }

  return {
    async tokenFor(user, role) {
      return (await post<{ token: string }>('/dev/token', { user, roles: [role] })).token;
    },
    async request<Data>(query: string, variables: object, token: string) {
      type GraphqlResponse = { data?: Data | null; errors?: { message: string }[] };
      const { data, errors } = await post<GraphqlResponse>('/graphql', { query, variables }, token);
      if (data && !errors) return data;
      throw new Error(`the router responded: ${errors?.[0]?.message ?? 'nothing'}`);
    },
    close: () => http.destroy(),
  };
}
