import { z } from 'zod';
import { instant } from '#contracts/values.ts';
import { requirePrincipal } from '#platform/auth/principal.ts';
import { parseId } from '#platform/graphql/ids.ts';
import { readPage, toConnection } from '#platform/graphql/pagination.ts';
import type { SubgraphContext } from '#platform/graphql/subgraph-server.ts';
import type { Rebuilder } from '../application/rebuild-views.ts';
import type { BookingStatusView, StatusChange } from '../booking-status-view.ts';
import type { Rebuild, ViewGenerations, ViewStore } from '../ports.ts';

const position = z.object({ startAt: instant, bookingId: z.uuid() });

interface BookingsArgs {
  first: number | null;
  after?: string | null;
  status?: string[] | null;
}

/** A view and its timeline, which is fetched once for the whole page. */
interface ListedView {
  view: BookingStatusView;
  timeline: () => Promise<StatusChange[]>;
}

export function resolvers(
  views: ViewStore,
  rebuilds: Rebuilder,
  generations: Pick<ViewGenerations, 'latest'>,
) {
  function toListed(page: readonly BookingStatusView[]): ListedView[] {
    let timelines: ReturnType<ViewStore['timelines']> | undefined;
    return page.map((view) => ({
      view,
      async timeline() {
        timelines ??= views.timelines(page.map(({ bookingId }) => bookingId));
        return (await timelines).get(view.bookingId) ?? [];
      },
    }));
  }

  return {
    Query: {
      myPage: () => ({}),
      myPageRebuild: () => generations.latest(),
    },

    Mutation: {
      async rebuildMyPage(
        _: unknown,
        { acceptDifferences }: { acceptDifferences: boolean | null },
        { principal }: SubgraphContext,
      ) {
        const { userId: by } = requirePrincipal(principal);
        const rebuild = await rebuilds.start({ acceptDifferences: acceptDifferences ?? false, by });
        if (rebuild) return { type: 'RebuildMyPageStarted', rebuild };
        return {
          type: 'RebuildAlreadyRunning',
          message: 'The read model is being rebuilt already: query myPageRebuild for its progress.',
        };
      },
    },

    MyPageRebuild: {
      id: ({ generation }: Rebuild) => String(generation),
    },

    Problem: { __resolveType: ({ type }: { type: string }) => type },
    RebuildMyPageResult: { __resolveType: ({ type }: { type: string }) => type },

    MyPage: {
      async bookings(_: unknown, args: BookingsArgs, { principal }: SubgraphContext) {
        const page = readPage(args, position);
        const found = await views.list(requirePrincipal(principal).userId, {
          limit: page.first + 1,
          after: page.after,
          statuses: args.status ?? null,
        });
        return toConnection(
          toListed(found),
          page,
          ({ view }) => ({ startAt: view.startAt?.toISOString(), bookingId: view.bookingId }),
          (node) => node,
        );
      },
      async booking(_: unknown, { id }: { id: string }, { principal }: SubgraphContext) {
        const view = await views.find(requirePrincipal(principal).userId, parseId(id, 'id'));
        return view && toListed([view])[0];
      },
    },

    BookingStatusView: {
      bookingId: ({ view }: ListedView) => view.bookingId,
      booking: ({ view }: ListedView) => ({ id: view.bookingId }),
      status: ({ view }: ListedView) => view.status,
      spaceName: ({ view }: ListedView) => view.spaceName,
      slot: ({ view }: ListedView) => ({ startAt: view.startAt, endAt: view.endAt }),
      price: ({ view }: ListedView) => ({ amount: view.priceAmount, currency: view.currency }),
      paymentStatus: ({ view }: ListedView) => view.paymentStatus,
      refunded: ({ view }: ListedView) => ({ amount: view.refunded, currency: view.currency }),
      registrationStatus: ({ view }: ListedView) => view.registrationStatus,
      timeline: (node: ListedView) => node.timeline(),
      version: ({ view }: ListedView) => view.version,
      updatedAt: ({ view }: ListedView) => view.updatedAt,
    },
  };
}
