const SERVICE_SETTINGS =
  /^(HOST|PORT|AUTH_\w+|INTERNAL_TOKEN_KEYS|REDIS_URL|\w+_DATABASE_URL|(BOOK|PAYMENT|SPACE|MYPAGE)_URL)(_FILE)?$/;

/** Removes settings from the environment that would change the profile or the addresses of services. */
export function removeServiceSettings(): void {
  for (const name of Object.keys(process.env)) {
    if (SERVICE_SETTINGS.test(name)) delete process.env[name];
  }
}
