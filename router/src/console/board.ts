import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import type {
  AfterHook,
  AppControllerRoute,
  AppViewRoute,
  BullBoardQueues,
  IServerAdapter,
  UIConfig,
} from '@bull-board/api/typings/app';
import type { Queue } from 'bullmq';
import type { EventRecord } from '#platform/messaging/events.ts';
import { plainFailureText } from '#platform/messaging/failure-text.ts';

/** A request for data of the board, as far as bull-board reads it. */
export interface BoardRequest {
  query: Record<string, unknown>;
  params: Record<string, unknown>;
}

/** bull-board's page and data. What changes a queue or a job is left out. */
export interface Board {
  /** The paths of the page, in Fastify's syntax. */
  pagePaths: readonly string[];
  /** The template of the page, and its values. */
  template: { folder: string; name: string; values: Record<string, string> };
  /** The page's scripts, styles and texts: their path and folder. */
  assets: { path: string; folder: string };
  reads: readonly BoardRead[];
}

export interface BoardRead {
  path: string;
  /** Responds from these queues; rejects when their server does. */
  read(
    request: BoardRequest,
    queues: readonly Queue[],
  ): Promise<{ status: number; body: string | object }>;
}

const UI: UIConfig = {
  boardTitle: 'spacerent queues',
  favIcon: { default: 'static/images/logo.svg', alternative: 'static/favicon-32x32.png' },
  miscLinks: [{ text: 'Sign out', url: '/sign-out' }],
  hideDocsLink: true,
  sortQueues: true,
  // The workers record no rates: Prometheus has them.
  showMetrics: false,
};

/** Collects what bull-board gives to an HTTP server. */
export function openBoard(): Board {
  const board = {} as {
    views: string;
    assets: Board['assets'];
    entry: AppViewRoute;
    routes: AppControllerRoute[];
    ui: UIConfig;
  };
  const collector: IServerAdapter = {
    // Each request brings the queues that are open by then.
    setQueues: () => collector,
    setErrorHandler: () => collector,
    setViewsPath: (views) => set({ views }),
    setStaticPath: (path, folder) => set({ assets: { path, folder } }),
    setEntryRoute: (entry) => set({ entry }),
    setApiRoutes: (routes) => set({ routes }),
    setUIConfig: (ui) => set({ ui }),
  };
  function set(part: Partial<typeof board>): IServerAdapter {
    Object.assign(board, part);
    return collector;
  }
  const options = { uiConfig: UI, handlerHooks: { after: withPlainFailures } };
  createBullBoard({ queues: [], serverAdapter: collector, options });
  const { entry, ui } = board;
  const { name, params } = entry.handler({ basePath: '/', uiConfig: ui });
  return {
    pagePaths: [entry.route].flat(),
    template: { folder: board.views, name, values: params },
    assets: board.assets,
    reads: board.routes.filter(isRead).flatMap((route) => toReads(route, ui)),
  };
}

/** The board writes only with other methods; none of them is served to anybody. */
function isRead({ method }: AppControllerRoute): boolean {
  return [method].flat().every((each) => each === 'get');
}

function toReads({ route, handler }: AppControllerRoute, uiConfig: UIConfig): BoardRead[] {
  return [route].flat().map((path) => ({
    path,
    async read({ query, params }, queues) {
      const request = {
        queues: toAdapters(queues),
        uiConfig,
        query,
        params,
        body: {},
        headers: {},
      };
      const { status = 200, body } = await handler(request);
      return { status, body };
    },
  }));
}

function toAdapters(queues: readonly Queue[]): BullBoardQueues {
  return new Map(queues.map((queue) => [queue.name, toAdapter(queue)]));
}

function toAdapter(queue: Queue): BullMQAdapter {
  const adapter = new BullMQAdapter(queue, { readOnlyMode: true, delimiter: '.' });
  // A job is a batch of events of one topic, and the queue's name shows the topic.
  adapter.setFormatter('name', ({ data }: { data: EventRecord[] }) =>
    [...new Set(data.map(({ type }) => type))].join(', '),
  );
  return adapter;
}

/** A handler's error can hold a statement, values or an address: shown as in a list of dead letters. */
const withPlainFailures: AfterHook = (_context, result) => {
  for (const job of jobsIn(result.body)) {
    job.stacktrace = [];
    if (job.failedReason) job.failedReason = plainFailureText(job.failedReason);
  }
  return result;
};

interface ShownJob {
  failedReason?: string;
  stacktrace: string[];
}

function jobsIn(body: unknown): ShownJob[] {
  const { queues = [], job } = body as { queues?: { jobs: ShownJob[] }[]; job?: ShownJob };
  return [...queues.flatMap(({ jobs }) => jobs), ...(job ? [job] : [])];
}
