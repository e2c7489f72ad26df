import { afterAll, beforeAll, describe } from '@jest/globals';
import { testFailures, testParking } from './dead-letter-parking.ts';
import { testReplay } from './dead-letter-replay.ts';
import { DeadLetterSetup, type DeadLetterStore } from './dead-letter-setup.ts';

/** The tests of dead letters, for one kind of database. */
export function describeDeadLetters(engine: string, open: () => Promise<DeadLetterStore>): void {
  describe(`dead letters on ${engine}`, () => {
    const setup = new DeadLetterSetup();
    beforeAll(() => setup.open(open));
    afterAll(() => setup.close());

    testParking(setup);
    testFailures(setup);
    testReplay(setup);
  });
}
