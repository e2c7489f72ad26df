import { VIEW_NOTIFICATIONS_CHANNEL } from '#contracts/mypage.ts';
import { viewSource } from './view-source.ts';
import { listenTo, type WatchedService } from './watched-service.ts';
import { type WatchedViews, watchedViews } from './watched-views.ts';

/** Watches views of mypage. */
export function mypageViews(service: WatchedService): WatchedViews {
  const { url, authorize, timeoutMs, logger } = service;
  const source = viewSource(url, authorize, timeoutMs);
  const watched = watchedViews({
    source,
    listen: listenTo(service, VIEW_NOTIFICATIONS_CHANNEL, 'notifications'),
    logger,
  });
  return {
    ...watched,
    async close() {
      await watched.close();
      await source.close();
    },
  };
}
