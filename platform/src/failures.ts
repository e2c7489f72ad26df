/**
 * A use case cannot complete an event yet: it is processed again later, and the attempt does not
 * count as a failure. For what another event or another service decides first.
 */
export class RetryLater extends Error {}
