import type { ViewVersion } from '#contracts/mypage.ts';
import type { Watch } from './feeds.ts';
import { toHostBooking } from './host-booking.ts';
import type { LiveSource } from './shared-operations.ts';
import type { ViewTarget } from './subscription-request.ts';
import type { WatchedViews } from './watched-views.ts';

/** The versions of mypage's views, as subscriptions of bookings deliver them. */
export function viewVersions(views: WatchedViews): LiveSource<ViewTarget, ViewVersion, Watch> {
  return {
    watch(target, broadcast) {
      switch (target.kind) {
        case 'booking':
          return views.booking(target.bookingId, broadcast);
        case 'customer':
          return views.customer(target.customerId, broadcast);
        case 'host': {
          const { hostId, spaceId } = target;
          if (spaceId === null) return views.host(hostId, broadcast);
          return views.host(hostId, (version, isReset) => {
            if (version.host?.spaceId === spaceId) broadcast(version, isReset);
          });
        }
      }
    },
    toRootValue: (version, target) => (target.kind === 'host' ? toHostBooking(version) : version),
    toTopic: ({ bookingId }) => bookingId,
    findSpan: views.findSpan,
  };
}
