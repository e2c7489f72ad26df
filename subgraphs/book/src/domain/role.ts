/** What a principal may view or change a booking as. */
export type Role = 'customer' | 'host' | 'operator';
