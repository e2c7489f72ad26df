export type RegistrationStatus = 'REGISTERED' | 'CANCELLED' | 'REJECTED';
