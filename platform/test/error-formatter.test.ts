import { expect, test } from '@jest/globals';
import { GraphQLError } from 'graphql';
import { pino } from 'pino';
import { errorFormatter } from '../graphql/errors.ts';

/** The code and the message that a client gets when a resolver throws the error. */
function shown(error: Error): { code: unknown; message: string } {
  const thrown = new GraphQLError(error.message, { path: ['booking'], originalError: error });
  const format = errorFormatter(pino({ enabled: false }));
  const { message, extensions } = format({ message: error.message, path: ['booking'] }, thrown);
  return { code: extensions?.code, message };
}

test.each([
  ['shuts down', { code: '57P01' }],
  ['is read-only after a failover', { code: '25006' }],
  ['has a full disk', { code: '53100' }],
  ['does not listen', { code: 'ECONNREFUSED' }],
  ['is a full file of SQLite', { code: 'SQLITE_FULL' }],
])(
  'a request whose database %s fails with the advice to try again, without the reason',
  (_, fields) => {
    const error = Object.assign(new Error('10.0.0.7: relation "booking"'), fields);
    expect(shown(error)).toEqual({
      code: 'SERVICE_UNAVAILABLE',
      message: 'A part of the system does not work at the moment: try again.',
    });
  },
);

test('a request that meets a fault of the code fails without the advice to try again', () => {
  expect(shown(new TypeError('x is undefined')).code).toBe('INTERNAL_SERVER_ERROR');
});
