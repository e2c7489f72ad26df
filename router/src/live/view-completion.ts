import { finalBookingStatuses, type VersionResult } from '#contracts/mypage.ts';

/** The part of a view that says whether more versions follow. */
export type ViewEnd = Pick<VersionResult, 'status' | 'isComplete'>;

export interface ViewCompletion {
  /**
   * Schedules the completion when the view is final. `unknownDelayMs` is the delay where mypage does
   * not say whether the view is complete.
   */
  observe(view: ViewEnd, unknownDelayMs: number): void;
  cancel(): void;
}

/**
 * Calls `complete` once the view is final and complete. A final view that stays incomplete, because a
 * refund keeps failing, is waited for at most `timeoutMs`.
 */
export function viewCompletion(timeoutMs: number, complete: () => void): ViewCompletion {
  let timer: NodeJS.Timeout | undefined;
  let isCancelled = false;
  return {
    observe({ status, isComplete }, unknownDelayMs) {
      if (!finalBookingStatuses.has(status) || isCancelled) return;
      if (timer && isComplete !== true) return;
      clearTimeout(timer);
      const delayMs = isComplete === undefined ? unknownDelayMs : isComplete ? 0 : timeoutMs;
      timer = setTimeout(complete, delayMs);
    },
    cancel() {
      isCancelled = true;
      clearTimeout(timer);
    },
  };
}
