import { createDatabase } from '../../tests/support/database.ts';
import { describeDeadLetters } from '../../tests/support/dead-letters.ts';
import { postgresDeadLetters } from '../src/dead-letters.ts';
import { postgresInbox } from '../src/inbox.ts';

describeDeadLetters('PostgreSQL', async () => {
  const database = await createDatabase('payment');
  return {
    inbox: postgresInbox(database.pool),
    deadLetters: postgresDeadLetters(database.pool),
    hold: (id) => database.query('INSERT INTO inbox (event_id) VALUES ($1)', [id]),
    drop: () => database.drop(),
  };
});
