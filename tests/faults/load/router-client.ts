import { Pool as HttpPool } from 'undici';

/** The longest that an impatient customer waits for a response. */
const REQUEST_TIMEOUT_MS = 7_000;

/** Codes of errors in the request itself: no change was committed. */
const BAD_REQUEST_CODES = new Set([
  'BAD_USER_INPUT',
  'FORBIDDEN',
  'UNAUTHENTICATED',
  'GRAPHQL_VALIDATION_FAILED',
]);

/** The request has no conclusive response: its change may be committed or not. */
export class UnknownOutcome extends Error {}

export interface RouterClient {
  /** Returns data without errors. Rejects with {@link UnknownOutcome}, or with another error for a bad request. */
  execute<Data>(user: string, query: string, variables: object): Promise<Data>;
  close(): Promise<void>;
}

export function createRouterClient(
  url: string,
  signToken: (user: string, role: string) => Promise<string>,
  role = 'customer',
  timeoutMs = REQUEST_TIMEOUT_MS,
): RouterClient {
  const http = new HttpPool(url, { connections: 64, connectTimeout: 2_000 });
  const tokens = new Map<string, string>();

  async function tokenFor(user: string): Promise<string> {
    const cached = tokens.get(user);
    if (cached) return cached;
    const token = await signToken(user, role);
    tokens.set(user, token);
    return token;
  }

  return {
    async execute<Data>(user: string, query: string, variables: object): Promise<Data> {
      const headers = {
        'content-type': 'application/json',
        authorization: `Bearer ${await tokenFor(user)}`,
      };
      let text: string;
      try {
        const response = await http.request({
          method: 'POST',
          path: '/graphql',
          headers,
          body: JSON.stringify({ query, variables }),
          signal: AbortSignal.timeout(timeoutMs),
        });
        text = await response.body.text();
      } catch (error) {
        throw new UnknownOutcome((error as Error).message);
      }
      type Body = {
        data?: Data | null;
        errors?: { message: string; extensions?: { code?: string } }[];
      };
      const { data, errors } = parse<Body>(text);
      const [error] = errors ?? [];
      if (!error && data) return data;
      const code = error?.extensions?.code ?? 'no code';
      const message = `${code}: ${error?.message ?? text.slice(0, 200)}`;
      throw BAD_REQUEST_CODES.has(code) ? new Error(message) : new UnknownOutcome(message);
    },
    close: () => http.destroy(),
  };
}

function parse<Body>(text: string): Body {
  try {
    return JSON.parse(text) as Body;
  } catch {
    throw new UnknownOutcome(`the response is not JSON: ${text.slice(0, 200)}`);
  }
}
