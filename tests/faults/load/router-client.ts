import { Pool as HttpPool } from 'undici';

/** Nobody looks at a spinning wheel for longer. */
const PATIENCE_MS = 7_000;

/** The codes of a call that was wrong itself; whatever else goes wrong leaves the outcome unknown. */
const BAD_CALLS = new Set([
  'BAD_USER_INPUT',
  'FORBIDDEN',
  'UNAUTHENTICATED',
  'GRAPHQL_VALIDATION_FAILED',
]);

/** Rejected when nobody knows what became of the call. */
export class Unknown extends Error {}

export interface RouterClient {
  /** Data without errors; rejects with {@link Unknown}, or another error where the call was bad. */
  ask<Data>(user: string, query: string, variables: object): Promise<Data>;
  close(): Promise<void>;
}

export function routerClient(
  url: string,
  sign: (user: string, role: string) => Promise<string>,
  role = 'customer',
): RouterClient {
  const http = new HttpPool(url, { connections: 64, connectTimeout: 2_000 });
  const tokens = new Map<string, string>();

  async function tokenOf(user: string): Promise<string> {
    const known = tokens.get(user);
    if (known) return known;
    const token = await sign(user, role);
    tokens.set(user, token);
    return token;
  }

  return {
    async ask<Data>(user: string, query: string, variables: object): Promise<Data> {
      const headers = {
        'content-type': 'application/json',
        authorization: `Bearer ${await tokenOf(user)}`,
      };
      let text: string;
      try {
        const response = await http.request({
          method: 'POST',
          path: '/graphql',
          headers,
          body: JSON.stringify({ query, variables }),
          signal: AbortSignal.timeout(PATIENCE_MS),
        });
        text = await response.body.text();
      } catch (error) {
        throw new Unknown((error as Error).message);
      }
      type Answer = {
        data?: Data | null;
        errors?: { message: string; extensions?: { code?: string } }[];
      };
      const { data, errors } = parse<Answer>(text);
      const [error] = errors ?? [];
      if (!error && data) return data;
      const code = error?.extensions?.code ?? 'no code';
      const what = `${code}: ${error?.message ?? text.slice(0, 200)}`;
      throw BAD_CALLS.has(code) ? new Error(what) : new Unknown(what);
    },
    close: () => http.destroy(),
  };
}

function parse<Answer>(text: string): Answer {
  try {
    return JSON.parse(text) as Answer;
  } catch {
    throw new Unknown(`an answer that is no JSON: ${text.slice(0, 200)}`);
  }
}
